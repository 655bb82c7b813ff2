"""Everything that must be right before the first process starts: study file, configuration, interpreter, source version."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import prompts
from ..executor.errors import LesionError, StudyFileError
from ..executor.experiments.command import CommandExperiment, Reading
from ..executor.experiments.commandline import CommandLine, command_line
from ..executor.experiments.experiment import Experiment
from ..executor.experiments.python import PythonExperiment
from ..executor.interpreter import Interpreter, examine
from ..executor.interventions import Intervention, config_overrides
from ..executor.limits import Limits
from ..executor.sandbox.choice import choose
from ..executor.sandbox.view import View
from ..executor.worker import INSIDE, Station
from .configuration import IN_COMMAND, Configuration, load_configuration, resolve, script_configuration
from .keys import study_version, trial_key
from .ledger import Trial
from .results import Mode
from .spec import StudySpec
from .watched import Watched

NO_SCRIPT = "no script"
"""In place of the script's name, where the command starts none that can be read."""
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
    experiment: Experiment
    watched: Watched | None = None
    """The files that the version was made of; None: nobody edits them."""

    def edit(self) -> str | None:
        """Why what ran since the version was made is not of this version; None where it is.

        A stat of each file, and the version anew only where one differs: a file that was written as it was is no edit.
        """
        if self.watched is None or not (touched := self.watched.touched()):
            return None
        try:
            same = version_now(self.spec) == self.version
        except (LesionError, OSError):
            same = False
        if same:
            self.watched.take()
            return None
        root = self.spec.root
        files = [str(one.relative_to(root) if one.is_relative_to(root) else one) for one in touched]
        return prompts.render("progress/edited.j2", files=files).strip()

    def configured(self, interventions: list[Intervention]) -> dict[str, Any]:
        """The configuration of an arm. `ConfigurationError` for a key that does not exist."""
        values = self.configuration.values if self.configuration else {}
        advice = IN_COMMAND if self.spec.experiment.command else ""
        return resolve(values, self.spec.experiment.set, config_overrides(interventions), advice)

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
        command = spec.experiment.command is not None
        sandbox = choose(self.interpreter, state / "unsafe-workspace" if unsafe else None, layers=command)
        view = View(
            project=spec.root,
            readable=(*self.interpreter.paths, INSIDE, *_beside(self), *spec.sandbox.read),
            hidden=_hidden(spec, state),
            network=spec.sandbox.network,
            disk=limits.trial_disk,
            layered=command,
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
    watched = Watched(spec)
    configuration = configuration_of(spec)
    if configuration:
        watched.also(configuration.path / place.file for place in configuration.places.values())
    config = _baseline_of(spec, configuration)
    return Setting(
        spec=spec,
        configuration=configuration,
        config=config,
        version=study_version(spec, config),
        interpreter=examine(_interpreter(spec)),
        experiment=_experiment(spec, configuration),
        watched=watched,
    )


def version_now(spec: StudySpec) -> str:
    """The version that `prepare` would find, by reading files alone. Raises the `LesionError` that says what is wrong."""
    return study_version(spec, _baseline_of(spec, configuration_of(spec)))


def _baseline_of(spec: StudySpec, configuration: Configuration | None) -> dict[str, Any]:
    advice = IN_COMMAND if spec.experiment.command else ""
    return resolve(configuration.values if configuration else {}, spec.experiment.set, {}, advice)


def configuration_of(spec: StudySpec) -> Configuration | None:
    """The settings of a study's experiment: its configuration file's, or all that its script can be told."""
    if spec.experiment.command is None:
        return load_configuration(spec.config_file) if spec.config_file else None
    return script_configuration(spec)


def _experiment(spec: StudySpec, configuration: Configuration | None) -> Experiment:
    if spec.python_file is not None:
        return PythonExperiment(spec.root, spec.python_file, closed=(INSIDE,))
    section = spec.experiment
    return CommandExperiment(
        root=spec.root,
        file=spec.entry_file or spec.root / NO_SCRIPT,
        cwd=spec.cwd,
        train=_line(section.command),
        reading=Reading(
            section.metrics_file,
            tuple(section.metrics_pattern),
            section.metrics_reduce,
            {name: metric.goal for name, metric in spec.metrics.items()},
        ),
        evaluate=_line(section.evaluate_command),
        finetune=_line(section.finetune_command),
        checkpoint=section.checkpoint,
        weights=spec.below_root(section.weights) if section.weights else None,
        seeding=section.seeding,
        threads=section.threads,
        defaults=configuration.values if configuration else {},
        knobs=configuration.knobs if configuration else {},
        config=spec.config_file,
        closed=(INSIDE,),
    )


def _line(text: str | None) -> CommandLine | None:
    return command_line(text) if text else None


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
