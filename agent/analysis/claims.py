"""Claims against verdicts: whether the outcome that a claim foretold was shown, the opposite was, or neither.

A claim foretells the loss of a removal; of a joint removal, the joint loss. Only what was shown speaks:

| verdict | shows | wanted worse | wanted none | wanted better |
|---|---|---|---|---|
| matters | a loss beyond δ | supports | contradicts | contradicts |
| hurts | a gain beyond δ | contradicts | contradicts | supports |
| negligible | within ±δ | contradicts | supports | contradicts |
| detected, a loss | a loss of uncertain size | supports | open | contradicts |
| detected, a gain | a gain of uncertain size | contradicts | open | supports |
| structural | the program needs it to run, which is not importance | open | open | open |
| no-op | nothing was removed, so nothing was learnt | open | open | open |
| untestable, undecided | neither | open | open | open |
"""

from collections.abc import Sequence

from ..records.base import Direction, EffectVerdict
from ..records.claims import ClaimStatus, TestStatus

_SHOWN: dict[EffectVerdict, Direction] = {"matters": "worse", "hurts": "better", "negligible": "none"}


def claim_test_status(wanted: Direction, verdict: EffectVerdict, loss: float | None) -> TestStatus:
    """What one verdict says of a claim.

    Args:
        wanted: the outcome that would support it.
        verdict: of the removal, or of the joint loss of a joint removal.
        loss: its estimate, larger is worse; it tells the direction of what is merely detected.
    """
    shown = _SHOWN.get(verdict)
    if verdict == "detected" and loss and wanted != "none":
        shown = "worse" if loss > 0 else "better"
    if shown is None:
        return "open"
    return "supports" if shown == wanted else "contradicts"


def claim_status(tests: Sequence[TestStatus]) -> ClaimStatus:
    """One test that contradicts a claim weighs more than any number that support it."""
    if "contradicts" in tests:
        return "contradicted"
    return "supported" if "supports" in tests else "untested"
