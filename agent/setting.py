"""Everything that must be right before the first process starts: study file, configuration, interpreter, source version."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..executor.errors import LesionError, StudyFileError
from ..executor.experiments.python import PythonExperiment
from ..executor.interpreter import Interpreter, examine
from ..executor.interventions import Intervention, config_overrides
from ..executor.limits import Limits
from ..executor.sandbox.choice import choose
from ..executor.sandbox.view import View
from ..executor.worker import INSIDE, Station
from .configuration import Configuration, load_configuration, resolve
from .keys import study_version, trial_key
from .ledger import Trial
from .results import Mode
from .spec import StudySpec

CHEAPEST_FIRST: tuple[Mode, ...] = ("reevaluate", "recover", "retrain")


@dataclass(frozen=True)
class Setting:
    """A study file with everything it points to, read and found sound."""

    spec: StudySpec
    configuration: Configuration | None
    config: dict[str, Any]
    """The baseline's configuration, `[experiment.set]` applied."""
    version: str
    """Hash of all that the study's trials share."""
    interpreter: Interpreter
    experiment: PythonExperiment

    def configured(self, interventions: list[Intervention]) -> dict[str, Any]:
        """The configuration of an arm. `ConfigurationError` for a key that does not exist."""
        values = self.configuration.values if self.configuration else {}
        return resolve(values, self.spec.experiment.set, config_overrides(interventions))

    @property
    def modes(self) -> list[Mode]:
        """The questions of the study, those that are answered fastest first."""
        return [mode for mode in CHEAPEST_FIRST if mode in self.spec.study.modes]

    def trial(self, mode: Mode, arm: str, interventions: list[Intervention], seed: int, purpose: str = "") -> Trial:
        """One trial with its key.

        Trials for a purpose of their own have keys of their own: a later plan may ask for the same under another name.
        """
        how = f"recover:{self.spec.study.finetune_steps}" if mode == "recover" else mode
        how = f"{how}:{purpose}" if purpose else how
        return Trial(trial_key(self.version, interventions, how, seed), arm, mode, seed)

    def station(self, state: Path, *, unsafe: bool) -> Station:
        """Where trials run. `SandboxError` where no sandbox works."""
        spec, limits = self.spec, self.spec.limits
        sandbox = choose(self.interpreter, state / "unsafe-workspace" if unsafe else None)
        view = View(
            project=spec.root,
            readable=(*self.interpreter.paths, INSIDE, *_beside(self), *spec.sandbox.read),
            hidden=_hidden(spec, state),
            network=spec.sandbox.network,
            disk=limits.trial_disk,
            environment={**self.interpreter.environment, **spec.experiment.env},
            gpus=Path("/dev/nvidiactl").exists(),
        )
        bounds = Limits(seconds=limits.trial_time, memory=limits.trial_memory, disk=limits.trial_disk)
        return Station(sandbox, view, self.interpreter, self.experiment.imports(), spec.experiment.threads, bounds)

    def limits_note(self) -> str:
        """The limits as they are recorded with a trial: when they change, what they ended is tried again."""
        limits = self.spec.limits
        return f"{limits.trial_time:g} s, {limits.trial_memory} B, {limits.trial_disk} B"


def prepare(spec: StudySpec) -> Setting:
    """Read everything that `spec` points to. Raises the `LesionError` that says what is wrong."""
    _refuse_what_is_not_offered(spec)
    configuration = load_configuration(spec.config_file) if spec.config_file else None
    config = resolve(configuration.values if configuration else {}, spec.experiment.set, {})
    assert spec.python_file is not None
    return Setting(
        spec=spec,
        configuration=configuration,
        config=config,
        version=study_version(spec, config),
        interpreter=examine(_interpreter(spec)),
        experiment=PythonExperiment(spec.root, spec.python_file, closed=(INSIDE,)),
    )


def _beside(setting: "Setting") -> tuple[Path, ...]:
    """The experiment's file where it lies outside the project's root."""
    file = setting.experiment.file
    return () if file.is_relative_to(setting.spec.root) else (file.parent,)


def _hidden(spec: StudySpec, state: Path) -> tuple[Path, ...]:
    """Every state folder inside the project: no trial sees another result, or a prediction."""
    usual = spec.path.parent.resolve() / ".lesion"
    folders = [usual] if state.is_relative_to(usual) else [usual, state]
    return tuple(one for one in folders if one.is_dir() and one.is_relative_to(spec.root))


def _interpreter(spec: StudySpec) -> Path:
    """The study's interpreter: a path, or a name to be found on PATH."""
    named = spec.experiment.interpreter
    if named is None or spec.interpreter.exists():
        return spec.interpreter
    found = shutil.which(named)
    if found is None:
        raise StudyFileError(
            f"no such interpreter: {named}",
            where=str(spec.path),
            to_do="give experiment.interpreter the path of a Python",
        )
    return Path(found)


def _refuse_what_is_not_offered(spec: StudySpec) -> None:
    """The contract of the study file is whole, this version is not: say so before anything runs."""
    problems: list[str] = []
    if spec.experiment.command is not None:
        problems.append("experiment.command: command experiments are not in this version; give experiment.python")
    if problems:
        raise LesionError(
            "\n  ".join(["the study asks for what this version does not offer:", *problems]), where=str(spec.path)
        )
