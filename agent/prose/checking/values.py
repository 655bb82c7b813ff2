"""Every number that a study knows of a thing, with what it is: a change, a level, an end of an interval, a p-value, a count."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ...report.selection import UNMEASURED
from ...results import BaselineMetric, Effect, Interaction
from .ground import Found, Ground

Role = Literal[
    "change", "level", "end", "half", "p", "count", "sd", "mde", "smallest", "alpha", "confidence", "fraction", "relative",
    "multiple", "other", "floor",
]  # fmt: skip


@dataclass(frozen=True)
class Value:
    """One known number."""

    number: float
    role: Role
    attribute: str
    of: Found | None = None
    signed: bool = False
    """A delta: its sign is part of it. Else a loss or a size."""


def values_of(ground: Ground, found: Found) -> list[Value]:
    """All that is known of a removal."""
    values = list(_joint(found) if isinstance(found, Interaction) else _effect(ground, found))
    return [Value(v.number, v.role, v.attribute, found, v.signed) for v in values if math.isfinite(v.number)]


def _effect(ground: Ground, e: Effect) -> Iterator[Value]:
    yield from _counts(e)
    if e.baseline is not None:
        yield Value(e.baseline, "level", "baseline")
    if e.prediction is not None:
        yield Value(abs(e.prediction.size), "multiple", "prediction")
        if e.prediction.confidence is not None:
            yield Value(e.prediction.confidence, "fraction", "prediction")
    if e.verdict not in UNMEASURED and e.delta is not None:
        yield Value(e.delta, "change", "delta", signed=True)
        yield from _around(ground, e, e.delta)
        yield from _recovered(e)


def _counts(e: Effect) -> Iterator[Value]:
    yield from _of_the_reason(e)
    yield Value(e.n, "count", f"n {e.unit}")
    if e.of is not None:
        yield Value(e.of, "count", "units")
    if e.failed:
        yield Value(e.failed, "count", "failed")
        yield Value(e.failed + e.n, "count", "begun")
    if e.seeds_to_settle is not None:
        yield Value(e.seeds_to_settle, "count", "to_settle")
        yield Value(e.seeds_to_settle - e.n, "count", "further")
    agreement = (e.agreement or {}).values()
    yield from (Value(count, "count", "verdict") for count in (*agreement, sum(agreement)))


def _around(ground: Ground, e: Effect, delta: float) -> Iterator[Value]:
    """What is told beside a delta."""
    if e.ablated is not None:
        yield Value(e.ablated, "level", "ablated")
    if e.interval is not None:
        yield from (Value(end, "end", "interval", signed=True) for end in e.interval)
        yield Value((e.interval[1] - e.interval[0]) / 2, "half", "interval")
    named = (
        (e.p_adjusted, "p"),
        (e.p, "p_unadjusted"),
        (e.p_equivalence, "p_equivalence"),
        (e.p_paired, "p_unadjusted"),
    )
    yield from (Value(p, "p", name) for p, name in named if p is not None)
    if e.level is not None:
        yield Value(e.level, "confidence", "interval")
    if e.baseline:
        yield Value(abs(delta / e.baseline), "relative", "delta")
        yield Value(abs((e.baseline + delta) / e.baseline), "fraction", "ablated")
    floor = ground.floor(e)
    if floor is not None and floor.smallest_effect > 0:
        yield Value(abs(delta) / floor.smallest_effect, "multiple", "loss_in_delta")


def _recovered(e: Effect) -> Iterator[Value]:
    back = e.recovered
    if back is None:
        return
    if back.fraction is not None:
        yield Value(back.fraction, "fraction", "delta")
    yield from (Value(end, "end", "delta") for end in back.interval or ())
    if back.cut is not None:
        yield Value(back.cut, "level", "delta")
    if back.cut_delta is not None:
        yield Value(back.cut_delta, "change", "delta", signed=True)


def _of_the_reason(found: Found) -> Iterator[Value]:
    """Numbers that stand in the reason of a verdict, such as seeds that finished."""
    yield from (
        Value(int(number), "count", "n") for number in re.findall(r"(?<![\w.])\d{1,6}(?![\w.])", found.reason or "")
    )


def _joint(j: Interaction) -> Iterator[Value]:
    yield from _of_the_reason(j)
    yield Value(j.n, "count", f"n {j.unit}")
    if j.seeds_to_settle is not None:
        yield Value(j.seeds_to_settle, "count", "to_settle")
    if j.agreement:
        yield from (Value(count, "count", "verdict") for count in (*j.agreement.values(), sum(j.agreement.values())))
    named = ((j.observed, "observed"), (j.additive, "additive"), (j.contrast, "contrast"))
    yield from (Value(number, "change", name) for number, name in named if number is not None)
    for ends, name in ((j.observed_interval, "observed_interval"), (j.interval, "interval")):
        if ends is not None:
            yield from (Value(end, "end", name) for end in ends)
            yield Value((ends[1] - ends[0]) / 2, "half", name)
    yield from (
        Value(p, "p", name)
        for p, name in ((j.p_adjusted, "p"), (j.p, "p_unadjusted"), (j.p_equivalence, "p"))
        if p is not None
    )
    if j.level is not None:
        yield Value(j.level, "confidence", "interval")


def values_of_floor(floor: BaselineMetric) -> Iterator[Value]:
    """All that is known of the baseline on one metric."""
    yield Value(floor.mean, "level", "mean")
    yield Value(floor.sd, "sd", "sd")
    yield Value(floor.sd, "half", "sd")
    yield Value(floor.n, "count", f"n {floor.unit}")
    yield Value(floor.smallest_effect, "smallest", "smallest_effect")
    yield Value(floor.max_seeds, "count", "max_seeds")
    if floor.minimum_detectable_effect is not None:
        yield Value(floor.minimum_detectable_effect, "mde", "minimum_detectable_effect")
    if floor.seeds_for_negligible is not None:
        yield Value(floor.seeds_for_negligible, "count", "seeds_for_negligible")
    if floor.floor is not None:
        yield Value(floor.floor, "level", "floor")
    if floor.sd:
        yield Value(floor.smallest_effect / floor.sd, "multiple", "smallest_effect")


def values_of_study(ground: Ground) -> Iterator[Value]:
    """What is true of the study as a whole."""
    results, study, counts = ground.results, ground.results.study, ground.results.accounting
    yield Value(study.alpha, "alpha", "study.alpha")
    yield Value(1 - study.alpha, "confidence", "study.alpha")
    yield from (Value(n, "count", "looks") for n, _ in study.looks)
    yield from (Value(spent, "alpha", "spent") for _, spent in study.looks)
    yield Value(0.8, "confidence", "power")
    yield Value(len(study.looks), "count", "planned looks")
    yield from (Value(e.level, "confidence", "level") for e in results.effects if e.level is not None)
    sizes = {study.family_size, *study.family_sizes.values()}
    yield from (Value(size, "count", "study.family_size") for size in sizes)
    yield Value(study.checkpoints, "count", "study.checkpoints")
    if study.finetune_steps is not None:
        yield Value(study.finetune_steps, "count", "finetune_steps")
    if study.bartlett_p is not None:
        yield Value(study.bartlett_p, "p", "bartlett")
    if study.pairing_correlation is not None:
        yield Value(study.pairing_correlation, "other", "correlation", signed=True)
    failed = sum(counts.failed.values())
    numbers = (counts.planned, counts.ok, counts.skipped, counts.pending, counts.checks, counts.ok + failed)
    yield from (Value(number, "count", "accounting") for number in numbers)
    yield from (Value(number, "count", "accounting failed") for number in (failed, *counts.failed.values()))
    yield from (
        Value(v, "count", "machine")
        for v in [*results.compute.values(), *results.environment.values()]
        if _is_number(v)
    )
    yield from (Value(v, "count", k) for k, v in results.coverage.items() if _is_number(v))
    for mode in {j.mode for j in results.interactions}:
        yield Value(
            len({j.ablation for j in results.interactions if j.mode == mode and len(j.components) == 2}),
            "count",
            "pairs_measured",
        )
    yield from (
        Value(n, "count", "rounds") for n in (len(results.rounds), max((e.round for e in results.effects), default=0))
    )
    yield Value(len(results.claims), "count", "claims")
    statuses = [claim.status for claim in results.claims]
    yield from (Value(statuses.count(one), "count", "claims") for one in dict.fromkeys(statuses))
    yield from (Value(one.trials, "count", "accounting") for one in results.settling.values() if one.trials is not None)
    for score in results.predictions:
        yield from (Value(n, "count", "score") for n in (score.n, score.direction_hits, score.n - score.direction_hits))
        errors = (score.mean_absolute_error, score.median_absolute_error_of_median, score.brier)
        yield from (Value(error, "multiple", "score") for error in errors if error is not None)
    for search in results.searches:
        known = (
            search.runs,
            search.pairs,
            search.pairs_cleared,
            search.pairs_found,
            len(search.pool),
            search.runs_of_all_pairs,
            len(search.groups),
        )
        yield from (Value(number, "count", "search") for number in known)


_COUNTED: dict[str, str] = {
    "n seed": r"seed|run|fine-tun|repet|replic|model|^$",
    "n example": r"example|^$",
    "n cluster": r"cluster|^$",
    "n checkpoint": r"model|checkpoint|^$",
    "n": r"seed|run|example|model|checkpoint|cluster|fine-tun|repet|replic|^$",
    "units": r"example|cluster|^$",
    "failed": r"seed|run|model|^$",
    "to_settle": r"seed|run|example|model|checkpoint|cluster|^$",
    "verdict": r"model|checkpoint|seed",
    "study.checkpoints": r"model|checkpoint|seed",
    "finetune_steps": r"step",
    "study.family_size": r"test|target|comparison|hypothes|^$",
    "accounting": r"trial|run|check|experiment|evaluation|job|finish|fail|ran|crash|timed|skip|succe|complet|planned|ok|did not|^$",
    "accounting failed": r"trial|run|fail|crash|timed|diverg|killed|did not|invalid|evaluation|job|^$",
    "machine": r"worker|thread|core|gpu|trial",
    "search": r"pair|triple|run|target|trial|evaluation",
    "score": r"prediction|direction|^$",
    "rounds": r"round",
    "claims": r"claim",
    "looks": r"seed|run",
    "planned looks": r"look",
    "max_seeds": r"seed|run|example",
    "seeds_for_negligible": r"seed|run|example",
}
"""What is counted by each count, as it is called."""
_AT_MOST = re.compile(
    r"\b(?:max\w*|most|planned|up to|looks?|budget|allow\w*|negligible|would|needs?|required|limit)\b", re.IGNORECASE
)


def counted_as(attribute: str, called: str, words: str, before: str) -> bool:
    """Whether a count is of what it is called in a sentence."""
    settles = (
        re.search(r"\b(?:settl\w*|resolv\w+|decid\w+)\b", words) is not None
        and re.search(r"\b(?:would|need\w*|requir\w+|takes?|more|further|additional|to settle)\b", words) is not None
        and "seed" in called
    )
    if attribute in ("looks", "max_seeds", "seeds_for_negligible") and (
        not _AT_MOST.search(words) or (settles and called != "most seeds")
    ):
        return False
    if attribute.startswith("n ") and settles and not re.search(r"\bn\s*=\s*$", before, re.IGNORECASE):
        return False
    if attribute == "further":
        return re.search(r"additional|further|more|another", before + called) is not None
    if attribute == "begun":
        return "seed" in called and re.search(r"\b(?:of|its|all)\s+(?:the |its )?$", before, re.IGNORECASE) is not None
    if attribute in ("pairs_possible", "of_pairs"):
        return (
            "pair" in called
            and re.search(r"\b(?:of|possible|are)\s+(?:the |all )?$", before, re.IGNORECASE) is not None
        )
    if attribute in ("pairs_cleared", "pairs_measured", "groups_measured"):
        return re.search(r"pair|group", called) is not None
    return re.search(_COUNTED.get(attribute, r"^$"), called) is not None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
