"""The verdict of an estimate: the table of STATISTICS.md, first match wins; "no effect" is not among the words."""

from typing import NamedTuple

from ..results import EffectVerdict, InteractionVerdict
from .estimates import Estimate

_FEWEST_UNITS = 3


class EffectFinding(NamedTuple):
    """The verdict on one removal."""

    verdict: EffectVerdict
    nonzero: bool = False
    """Negligible, and yet shown to differ from 0."""
    reason: str | None = None
    """Why nothing could be tested."""


class InteractionFinding(NamedTuple):
    """The verdict on one joint removal."""

    verdict: InteractionVerdict
    reason: str | None = None
    """Why nothing could be tested."""


def effect_verdict(
    estimate: Estimate,
    *,
    delta: float,
    alpha: float,
    structural: bool = False,
    no_op: bool = False,
    at_floor: bool = False,
    finite: bool = True,
) -> EffectFinding:
    """Judge one removal.

    Args:
        estimate: of its loss.
        delta: smallest effect of interest.
        alpha: what adjusted p values are compared with.
        structural: the removal stops the program: crash, shape error, divergence at every seed.
        no_op: the intervention changed nothing.
        at_floor: the baseline lies within noise of the metric's floor.
        finite: False where the metric itself came out as NaN or infinite.
    """
    if structural:
        return EffectFinding("structural")
    if no_op:
        return EffectFinding("no-op")
    reason = _untestable(estimate, at_floor=at_floor, finite=finite)
    if reason:
        return EffectFinding("untestable", reason=reason)
    differs = shown(estimate.p_adjusted, alpha)
    if matters(estimate, delta, alpha):
        return EffectFinding("matters")
    if _helps(estimate, delta, alpha):
        return EffectFinding("hurts")
    if shown(estimate.p_equivalence, alpha):
        return EffectFinding("negligible", nonzero=differs)
    return EffectFinding("detected" if differs else "undecided")


def interaction_verdict(
    contrast: Estimate,
    joint: Estimate,
    *,
    delta: float,
    alpha: float,
    order: int,
    singles_negligible: bool,
    subsets_negligible: bool,
    saturated: bool = False,
    at_floor: bool = False,
    finite: bool = True,
) -> InteractionFinding:
    """Judge one joint removal of `order` components.

    Args:
        contrast: of I = L(S) − ΣL(i).
        joint: of the joint loss L(S), as a member of the family of joint losses.
        delta: smallest effect of interest.
        alpha: what adjusted p values are compared with.
        order: number of components removed together, at least 2.
        singles_negligible: every single member was shown negligible.
        subsets_negligible: every proper subset, of any size, was shown negligible.
        saturated: y(S) lies within 3σ of the floor, which caps L(S) and can only hide a positive I.
        at_floor: the baseline lies within noise of the floor.
        finite: False where the metric itself came out as NaN or infinite.
    """
    if order >= 3 and finite and not at_floor and subsets_negligible and _testable(joint) and matters(joint, delta, alpha):
        return InteractionFinding("irreducible")
    reason = _untestable(contrast, at_floor=at_floor, finite=finite)
    if reason:
        return InteractionFinding("untestable", reason)
    if matters(contrast, delta, alpha):
        return InteractionFinding("compensation" if singles_negligible else "redundancy")
    if _helps(contrast, delta, alpha):
        return InteractionFinding("saturation-limited" if saturated else "synergy")
    if shown(contrast.p_equivalence, alpha):
        return InteractionFinding("saturation-limited" if saturated else "additive")
    return InteractionFinding("undecided")


def shown(p: float | None, alpha: float) -> bool:
    """Whether a test was made and its adjusted p is at most α."""
    return p is not None and p <= alpha


def matters(estimate: Estimate, delta: float, alpha: float) -> bool:
    """Whether the loss is shown to exceed δ: p ≤ α and the whole simultaneous interval above it."""
    return shown(estimate.p_adjusted, alpha) and estimate.interval is not None and estimate.interval[0] > delta


def _helps(estimate: Estimate, delta: float, alpha: float) -> bool:
    return shown(estimate.p_adjusted, alpha) and estimate.interval is not None and estimate.interval[1] < -delta


def _testable(estimate: Estimate) -> bool:
    return estimate.n >= _FEWEST_UNITS


def _untestable(estimate: Estimate, *, at_floor: bool, finite: bool) -> str | None:
    if not finite:
        return "the metric is not finite"
    if not _testable(estimate):
        return f"{estimate.n} of at least {_FEWEST_UNITS} units finished"
    if at_floor:
        return "the baseline is within noise of the metric's floor"
    return None
