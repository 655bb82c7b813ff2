"""The baseline's check: one training step and one evaluation in the sandbox, which show the module tree and the metrics."""

import difflib
import fnmatch

from .. import prompts
from ..executor.errors import ExperimentError, StudyFileError
from ..executor.experiments.experiment import Arm
from ..executor.interventions import FROM_REFERENCE
from ..executor.outcomes import Outcome
from ..executor.pool import Pool
from .components import Component
from .configuration import dotted_keys
from .dispatch import require_unedited
from .keys import trial_key
from .ledger import Ledger
from .planning.plan import BASELINE
from .reading.anatomy import Anatomy
from .reading.settings import components_from_settings
from .setting import Setting
from .sourceparts import components_from_source, files_of_settings
from .spec import StudySpec
from .triallogs import with_log


def survey(setting: Setting, pool: Pool, ledger: Ledger | None) -> Outcome:
    """The baseline's check, from the ledger where it was made before.

    Raises `ExperimentError` with the user's own traceback where the experiment does not run, and where it does not
    return the metrics that the study names; `SourceEdited` where it is to be kept and files were edited meanwhile.
    """
    key = survey_key(setting)
    known = ledger.check(key) if ledger else None
    outcome = known or _ask(setting, pool)
    if ledger and not known:
        require_unedited(setting)
    if ledger:
        outcome = with_log(outcome, ledger.path.parent, key)
    if outcome.status != "ok":
        raise failure(setting.spec, outcome, "the baseline does not get through one step and one evaluation")
    if ledger and not known:
        ledger.record_check(key, setting.version, BASELINE, outcome)
    require_metrics(setting.spec, outcome)
    return outcome


def survey_key(setting: Setting) -> str:
    """What makes two surveys the same."""
    return trial_key(setting.version, [], f"anatomy:{' '.join(setting.modes)}", 0)


def _ask(setting: Setting, pool: Pool) -> Outcome:
    arms = [Arm(BASELINE, setting.config, [])]
    job = setting.experiment.job("anatomy", arms, functions=(), modes=setting.modes)
    return next(pool.run([job])).outcome


def remarks_of(outcome: Outcome) -> list[str]:
    """What a person should know of how a command runs; nothing of functions, which are called one by one."""
    told = {"remarks": outcome.remarks, "repeatable": outcome.repeatable, "seeded": outcome.seeded}
    return [line for line in prompts.render("progress/script.j2", **told).splitlines() if line.strip()]


def anatomy_of(setting: Setting, outcome: Outcome) -> Anatomy:
    """The model that the survey saw. `StudyFileError` where the study states what is not there."""
    keys = list(dotted_keys(setting.config))
    anatomy, problems = Anatomy.of(outcome, setting.spec.anatomy, keys)
    if problems:
        raise StudyFileError(
            "\n".join(problems), where=str(setting.spec.path), to_do="see `lesion inspect` for the modules"
        )
    return anatomy


def components_of(setting: Setting, outcome: Outcome) -> list[Component]:
    """What could be removed: configuration first, then the model, then what only the source shows."""
    settings = (
        components_from_settings(setting.configuration, setting.config, files_of_settings(setting))
        if setting.configuration
        else []
    )
    anatomy = anatomy_of(setting, outcome)
    found = [*settings, *anatomy.components()]
    live = {*outcome.models, *(one.type for one in anatomy.modules)} if outcome.models else set[str]()
    return [*found, *components_from_source(setting, found, live)]


def failure(spec: StudySpec, outcome: Outcome, what: str) -> ExperimentError:
    """An outcome as an error: reason, the user's traceback, the end of the output."""
    lines = [f"{what} ({outcome.status}): {outcome.message or 'no reason was given'}"]
    if outcome.traceback:
        lines += ["", outcome.traceback.rstrip()]
    if outcome.output.strip() and outcome.output.rstrip().splitlines()[-1] not in lines[0]:
        lines += ["", "the end of its output:", *outcome.output.rstrip().splitlines()[-12:]]
    if outcome.log:
        lines += ["", f"log: {outcome.log}"]
    advice = _ADVICE if spec.python_file is not None else {**_ADVICE, **_ADVICE_OF_COMMANDS}
    return ExperimentError(
        "\n".join(lines), where=str(spec.entry_file or spec.path), to_do=advice.get(outcome.status, advice["crashed"])
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


def require_reference(spec: StudySpec, outcome: Outcome) -> None:
    """`StudyFileError` where the study asks for a kind of removal that has nothing to take its values from."""
    wanted = [kind for kind in spec.study.kinds if kind in FROM_REFERENCE]
    if not wanted:
        return
    if spec.study.modes == ["retrain"]:
        raise StudyFileError(
            f"study.kinds: {' and '.join(wanted)} take their values from a trained model, which retraining alone does not have",
            where=str(spec.path),
            to_do='add "reevaluate" to study.modes, or leave them out',
        )
    if "reference" not in outcome.offers:
        raise StudyFileError(
            f"study.kinds: {' and '.join(wanted)} take their values from a reference split, and the experiment has none",
            where=str(spec.path),
            to_do='give batches(config, split) that knows "reference", and score(model, batch); or leave them out',
        )


def require_components(spec: StudySpec, known: list[str]) -> None:
    """`StudyFileError` where a pattern of the study fits no component."""
    asked = {"study.components": spec.study.components, "retuning.components": spec.retuning.components}
    unmatched = {
        key: [glob for glob in globs if not _may_come(glob) and not fnmatch.filter(known, glob)]
        for key, globs in asked.items()
    }
    if any(unmatched.values()):
        shown = {
            key: ", ".join(f"{glob!r}{_nearest(glob, known)}" for glob in globs) for key, globs in unmatched.items()
        }
        raise StudyFileError(
            "; ".join(f"{key}: no component is named {names}" for key, names in shown.items() if names),
            where=str(spec.path),
            to_do="see `lesion inspect` for their ids",
        )


def _may_come(glob: str) -> bool:
    """Whether a pattern is for what only a plan brings in: edits of the source have no component before."""
    return glob == "*" or glob.startswith("edit:")


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
_ADVICE_OF_COMMANDS = {
    "crashed": "make it run by itself first; a trial sees the project, its Python and what `read` names, no network unless allowed",
    "invalid": "say in metrics_pattern what it prints, or in metrics_file what it writes; `lesion init` looks for both",
}
