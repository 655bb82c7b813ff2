"""What is known of one loss or one interaction, in plain numbers: what verdicts and reports are made from."""

from dataclasses import dataclass
from typing import Literal

from .looks import Look

Method = Literal["pooled", "paired", "examples", "clusters"]
"""pooled, paired: over seeds, with the guarded pool or each contrast's own variance; examples, clusters: over these."""


@dataclass(frozen=True)
class Estimate:
    """One contrast at its last completed look; all values are on the metric's scale, losses: positive = removal costs.

    A unit is a seed, or an example or a cluster of them where fixed weights are evaluated again. `loss` is None without a
    shared unit; all but `loss` and `n` are None before a look is complete or with too few units (seeds: 2, others: 3).
    """

    loss: float | None
    """Mean over the shared seeds or examples: of y0 − y(S), or of an interaction's contrast."""
    n: int
    """Units that have a value in every arm of the contrast."""
    look: Look | None = None
    """The last completed look; its `seeds` are units."""
    se: float | None = None
    """Standard error of `loss`."""
    df: float | None = None
    """Degrees of freedom of `se`."""
    p: float | None = None
    """Two-sided test of no difference at the last look, unadjusted."""
    p_paired: float | None = None
    """Sensitivity over seeds: the paired t test of this contrast alone at the last look, unadjusted."""
    p_adjusted: float | None = None
    """Difference: adjusted by Holm over the family and for the planned looks; compare with α."""
    p_equivalence: float | None = None
    """Equivalence within ±δ (two one-sided tests): adjusted likewise, as a family of its own; compare with α."""
    interval: tuple[float, float] | None = None
    """Simultaneous interval of `loss` (Bonferroni over the family, at this look's share of α)."""
    level: float | None = None
    """Confidence level of `interval`, 1 − α_look / family; under the rule that stops early, of the part of α that it had."""
    always_valid: bool = False
    """Evaluated no further than its verdicts needed: p values and interval hold however often one has looked."""


@dataclass(frozen=True)
class Table:
    """The estimates of one family, in the order asked for, and how they were made."""

    estimates: tuple[Estimate, ...]
    method: Method | None
    """At the largest completed look; None before the first."""
    bartlett_p: float | None
    """Test of equal variances at that look, which chose between pooled and paired."""
    pairing_correlation: float | None
    """Measured correlation of two arms at the same seed; over examples the median of every arm's with the baseline."""
