"""Full factorials and their analysis of variance, as records."""

from typing import Literal

from .base import EffectVerdict, InteractionVerdict, Interval, Mode, Record, Unit


class FactorialCell(Record):
    """One combination; values on the metric's own scale."""

    removed: list[str]
    """Component ids; empty: the baseline."""
    mean: float | None
    sd: float | None
    n: int
    at_floor: bool = False
    """Within 3σ of the metric's floor, which caps what can be lost."""
    missing: str | None = None
    """Why it will never have a value."""


class FactorialRow(Record):
    """One line of the analysis of variance, with one degree of freedom."""

    components: list[str]
    contrast: float | None
    """A loss, larger is worse. One component: mean with it − mean without it, averaged over the settings of the others;
    two: L(AB) − L(A) − L(B), averaged likewise; and so on. The effect of textbooks is contrast / 2^(order − 1)."""
    interval: Interval | None
    level: float | None
    sum_of_squares: float | None
    eta_squared: float | None
    """Share of the total sum of squares."""
    partial_eta_squared: float | None
    f_pooled: float | None = None
    """Against the residual of cells × units, `residual_df` degrees of freedom."""
    p_pooled: float | None = None
    f_own: float | None = None
    """Against the effect's own variation over units: the F of a repeated-measures analysis."""
    p_own: float | None = None
    df_own: int | None = None
    p: float | None
    """Of the test that the verdict goes by: guarded pool, or own error; unadjusted."""
    p_adjusted: float | None
    p_equivalence: float | None
    verdict: EffectVerdict | InteractionVerdict
    agreement: dict[str, int] | None = None
    """Verdict → trained checkpoints at which a re-evaluation came to it."""


class ComponentInContext(Record):
    """What one component is worth, depending on what else is there; losses with simultaneous intervals."""

    component: str
    first: float | None
    """Removed with all others present: leave-one-out."""
    first_interval: Interval | None
    average: float | None
    """Over all settings of the others: the main effect."""
    average_interval: Interval | None
    last: float | None
    """Removed with all others gone already: what it is worth by itself."""
    last_interval: Interval | None


class Factorial(Record):
    """Every combination of some components, and its analysis of variance, on one metric in one mode."""

    components: list[str]
    labels: list[str]
    mode: Mode
    metric: str
    round: int
    unit: Unit
    n: int
    """Units that have a value in every cell."""
    incomplete: int = 0
    """Units left out, since they have none in some cell."""
    cells: list[FactorialCell]
    rows: list[FactorialRow] = []
    in_context: list[ComponentInContext] = []
    error: Literal["pooled", "own"] | None = None
    """Which error term the verdicts go by: Bartlett's gate over the cells decides; over examples each effect's own."""
    bartlett_p: float | None = None
    between_units: float | None = None
    """Sum of squares of the units, as of the two that follow."""
    residual: float | None = None
    residual_df: int | None = None
    total: float | None = None
    smallest_effect: float
    reason: str | None = None
    """Why there is no analysis of variance, or none yet."""
