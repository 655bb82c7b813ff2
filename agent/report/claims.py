"""Claims against ablations, laid out for the report: a matrix, and the test behind each of its cells."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from ...prompts import phrases
from ..claimtests import shown_by
from ..records.claims import ClaimTest, ClaimTested, ShownBy
from ..results import Mode, Results
from .footnotes import grouped
from .numbers import MISSING, with_interval
from .rows import from_rows
from .selection import name
from .table import Table
from .text import clipped_escaped

MOST_BESIDE = 8
"""Claims beside each other in one matrix."""
MOST_OF_A_NAME = 120


@dataclass(frozen=True)
class Matrix:
    """Some claims as columns, a row for each removal that tests any of them."""

    claims: list[str]
    """Their ids."""
    rows: list[tuple[str, list[str]]]
    """Removal, and a word for each claim."""


@dataclass(frozen=True)
class Claims:
    """All that the report says of claims."""

    counts: dict[str, int]
    """How many are contradicted, supported, untested, with what that rests on."""
    statuses: dict[str, str]
    """Claim → its status, with what that rests on."""
    by_mode: dict[str, dict[str, str]]
    """Claim → mode → likewise; empty where there is one mode only."""
    planners: list[str]
    """Whose readings of the claims were put to the test."""
    matrices: list[Matrix]
    tests: Table


def claims(results: Results) -> Claims:
    """Everything there is to say; `results` with every text escaped already."""
    tested = [one for one in results.claims if one.tests]
    groups = [tested[at : at + MOST_BESIDE] for at in range(0, len(tested), MOST_BESIDE)]
    return Claims(
        counts=_counts(results.claims),
        statuses={one.id: _status(one) for one in results.claims},
        by_mode={
            one.id: {mode: _status(one, mode) for mode in one.by_mode} if len(one.by_mode) > 1 else {}
            for one in results.claims
        },
        planners=list(dict.fromkeys(test.by or results.study.planner for one in tested for test in one.tests)),
        matrices=[_matrix(results, group) for group in groups],
        tests=_tests(results, tested),
    )


def _counts(found: Sequence[ClaimTested]) -> dict[str, int]:
    words = phrases("report/words.j2")
    counts = Counter((one.status, shown_by(one.status, one.tests)) for one in found)
    return {words.claim_status(*key, counts[key] > 1): counts[key] for key in sorted(counts, key=_order)}


def _order(key: tuple[str, str | None]) -> tuple[str, int]:
    status, rests_on = key
    return status, get_args(ShownBy).index(rests_on) if rests_on else 0


def _status(claim: ClaimTested, mode: Mode | None = None) -> str:
    status = claim.by_mode[mode] if mode else claim.status
    tests = [one for one in claim.tests if mode in (None, one.mode)]
    return phrases("report/words.j2").claim_status(status, shown_by(status, tests), False)


def _matrix(results: Results, group: Sequence[ClaimTested]) -> Matrix:
    cells: dict[str, dict[str, list[str]]] = {}
    for claim in group:
        for test in claim.tests:
            cells.setdefault(_removal(results, test), {}).setdefault(claim.id, []).append(test.status)
    rows = [
        (removal, [", ".join(dict.fromkeys(found.get(claim.id, [MISSING]))) for claim in group])
        for removal, found in cells.items()
    ]
    return Matrix([claim.id for claim in group], rows)


def _tests(results: Results, tested: Sequence[ClaimTested]) -> Table:
    words = phrases("report/words.j2")
    pairs = [(claim, test, _removal(results, test)) for claim in tested for test in claim.tests]
    rows = [
        {
            "claim": claim.id,
            "component": removal,
            "role": test.role,
            "wanted": words.wanted[test.wanted],
            "came_out": test.verdict,
            "delta": with_interval(test.delta, test.interval, signed=True),
            "says": test.status,
        }
        for claim, test, removal in pairs
    ]
    notes = grouped((removal, test.reason) for _, test, removal in pairs if test.reason)
    return from_rows("claim component role wanted delta came_out says", rows, notes)


def _removal(results: Results, test: ClaimTest) -> str:
    """What was removed and how, with the mode where there are several."""
    words = phrases("report/words.j2")
    primary = results.study.primary
    same = (e for e in results.effects if (e.ablation, e.round, e.metric) == (test.ablation, test.round, primary))
    found = next((e for e in same if e.mode == test.mode), None)
    told = f"{name(found)} ({found.intervention_kind})" if found else test.ablation
    mode = words.modes[test.mode]["name"] if test.mode and len(results.study.modes) > 1 else ""
    return words.of_mode(clipped_escaped(told, MOST_OF_A_NAME), mode)
