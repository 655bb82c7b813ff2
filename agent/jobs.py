"""From planned trials to jobs: which of them share a process, and which trained weights they are given."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from ..executor.errors import EditError
from ..executor.experiments.experiment import Arm
from ..executor.interventions import Intervention, acts_on_program
from ..executor.jobs import Job
from ..executor.overlay import Overlay
from .ledger import Trial
from .planning.plan import BASELINE, Ablation
from .rescoring import Rescoring, handed_over
from .results import Mode
from .setting import Setting
from .stopping import AskedAt, Asking

WITHOUT_TRAINING = ("build_model", "evaluate")
MOST_ARMS = 64
"""Arms of one job, whatever they take."""
JOB_SECONDS = 20.0
"""How long a job of several evaluations may take, so that a deadline is kept and progress is seen."""
FEWEST_ARMS = 16
"""Arms of a job that goes batch by batch, however long an evaluation takes: what they share is computed once for all."""
FIRST_GUESS = 32
"""Arms of a job before any evaluation was timed."""


class Started(NamedTuple):
    """A job, and the trials whose results it gives."""

    job: Job
    trials: list[Trial]


@dataclass(frozen=True)
class Workshop:
    """Makes the jobs of one study."""

    setting: Setting
    checkpoints: Path
    """Where trained weights are kept, a file a baseline run."""
    interventions: dict[str, list[Intervention]]
    """Arm → what is removed in it."""
    loads: bool
    """Whether the experiment loads its own weights: then no baseline run's are kept."""

    @property
    def keeps_weights(self) -> bool:
        """Whether the baseline's trained weights are needed later."""
        return not self.loads and bool({"reevaluate", "recover"} & set(self.setting.modes))

    def checkpoint(self, seed: int) -> Path:
        """The weights that the baseline was trained to at one seed."""
        return self.checkpoints / f"{self.setting.trial('retrain', BASELINE, [], seed).key}.pt"

    def start(self, trial: Trial) -> Path:
        """The weights that a trial starts from: each trained model's own, or the first one's, fine-tuned at every seed."""
        if trial.mode == "reevaluate":
            return self.checkpoint(trial.seed)
        every = [self.checkpoint(seed) for seed in range(self.setting.spec.study.seeds)]
        return next((one for one in every if one.exists()), every[0])

    def lacks_weights(self, trial: Trial) -> bool:
        """Whether a finished baseline run must be trained again, since its weights are gone."""
        trained = trial.mode == "retrain" and trial.arm == BASELINE
        return trained and self.keeps_weights and not self.checkpoint(trial.seed).exists()

    def lacks(self, trial: Trial) -> str | None:
        """Why a trial has no trained model to start from; None where it has, or trains its own."""
        if self.loads or trial.mode == "retrain" or self.start(trial).exists():
            return None
        return "the baseline's training left no weights to cut"

    @cached_property
    def rescoring(self) -> Rescoring:
        """Which trials are measured again with the unedited source."""
        return Rescoring(self.setting, handed_over(self.checkpoints))

    def is_rescored(self, trial: Trial) -> bool:
        """Whether a trial is trained with edits, and scored without them."""
        return self.rescoring.applies(trial, self.interventions[trial.arm])

    def rescore(self, trial: Trial) -> Job:
        """The job that scores a trial which has been trained."""
        return self.rescoring.job(trial, self.interventions[trial.arm])

    def overlay(self, trial: Trial) -> Overlay:
        """What a trial sees in place of the project's files; nothing where its edits do not apply."""
        try:
            return self.setting.experiment.overlay(self._arm(trial))
        except EditError:
            return {}

    def next_job(
        self,
        waiting: deque[Trial],
        workers: int,
        seconds: float,
        most: int | None = None,
        asked_at: AskedAt | None = None,
    ) -> Started:
        """Take what runs next off `waiting`: one training, or several evaluations of the same trained model.

        Only typed interventions share a process.

        Args:
            waiting: trials in order; what is taken is gone from it.
            workers: jobs that run at once.
            seconds: what one evaluation takes, 0 where that is not known yet.
            most: trials that the budget still allows; None: any number.
            asked_at: what evaluations of a trained model are told beside what they remove.
        """
        first = waiting.popleft()
        trials = [first]
        if first.mode == "reevaluate":
            fewest = FEWEST_ARMS if asked_at and asked_at(first.seed).stream else 1
            fit = min(MOST_ARMS, max(fewest, int(JOB_SECONDS / seconds))) if seconds else FIRST_GUESS
            alike = [one for one in waiting if self._joins(first, one)]
            share = -(-(len(alike) + 1) // workers)
            trials += alike[: max(0, min(fit, share, fit if most is None else most) - 1)]
            for one in trials[1:]:
                waiting.remove(one)
        return Started(self._job(trials, asked_at), trials)

    def _joins(self, first: Trial, other: Trial) -> bool:
        switched = [one for trial in (first, other) for one in self.interventions[trial.arm]]
        same = (other.mode, other.seed) == (first.mode, first.seed)
        return same and not any(acts_on_program(one) for one in switched)

    def _job(self, trials: Sequence[Trial], asked_at: AskedAt | None) -> Job:
        first, make = trials[0], self.setting.experiment.job
        if first.mode == "reevaluate":
            return self._evaluation(trials, asked_at(first.seed) if asked_at else None)
        arms = [self._arm(trial) for trial in trials]
        if first.mode == "retrain":
            job = make("retrain", arms, first.seed)
            if first.arm == BASELINE and self.keeps_weights:
                return replace(job, writes=self.checkpoint(first.seed))
            return replace(job, writes=self.rescoring.checkpoint(first)) if self.is_rescored(first) else job
        steps, metrics = self.setting.spec.study.finetune_steps, list(self.setting.spec.metrics)
        functions = [*self._functions, "finetune"]
        return self._on_weights(
            make("recover", arms, first.seed, functions=functions, metrics=metrics, steps=steps), first
        )

    def _evaluation(self, trials: Sequence[Trial], asking: Asking | None) -> Job:
        first = trials[0]
        arms = [self._arm(trial, asking.of(trial.arm) if asking else {}) for trial in trials]
        edited = any(acts_on_program(one) for one in self.interventions[first.arm])
        more = asking.message(edited=edited) if asking else {}
        make, metrics = self.setting.experiment.job, list(self.setting.spec.metrics)
        return self._on_weights(
            make("reevaluate", arms, first.seed, functions=self._functions, metrics=metrics, **more), first
        )

    @property
    def _functions(self) -> list[str]:
        return [*WITHOUT_TRAINING, *(["load_weights"] if self.loads else [])]

    def _on_weights(self, job: Job, trial: Trial) -> Job:
        return job if self.loads else replace(job, reads=self.start(trial))

    def _arm(self, trial: Trial, asks: dict[str, Any] | None = None) -> Arm:
        removed = self.interventions[trial.arm]
        return Arm(trial.key, self.setting.configured(removed), removed, asks or {})


def check_jobs(setting: Setting, ablations: Sequence[Ablation], workers: int) -> list[Job]:
    """One-step checks: those of live interventions share processes, a configuration switch or an edit gets one of its own."""
    switches = [one for one in ablations if any(acts_on_program(each) for each in one.interventions)]
    live = [one for one in ablations if one not in switches]
    size = max(1, min(FIRST_GUESS, -(-len(live) // workers)))
    groups = [[one] for one in switches] + [live[start : start + size] for start in range(0, len(live), size)]
    return [setting.experiment.job("check", [_check_arm(setting, one) for one in group]) for group in groups]


def _check_arm(setting: Setting, ablation: Ablation) -> Arm:
    return Arm(ablation.id, setting.configured(ablation.interventions), ablation.interventions)


def asked_in(ablations: Sequence[Ablation], mode: Mode) -> list[Ablation]:
    """Those that are asked in a mode."""
    return [one for one in ablations if one.asks(mode)]
