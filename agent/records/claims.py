"""What a study's claims came to, as records."""

from typing import Literal

from .base import Direction, EffectVerdict, Interval, Mode, Record, Role

ClaimStatus = Literal["supported", "contradicted", "untested"]
TestStatus = Literal["supports", "contradicts", "open"]
ShownBy = Literal["sealed", "exploratory", "follow-up"]
"""What a status rests on: a test of a sealed family; only tests outside of it; or only such as were chosen after results were seen."""


class ClaimTest(Record):
    """One ablation that puts a claim to the test, in one mode, on the primary metric."""

    ablation: str
    components: list[str]
    mode: Mode | None
    """None where nothing was measured in any."""
    role: Role
    round: int
    wanted: Direction
    """The outcome that would support the claim, written down before the run; of a joint removal, that of its joint loss."""
    verdict: EffectVerdict | None
    delta: float | None
    interval: Interval | None = None
    status: TestStatus
    reason: str | None = None
    """Why it is open."""
    by: str = ""
    """Who wrote down the outcome that would support the claim: whose reading of the claim it is."""


class ClaimTested(Record):
    """One claim and all of its tests."""

    id: str
    """`c1`, `c2`, … in the order of the study."""
    text: str
    status: ClaimStatus
    """contradicted where any test contradicts it, else supported where any supports it, else untested."""
    shown_by: ShownBy | None = None
    """None where it is untested."""
    by_mode: dict[Mode, ClaimStatus] = {}
    """The same for each mode that it was tested in: a re-evaluation and a retraining answer different questions."""
    reason: str | None = None
    """Why it is untested, or that its tests differ."""
    tests: list[ClaimTest] = []
