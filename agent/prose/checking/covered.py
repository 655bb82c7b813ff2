"""`No run failed`, `all trials finished`, `every pair was measured`."""

import re
from collections.abc import Iterator

from .clauses import Clause
from .counted import Counted
from .ground import Ground

_FINISHED = re.compile(
    r"\b(?P<none>no|none of the|not a single|not one)\b (?P<what>runs?|trials?|seeds?|arms?|of them)\b[^.;]*\b(?P<end>failed|crashed|diverged|timed out|was lost|were lost)\b|\b(?P<all>all|every|each)\b(?: \w+){0,2} (?:runs?|trials?|seeds?)\b[^.;]{0,24}\b(?P<ok>finished|succeeded|completed)\b|\b(?P<pairs>all|every)\b(?: \w+)? pairs?\b[^.;]{0,30}\b(?:measured|tested|cleared|run|evaluated|removed)\b",
    re.IGNORECASE,
)


def coverage_claims(ground: Ground, clause: Clause) -> Iterator[Counted]:
    """`No run failed`, `all trials finished`, `every pair was measured`."""
    for found in _FINISHED.finditer(clause.words):
        counts_of, covered = ground.results.accounting, ground.results.coverage
        failed = sum(counts_of.failed.values())
        right, why = (
            failed == 0 and (found["all"] is None or not counts_of.skipped),
            f"{failed} failed, {counts_of.skipped} were skipped",
        )
        if found["pairs"]:
            done = covered.get("pairs_cleared" if "cleared" in found[0] else "pairs_measured", 0)
            total = covered.get("pairs_possible", covered.get("of_pairs", 0))
            right, why = bool(total) and done == total, f"{done} of {total}"
        start = clause.start + found.start()
        yield Counted(start, start + len(found[0]), found[0], "count", "backed" if right else "contradicted", why)
