"""Who proposed what, and what became of it, laid out for the report; the planners' own words stay quotations."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...prompts import phrases
from ..records.planning import RULES, Planning, RoundPlanned
from ..results import Planned, Results
from .rows import from_rows
from .table import Table
from .text import clipped_escaped, fenced
from .worth import Worth, worths

MOST_LISTED = 200
MOST_IN_FULL = 40
MOST_LINES = 80
"""Lines of one diff."""
MOST_OF_A_NAME, MOST_OF_A_REASON = 120, 400
"""Characters in a cell."""


@dataclass(frozen=True)
class InFull:
    """A proposal with its words and its diff."""

    one: Planned
    name: str
    fate: str
    diff: str | None
    """A code block."""
    cut: int
    """Lines of the diff that are left out."""


@dataclass(frozen=True)
class Proposals:
    """All that the report says of proposals."""

    table: Table
    left: int
    """Proposals that the table leaves out."""
    in_full: list[InFull]
    left_in_full: int
    worths: list[Worth]
    """Empty where the rules alone have planned."""
    rounds: list[RoundPlanned]
    """Likewise, unless there is a remark."""
    remarks: int
    planning: Planning | None


def proposals(results: Results) -> Proposals:
    """Everything there is to say; `results` with every text escaped already."""
    listed = sorted(filter(_Told(results), results.planned), key=_of_the_rules)
    in_full = [one for one in listed if _has_words(one) and (one.fate != "dropped" or one.diff or one.problems)]
    foreign = any(not _of_the_rules(one) for one in results.planned) or results.planning is not None
    remarks = sum(len(one.remarks) for one in results.rounds)
    return Proposals(
        table=_table(listed[:MOST_LISTED], by=foreign),
        left=max(0, len(listed) - MOST_LISTED),
        in_full=[_in_full(one) for one in in_full[:MOST_IN_FULL]],
        left_in_full=max(0, len(in_full) - MOST_IN_FULL),
        worths=worths(results) if foreign else [],
        rounds=results.rounds if foreign or remarks else [],
        remarks=remarks,
        planning=results.planning,
    )


class _Told:
    """Picks the proposals that no other table shows in full: those that came to another end, or are not the rules' own."""

    def __init__(self, results: Results) -> None:
        self._shown = {e.ablation for e in results.effects} | {j.ablation for j in results.interactions}

    def __call__(self, one: Planned) -> bool:
        return one.fate != "ran" or bool(one.reason) or one.ablation not in self._shown or _has_words(one)


def _of_the_rules(one: Planned) -> bool:
    return one.by in ("", RULES)


def _has_words(one: Planned) -> bool:
    return bool(one.problems or one.diff or not _of_the_rules(one))


def _table(listed: Sequence[Planned], *, by: bool) -> Table:
    rows = [
        {
            "ablation": clipped_escaped(one.ablation, MOST_OF_A_NAME),
            "by": one.by or None,
            "round": one.round,
            "fate": _fate(one),
            "reason": clipped_escaped(one.reason, MOST_OF_A_REASON) if one.reason else None,
        }
        for one in listed
    ]
    return from_rows(f"ablation {'by' if by else ''} round fate reason", rows)


def _fate(one: Planned) -> str:
    words = phrases("report/words.j2")
    return words.fate(one.fate, len(one.problems))


def _in_full(one: Planned) -> InFull:
    lines = one.diff.split("\n") if one.diff else []
    return InFull(
        one=one,
        name=clipped_escaped(one.ablation, MOST_OF_A_NAME),
        fate=_fate(one),
        diff=fenced("\n".join(lines[:MOST_LINES]), "diff") if lines else None,
        cut=max(0, len(lines) - MOST_LINES),
    )
