"""Whether a number is a value of the results: of the same role, in the same unit, with the right sign, to its rounding."""

import re
from collections.abc import Sequence
from dataclasses import replace

from ...results import Effect, Interaction
from .clauses import Clause
from .ground import Ground
from .quantities import Quantity
from .values import Role, Value

BASELINE = re.compile(
    r"\b(?:baseline|full (?:model|recipe|system|network|configuration|variant)|unablated|intact|nothing removed|reference (?:model|run)|complete model|unmodified|noise floor|run-to-run|original model)\b",
    re.IGNORECASE,
)


_COSTS = re.compile(r"\b(?:cost\w*|loss(?:es)?|los(?:e|es|ing|t)|deficit|penalty|hurts? by)\b[^\d]*$", re.IGNORECASE)


def fits(
    ground: Ground,
    clause: Clause,
    q: Quantity,
    v: Value,
    role: Role | None,
    other: Quantity | None,
    values: Sequence[Value],
    *,
    row: bool = False,
) -> bool:
    """Whether a number is this value: of the same role, in the same unit, with the right sign, to its rounding."""
    if q.unit in ("time", "bytes"):
        return False
    if role == "end":
        return other is not None and _from_to_or_ends(ground, clause, q, other, v, values)
    if role in ("change", "level"):
        return _fits_metric(ground, clause, q, v, role)
    if role is None:
        return _fits_unsaid(ground, clause, q, v, row=row)
    if role == "floor":
        return v.attribute == "floor" and _is(ground, q, v)
    return v.role == role and _fits_role(ground, clause, q, v)


def _fits_metric(ground: Ground, clause: Clause, q: Quantity, v: Value, role: Role) -> bool:
    """A change of the metric, or a value of it; what is called a value may be a signed change."""
    if role == "level" and v.role == "level":
        return _is(ground, q, v) and _side(clause, q, v)
    if role == "change" and v.role == "relative" and q.unit == "percent":
        return q.is_of(100 * v.number)
    told_so = role == "change" or q.sign != "" or isinstance(v.of, Interaction)
    return v.role == "change" and told_so and _named(clause, q, v) and _is(ground, q, v, clause)


def _fits_role(ground: Ground, clause: Clause, q: Quantity, v: Value) -> bool:
    """What is neither a change nor a value of the metric, and of the same role already."""
    if v.role in ("sd", "mde", "smallest", "half"):
        scale = _scale(ground, q, v)
        fit = q.rounds if v.role == "smallest" else q.is_of
        return scale is not None and fit(scale * v.number)
    if v.role == "fraction":
        return q.is_of(100 * v.number if q.unit == "percent" else v.number)
    if v.role == "confidence":
        return q.rounds(100 * v.number)
    if v.role == "p":
        equivalence = re.search(r"equivalen|one-sided|TOST", clause.words) is not None
        return (v.attribute != "p_equivalence" or equivalence) and _is_p(q, v.number)
    if v.attribute == "spent" and not re.search(r"\bspen[dt]|looks?\b", clause.masked, re.IGNORECASE):
        return False
    return q.is_of(v.number) or (q.op != "=" and q.rounds(v.number))


def _fits_unsaid(ground: Ground, clause: Clause, q: Quantity, v: Value, *, row: bool) -> bool:
    """Where no word says what a number is: in parentheses, in a cell."""
    if v.role == "level":
        return _is(ground, q, v)
    if v.role == "change":
        return q.unit != "percent" and _is(ground, q, v, clause)
    if row and v.role == "p":
        return q.sign == "" and _is_p(q, v.number)
    if row:
        return v.role in ("end", "count", "multiple", "half") and _is(ground, q, v)
    return v.role in ("smallest", "sd", "mde") and q.decimals > 0 and q.rounds(v.number)


def _from_to_or_ends(
    ground: Ground, clause: Clause, q: Quantity, other: Quantity, v: Value, values: Sequence[Value]
) -> bool:
    """Both ends of one interval, also in the unit of the estimate beside it; or, as `(0.52 to 1.50)`, the metric with a part and without."""
    if v.role == "end":
        if _both_ends(ground, q, other, v, values):
            return True
        unit = next((p.unit for p in clause.quantities if p.unit in ("points", "percent")), "")
        return (
            q.unit == other.unit == ""
            and unit != ""
            and _both_ends(ground, replace(q, unit="points"), replace(other, unit="points"), v, values)
        )
    first = q.start < other.start
    if v.role != "level" or v.attribute != ("baseline" if first else "ablated") or not _is(ground, q, v):
        return False
    return any(
        w.role == "level" and w.of == v.of and w.attribute != v.attribute and _is(ground, other, w) for w in values
    )


def _both_ends(ground: Ground, q: Quantity, other: Quantity, v: Value, values: Sequence[Value]) -> bool:
    """Both ends of one interval; that of a delta may be told as one of a loss, both ends turned."""
    scale = _scale(ground, q, v)
    partners = [w for w in values if w.role == "end" and w.attribute == v.attribute and w.of == v.of and w is not v]
    turns = (1, -1) if isinstance(v.of, Effect) and v.signed else (1,)
    return scale is not None and any(
        _same_signed(q, turn * scale * v.number) and _same_signed(other, turn * scale * w.number)
        for w in partners
        for turn in turns
    )


def _named(clause: Clause, q: Quantity, v: Value) -> bool:
    """Of a joint removal: the sum and the contrast are called so."""
    if not isinstance(v.of, Interaction):
        return True
    before = clause.masked[max(clause.start, q.start - 50) : q.start].lower()
    after = clause.masked[q.end : q.end + 40].lower()
    if re.search(r"\bobserved\s*$", before):
        return v.attribute == "observed"
    if re.search(r"\bexceed\w*\b[^;]*\bby\s*$", before):
        return v.attribute == "contrast"
    additive = re.search(r"(?:\bsum|additive|singles?|predict|expected|add up)[^\d]*$", before) is not None
    contrast = re.search(
        r"(?:(?<![A-Za-z])[iI](?:\([^)]*\))?\s*=|contrast|beyond|more than the sum|interaction|excess|difference)[^\d]*$",
        before,
    ) is not None or re.match(r"\s*(?:beyond|above|more than|over) (?:the )?(?:sum|additive)", after)
    additive = (
        additive
        or re.match(
            r"\s*(?:points\s*)?(?:that |as |for |from |of |if )?(?:the )?(?:additiv|sum\b|single|predict|expect|in sum|they (?:simply )?add)",
            after,
        )
        is not None
    )
    if v.attribute == "additive":
        return additive
    return bool(contrast) if v.attribute == "contrast" else not additive


def _side(clause: Clause, q: Quantity, v: Value) -> bool:
    """`from` says the baseline's, `to` and `without it` the ablated one's."""
    before = clause.masked[max(clause.start, q.start - 40) : q.start].lower()
    if re.search(
        r"\b(?:from|instead of|rather than|against|versus|vs\.?|compared (?:with|to)|and not|\d\s*%? of)\s*(?:about |a |an |the )?(?:[a-z\ue012]+ (?:of |at )?){0,2}$",
        before,
    ):
        return v.attribute in ("baseline", "mean")
    if re.search(r"(?:\bto|→|reaches|down to|drops to)\s*(?:about |a |only )?$", before):
        return v.attribute in ("ablated", "floor", "delta") or (
            v.of is None and BASELINE.search(clause.words) is not None
        )
    if v.attribute == "baseline" and v.of is not None:
        return (
            BASELINE.search(clause.words) is not None
            or re.match(r"\s*(?:to\b|→|→|–)", clause.masked[q.end :]) is not None
        )
    return True


def _is(ground: Ground, q: Quantity, v: Value, clause: Clause | None = None) -> bool:
    """Whether a number is a value in its unit, with the right sign."""
    scale = _scale(ground, q, v)
    if scale is None:
        return False
    number = v.number * scale
    if v.role in ("level", "count"):
        return q.sign != "−" and q.is_of(number)
    if v.role == "end":
        return _same_signed(q, number)
    if v.role != "change":
        return q.is_of(abs(number))
    if not v.signed:
        return q.is_of(abs(number)) and (q.sign != "−") == (number >= 0 or q.sign == "")
    if q.sign == "":
        return q.is_of(abs(number))
    loss = ground.loss(v.of) if isinstance(v.of, Effect) else None
    costs = clause is not None and _COSTS.search(clause.masked[max(clause.start, q.start - 40) : q.start]) is not None
    return q.is_of(abs(number)) and (
        (q.sign == "−") == (number < 0) or (costs and loss is not None and (q.sign == "+") == (loss > 0))
    )


def _same_signed(q: Quantity, number: float) -> bool:
    return q.rounds(abs(number)) and ((q.sign == "−") == (number < 0) or q.rounds(0.0) or (number == 0))


def _scale(ground: Ground, q: Quantity, v: Value) -> float | None:
    """What a value is multiplied with to be told in the number's unit; None: it cannot be."""
    share = v.of is not None and ground.is_share(v.of)
    if v.of is None:
        share = 0 <= v.number <= 1
    if q.unit == "percent" and v.role == "end" and v.attribute == "delta":
        return 100.0
    if q.unit == "percent":
        return 100.0 if share and v.role in ("level", "half", "sd") else None
    if q.unit == "points":
        return 100.0 if share else 1.0
    return 1.0


def _is_p(q: Quantity, p: float) -> bool:
    """Whether a number is a p-value, or bounds it."""
    if q.op == "<":
        return p < q.value + 1e-12
    return p > q.value - 1e-12 if q.op == ">" else q.rounds(p)
