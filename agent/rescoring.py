"""Re-scoring: what was trained with edited source is measured with the unedited one, in a process that the edit never saw.

A trial can forge its own metrics. Its weights it must hand over, and a fresh sandbox evaluates those.
"""

import shutil
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from ..executor.errors import EditError
from ..executor.experiments.experiment import Arm
from ..executor.interventions import Intervention, SourceEdit, source_edits
from ..executor.jobs import Job
from ..executor.outcomes import RETRIED, Metrics, Outcome
from .editing.reach import Reach, reach
from .ledger import Trial
from .setting import Setting

BUILDS = ("build_model",)
AGREES = 1e-6
"""Relative difference up to which two evaluations of the same weights are the same."""
SHOWN = 4


@dataclass
class Rescoring:
    """Decides which trials are re-scored, and makes the jobs for it."""

    setting: Setting
    folder: Path
    """Where weights lie between a training and its scoring; nothing stays there."""
    _models: dict[str, list[str]] = field(default_factory=lambda: dict[str, list[str]]())

    def applies(self, trial: Trial, removed: Sequence[Intervention]) -> bool:
        """Whether an arm is trained with edits that leave the model itself as it is: then its weights tell all of it.

        Of a command nobody can say: what its evaluation would run is the edited program or none.
        """
        if self.setting.spec.experiment.command is not None:
            return False
        return trial.mode == "retrain" and bool(source_edits(removed)) and not self._model_changes(trial.arm, removed)

    def checkpoint(self, trial: Trial) -> Path:
        """The weights that a trial hands over."""
        return self.folder / f"{trial.key}.pt"

    def job(self, trial: Trial, removed: Sequence[Intervention]) -> Job:
        """The evaluation of a trial's weights: its configuration and what it cuts in the model, and none of its edits."""
        kept: list[Intervention] = [one for one in removed if not isinstance(one, SourceEdit)]
        arm = Arm(trial.key, self.setting.configured(kept), kept)
        job = self.setting.experiment.job("rescore", [arm], trial.seed, functions=("build_model", "evaluate"))
        return replace(job, reads=self.checkpoint(trial))

    def _model_changes(self, arm: str, removed: Sequence[Intervention]) -> list[str]:
        """Definitions that `build_model` reaches and that the edits of an arm change."""
        if arm not in self._models:
            self._models[arm] = self._changes(removed)
        return self._models[arm]

    def _changes(self, removed: Sequence[Intervention]) -> list[str]:
        experiment = self.setting.experiment
        if not experiment.file.is_relative_to(experiment.root):
            return [experiment.file.name]  # what lies outside the root is not followed
        try:
            overlay = experiment.overlay(Arm("", self.setting.config, list(removed)))
        except EditError as error:
            return list(error.problems)
        texts = {path.relative_to(experiment.root).as_posix(): text for path, text in overlay.items()}
        return self._model.changed(reach(experiment.root, experiment.file, BUILDS, texts=texts))

    @cached_property
    def _model(self) -> Reach:
        return reach(self.setting.experiment.root, self.setting.experiment.file, BUILDS)


def handed_over(checkpoints: Path) -> Path:
    """The folder of weights that wait for their scoring."""
    return checkpoints / "edited"


@contextmanager
def nothing_left(folder: Path) -> Generator[None]:
    """Without the weights that a killed run left behind; and afterwards without any."""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def scored_anew(trained: Outcome, scored: Outcome) -> Outcome:
    """One outcome from a training and the unedited evaluation of its weights.

    The figures, and what tells equal weights, are the evaluation's; the costs, and what the cuts did, are the training's.
    """
    both = {"wall_seconds": trained.wall_seconds + scored.wall_seconds}
    if scored.status != "ok":
        status = scored.status if scored.status in (*RETRIED, "diverged") else "invalid"
        told = f"its weights could not be evaluated with the unedited source: {scored.message}"
        why = {"status": status, "message": told, "traceback": scored.traceback, "metrics": {}, "examples": {}}
        return trained.model_copy(update={**both, **why})
    found = {"metrics": scored.metrics, "examples": scored.examples, "fingerprint": scored.fingerprint}
    differ = differences(trained.metrics, scored.metrics)
    own = {"own": trained.metrics, "message": told_apart(differ)} if differ else {}
    return trained.model_copy(update={**both, **found, **own, "scored_by": "unedited"})


def differences(own: Metrics, unedited: Metrics) -> list[tuple[str, float | None, float | None]]:
    """`(metric on split, own value, unedited value)` wherever the two differ; None where one has no such metric."""
    pairs = {
        f"{name} on {split}": (own.get(split, {}).get(name), unedited.get(split, {}).get(name))
        for split in {**unedited, **own}
        for name in {**unedited.get(split, {}), **own.get(split, {})}
    }
    return [(name, mine, other) for name, (mine, other) in pairs.items() if not _agree(mine, other)]


def told_apart(differ: Sequence[tuple[str, float | None, float | None]]) -> str:
    """The differences in one sentence."""
    shown = "; ".join(f"{name} {_number(mine)}, unedited {_number(other)}" for name, mine, other in differ[:SHOWN])
    return f"the trial's own figures differ from those of the unedited evaluation: {shown}"


def _agree(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= AGREES * max(abs(one), abs(other))


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.6g}"
