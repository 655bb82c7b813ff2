"""What a conversation shows, as data: a terminal draws it, a program gets it as a record."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from ..records.base import EffectVerdict, InteractionVerdict, Record
from ..report.text import plain

if TYPE_CHECKING:
    from ..results import Effect


class Note(Record):
    """A line or a few of the program's own."""

    kind: Literal["note"] = "note"
    text: str
    tone: Literal["plain", "good", "warning", "error"] = "plain"


class Prose(Record):
    """Markdown: the program's own, or what a language model said after its numbers were checked."""

    kind: Literal["prose"] = "prose"
    text: str
    """A number of the model's own is followed by a mark, which a last line explains."""
    own_numbers: tuple[str, ...] = ()
    """Numbers that no reference backs, as they stand in the text."""


class Table(Record):
    """Rows of text; on a narrow terminal the last columns go first."""

    kind: Literal["table"] = "table"
    title: str
    columns: list[str]
    rows: list[list[str]]
    more: str = ""
    """What is left out, in a line."""


class Interval(Record):
    """One line of a forest plot; on the metric's own scale."""

    name: str
    delta: float
    low: float | None
    high: float | None
    verdict: EffectVerdict | InteractionVerdict

    @classmethod
    def of(cls, effect: "Effect") -> "Interval | None":
        """An effect's; None where nothing was measured."""
        if effect.delta is None:
            return None
        low, high = effect.interval or (None, None)
        return cls(name=plain(effect.ablation), delta=effect.delta, low=low, high=high, verdict=effect.verdict)


class Forest(Record):
    """Differences from the baseline with their intervals, against the band of ±δ."""

    kind: Literal["forest"] = "forest"
    title: str
    band: float
    rows: list[Interval]


class Diff(Record):
    """A source edit, as a unified diff, or a configuration override in a line."""

    kind: Literal["diff"] = "diff"
    title: str
    text: str


class Source(Record):
    """Lines of a file of the project."""

    kind: Literal["source"] = "source"
    path: str
    first: int
    """Number of the first line."""
    text: str


class Step(Record):
    """Something that the model has done with one of its tools."""

    kind: Literal["step"] = "step"
    tool: str
    text: str


Shown = Annotated[Note | Prose | Table | Forest | Diff | Source | Step, Field(discriminator="kind")]
