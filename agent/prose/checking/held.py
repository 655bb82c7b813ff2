"""A number of a text and what came of it, and the findings that a subject stands for."""

from dataclasses import dataclass

from .clauses import Clause, Subject
from .finding import Outcome
from .ground import Found, Ground
from .quantities import Quantity
from .values import Role


@dataclass(frozen=True)
class Held:
    """A number, and what came of it."""

    quantity: Quantity
    outcome: Outcome
    why: str
    reference: str | None = None
    found: Found | None = None
    role: Role | None = None


def found_of(ground: Ground, clause: Clause, subject: Subject) -> list[Found]:
    """The findings that a subject stands for, in the modes and metrics of its clause."""
    if len(subject.components) > 1:
        return [
            *ground.joints(subject.components, clause.scope),
            *ground.joint_effects(subject.components, clause.scope),
        ]
    return [one for component in subject.components for one in ground.singles(component, clause.scope)]
