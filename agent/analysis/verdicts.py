"""The verdict of an estimate: the table of STATISTICS.md, first match wins; "no effect" is not among the words."""

from typing import NamedTuple

from ..results import EffectVerdict, InteractionVerdict
from .estimates import Estimate
from .looks import Rules

FEWEST_UNITS = 3


class EffectFacts(NamedTuple):
    """What is known of a removal beside its numbers."""

    structural: bool = False
    """The removal stops the program: crash, shape error, divergence at every seed."""
    no_op: bool = False
    """The intervention changed nothing."""
    at_floor: bool = False
    """The baseline lies within noise of the metric's floor."""
    finite: bool = True
    """False where the metric itself came out as NaN or infinite."""


class JointFacts(NamedTuple):
    """What is known of a joint removal beside its numbers."""

    order: int
    """Number of components removed together, at least 2."""
    singles_negligible: bool = False
    """Every single member was shown negligible."""
    subsets_negligible: bool = False
    """Every proper subset, of any size, was shown negligible."""
    saturated: bool = False
    """y(S) lies within 3σ of the floor, which caps L(S) and can only hide a positive interaction."""
    at_floor: bool = False
    """The baseline lies within noise of the metric's floor."""
    finite: bool = True
    """False where the metric itself came out as NaN or infinite."""


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


def effect_verdict(estimate: Estimate, facts: EffectFacts, rules: Rules) -> EffectFinding:
    """Judge one removal by the estimate of its loss; the first rule that matches wins."""
    if facts.structural or facts.no_op:
        return EffectFinding("structural" if facts.structural else "no-op")
    reason = _untestable(estimate, at_floor=facts.at_floor, finite=facts.finite)
    if reason:
        return EffectFinding("untestable", reason=reason)
    differs = _differs(estimate, rules)
    if matters(estimate, rules):
        return EffectFinding("matters")
    if _helps(estimate, rules):
        return EffectFinding("hurts")
    if _equivalent(estimate, rules):
        return EffectFinding("negligible", nonzero=differs)
    return EffectFinding("detected" if differs else "undecided")


def interaction_verdict(contrast: Estimate, joint: Estimate, facts: JointFacts, rules: Rules) -> InteractionFinding:
    """Judge one joint removal.

    Args:
        contrast: of I = L(S) − ΣL(i).
        joint: of the joint loss L(S), as a member of the family of joint losses.
        facts: what else is known.
        rules: δ and α.
    """
    if _irreducible(joint, facts, rules):
        return InteractionFinding("irreducible")
    reason = _untestable(contrast, at_floor=facts.at_floor, finite=facts.finite)
    if reason:
        return InteractionFinding("untestable", reason)
    if matters(contrast, rules):
        return InteractionFinding("compensation" if facts.singles_negligible else "redundancy")
    series = _helps(contrast, rules)
    if not (series or _equivalent(contrast, rules)):
        return InteractionFinding("undecided")
    if facts.saturated:
        return InteractionFinding("saturation-limited")
    return InteractionFinding("synergy" if series else "additive")


def matters(estimate: Estimate, rules: Rules) -> bool:
    """Whether the loss is shown to exceed δ: p ≤ α and the whole simultaneous interval above it."""
    return _differs(estimate, rules) and estimate.interval is not None and estimate.interval[0] > rules.delta


def is_negligible(estimate: Estimate, rules: Rules) -> bool:
    """Whether the verdict of this loss, by its numbers alone, is negligible."""
    return effect_verdict(estimate, EffectFacts(), rules).verdict == "negligible"


def _helps(estimate: Estimate, rules: Rules) -> bool:
    return _differs(estimate, rules) and estimate.interval is not None and estimate.interval[1] < -rules.delta


def _differs(estimate: Estimate, rules: Rules) -> bool:
    return estimate.p_adjusted is not None and estimate.p_adjusted <= rules.alpha


def _equivalent(estimate: Estimate, rules: Rules) -> bool:
    return estimate.p_equivalence is not None and estimate.p_equivalence <= rules.alpha


def _irreducible(joint: Estimate, facts: JointFacts, rules: Rules) -> bool:
    testable = _untestable(joint, at_floor=facts.at_floor, finite=facts.finite) is None
    return facts.order >= 3 and facts.subsets_negligible and testable and matters(joint, rules)


def _untestable(estimate: Estimate, *, at_floor: bool, finite: bool) -> str | None:
    if not finite:
        return "the metric is not finite"
    if estimate.n < FEWEST_UNITS:
        return f"{estimate.n} of at least {FEWEST_UNITS} units finished"
    if at_floor:
        return "the baseline is within noise of the metric's floor"
    return None


def factorial_verdict(estimate: Estimate, facts: JointFacts, rules: Rules) -> EffectVerdict | InteractionVerdict:
    """Judge one effect of a full factorial by its contrast: a main effect as a removal, any other as an interaction.

    Args:
        estimate: of the contrast, averaged over the settings of the other factors.
        facts: `order` is 1 for a main effect; `saturated` where a cell that enters the effect is at the floor.
        rules: δ and α.
    """
    if facts.order == 1:
        return effect_verdict(estimate, EffectFacts(at_floor=facts.at_floor), rules).verdict
    pairwise = facts._replace(order=2, singles_negligible=facts.order == 2 and facts.singles_negligible)
    return interaction_verdict(estimate, estimate, pairwise, rules).verdict
