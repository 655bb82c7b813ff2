"""Whose a number is: what was named last before it, or first after it, one each where both are lists."""

import re
from collections.abc import Sequence
from itertools import pairwise

from .clauses import Clause, Subject
from .quantities import Quantity

_RELATES = re.compile(r"\b(?:than|as|exceed\w*|outweigh\w*|of|against|to)\b", re.IGNORECASE)


def owners(clause: Clause) -> dict[int, tuple[Subject, ...]]:
    """Of every number, what it is said of: what was named last before it, or first after it, one each where both are lists."""
    found: dict[int, tuple[Subject, ...]] = {}
    flat = [s for group in clause.groups for s in group]
    for q in clause.quantities:
        found[q.start] = _owner(clause, q, flat)
    _against_each_other(clause, flat, found)
    for group in clause.groups:
        _one_each(clause, group, found)
    return found


def _against_each_other(clause: Clause, flat: Sequence[Subject], found: dict[int, tuple[Subject, ...]]) -> None:
    """`A costs more than B (3.50 against 0.88)`: the first number is the first's."""
    for one, other in pairwise(clause.quantities):
        between = re.fullmatch(
            r"\s*(?:%|points?|percentage points?)?\s*,?\s*(?:against|vs\.?|versus|compared (?:to|with)|and|instead of)\s*",
            clause.masked[one.end : other.start],
        )
        before = [s for s in flat if s.end <= one.start]
        if (
            between
            and len(before) == 2
            and before[0] is not before[1]
            and re.search(r"[(:,]\s*(?:by |at )?$", clause.masked[: one.start])
            and _RELATES.search(clause.masked[before[0].end : before[1].start])
        ):
            found[one.start], found[other.start] = (before[0],), (before[1],)


def _owner(clause: Clause, q: Quantity, flat: Sequence[Subject]) -> tuple[Subject, ...]:
    after = [s for s in flat if s.start >= q.end]
    if after:
        between = clause.masked[q.end : after[0].start]
        points = r"[^.;,\d]{0,24}?\b(?:for|without|w/o|from|by|when|if|with|removing|of|to|in|is)\b[^.;,\d]{0,24}$|\s*\(?\s*$|\s*%?\s*\(\ue000?$"
        direct = re.match(points, between) is not None and not any(
            q.end <= o.start < after[0].start for o in clause.quantities
        )
        before_any = not any(s.end <= q.start for s in flat)
        if (direct and not re.search(r"\b(?:than|and|over|against)\b", between)) or before_any:
            return next(group for group in clause.groups if after[0] in group)
    before = [group for group in clause.groups if group[0].start < q.start]
    if before:
        inner = [s for s in before[-1] if s.end <= q.start]
        parenthesis = _in_own_parenthesis(clause, q, inner[-1].end) if inner else False
        whole = inner == list(before[-1]) and not parenthesis
        return before[-1] if whole or not inner else (inner[-1],)
    return clause.carried


def _in_own_parenthesis(clause: Clause, q: Quantity, end: int) -> bool:
    return re.match(r"[\ue001\"”]?\s*[(\[][^()]*$", clause.masked[end : q.start]) is not None


def _one_each(clause: Clause, group: tuple[Subject, ...], found: dict[int, tuple[Subject, ...]]) -> None:
    """`A and B cost 0.04 and 0.17`: the first number is the first's."""
    mine = [
        q
        for q in clause.quantities
        if found[q.start] == group
        and q.start >= group[-1].end
        and q.unit not in ("seeds", "trials")
        and not re.search(r"(?:[np]|δ|α)\s*[=<>]\s*$", clause.masked[: q.start])
    ]
    heads = [q for q in mine if not re.search(r"[\[(][^\])]*$", clause.masked[group[-1].end : q.start])]
    if (
        len(group) > 1
        and len(heads) == len(group)
        and all(_listed(clause.masked[a.end : b.start]) for a, b in pairwise(heads))
    ):
        for at, q in enumerate(heads):
            stop = heads[at + 1].start if at + 1 < len(heads) else clause.end
            for inner in mine:
                if q.start <= inner.start < stop:
                    found[inner.start] = (group[at],)


def _listed(between: str) -> bool:
    return re.fullmatch(r"\s*(?:[\[(][^\])]*[\])]\s*)?(?:,|and|, and|or|/)\s*(?:by |of |a )*", between) is not None
