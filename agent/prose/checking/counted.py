"""A claim about how many, and what came of it."""

from dataclasses import dataclass

from .finding import Kind, Outcome


@dataclass(frozen=True)
class Counted:
    """A claim about how many, and what came of it."""

    start: int
    end: int
    text: str
    kind: Kind
    outcome: Outcome
    why: str
