"""Ratios: of two losses, of a joint loss and its sum, of the metric without a part and with it."""

import re
from collections.abc import Iterator

from ...report import numbers, selection
from ...results import Effect
from .clauses import Clause, two_sides
from .finding import Kind
from .ground import Found, Ground
from .held import found_of
from .quantities import Quantity
from .related import Related, lie_apart, size_of
from .verdicts import told

_GIVES_BACK = re.compile(
    r"\b(?:recover|restor|regain|giv\w+ back|gave back|given back|retain|keep|kept)\w*[^.;]*$", re.IGNORECASE
)


_TWICE = {2.0: 0.15, 0.5: 0.05, 3.0: 0.25}


def is_of_another(clause: Clause, q: Quantity) -> bool:
    """Whether a percentage is of the loss of something else."""
    if _GIVES_BACK.search(clause.masked[: q.start]):
        return False
    return (
        re.match(r"\s*of (?:the )?(?:loss|cost|drop|effect|damage|decrease|what|that)\b", clause.masked[q.end :])
        is not None
        or re.match(
            r"\s*(?:larger|more|less|smaller|greater|higher|lower)\b[^.;]{0,40}\bthan\b", clause.masked[q.end :]
        )
        is not None
    )


def ratio_claim(ground: Ground, clause: Clause, q: Quantity) -> Related:
    """One ratio, held against what it may be of."""
    rest = clause.masked[q.end : clause.end]
    kind: Kind = "ratio"
    known = list(_ratios(ground, clause, q, rest))
    if not known:
        return Related(q.start, q.end, q.text, kind, "unbacked", "no result gives this ratio")
    for number, apart, found in known:
        if _rounds(q, number) and apart:
            return Related(q.start, q.end, q.text, kind, "backed", "", found)
    number, apart, found = known[0]
    if _rounds(q, number):
        return Related(
            q.start,
            q.end,
            q.text,
            kind,
            "unbacked",
            f"{told(ground, found)}: the intervals overlap, and nothing tests the difference",
            found,
        )
    return Related(q.start, q.end, q.text, kind, "contradicted", f"the ratio is {numbers.number(number)}", found)


def _ratios(ground: Ground, clause: Clause, q: Quantity, rest: str) -> Iterator[tuple[float, bool, Found]]:
    """What a ratio may be of: two losses, a joint loss and its sum, or the metric without a part and with it."""
    sides = two_sides(clause, q.start, q.end)
    joint = re.search(r"\b(?:sum|additive|singles?)\b", rest)
    if joint:
        for subject in [s for g in clause.groups for s in g if s.together] or [s for s in clause.carried if s.together]:
            for j in ground.joints(subject.components, clause.scope):
                if j.observed is not None and j.additive:
                    yield j.observed / j.additive, True, j
        return
    if sides is not None:
        one, other = size_of(ground, clause, sides[0]), size_of(ground, clause, sides[1])
        if one is not None and other is not None and other[0] and one[0]:
            apart, less = lie_apart(one[1], other[1]), re.match(r"\s*(?:less|smaller|lower|fewer|weaker)\b", rest)
            ratio = one[0] / other[0]
            yield (1 / ratio if less and q.value > 1 else ratio), apart, one[2]
            if q.unit == "percent" and not re.match(r"\s*of\b", rest):
                yield ratio - 1 if not less else 1 - ratio, apart, one[2]
        return
    for subject in [s for g in clause.groups for s in g] or clause.carried:
        for found in found_of(ground, clause, subject):
            if (
                isinstance(found, Effect)
                and found.baseline
                and found.delta is not None
                and found.verdict not in selection.UNMEASURED
            ):
                yield (found.baseline + found.delta) / found.baseline, True, found


def _rounds(q: Quantity, ratio: float) -> bool:
    if q.unit == "magnitudes":
        return 0.8 * 10**q.value <= ratio < 10 ** (q.value + 1) * (10 if q.op == ">" else 1)
    if q.unit == "percent":
        return q.is_of(100 * ratio)
    if q.op in ("<", ">"):
        return ratio > q.value if q.op == ">" else ratio < q.value
    if q.decimals == 0 or q.spelled:
        tolerance = 0.5 if q.op == "about" else _TWICE.get(q.value, 0.5 if q.value > 1 else 0.03)
        return abs(ratio - q.value) <= tolerance
    return q.rounds(ratio)
