"""The brief run: once, in the sandbox, as a trial would run it, to see what it prints and what it takes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...executor.experiments.command import CommandExperiment, Reading
from ...executor.experiments.experiment import Arm
from ...executor.outcomes import Outcome, Status
from ...executor.pool import Pool
from ..machine import free_memory
from ..setting import Setting, prepare
from ..spec import StudySpec

LEAST_MEMORY = 2 << 30


@dataclass(frozen=True)
class Ran:
    """How the brief run went."""

    status: Status
    message: str
    output: str
    """The end of what it printed, errors included."""
    metrics: Mapping[str, float]
    """Those of its file, or of its functions."""
    seconds: float
    peak_memory: int | None
    settings: Mapping[str, Any]
    """Set for this run alone, so that it is short."""
    allowed: float
    """Seconds that it was given."""

    @property
    def finished(self) -> bool:
        """Whether it came to its end by itself and without an error, whatever it printed."""
        return self.status in ("ok", "invalid", "diverged")


def study_of(path: Path, experiment: Mapping[str, Any], read: tuple[str, ...], seconds: float) -> StudySpec:
    """A study that exists in memory only, for what is read and run before there is a file. `ValidationError` for nonsense."""
    memory = max(LEAST_MEMORY, free_memory() * 3 // 4)
    tables = {
        "path": path,
        "study": {"name": "init"},
        "experiment": dict(experiment),
        "sandbox": {"read": list(read)},
        "metrics": {"anything": {"goal": "minimize"}},
        "limits": {"trial_time": seconds, "trial_memory": memory},
    }
    spec = StudySpec.model_validate(tables)
    return spec.model_copy(
        update={
            "sandbox": spec.sandbox.model_copy(update={"read": [spec.below_root(one) for one in spec.sandbox.read]})
        }
    )


def run_command(spec: StudySpec, changed: Mapping[str, Any], metrics_file: str | None, *, unsafe: bool) -> Ran:
    """Run a command once, with settings changed for this run.

    Raises:
        LesionError: the configuration, the interpreter or the sandbox cannot be used.
    """
    setting = prepare(
        spec.model_copy(
            update={"experiment": spec.experiment.model_copy(update={"set": {**spec.experiment.set, **changed}})}
        )
    )
    assert isinstance(setting.experiment, CommandExperiment)
    reading = Reading(metrics_file, (), "last", {})
    experiment = replace(setting.experiment, reading=reading)
    job = experiment.job("retrain", [Arm("baseline", setting.config, [])])
    return _ran(_outcome(setting, job, unsafe=unsafe), changed, spec.limits.trial_time)


def run_functions(spec: StudySpec, *, unsafe: bool) -> Ran:
    """Take one step and one evaluation with the functions of an experiment in Python. `LesionError` as for a command."""
    setting = prepare(spec)
    job = setting.experiment.job("anatomy", [Arm("baseline", setting.config, [])], functions=(), modes=["retrain"])
    return _ran(_outcome(setting, job, unsafe=unsafe), {}, spec.limits.trial_time)


def _outcome(setting: Setting, job: Any, *, unsafe: bool) -> Outcome:
    station = setting.station(setting.spec.path.parent / ".lesion" / "init", unsafe=unsafe)
    with Pool(station, 1) as pool:
        return next(pool.run([job])).outcome


def _ran(outcome: Outcome, changed: Mapping[str, Any], allowed: float) -> Ran:
    metrics = {name: value for values in outcome.metrics.values() for name, value in values.items()}
    traceback = outcome.traceback or ""
    said = outcome.output if traceback.strip()[-200:] in outcome.output else f"{outcome.output}\n{traceback}"
    return Ran(
        outcome.status,
        outcome.message or "",
        said,
        metrics,
        outcome.wall_seconds,
        outcome.peak_memory,
        changed,
        allowed,
    )
