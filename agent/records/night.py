"""What the last night of a study came to, as records."""

from .base import Direction, EffectVerdict, Mode, Record


class Change(Record):
    """A verdict on the primary metric that is not what it was when the night began."""

    ablation: str
    mode: Mode
    before: str | None
    """None: nothing had been measured of it."""
    now: str
    interaction: bool = False
    """Whether it is the verdict on how a joint removal's loss stands to the sum of the single ones."""


class Surprise(Record):
    """A removal whose verdict contradicts the direction that was foretold and sealed."""

    ablation: str
    mode: Mode
    expected: Direction
    verdict: EffectVerdict
    new: bool
    """Whether the verdict came with this night."""


class NightTold(Record):
    """The last night of a study: what its report starts with. Times are ISO dates, with the offset of the machine that ran it."""

    began: str
    deadline: str
    ended: str | None
    """None: it goes on, or it died."""
    died: bool
    """Launched, never ended, and nobody runs it any more."""
    pid: int
    studies: int = 1
    """That shared it."""
    code: int | None = None
    """The exit code."""
    reason: str | None = None
    """`complete`, or what stopped this study."""
    problems: list[str] = []
    """What went wrong and was gone on from."""
    edited_from: str | None = None
    """Version that was known when it began, where the results are of another: source, configuration or inputs were edited."""
    split_from: str | None = None
    """Split that the verdicts were told on then, where it is another than now."""
    changed: list[Change] = []
    surprises: list[Surprise] = []
