"""Claims against ablations, laid out for the report: a matrix, and the test behind each of its cells."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ...prompts import phrases
from ..records.claims import ClaimTest, ClaimTested
from ..results import Results
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
    """How many are contradicted, supported, untested."""
    matrices: list[Matrix]
    tests: Table


def claims(results: Results) -> Claims:
    """Everything there is to say; `results` with every text escaped already."""
    tested = [one for one in results.claims if one.tests]
    counts = Counter(one.status for one in results.claims)
    groups = [tested[at : at + MOST_BESIDE] for at in range(0, len(tested), MOST_BESIDE)]
    return Claims(
        counts={word: counts[word] for word in ("contradicted", "supported", "untested") if counts[word]},
        matrices=[_matrix(results, group) for group in groups],
        tests=_tests(results, tested),
    )


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
