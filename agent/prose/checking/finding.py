"""What the checker says of one piece of a text, and which sentences must not leave."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "number",
    "spelled-out number",
    "ratio",
    "comparison",
    "superlative",
    "verdict",
    "count",
    "causal",
    "reference",
    "name",
]
Outcome = Literal["backed", "contradicted", "unbacked"]


@dataclass(frozen=True)
class Finding:
    """One claim of a text; `start` and `end` are offsets of its sentence in the text as it was given."""

    line: int
    """Where the piece stands, from 1."""
    sentence: str
    piece: str
    kind: Kind
    outcome: Outcome
    why: str
    start: int
    end: int
    reference: str | None = None
    """What says it right, where there is such: `{{ effect("config:dropout").delta }}`."""
    filled: bool = False
    """Whether the piece came from a reference: then it is no number of a writer's own."""


@dataclass(frozen=True)
class Sentence:
    """A sentence that must not stay as it is."""

    start: int
    end: int
    findings: tuple[Finding, ...]


def offending(findings: Iterable[Finding]) -> tuple[Sentence, ...]:
    """Every sentence with a claim that is contradicted or unbacked, in the order of the text: cut these, and the rest is backed."""
    bad: dict[tuple[int, int], list[Finding]] = {}
    for one in findings:
        if one.outcome != "backed":
            bad.setdefault((one.start, one.end), []).append(one)
    return tuple(Sentence(start, end, tuple(found)) for (start, end), found in sorted(bad.items()))
