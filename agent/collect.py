"""Results from the ledger: everything that a report says, without a sandbox, a model or the experiment."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from ..executor.errors import ReportError
from .analysis.predictions import Scored, score_predictions
from .arms import Arm, arms_of, splits_of
from .checks import judge_checks
from .components import Component
from .findings import MetricFindings, find
from .ledger import Ledger, TrialRow
from .machine import machine
from .planning.plan import BASELINE, Plan
from .results import Accounting, Effect, Planned, PredictionScore, Results, StudyInfo
from .rounds import Evidence, sign_of
from .setting import MODE
from .spec import StudySpec

Split = Literal["validation", "test"]


def collect(spec: StudySpec, ledger: Ledger, split: Split | None = None) -> Results:
    """All results of the study's current version.

    Complete studies are reported on `test` where there is such a split, unfinished ones on `validation`: the confirmatory
    table is not looked at before the end. Raises `ReportError` where there is nothing to report.
    """
    version = ledger.recall("version")
    rows = ledger.trials(version) if version else []
    evidence = gather(spec, ledger, rows, split)
    found = {name: find(evidence, name) for name in spec.metrics}
    primary = found[spec.primary]
    if primary.noise is None:
        raise ReportError(
            "this study has no finished baseline run yet", where=str(ledger.path), to_do="start it with `lesion run`"
        )
    complete = ledger.recall("state") == "complete"
    return Results(
        study=_study(evidence, ledger, primary, rows, complete),
        baseline={MODE: {name: one.noise for name, one in found.items() if one.noise}},
        effects=[effect for one in found.values() for effect in one.effects],
        interactions=[each for one in found.values() for each in one.interactions],
        coverage=_coverage(evidence),
        predictions=_scores(evidence, primary),
        planned=[*_planned(evidence, complete)],
        accounting=_accounting(ledger, rows, version),
        compute={**ledger.compute(version), "workers": ledger.recall("workers"), "threads": spec.experiment.threads},
        environment={**machine(), **ledger.recall("environment", {})},
        notes=_notes(evidence),
    )


def gather(spec: StudySpec, ledger: Ledger, rows: Sequence[TrialRow], split: Split | None = None) -> Evidence:
    """The evidence that the ledger holds; `split` None: test once the study is complete, else validation."""
    version = ledger.recall("version", "")
    plans = [Plan.model_validate_json(document) for _, _, document in ledger.plans(version)]
    components = [Component.model_validate(one) for one in ledger.recall("components", [])]
    checks = ledger.checks(version)
    verdicts = judge_checks(checks, {one.id: one for plan in plans for one in plan.ablations})
    arms = arms_of(rows)
    splits = splits_of(arms.get(BASELINE, Arm(BASELINE)))
    wanted = split or ("test" if ledger.recall("state") == "complete" else "validation")
    chosen = wanted if wanted in splits or not splits else splits[0]
    known = {one.id: one for one in components}
    return Evidence(spec, MODE, plans, known, arms, verdicts.stopped, verdicts.dropped, chosen)


def _study(
    evidence: Evidence, ledger: Ledger, primary: MetricFindings, rows: Sequence[TrialRow], complete: bool
) -> StudyInfo:
    spec, table = evidence.spec, primary.table
    pending = sum(row.status in ("planned", "running") for row in rows)
    return StudyInfo(
        name=spec.study.name,
        question=spec.study.question,
        version=ledger.recall("version"),
        planner=", ".join(dict.fromkeys(plan.planner for plan in evidence.plans)) or "none yet",
        complete=complete,
        state="complete" if complete else f"{_progress(ledger)}; {pending} planned trials are still to run",
        modes=[evidence.mode],
        primary=spec.primary,
        split=evidence.split,
        split_note=_split_note(evidence, complete),
        alpha=spec.study.alpha,
        looks=[(look.seeds, look.alpha) for look in evidence.looks],
        family_size=len(evidence.family(evidence.plans[0])) if evidence.plans else 0,
        method=(table.method if table else None) or "pooled",
        bartlett_p=table.bartlett_p if table else None,
        pairing_correlation=table.pairing_correlation if table else None,
        plan_hashes=[digest for _, digest, _ in ledger.plans(ledger.recall("version"))],
        generated=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _progress(ledger: Ledger) -> str:
    """What an unfinished study is doing: running, stopped by its budget, or cut off."""
    state: str = ledger.recall("state", "running")
    if state != "running":
        return state
    driver = ledger.driver()
    return f"running (pid {driver})" if driver else "interrupted"


def _split_note(evidence: Evidence, complete: bool) -> str:
    from .. import prompts

    splits = splits_of(evidence.baseline)
    return prompts.render("progress/split.j2", splits=splits, split=evidence.split, complete=complete).strip()


def _coverage(evidence: Evidence) -> dict[str, Any]:
    """Which pairs of the confirmatory family were removed together, directly or inside a larger group."""
    singles = [one.components[0] for one in evidence.family(evidence.plans[0])] if evidence.plans else []
    joint = [
        one
        for plan in evidence.plans
        for one in plan.ablations
        if len(one.components) > 1 and evidence.arm(one.id).measured
    ]
    pairs = {frozenset(one.components) for one in joint if len(one.components) == 2}
    return {
        "pairs_possible": len(singles) * (len(singles) - 1) // 2,
        "pairs_measured": len(pairs),
        "groups_measured": sum(len(one.components) > 2 for one in joint),
    }


def _scores(evidence: Evidence, primary: MetricFindings) -> list[PredictionScore]:
    assert primary.noise is not None
    delta = primary.noise.smallest_effect
    sign = sign_of(primary.noise.goal)
    by_round = {plan.round: plan.planner for plan in evidence.plans}
    scores: list[PredictionScore] = []
    for planner in dict.fromkeys(by_round.values()):
        effects = [one for one in primary.effects if by_round[one.round] == planner and _scored(one)]
        score = score_predictions([_scored_as(one, sign, delta) for one in effects if delta > 0])
        scores.append(
            PredictionScore(
                planner=planner,
                n=score.n,
                direction_hits=score.direction_hits,
                mean_absolute_error=score.mean_absolute_error,
                median_absolute_error_of_median=score.median_absolute_error_of_median,
            )
        )
    return scores


def _scored(effect: Effect) -> bool:
    return (
        effect.delta is not None
        and effect.prediction is not None
        and effect.verdict not in ("structural", "no-op", "untestable")
    )


def _scored_as(effect: Effect, sign: int, delta: float) -> Scored:
    assert effect.prediction is not None and effect.delta is not None
    return Scored(effect.prediction.direction, effect.prediction.size, -sign * effect.delta / delta)


def _planned(evidence: Evidence, complete: bool) -> list[Planned]:
    found: list[Planned] = []
    for plan in evidence.plans:
        found += [Planned(ablation=one.id, round=plan.round, fate="dropped", reason=one.reason) for one in plan.dropped]
        for one in plan.ablations:
            fate, reason = _fate(evidence, one.id, complete)
            found.append(Planned(ablation=one.id, round=plan.round, fate=fate, reason=reason))
    return found


def _fate(evidence: Evidence, name: str, complete: bool) -> tuple[str, str | None]:
    arm = evidence.arm(name)
    if name in evidence.dropped:
        return "dropped", evidence.dropped[name]
    if name in evidence.stopped:
        return evidence.stopped[name]
    if arm.broken:
        return "structural", arm.failed[0].reason
    if arm.idle:
        return "no-op", "results equal the baseline's, bit for bit"
    if arm.failed:
        statuses = Counter(one.status for one in arm.failed)
        shown = ", ".join(f"{count} {status}" for status, count in statuses.items())
        return (
            "ran" if arm.measured else "failed",
            f"{shown} of {len(arm.failed) + len(arm.measured)} seeds: {arm.failed[0].reason}",
        )
    if arm.measured:
        return "ran", None
    return ("skipped", "never started") if complete else ("pending", "not started yet")


def _accounting(ledger: Ledger, rows: Sequence[TrialRow], version: str) -> Accounting:
    statuses = Counter(row.status for row in rows)
    ok = statuses.pop("ok", 0) + statuses.pop("no-op", 0)
    pending = statuses.pop("planned", 0) + statuses.pop("running", 0)
    skipped = statuses.pop("skipped", 0) + pending
    return Accounting(
        planned=len(rows),
        ok=ok,
        failed=dict(statuses),
        skipped=skipped,
        pending=pending,
        checks=ledger.check_count(version),
    )


def _notes(evidence: Evidence) -> list[str]:
    """Facts of this study that a reader must know and no table shows."""
    from .. import prompts

    baseline = evidence.baseline
    text = prompts.render(
        "progress/notes.j2",
        baseline_failed=[(one.seed, one.status) for one in baseline.failed],
        total=len(baseline.trials),
    )
    return [line for line in text.splitlines() if line.strip()]
