"""A comparison of a text and what came of it, and the losses that are compared."""

from dataclasses import dataclass

from ...results import Interaction
from .clauses import Clause, Subject
from .finding import Kind, Outcome
from .ground import Found, Ground
from .held import found_of


@dataclass(frozen=True)
class Related:
    """A comparison, and what came of it."""

    start: int
    end: int
    text: str
    kind: Kind
    outcome: Outcome
    why: str
    found: Found | None = None


def size_of(ground: Ground, clause: Clause, subject: Subject) -> tuple[float, tuple[float, float] | None, Found] | None:
    """The loss of a removal, its interval, and where they stand."""
    for found in found_of(ground, clause, subject):
        size = found.observed if isinstance(found, Interaction) else ground.loss(found)
        if size is not None:
            return size, ground.loss_interval(found), found
    return None


def lie_apart(one: tuple[float, float] | None, other: tuple[float, float] | None) -> bool:
    """Whether two intervals have nothing in common."""
    return one is not None and other is not None and (one[0] > other[1] or other[0] > one[1])
