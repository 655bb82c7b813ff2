"""Joint removals: the observed loss beside the additive prediction, and the contrast between them, tested at the looks.

Sign: I(S) = L(S) − Σ L(i). Positive: together they cost more than the sum of what each costs alone, so each hides the
other. Negative: the two work in series, and the second removal adds little.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..results import InteractionVerdict
from .arrays import Bools, Floats, measured
from .contrasts import Contrasts, per_seed
from .estimates import Estimate, Table
from .joint import Arm, Components, interaction_contrasts, lay_out, loss_contrasts, proper_subsets, singles
from .looks import Rules
from .noise import is_at_floor, run_noise
from .sequential import estimate_family
from .verdicts import JointFacts, interaction_verdict, is_negligible


@dataclass(frozen=True)
class InteractionEstimate:
    """One joint removal; all values are losses: larger is worse."""

    components: Components
    observed: Estimate
    """L(S), with an interval and p values of its own, in the family of joint losses."""
    additive: float | None
    """Σ L(i) over the seeds of `contrast`; where `observed` has the same seeds, contrast = observed − additive."""
    contrast: Estimate
    """I(S), in the family of tested sets."""
    saturated: bool
    """y(S) lies within 3σ of the floor."""
    negligible_together: bool
    """The joint loss is shown negligible: all of these can go at once."""
    verdict: InteractionVerdict
    reason: str | None
    """Why it is untestable."""


@dataclass(frozen=True)
class InteractionTable:
    """All tested sets, in the order asked for, and how the two families were estimated."""

    interactions: tuple[InteractionEstimate, ...]
    contrasts: Table
    joint_losses: Table


def interaction_table(
    arms: Mapping[Components, Arm],
    tested: Sequence[Components],
    *,
    rules: Rules,
    negligible: Collection[Components] = (),
    floor: float | None = None,
    estimate: Callable[[Floats, Bools, Contrasts, Rules], Table] = estimate_family,
    noise: float | None = None,
) -> InteractionTable:
    """Test the interaction and the joint loss of every set in `tested`: two families, each of that size.

    Args:
        arms: runs by the set removed: BASELINE, singles and sets, all of them used for the residual variance. A set
            without an arm has no values.
        tested: sets of two or more components.
        rules: δ, the looks and α, the family-wise error of each of the two families.
        negligible: sets already shown negligible elsewhere: the singles of the main table.
        floor: the metric's floor, turned so that larger is better; None: no floor.
        estimate: tests one family of contrasts, given the arms' values and which of them have finished, both of shape
            [R, S]. The units S are seeds, or examples where fixed weights are evaluated again.
        noise: standard deviation to compare the distance from the floor with; None: that of one run of the baseline.
            Over examples: the standard error of the baseline's mean.

    Raises:
        ValueError: a tested set has fewer than two members, or the arms' shapes differ.
        KeyError: the baseline is not among the arms.
    """
    if any(len(components) < 2 for components in tested):
        raise ValueError("an interaction needs two components or more")
    layout = lay_out(arms, tested)
    families = interaction_contrasts(tested, layout.rows), loss_contrasts(tested, layout.rows)
    contrasts, joint = (estimate(layout.y, layout.finished, family, rules) for family in families)
    y = np.where(layout.finished, measured(layout.y), np.nan)
    additive = _additive(y, families[0], contrasts)
    together = [is_negligible(observed, rules) for observed in joint.estimates]
    known = {components for components, clean in zip(tested, together, strict=True) if clean} | set(negligible)
    sd = _run_to_run(y[0]) if noise is None else noise
    at_floor = _near_floor(y[0], sd, floor)
    found: list[InteractionEstimate] = []
    for f, components in enumerate(tested):
        contrast, observed = contrasts.estimates[f], joint.estimates[f]
        facts = JointFacts(
            order=len(components),
            singles_negligible=all(single in known for single in singles(components)),
            subsets_negligible=all(subset in known for subset in proper_subsets(components)),
            saturated=_near_floor(y[layout.rows[components]], sd, floor),
            at_floor=at_floor,
        )
        finding = interaction_verdict(contrast, observed, facts, rules)
        found.append(
            InteractionEstimate(
                components,
                observed,
                additive[f],
                contrast,
                facts.saturated,
                together[f],
                finding.verdict,
                finding.reason,
            )
        )
    return InteractionTable(tuple(found), contrasts, joint)


def _additive(y: Floats, contrasts: Contrasts, table: Table) -> list[float | None]:
    """The mean of Σ L(i) over the very seeds of each contrast: k·y0 − Σ y(i) = L(S) − I(S) there."""
    values = per_seed(y, contrasts)
    joint_losses = y[0] - y[contrasts.rows[:, 1]]
    predictions: list[float | None] = []
    by_seed = table.method in ("pooled", "paired")
    for f, estimate in enumerate(table.estimates):
        within = slice(estimate.look.seeds if by_seed and estimate.look else None)
        shared = (joint_losses[f] - values[f])[within]
        shared = shared[np.isfinite(shared)]
        predictions.append(float(shared.mean()) if shared.size else None)
    return predictions


def _run_to_run(baseline: Floats) -> float | None:
    noise = run_noise(baseline)
    return noise.sd if noise else None


def _near_floor(values: Floats, sd: float | None, floor: float | None) -> bool:
    """Whether the mean of `values` lies within 3σ of the floor."""
    present = values[np.isfinite(values)]
    if floor is None or sd is None or not present.size:
        return False
    return is_at_floor(float(present.mean()), sd, floor)
