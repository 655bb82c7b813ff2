"""What is known of one loss or one interaction, in plain numbers: what verdicts and reports are made from."""

from dataclasses import dataclass
from typing import Literal

from .looks import Look

Method = Literal["pooled", "paired"]


@dataclass(frozen=True)
class Estimate:
    """One contrast at its last completed look; all values are on the metric's scale, losses: positive = removal costs.

    `loss` is None without a shared seed; all but `loss` and `n` are None before a look is complete or with n < 2.
    """

    loss: float | None
    """Mean over the shared seeds: of y0 − y(S), or of an interaction's contrast."""
    n: int
    """Seeds that finished with a value in every arm of the contrast."""
    look: Look | None = None
    """The last completed look."""
    se: float | None = None
    """Standard error of `loss`."""
    df: float | None = None
    """Degrees of freedom of `se`."""
    p: float | None = None
    """Two-sided test of no difference at the last look, unadjusted."""
    p_paired: float | None = None
    """Sensitivity: the paired t test of this contrast alone at the last look, unadjusted."""
    p_adjusted: float | None = None
    """Difference: adjusted by Holm over the family and for the planned looks; compare with α."""
    p_equivalence: float | None = None
    """Equivalence within ±δ (two one-sided tests): adjusted likewise, as a family of its own; compare with α."""
    interval: tuple[float, float] | None = None
    """Simultaneous interval of `loss` (Bonferroni over the family, at this look's share of α)."""
    level: float | None = None
    """Confidence level of `interval`, 1 − α_look / family."""


@dataclass(frozen=True)
class Table:
    """The estimates of one family, in the order asked for, and how they were made."""

    estimates: tuple[Estimate, ...]
    method: Method | None
    """At the largest completed look; None before the first."""
    bartlett_p: float | None
    """Test of equal variances at that look, which chose the method."""
    pairing_correlation: float | None
    """Measured correlation of two arms at the same seed."""
