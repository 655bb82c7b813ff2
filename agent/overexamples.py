"""Tables over the examples of one evaluation, from the evidence: the arms' values, and which of them ran under the stopping rule."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from .analysis.arrays import Bools, Floats
from .analysis.contrasts import Contrasts
from .analysis.estimates import Table
from .analysis.examples import estimate_examples
from .analysis.joint import BASELINE as NOTHING_REMOVED
from .analysis.joint import Arm as Values
from .analysis.joint import Components
from .analysis.looks import Rules
from .analysis.stopping import SHARE, Stopping
from .evidence import Evidence
from .planning.plan import BASELINE, Ablation

Estimator = Callable[[Floats, Bools, Contrasts, Rules], Table]


def arms_table(
    evidence: Evidence, metric: str, arms: Sequence[str], contrasts: Contrasts, rules: Rules, family: int | None = None
) -> Table:
    """Test contrasts of the baseline (row 0) and these arms, each by its own trial's values.

    Args:
        evidence: at one trained model.
        metric: one with a value for each example.
        arms: rows 1 and on; an empty name is an arm without values.
        contrasts: over these rows.
        rules: δ, α and the look.
        family: how many tests the intervals are simultaneous over, where not these alone.
    """
    rows = np.stack([evidence.on_examples(each, metric) for each in (BASELINE, *arms)])
    ruled = [evidence.seen(each) is not None for each in (BASELINE, *arms)]
    return estimate_examples(rows, contrasts, rules, evidence.clusters_of(metric), family, _stopping(ruled))


class JointValues:
    """The values of removals, alone and together, that the interactions of one round are made of.

    A single that stopped early has, beside its own trial's, the values that joint removals measured of it. Where these
    reach as far as theirs, it is the joint removal that says by which rule a contrast is tested.
    """

    def __init__(self, evidence: Evidence, metric: str, last: int, ablations: Mapping[Components, Ablation]) -> None:
        """`last`: the round; `ablations`: what was removed in it and before, by components."""
        self._evidence, self._metric, self._last = evidence, metric, last
        names = {components: one.id for components, one in ablations.items()}
        self._names = {NOTHING_REMOVED: BASELINE, **names}
        self._rows = {components: self._row(name) for components, name in self._names.items()}

    @property
    def arms(self) -> dict[Components, Values]:
        """One that did nothing alone stands as the baseline itself."""
        return {components: Values(row, np.ones(len(row), dtype=np.bool_)) for components, row in self._rows.items()}

    @property
    def estimate(self) -> Estimator:
        """What tests a family of contrasts over the rows of `arms`, in their order, and rows without values after them."""
        clusters = self._evidence.clusters_of(self._metric)
        ruled = [self._is_ruled(components) for components in self._names]

        def test(y: Floats, _finished: Bools, contrasts: Contrasts, rules: Rules) -> Table:
            more = [False] * (len(y) - len(ruled))
            return estimate_examples(y, contrasts, rules, clusters, None, _stopping([*ruled, *more]))

        return test

    def _row(self, name: str) -> Floats:
        idle = self._evidence.arm(name).idle
        return self._evidence.all_known_of(BASELINE if idle else name, self._metric, self._last)

    def _is_ruled(self, components: Components) -> bool:
        name = self._names[components]
        if self._evidence.seen(name) is None or self._evidence.arm(name).idle:
            return False
        short = np.isfinite(self._rows[components]) < np.isfinite(self._rows[NOTHING_REMOVED])
        return len(components) > 1 or bool(short.any())


def _stopping(ruled: Sequence[bool]) -> Stopping | None:
    return Stopping(SHARE, np.array(ruled, dtype=np.bool_)) if any(ruled) else None
