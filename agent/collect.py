"""Results from the ledger: everything that a report says, without a sandbox, a model or the experiment."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from ..executor.errors import ReportError
from ..executor.outcomes import Outcome
from .accounting import accounting
from .advice import advise
from .arms import Arm, arms_of, splits_of
from .checks import NOTHING_STOPPED, judge_checks
from .claims import claims_of
from .claimtests import claims_tested
from .classes import class_findings
from .components import Component
from .costs import Weighed, cost_of
from .curves import learning_curves
from .datasets import contrast_datasets
from .declared import declared_notes, metrics_redeclared
from .dispatch import REMARKS
from .evidence import Evidence, sign_of
from .examplestore import ExampleStore
from .factorials import factorials_of
from .findings import MetricFindings, find
from .forecasts import foretold
from .kinds import kind_contrasts
from .ledger import Ledger, TrialRow
from .machine import machine
from .night.told import with_night
from .notes import notes_on
from .outstanding import reachable, settling
from .planned import planned_fates, planning_of, rounds_planned
from .planning.plan import BASELINE, sealed_plans
from .records.drafts import Draft
from .records.power import Settling
from .records.search import InteractionSearch
from .results import Effect, Mode, Results, StudyInfo
from .retuned import retuning_record, with_retuned
from .retuning import recalled_tuning
from .scores import scores
from .searching import recalled
from .spec import StudySpec
from .stopreport import early_stopping, replay, whole_notes
from .writing.store import kept

Split = Literal["validation", "test"]


def collect(spec: StudySpec, ledger: Ledger, split: Split | None = None) -> Results:
    """All results of the study's current version, with the drafts that were written of them.

    Complete studies are reported on `test` where there is such a split, unfinished ones on `validation`: the confirmatory
    table is not looked at before the end. Raises `ReportError` where there is nothing to report.
    """
    version = ledger.recall("version")
    rows = ledger.trials(version) if version else []
    seen = [gather(spec, ledger, rows, mode, split) for mode in get_args(Mode) if mode in spec.study.modes]
    found = [(one, {name: find(one, name) for name in spec.metrics}) for one in seen]
    measured = [(one, by_name) for one, by_name in found if by_name[spec.primary].noise is not None]
    if not measured:
        raise ReportError(
            "this study has no finished baseline run yet", where=str(ledger.path), to_do="start it with `lesion run`"
        )
    weighed = Weighed.model_validate(ledger.recall("weighed", {}))
    checks = ledger.checks(version)
    tuning = recalled_tuning(ledger, version)
    effects = [
        _with_cost(effect, evidence, checks, weighed)
        for evidence, by_name in measured
        for name in by_name
        for effect in with_retuned(by_name[name].effects, tuning, evidence)
    ]
    interactions = [each for _, by_name in measured for one in by_name.values() for each in one.interactions]
    classes = [class_findings(evidence) for evidence, _ in measured]
    searches = recalled(ledger, version)
    planned = planned_fates([one for one, _ in measured], _is_complete(ledger))
    results = Results(
        study=_study([one for one, _ in measured], ledger, [by_name[spec.primary] for _, by_name in measured], rows),
        baseline={
            one.mode: {name: each.noise for name, each in by_name.items() if each.noise} for one, by_name in measured
        },
        effects=effects,
        interactions=interactions,
        coverage=_coverages([one for one, _ in measured], searches),
        predictions=scores([(one, by_name[spec.primary]) for one, by_name in measured]),
        planned=planned,
        accounting=accounting(ledger, rows, version, ledger.recall("workers") or spec.limits.workers),
        compute={**ledger.compute(version), "workers": ledger.recall("workers"), "threads": spec.experiment.threads},
        environment={**machine(), **ledger.recall("environment", {})},
        advice=advise(effects, interactions, measured[0][0].components, weighed, spec.primary),
        notes=[
            *declared_notes(
                spec, ledger, version, measured[0][0].components.values(), sealed_plans(ledger.plans(version))
            ),
            *ledger.recall("remarks", []),
            *ledger.recall(REMARKS, {}).get(version, []),
            *(note for one in seen for note in notes_on(one, arms_of(rows))),
            *whole_notes(ledger, version),
        ],
        searches=searches,
        factorials=[each for one, _ in measured for each in factorials_of(one)],
        power={one.mode: power for one, _ in measured if (power := foretold(ledger, version, one.mode))},
        settling=_settling(measured, effects, ledger),
        kinds=[
            each
            for one, by_name in measured
            for name, found_on in by_name.items()
            for each in kind_contrasts(one, name, found_on.effects)
        ],
        retuning=next((retuning_record(tuning, one) for one, _ in measured if one.mode == "retrain"), None),
        curves=learning_curves(ledger, version, spec.metrics, effects),
        datasets=[one for evidence, by_name in measured for one in contrast_datasets(evidence, by_name)],
        classes=[one for each in classes for one in each.effects],
        confusions=[one for each in classes for one in each.confusions],
        claims=claims_tested(
            claims_of(spec),
            measured[0][0].plans,
            [one for one in effects if one.metric == spec.primary],
            planned,
            sign_of(spec.metrics[spec.primary].goal),
        ),
        rounds=rounds_planned(measured[0][0].plans),
        planning=planning_of(ledger.recall("planning")),
        stopping=early_stopping(spec, rows),
        replay=replay(rows),
    )
    results = with_night(results, ledger.path.parent)
    drafts = kept(ledger.path.parent)
    return _with_drafts(results, drafts) if drafts else results


def _with_drafts(results: Results, drafts: Sequence[Draft]) -> Results:
    from .writing.shown import with_drafts

    return with_drafts(results, drafts)


def _settling(
    measured: Sequence[tuple[Evidence, dict[str, MetricFindings]]], effects: Sequence[Effect], ledger: Ledger
) -> dict[str, Settling]:
    """By mode, of the sealed family on the primary metric."""
    found: dict[str, Settling] = {}
    paces = ledger.run_seconds(ledger.recall("version"))
    for evidence, by_name in measured:
        name, noise = evidence.spec.primary, by_name[evidence.spec.primary].noise
        family = [one for one in effects if (one.mode, one.metric, one.role) == (evidence.mode, name, "confirmatory")]
        workers = ledger.recall("workers") or evidence.spec.limits.workers
        if noise and noise.unit == "seed":
            family = reachable(family, evidence.looks[-1].seeds)
        if noise and (settled := settling(family, noise.n, workers, paces.get(evidence.mode))):
            found[evidence.mode] = settled
    return found


def gather(
    spec: StudySpec, ledger: Ledger, rows: Sequence[TrialRow], mode: Mode, split: Split | None = None
) -> Evidence:
    """The evidence that the ledger holds in one mode; `split` None: test once the study is complete, else validation."""
    version = ledger.recall("version", "")
    plans = sealed_plans(ledger.plans(version))
    components = [Component.model_validate(one) for one in ledger.recall("components", [])]
    verdicts = NOTHING_STOPPED
    if mode == "retrain":
        verdicts = judge_checks(ledger.checks(version), {one.id: one for plan in plans for one in plan.ablations})
    arms, store = arms_of(rows)[mode], ExampleStore(ledger)
    splits = splits_of(arms.get(BASELINE, Arm(BASELINE)))
    wanted = split or ("test" if _is_complete(ledger) else "validation")
    return Evidence(
        spec=spec,
        mode=mode,
        plans=plans,
        components={one.id: one for one in (*(each for plan in plans for each in plan.components), *components)},
        arms=arms,
        stopped=verdicts.stopped,
        dropped=verdicts.dropped,
        split=wanted if wanted in splits or not splits else splits[0],
        checkpoints=ledger.recall("checkpoints", spec.study.seeds),
        examples=store,
        parts=store.parts,
    )


def _is_complete(ledger: Ledger) -> bool:
    return ledger.recall("state") == "complete"


def _with_cost(effect: Effect, evidence: Evidence, checks: dict[str, Outcome], weighed: Weighed) -> Effect:
    planned = (one for plan in evidence.plans for one in plan.ablations if one.id == effect.ablation)
    cost = cost_of(next(planned), evidence.arm(effect.ablation), checks.get(effect.ablation), weighed)
    return effect.model_copy(update={"cost": cost})


def _study(
    seen: Sequence[Evidence], ledger: Ledger, primary: Sequence[MetricFindings], rows: Sequence[TrialRow]
) -> StudyInfo:
    spec, complete = seen[0].spec, _is_complete(ledger)
    by_seed = next((at for at, one in enumerate(seen) if one.mode != "reevaluate"), 0)
    evidence, table = seen[by_seed], primary[by_seed].table
    pending = sum(row.status in ("planned", "running") for row in rows)
    return StudyInfo(
        name=spec.study.name,
        question=spec.study.question,
        version=ledger.recall("version"),
        planner=", ".join(dict.fromkeys(plan.planner for plan in evidence.plans)) or "none yet",
        complete=complete,
        state="complete" if complete else "; ".join([_progress(ledger), *_left(evidence, pending)]),
        modes=[one for one in get_args(Mode) if one in spec.study.modes],
        primary=spec.primary,
        split=evidence.split,
        split_note=_split_note(evidence, complete),
        alpha=spec.study.alpha,
        looks=[(look.seeds, look.alpha) for look in evidence.looks],
        family_size=len(evidence.family(evidence.plans[0])) if evidence.plans else 0,
        family_sizes={one.mode: len(one.family(one.plans[0])) for one in seen if one.plans},
        method=(table.method if table else None) or "pooled",
        bartlett_p=table.bartlett_p if table else None,
        pairing_correlation=table.pairing_correlation if table else None,
        checkpoints=evidence.checkpoints,
        finetune_steps=spec.study.finetune_steps,
        redeclared=metrics_redeclared(spec, ledger, ledger.recall("version")),
        plan_hashes=[digest for _, digest, _ in ledger.plans(ledger.recall("version"))],
        generated=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _left(evidence: Evidence, pending: int) -> list[str]:
    if not evidence.plans:
        return ["no ablation was planned yet"]
    one = pending == 1
    return [f"{pending} planned trial{' is' if one else 's are'} still to run"] if pending else []


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


def _coverages(seen: Sequence[Evidence], searches: Sequence[InteractionSearch]) -> dict[str, Any]:
    """Of the one mode there is, else by mode."""
    found = {one.mode: _coverage(one) | _cleared(one.mode, searches) for one in seen}
    return found if len(found) > 1 else next(iter(found.values()))


def _cleared(mode: Mode, searches: Sequence[InteractionSearch]) -> dict[str, int]:
    """What a search in this mode has covered beside that."""
    return {
        key: value
        for one in searches
        if one.mode == mode
        for key, value in (("search_runs", one.runs), ("pairs_cleared", one.pairs_cleared), ("of_pairs", one.pairs))
    }


def _coverage(evidence: Evidence) -> dict[str, Any]:
    """Which pairs of the confirmatory family were removed together, directly or inside a larger group."""
    singles = [one.components[0] for one in evidence.family(evidence.plans[0])] if evidence.plans else []
    joint = [
        one
        for plan in evidence.plans
        for one in evidence.asked(plan)
        if len(one.components) > 1 and evidence.arm(one.id).measured
    ]
    pairs = {frozenset(one.components) for one in joint if len(one.components) == 2}
    return {
        "pairs_possible": len(singles) * (len(singles) - 1) // 2,
        "pairs_measured": len(pairs),
        "groups_measured": sum(len(one.components) > 2 for one in joint),
    }
