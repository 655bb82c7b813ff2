"""Who proposed what, and what became of it, laid out for the report; the planners' own words stay quotations."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...prompts import phrases
from ..firstline import has_details
from ..records.planning import RULES, Planning, RoundPlanned
from ..results import Planned, Results
from .rows import from_rows
from .table import Table
from .text import clipped, clipped_escaped, fenced, lines
from .worth import Worth, worths

MOST_LISTED = 200
MOST_IN_FULL = 40
MOST_LINES = 80
"""Lines of one diff, or of one message."""
MOST_CHECKS = 4
MOST_OF_A_NAME, MOST_OF_A_REASON = 120, 400
"""Characters in a cell."""


@dataclass(frozen=True)
class Told:
    """What a check or a run said of a proposal."""

    what: str
    """check, then, dropped or reason."""
    text: str
    """Its first line."""
    whole: str | None
    """All of its lines as a code block, where there are several."""


@dataclass(frozen=True)
class InFull:
    """A proposal with its words and its diff."""

    one: Planned
    name: str
    fate: str
    told: list[Told]
    diff: str | None
    """A code block; None where its members show theirs."""
    cut: int
    """Lines of the diff that are left out."""


@dataclass(frozen=True)
class Proposals:
    """All that the report says of proposals."""

    table: Table
    left: int
    """Proposals that the table leaves out."""
    left_out: list[str]
    """What the language model did not take up from the rules' list."""
    in_full: list[InFull]
    left_in_full: int
    worths: list[Worth]
    """Empty where the rules alone have planned."""
    rounds: list[RoundPlanned]
    """Likewise, unless there is a remark."""
    remarks: int
    planning: Planning | None


def proposals(results: Results, raw: Results) -> Proposals:
    """Everything there is to say; `results` with every text escaped already, `raw` as they were."""
    whole = dict(zip(map(id, results.planned), raw.planned, strict=True))
    left_out = [one for one in results.planned if one.fate == "left out"]
    listed = sorted(filter(_Listed(results), results.planned), key=_of_the_rules)
    in_full = [one for one in listed if _has_words(one) and (one.fate != "dropped" or _is_more_than_a_name(one))]
    foreign = any(not _of_the_rules(one) for one in results.planned) or results.planning is not None
    remarks = sum(len(one.remarks) for one in results.rounds)
    return Proposals(
        table=_table(listed[:MOST_LISTED], by=foreign),
        left=max(0, len(listed) - MOST_LISTED),
        left_out=[clipped_escaped(one.ablation, MOST_OF_A_NAME) for one in left_out],
        in_full=[_in_full(one, whole[id(one)]) for one in in_full[:MOST_IN_FULL]],
        left_in_full=max(0, len(in_full) - MOST_IN_FULL),
        worths=worths(results) if foreign else [],
        rounds=results.rounds if foreign or remarks else [],
        remarks=remarks,
        planning=results.planning,
    )


class _Listed:
    """Picks the proposals that no other table shows in full: those that came to another end, or are not the rules' own."""

    def __init__(self, results: Results) -> None:
        self._shown = {e.ablation for e in results.effects} | {j.ablation for j in results.interactions}

    def __call__(self, one: Planned) -> bool:
        if one.fate == "left out":
            return False
        return one.fate != "ran" or bool(one.reason) or one.ablation not in self._shown or _has_words(one)


def _of_the_rules(one: Planned) -> bool:
    return one.by in ("", RULES)


def _has_words(one: Planned) -> bool:
    edited = one.diff and not one.members
    return bool(one.problems or edited or (one.fate == "dropped" and one.interventions) or not _of_the_rules(one))


def _is_more_than_a_name(one: Planned) -> bool:
    return bool(one.diff or one.problems or one.interventions)


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


def _in_full(one: Planned, raw: Planned) -> InFull:
    shown = one.diff.split("\n") if one.diff and not one.members else []
    return InFull(
        one=one,
        name=clipped_escaped(one.ablation, MOST_OF_A_NAME),
        fate=_fate(one),
        told=[_told(*each) for each in _messages(one, raw)],
        diff=fenced("\n".join(shown[:MOST_LINES]), "diff") if shown else None,
        cut=max(0, len(shown) - MOST_LINES),
    )


def _messages(one: Planned, raw: Planned) -> Iterator[tuple[str, str, str]]:
    """What it is, its first line, and all of it as it was."""
    for number, (problem, whole) in enumerate(zip(one.problems, raw.problems, strict=True)):
        if number < MOST_CHECKS:
            yield "then" if number else "check", problem, whole
    if one.reason and raw.reason and (one.fate == "dropped" or has_details(raw.reason)):
        yield "dropped" if one.fate == "dropped" else "reason", one.reason, raw.reason


def _told(what: str, first: str, whole: str) -> Told:
    several = [clipped(line, MOST_OF_A_REASON) for line in lines(whole.strip()).split("\n")]
    block = fenced("\n".join(several[:MOST_LINES]), "text") if has_details(whole) else None
    return Told(what, clipped_escaped(first, MOST_OF_A_REASON), block)
