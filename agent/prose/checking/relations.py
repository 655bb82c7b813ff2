"""Comparisons, ratios and superlatives, recomputed from the results.

A comparison of two removals is backed where their intervals lie apart in the order that is claimed, contradicted where the estimates
lie the other way round, and unbacked where the intervals overlap: nothing tests that difference. A superlative is a comparison with the
runner-up. That two are equal is never backed: no test of a study shows it. A ratio must round to what is printed, and its two
intervals must lie apart as well."""

from collections.abc import Iterator

from .clauses import Clause
from .comparisons import EQUAL, EXCEEDS, THAN, comparison, equalities, ordered_numbers
from .ground import Ground
from .ratios import is_of_another, ratio_claim
from .related import Related
from .superlatives import ranked_claims


def relations(ground: Ground, clause: Clause) -> Iterator[Related]:
    """Every comparison, ratio and superlative of a clause."""
    ratios = [
        q
        for q in clause.quantities
        if q.unit in ("times", "magnitudes") or (q.unit == "percent" and is_of_another(clause, q))
    ]
    for q in ratios:
        yield ratio_claim(ground, clause, q)
    spans = [(q.start, clause.end) for q in ratios]
    superlatives = list(ranked_claims(ground, clause))
    yield from superlatives
    spans += [(s.start, s.end) for s in superlatives]
    for found in (*THAN.finditer(clause.words), *EXCEEDS.finditer(clause.words)):
        start, end = clause.start + found.start(), clause.start + found.end()
        if not any(start < b and end > a for a, b in spans):
            one = comparison(ground, clause, found, start, end)
            if one is not None:
                yield one
                spans.append((start, end))
    yield from ordered_numbers(clause)
    for found in EQUAL.finditer(clause.words):
        start, end = clause.start + found.start(), clause.start + found.end()
        if not any(start < b and end > a for a, b in spans):
            yield from equalities(ground, clause, found, start, end)
