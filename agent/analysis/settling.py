"""The chance that one more look settles an arm: what further seeds are ordered by, and refused for."""

import math

from scipy import special

from .estimates import Estimate
from .inference import critical
from .looks import Look


def chance_to_settle(estimate: Estimate, look: Look, *, delta: float, m: int) -> float:
    """Predictive probability that at `look` the verdict is matters, hurts or negligible; normal approximation.

    Given the present loss L ± se at n seeds, the loss at n' seeds is predicted as Normal(L, se²·(n' − n) / n') (flat
    prior), and its standard error as se·√(n / n').

    Args:
        estimate: present estimate. Before its first look nothing is known, and the chance is 1: it goes first. Where a
            look is complete and yet fewer than 2 seeds have a value, its runs fail, and the chance is 0.
        look: a further look. Where it brings no further seed the chance is 0.
        delta: smallest effect of interest.
        m: size of the family; Bonferroni, where Holm would be a little more generous.
    """
    if estimate.look is None:
        return 1.0
    further = look.seeds - estimate.look.seeds
    if further <= 0 or estimate.loss is None or estimate.se is None or estimate.df is None:
        return 0.0
    n = estimate.n + further
    df = estimate.df * (n - 1) / (estimate.n - 1)
    se = estimate.se * math.sqrt(estimate.n / n)
    spread = estimate.se * math.sqrt(further / n)
    beyond = delta + se * float(critical(look.alpha / m / 2, df))
    inside = delta - se * float(critical(look.alpha / m, df))
    chance = 1 - _below(beyond, estimate.loss, spread) + _below(-beyond, estimate.loss, spread)
    if inside > 0:
        chance += _below(inside, estimate.loss, spread) - _below(-inside, estimate.loss, spread)
    return min(1.0, max(0.0, chance))


def chance_to_detect(estimate: Estimate, look: Look, *, m: int) -> float:
    """Predictive probability that a difference is shown at `look`, whatever its size; arguments as of `chance_to_settle`."""
    if estimate.loss is None or estimate.se is None or estimate.df is None:
        return 1.0
    if look.seeds <= estimate.n:
        return 0.0
    df = estimate.df * (look.seeds - 1) / (estimate.n - 1)
    shown = estimate.se * math.sqrt(estimate.n / look.seeds) * float(critical(look.alpha / m / 2, df))
    spread = estimate.se * math.sqrt((look.seeds - estimate.n) / look.seeds)
    return 1 - _below(shown, estimate.loss, spread) + _below(-shown, estimate.loss, spread)


def _below(value: float, mean: float, sd: float) -> float:
    """P(Normal(mean, sd²) < value); a point mass at sd = 0."""
    return float(special.ndtr((value - mean) / sd)) if sd > 0 else float(mean < value)
