"""Each ablation on one step, before anything is spent on it: it applies, it runs, it changes something."""

from collections.abc import Sequence
from typing import NamedTuple

from ..executor.interventions import ConfigOverride, acts_on_program
from ..executor.outcomes import RETRIED, Outcome
from ..executor.pool import Pool
from .dispatch import ATTEMPTS, Observer, require_unedited
from .jobs import asked_in, check_jobs
from .keys import trial_key
from .ledger import Ledger
from .planning.plan import BASELINE, Ablation, Plan
from .results import EffectVerdict
from .setting import Setting
from .triallogs import with_log


class Verdicts(NamedTuple):
    """What the checks have decided."""

    stopped: dict[str, tuple[EffectVerdict, str]]
    """Ablation → its verdict and the reason."""
    dropped: dict[str, str]
    """Ablation → why it will not run."""


NOTHING_STOPPED = Verdicts({}, {})


def run_checks(setting: Setting, plan: Plan, pool: Pool, ledger: Ledger, observer: Observer) -> dict[str, Outcome]:
    """Check every ablation of a plan that is to be trained; checks that were made before come from the ledger.

    What the machine may be to blame for is tried once more; it is kept, for the report, and checked again the next time.
    An evaluation is its own check: it costs no more than one. Raises `SourceEdited` where files were edited meanwhile.
    """
    trained = asked_in(plan.ablations, "retrain") if "retrain" in setting.modes else []
    keys = {one.id: trial_key(setting.version, one.interventions, "retrain:check", 0) for one in trained}
    kept = {name: found for name, key in keys.items() if (found := ledger.check(key))}
    known = {name: found for name, found in kept.items() if found.status not in RETRIED}
    missing = [one for one in trained if one.id not in known]
    if missing:
        observer.stage(f"checking {len(missing)} ablations on one step each")
        observer.planned(len(missing))
    for _ in range(ATTEMPTS):
        for name, outcome in pool.run(check_jobs(setting, missing, pool.workers)):
            require_unedited(setting)
            logged = with_log(outcome, ledger.path.parent, keys[name])
            logged = logged.model_copy(update={"output": outcome.output[-4000:]})
            ledger.record_check(keys[name], setting.version, name, logged)
            known[name] = logged
            observer.tick()
        missing = [one for one in missing if known[one.id].status in RETRIED]
    return known


def judge_checks(checks: dict[str, Outcome], ablations: dict[str, Ablation]) -> Verdicts:
    """Structural, no-op or dropped, for those that their check stops."""
    stopped: dict[str, tuple[EffectVerdict, str]] = {}
    dropped: dict[str, str] = {}
    for name, ablation in ablations.items():
        outcome = checks.get(name)
        if outcome is None:
            continue
        if outcome.status == "refused":
            dropped[name] = outcome.message or "refused"
        elif outcome.status in ("crashed", "diverged", "invalid"):
            stopped[name] = ("structural", f"stops the program at its first step: {outcome.message}")
        elif outcome.status != "ok":
            stopped[name] = ("untestable", f"its check ended as {outcome.status}: {outcome.message}")
        elif idle := _idle(ablation, outcome):
            stopped[name] = ("no-op", idle)
    alive = [one for name, one in ablations.items() if name in checks and name not in stopped and name not in dropped]
    return Verdicts(stopped, {**dropped, **_repeated(alive, checks)})


def _idle(ablation: Ablation, outcome: Outcome) -> str | None:
    """Why a pure module removal did nothing. A configuration switch or an edit may act later: its full runs decide."""
    switched = any(acts_on_program(one) for one in ablation.interventions)
    if switched or outcome.changed or ablation.role == "control":
        return None
    return f"{outcome.idle_reason}, in a training step and an evaluation"


def _repeated(alive: Sequence[Ablation], checks: dict[str, Outcome]) -> dict[str, str]:
    """Module removals whose step equals that of a configuration switch, bit for bit: the same question asked twice."""
    baseline = checks.get(BASELINE)
    usual = baseline.stages if baseline else {}
    switches = {
        tuple(sorted(checks[one.id].stages.items())): one.id
        for one in alive
        if all(isinstance(part, ConfigOverride) for part in one.interventions) and checks[one.id].stages != usual
    }
    found: dict[str, str] = {}
    for one in alive:
        same = switches.get(tuple(sorted(checks[one.id].stages.items())))
        if same and not any(acts_on_program(part) for part in one.interventions):
            found[one.id] = f"one step of it equals one step of {same}, bit for bit: the same removal"
    return found
