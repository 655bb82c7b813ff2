"""Two kinds of removing one component: whether their findings contradict, agree, or cannot be told apart."""

from typing import Literal, NamedTuple

from ..results import EffectVerdict
from .estimates import Estimate
from .looks import Rules
from .verdicts import EffectFacts, effect_verdict

_DIFFERS: tuple[EffectVerdict, ...] = ("matters", "hurts", "detected")
_BEYOND: tuple[EffectVerdict, ...] = ("matters", "hurts")


class Kind(NamedTuple):
    """What one kind of removal found; `loss` is positive where removal costs."""

    verdict: EffectVerdict
    loss: float


class KindFinding(NamedTuple):
    """What two kinds say together."""

    outcome: Literal["conflict", "agree", "not-told-apart"]
    why: Literal["verdicts", "sizes"] | None = None
    """What a conflict is of."""


def compare_kinds(first: Kind, second: Kind, contrast: Estimate, rules: Rules) -> KindFinding:
    """Judge two kinds of removal of one component.

    A verdict that is merely open contradicts nothing: "matters" beside "undecided" may be a matter of power alone, and
    only the contrast can tell.

    Args:
        first: verdict and loss by one kind.
        second: by the other.
        contrast: estimate of L(first) − L(second), in a family of its own.
        rules: δ and α.
    """
    if _contradict(first, second):
        return KindFinding("conflict", "verdicts")
    between = effect_verdict(contrast, EffectFacts(), rules).verdict
    if between in _BEYOND:
        return KindFinding("conflict", "sizes")
    same = first.verdict == second.verdict and first.verdict != "undecided"
    return KindFinding("agree" if same or between == "negligible" else "not-told-apart")


def _contradict(first: Kind, second: Kind) -> bool:
    """Both cannot be true: beyond δ and within it, or a loss and a gain."""
    verdicts = {first.verdict, second.verdict}
    if "negligible" in verdicts:
        return bool(verdicts & {*_BEYOND})
    return verdicts <= {*_DIFFERS} and (first.loss > 0) != (second.loss > 0)
