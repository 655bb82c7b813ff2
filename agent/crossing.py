"""A full factorial's cells as the evidence has them: which arm stands in each, which are missing, and their values."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from .analysis.examples import estimate_examples
from .analysis.factorial import FactorialTable, cells_of, factorial_table
from .analysis.joint import Arm as Values
from .analysis.looks import Rules
from .evidence import Evidence
from .planning.factorial import FACTORIAL, crossed
from .planning.plan import BASELINE, Plan


@dataclass(frozen=True)
class Crossing:
    """Which ablation stands in each cell, in the order of `analysis.factorial.cells_of`."""

    components: Sequence[str]
    arms: Sequence[str | None]
    """None where a plan that was edited by hand has no such ablation."""
    round: int

    def missing(self, evidence: Evidence) -> list[tuple[list[str], str]]:
        """Cells that will never have a value, by what is removed in them, with the reason."""
        reasons = [_why_missing(evidence, arm) or self._why_short(evidence, arm) for arm in self.arms]
        cells = cells_of(self.components)
        return [(sorted(cell), why) for cell, why in zip(cells, reasons, strict=True) if why]

    def values(self, evidence: Evidence, name: str, cap: int) -> list[Values]:
        """Each cell's values, larger is better; what did nothing stands as the baseline itself."""
        standing = [_standing(evidence, arm) for arm in self.arms]
        if evidence.by_examples(name):
            rows = [evidence.all_known_of(one, name, self.round) for one in standing]
            return [Values(row, np.ones(row.shape, dtype=np.bool_)) for row in rows]
        return [evidence.values(one, name, cap) for one in standing]

    def _why_short(self, evidence: Evidence, arm: str | None) -> str | None:
        """Cells are held against each other on the same examples, all of them: why one cannot be."""
        primary, seen = evidence.spec.primary, evidence.seen(arm) if arm else None
        if arm is None or seen is None or not evidence.by_examples(primary):
            return None
        known = np.isfinite(evidence.all_known_of(arm, primary, self.round)).sum()
        whole = np.isfinite(evidence.on_examples(BASELINE, primary)).sum()
        return f"evaluated on {known} of {whole} examples: it stopped early" if known < whole else None

    def table(self, evidence: Evidence, name: str, cap: int, rules: Rules) -> FactorialTable:
        """The analysis on the metric `name`, over examples where there are any, else over the first `cap` seeds."""
        values = self.values(evidence, name, cap)
        analyse = partial(
            factorial_table,
            np.stack([one.values for one in values]),
            np.stack([one.finished for one in values]),
            self.components,
            rules,
        )
        if not evidence.by_examples(name):
            return analyse()
        clusters = evidence.clusters_of(name)
        return analyse(estimate=lambda y, _finished, family, given: estimate_examples(y, family, given, clusters))


def crossing_of(evidence: Evidence, plan: Plan) -> Crossing | None:
    """What a round crosses in the evidence's mode; None where it crosses nothing."""
    components = crossed(plan, evidence.mode)
    if not components:
        return None
    cells = [one for one in plan.ablations if one.why == FACTORIAL]
    first = [one for one in evidence.plans[0].ablations if one.components == [one.id]]
    arms = {frozenset(one.components): one.id for one in (*first, *cells)} | {frozenset[str](): BASELINE}
    return Crossing(components, [arms.get(cell) for cell in cells_of(components)], plan.round)


def _standing(evidence: Evidence, arm: str | None) -> str:
    """The arm whose values a cell has."""
    if arm is None:
        return ""
    idle = evidence.arm(arm).idle or (arm in evidence.stopped and evidence.stopped[arm][0] == "no-op")
    return BASELINE if idle else arm


def _why_missing(evidence: Evidence, arm: str | None) -> str | None:
    if arm is None:
        return "the plan has no such ablation"
    if arm in evidence.dropped:
        return evidence.dropped[arm]
    verdict, reason = evidence.stopped.get(arm, ("no-op", ""))
    if verdict != "no-op":
        return reason
    runs = evidence.arm(arm)
    return runs.failed[0].reason or runs.failed[0].status if runs.broken or runs.hopeless else None
