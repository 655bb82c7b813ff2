"""Every component that was removed in several ways in one mode: its kinds of removal, held against each other."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from .analysis.contrasts import Contrasts
from .analysis.estimates import Estimate, Table
from .analysis.kinds import Kind, compare_kinds
from .analysis.sequential import estimate_family
from .evidence import Evidence, sign_of
from .overexamples import arms_table
from .planning.plan import BASELINE
from .records.kinds import KindContrast
from .results import Effect
from .rounds import caps_of, rules_of

Pair = tuple[Effect, Effect]
TOLD = ("matters", "hurts", "negligible", "detected", "undecided")
"""Verdicts that rest on a loss: only these can be held against each other."""


def kind_contrasts(evidence: Evidence, name: str, effects: Sequence[Effect]) -> list[KindContrast]:
    """The contrast of every pair of kinds on the metric `name`: one family of its own, which changes no other p.

    Over seeds the noise is pooled over all arms up to the round that the last kind was planned in; over examples the two
    arms are paired. Args: `effects` of this mode, metric and split.
    """
    pairs = _pairs(effects)
    if not pairs:
        return []
    table = _over_examples(evidence, name, pairs) if evidence.by_examples(name) else _over_seeds(evidence, name, pairs)
    return [_contrast(evidence, pair, found) for pair, found in zip(pairs, table.estimates, strict=True)]


def _pairs(effects: Sequence[Effect]) -> list[Pair]:
    """The kinds of each component, the sealed one first."""
    by_component: defaultdict[tuple[str, ...], list[Effect]] = defaultdict(list)
    for one in sorted(effects, key=lambda one: one.role != "confirmatory"):
        if one.role in ("confirmatory", "sensitivity") and one.verdict in TOLD and one.delta is not None:
            by_component[tuple(one.components)].append(one)
    pairs = [pair for kinds in by_component.values() for pair in combinations(kinds, 2)]
    return [pair for pair in pairs if pair[0].intervention != pair[1].intervention]


def _over_examples(evidence: Evidence, name: str, pairs: Sequence[Pair]) -> Table:
    arms = list(dict.fromkeys(one.ablation for pair in pairs for one in pair))
    return arms_table(evidence, name, arms, _contrasts(pairs, [BASELINE, *arms]), rules_of(evidence, name))


def _over_seeds(evidence: Evidence, name: str, pairs: Sequence[Pair]) -> Table:
    last = max(one.round for pair in pairs for one in pair)
    caps: dict[str, int] = {}
    for plan in (one for one in evidence.plans if one.round <= last):
        for each, cap in caps_of(evidence, plan).items():
            arm = evidence.canonical[each]
            caps[arm] = max(cap, caps.get(arm, 0))
    values = [evidence.values(BASELINE, name), *(evidence.values(each, name, cap) for each, cap in caps.items())]
    named = [BASELINE, *caps]
    contrasts = _contrasts(pairs, named, evidence.canonical)
    y, finished = np.stack([one.values for one in values]), np.stack([one.finished for one in values])
    return estimate_family(y, finished, contrasts, rules_of(evidence, name))


def _contrasts(pairs: Sequence[Pair], rows: Sequence[str], runs: dict[str, str] | None = None) -> Contrasts:
    """L(first) − L(second) = y(second) − y(first)."""
    row = {each: at for at, each in enumerate(rows)}
    found = [[row[(runs or {}).get(one.ablation, one.ablation)] for one in (second, first)] for first, second in pairs]
    return Contrasts(np.array(found, dtype=np.int64), np.tile([1.0, -1.0], (len(pairs), 1)))


def _contrast(evidence: Evidence, pair: Pair, found: Estimate) -> KindContrast:
    first, second = pair
    sign = sign_of(evidence.spec.metrics[first.metric].goal)
    kinds = [Kind(one.verdict, -sign * (one.delta or 0.0)) for one in pair]
    judged = compare_kinds(kinds[0], kinds[1], found, rules_of(evidence, first.metric))
    return KindContrast(
        components=first.components,
        labels=first.labels,
        mode=first.mode,
        metric=first.metric,
        ablation=first.ablation,
        other=second.ablation,
        kind=first.intervention_kind,
        other_kind=second.intervention_kind,
        verdict=first.verdict,
        other_verdict=second.verdict,
        contrast=found.loss,
        interval=found.interval,
        p_adjusted=found.p_adjusted,
        p_equivalence=found.p_equivalence,
        n=found.n,
        unit=first.unit,
        outcome=judged.outcome,
        why=judged.why,
    )
