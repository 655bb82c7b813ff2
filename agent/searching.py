"""An interaction search inside a study: sets of components as trials of the ledger, and what came of it as a record."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import sqrt

import numpy as np

from ..executor.interventions import Intervention
from .analysis.arrays import Bools, Floats
from .arms import MEASURED, SEARCHED
from .components import Component
from .dispatch import Dispatcher
from .evidence import Evidence, sign_of
from .ledger import Ledger, Trial
from .noisefloor import noise_floor
from .records.search import InteractionSearch, SearchStep
from .rounds import caps_of, tables
from .search.certificate import Certificate
from .search.expectation import Noise
from .search.search import Search, search
from .spec import StudySpec
from .stopping import asking

REMEMBERED = "searches"
PURPOSE = "search"
FIRST_SEED = 10_000
"""Seeds of a search lie above those of every look: what it finds is confirmed on others."""
MOST_RUNS, FEWEST_RUNS = 3000, 60
MOST_OPEN = 20
"""Pairs that are named where they were not cleared."""


@dataclass
class RemovalSystem:
    """Sets of components as trials: one run each at the next of the search's seeds, or one evaluation of the trained model."""

    dispatcher: Dispatcher
    evidence: Evidence
    """Of the mode that is searched, on the planning split."""
    members: Sequence[Component]
    asked: Counter[bytes] = field(default_factory=Counter[bytes])

    @property
    def repeatable(self) -> bool:
        """Evaluating the same weights again gives the same again."""
        return self.evidence.mode != "reevaluate"

    def __call__(self, masks: Bools) -> Floats:
        """The primary metric of every mask, larger is better; NaN where a trial failed."""
        trials = [self._trial(mask) for mask in masks]
        self.dispatcher.run(trials, goes_on=True, asked_at=asking(self.evidence))
        return np.array([self._value(one) for one in trials])

    def _trial(self, mask: Bools) -> Trial:
        removed = [self.members[at].interventions[0] for at in np.flatnonzero(mask).tolist()]
        arm = arm_name(removed)
        self.dispatcher.workshop.interventions[arm] = removed
        seed = self.evidence.seed or 0
        if self.repeatable:
            seed = FIRST_SEED + self.asked[mask.tobytes()]
            self.asked[mask.tobytes()] += 1
        return self.dispatcher.setting.trial(self.evidence.mode, arm, removed, seed, PURPOSE)

    def _value(self, trial: Trial) -> float:
        evidence, primary = self.evidence, self.evidence.spec.primary
        row = self.dispatcher.arm(trial.mode, trial.arm).trials[trial.seed]
        if row.status not in MEASURED:
            return float("nan")
        if evidence.by_examples(primary):
            values = evidence.on_examples(trial.arm, primary)[evidence.search_half(primary)]
            return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")
        sign = sign_of(evidence.spec.metrics[primary].goal)
        return sign * row.metrics.get(evidence.split, {}).get(primary, float("nan"))


def arm_name(removed: Sequence[Intervention]) -> str:
    """A set's arm: short, and the same in every run."""
    text = "\n".join(sorted(one.model_dump_json() for one in removed))
    return SEARCHED + (hashlib.sha256(text.encode()).hexdigest()[:12] if removed else "nothing removed")


def run_search(dispatcher: Dispatcher, evidence: Evidence, pool: Sequence[Component]) -> InteractionSearch:
    """Search the pool for groups that cost δ together. Raises `OutOfBudget`; run again, it goes on where it stopped."""
    spec, primary = evidence.spec, evidence.spec.primary
    metric, noise = spec.metrics[primary], noise_floor(evidence, primary)
    assert noise is not None
    limit = _limit(spec, len(pool))
    found = search(
        RemovalSystem(dispatcher, evidence, pool),
        range(len(pool)),
        len(pool),
        delta=noise.smallest_effect,
        floor=None if metric.floor is None else sign_of(metric.goal) * metric.floor,
        noise=_noise(evidence) if evidence.mode != "reevaluate" else Noise(0.0, 0),
        seed=int(hashlib.sha256(f"{spec.study.name} {evidence.mode}".encode()).hexdigest()[:8], 16),
        limit=limit,
    )
    return _record(found, evidence, pool, noise.smallest_effect, limit)


def is_over(found: InteractionSearch, spec: StudySpec) -> bool:
    """Whether nothing is left to search: not so where the budget that ended it has been raised."""
    return found.stopped is None or (found.limit or 0) >= _limit(spec, len(found.pool))


def _limit(spec: StudySpec, pool: int) -> int:
    """By default no more runs than all pairs would take."""
    return spec.limits.search_runs or min(MOST_RUNS, max(pool * (pool - 1) // 2, FEWEST_RUNS))


def _noise(evidence: Evidence) -> Noise:
    """Of one run, as the singles of round 1 have shown it."""
    first = evidence.plans[0]
    table = tables(evidence, first, evidence.spec.primary, caps_of(evidence, first)).effects
    known = [(one.se * sqrt(one.n / 2), one.df) for one in table.estimates if one.se is not None and one.df is not None]
    if not known:
        return Noise(0.0, 0)
    return Noise(float(np.median([sd for sd, _ in known])), int(np.median([df for _, df in known])))


def _record(
    found: Search, evidence: Evidence, pool: Sequence[Component], delta: float, limit: int
) -> InteractionSearch:
    groups = [[pool[at].id for at in sorted(group)] for group in found.groups]
    certificate, choice = found.certificate, found.choice
    return InteractionSearch(
        mode=evidence.mode,
        metric=evidence.spec.primary,
        smallest_effect=delta,
        pool=[one.id for one in pool],
        strategy=choice.strategy if choice else None,
        set_size=choice.size if choice else None,
        separation=choice.separation if choice else None,
        separation_needed=choice.needed if choice else None,
        sd=found.sd,
        spread=found.spread,
        steps=[
            SearchStep(
                what=one.what,
                size=one.size,
                sets=one.sets,
                runs=one.runs,
                clean=None if np.isnan(one.clean) else one.clean,
            )
            for one in found.steps
        ],
        runs=found.runs,
        runs_of_all_pairs=len(pool) * (len(pool) - 1) // 2,
        groups=groups,
        strays=[pool[at].id for at in found.strays],
        pairs=certificate.pairs,
        pairs_cleared=certificate.cleared,
        pairs_found=len({pair for group in found.groups for pair in _pairs(group)}),
        triples_cleared=certificate.triples,
        open_pairs=_open(certificate, pool),
        limit=limit,
        stopped=found.stopped,
    )


def _pairs(group: frozenset[int]) -> list[tuple[int, int]]:
    return [(first, second) for first in group for second in group if first < second]


def _open(certificate: Certificate, pool: Sequence[Component]) -> list[list[str]]:
    firsts, seconds = np.nonzero(np.triu(certificate.open))
    return [
        [pool[a].id, pool[b].id] for a, b in zip(firsts[:MOST_OPEN].tolist(), seconds[:MOST_OPEN].tolist(), strict=True)
    ]


def recalled(ledger: Ledger, version: str) -> list[InteractionSearch]:
    """The searches that came to their end on this version of the source."""
    kept = ledger.recall(REMEMBERED, {})
    return [InteractionSearch.model_validate(one) for one in kept.get(version, [])]


def keep(ledger: Ledger, version: str, found: InteractionSearch) -> None:
    """Remember a search that came to its end."""
    kept = ledger.recall(REMEMBERED, {})
    others = [one for one in kept.get(version, []) if one["mode"] != found.mode]
    ledger.remember(REMEMBERED, {**kept, version: [*others, found.model_dump(mode="json")]})
