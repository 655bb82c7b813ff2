"""The baseline's check: one training step and one evaluation in the sandbox, which show the module tree and the metrics."""

import difflib
import fnmatch

from ..executor.errors import ExperimentError, StudyFileError
from ..executor.outcomes import ModuleRecord, Outcome
from ..executor.pool import Pool
from .components import Component
from .keys import source_files, trial_key
from .ledger import Ledger
from .planning.plan import BASELINE
from .reading.modules import components_from_modules
from .reading.settings import components_from_settings
from .setting import MODE, Setting
from .spec import StudySpec


def survey(setting: Setting, pool: Pool, ledger: Ledger | None) -> Outcome:
    """The baseline's check, from the ledger where it was made before.

    Raises `ExperimentError` with the user's own traceback where the experiment does not run, and where it does not
    return the metrics that the study names.
    """
    key = trial_key(setting.version, [], f"{MODE}:anatomy", 0)
    known = ledger.check(key) if ledger else None
    outcome = known or _ask(setting, pool)
    if outcome.status != "ok":
        raise failure(setting.spec, outcome, "the baseline does not get through one step and one evaluation")
    if ledger and not known:
        ledger.record_check(key, setting.version, BASELINE, outcome)
    require_metrics(setting.spec, outcome)
    return outcome


def _ask(setting: Setting, pool: Pool) -> Outcome:
    job = setting.experiment.job("anatomy", setting.config, [], 0)
    return next(pool.run([(BASELINE, job)])).outcome


def components_of(setting: Setting, modules: list[ModuleRecord]) -> list[Component]:
    """What could be removed: configuration first, then modules."""
    settings = (
        components_from_settings(setting.configuration, setting.config, source_files(setting.spec))
        if setting.configuration
        else []
    )
    return [*settings, *components_from_modules(modules)]


def failure(spec: StudySpec, outcome: Outcome, what: str) -> ExperimentError:
    """An outcome as an error: reason, the user's traceback, the end of the output."""
    lines = [f"{what} ({outcome.status}): {outcome.message or 'no reason was given'}"]
    if outcome.traceback:
        lines += ["", outcome.traceback.rstrip()]
    if outcome.output.strip():
        lines += ["", "the end of its output:", *outcome.output.rstrip().splitlines()[-12:]]
    return ExperimentError(
        "\n".join(lines), where=str(spec.python_file), to_do=_ADVICE.get(outcome.status, _ADVICE["crashed"])
    )


def require_metrics(spec: StudySpec, outcome: Outcome) -> None:
    """`ExperimentError` where a metric that the study names is never returned."""
    for split, values in outcome.metrics.items():
        missing = [name for name in spec.metrics if name not in values]
        if missing:
            raise ExperimentError(
                f"evaluate never returns {' and '.join(map(repr, missing))} (on {split}); it returns {', '.join(map(repr, values))}",
                where=str(spec.path),
                to_do="name one of those under [metrics], or return the metric from evaluate",
            )


def require_components(spec: StudySpec, known: list[str]) -> None:
    """`StudyFileError` where a pattern of the study fits no component."""
    unmatched = [glob for glob in spec.study.components if glob != "*" and not fnmatch.filter(known, glob)]
    if unmatched:
        shown = [f"{glob!r}{_nearest(glob, known)}" for glob in unmatched]
        raise StudyFileError(
            f"study.components: no component is named {', '.join(shown)}",
            where=str(spec.path),
            to_do="see `lesion inspect` for their ids",
        )


def _nearest(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f" (did you mean {close[0]!r}?)" if close else ""


_ADVICE = {
    "crashed": "make it run by itself first; a trial sees the project read-only, no network, and only what the study file names",
    "timed-out": "raise limits.trial_time, or make the experiment shorter",
    "out-of-memory": "raise limits.trial_memory",
    "disk-full": "raise limits.trial_disk",
    "invalid": "see the contract of build_model, train and evaluate in the README",
    "diverged": "mend the baseline first: nothing can be compared with a number that is not finite",
    "killed": "something outside ended it; see that the machine has memory left",
}
