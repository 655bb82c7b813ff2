"""A claim in words, and what came of it."""

import re
from dataclasses import dataclass

from .clauses import Clause, Subject
from .finding import Outcome
from .ground import Found
from .verdicts import Claim


@dataclass(frozen=True)
class Stated:
    """A claim in words, and what came of it."""

    start: int
    end: int
    text: str
    outcome: Outcome
    why: str
    found: Found | None
    claim: Claim


def _in_parenthesis(clause: Clause, start: int) -> Subject | None:
    """`A (structural), B (no-op)`: what stands in parentheses right after a name is said of that alone."""
    flat = [s for group in clause.groups for s in group if s.end <= start]
    near = flat and re.fullmatch(r"[\ue001\"”]?\s*\([^()]*", clause.masked[flat[-1].end : start]) is not None
    return flat[-1] if near else None


def subjects_of(clause: Clause, start: int, end: int) -> tuple[Subject, ...]:
    """What a phrase at that place is said of."""
    own = _in_parenthesis(clause, start)
    if own is not None:
        return (own,)
    before = [group for group in clause.groups if group[0].start < start]
    after = [group for group in clause.groups if group[0].start >= end]
    if before:
        return before[-1]
    if after:
        between = clause.masked[end : after[0][0].start]
        pronoun = re.search(
            r"\b(?:it|its|this|they|their|which|both)\b", clause.masked[clause.start : start], re.IGNORECASE
        )
        if pronoun and clause.carried and not re.search(r"\b(?:without|when|if|by|removing|w/o)\b", between):
            return clause.carried
        return after[0]
    return clause.carried
