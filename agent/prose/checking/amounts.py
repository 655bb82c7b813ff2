"""Holds the numbers of a clause against the results: whose they are, what they measure, their sign, their unit and their rounding."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ...report import selection
from ...results import Effect
from .clauses import Clause, Subject, is_apart, metric_at, on_primary, two_sides
from .finding import Outcome
from .fitting import BASELINE, fits
from .ground import Ground, Scope
from .held import Held, found_of
from .owners import owners
from .quantities import Quantity
from .roles import is_count_of_things, is_pronoun, other_end, role_of
from .tallies import resources, tally
from .values import Role, Value, values_of, values_of_floor, values_of_study

_MORE_THAN = re.compile(
    r"\s*(?:\w+\s+){0,2}?(?:larger|more|higher|greater|worse|less|smaller|lower)\b[^.;]{0,40}\bthan\b(?! (?:the |their )?(?:sum|additive|expected))",
    re.IGNORECASE,
)


def amounts(ground: Ground, clause: Clause, *, row: bool = False) -> Iterator[Held]:
    """Every number of a clause, but for counts of components and ratios, which are claims of their own."""
    numbers = [
        q
        for q in clause.quantities
        if not is_count_of_things(clause, q) and not is_pronoun(clause, q) and q.unit not in ("times", "magnitudes")
    ]
    whose = owners(clause)
    for at, q in enumerate(numbers):
        ends = other_end(clause, numbers, at)
        held = _held(ground, clause, q, whose[q.start], ends, row)
        if held.outcome != "backed" and not row and (primary := on_primary(clause)) is not clause:
            held = _held(ground, primary, q, whose[q.start], ends, row)
        yield held


def _held(
    ground: Ground, clause: Clause, q: Quantity, whose: tuple[Subject, ...], other: Quantity | None, row: bool
) -> Held:
    clause = metric_at(clause, q.start, q.end, following=False)
    if q.unit in ("time", "bytes"):
        return resources(ground, clause, q)
    role = role_of(clause, q, other)
    if not whose and role in ("change", None) and re.search(r"\bdetect", clause.words):
        role = "mde"
    if (apart := _apart_by(ground, clause, q)) is not None:
        return apart
    candidates = [list(_candidates(ground, clause, subject)) for subject in whose]
    general = _general(ground, clause.scope)
    if role == "count":
        return tally(ground, clause, q, whose, candidates, general)
    baseline = BASELINE.search(clause.words) is not None
    if (
        role in ("alpha", "smallest", "sd", "mde", "other", "floor")
        or not whose
        or (baseline and role in ("level", "half", None))
    ):
        roles = (role, None) if role == "level" and not whose and not baseline else (role,)
        if any(fits(ground, clause, q, v, each, other, general) for v in general for each in roles):
            return Held(q, "backed", "", None, None, role)
    if (
        role == "p"
        and any(fits(ground, clause, q, v, "alpha", None, ()) for v in general if v.role == "alpha")
        and q.op != "="
    ):
        return _threshold(ground, clause, q, candidates, role)
    confidence = role == "confidence" or (
        q.unit == "percent" and re.search(r"\b(?:intervals?|confidence)\b", clause.words)
    )
    if confidence and q.rounds(100 - 100 * ground.results.study.alpha):
        return Held(q, "backed", "", None, None, role)
    matched = [_first(ground, clause, q, values, role, other, row) for values in candidates]
    if candidates and all(m is not None for m in matched):
        one = next(m for m in matched if m is not None)
        return Held(q, "backed", "", ground.reference(one.of, one.attribute) if one.of else None, one.of, role)
    if (one := _elsewhere(ground, clause, q, whose, role, other, row)) is not None:
        return Held(q, "backed", "", None, one.of, one.role)
    return _refused(ground, clause, q, whose, candidates, role)


def _general(ground: Ground, scope: Scope) -> list[Value]:
    """What is known of the baseline and of the study."""
    floors = [v for _, _, floor in ground.floors(scope) for v in values_of_floor(floor)]
    return [*floors, *values_of_study(ground)]


_A_CHANGE = re.compile(
    r"\b(?i:the|an?|its|their)\s+(?:\w+\s+)?(?:cost|effect|drop|gap|penalty|difference|change|loss|impact)\b|\bremains?\b"
)
_OF_UNKNOWN = re.compile(
    r"\b(?:remov\w+|without|w/o|ablating|dropping|zeroing|bypassing|disabling|cutting)\s+(?!of\b|both|all|any|each|either|it\b|them|this|these|those|one|two|three|four|five|six|seven|eight|\d|more|a single)",
    re.IGNORECASE,
)


def _elsewhere(
    ground: Ground,
    clause: Clause,
    q: Quantity,
    whose: tuple[Subject, ...],
    role: Role | None,
    other: Quantity | None,
    row: bool,
) -> Value | None:
    """A number that is a value of all that the clause names at once, of a role that the words leave open, or, where nothing is named,
    of any removal."""
    if not whose:
        if (
            role not in ("change", "level", "end", None)
            or _OF_UNKNOWN.search(clause.words)
            or BASELINE.search(clause.words)
        ):
            return None
        together = () if is_apart(clause.words) else ground.pairs(clause.scope)
        everything = [*ground.family(clause.scope), *ground.otherwise_named(clause.scope), *together]
        return _first(ground, clause, q, [v for one in everything for v in values_of(ground, one)], role, other, row)
    named = tuple(dict.fromkeys(c for s in whose for c in s.components))
    if len(named) > 1 and len(whose) > 1 and not is_apart(clause.words):
        joint = list(_candidates(ground, clause, Subject(named, True, True, 0, 0)))
        if (one := _first(ground, clause, q, joint, role, other, row)) is not None:
            return one
    if role == "level" and (_A_CHANGE.search(clause.masked[clause.start : q.start])):
        values = [v for s in whose for v in _candidates(ground, clause, s)]
        return _first(ground, clause, q, values, "change", other, row)
    if role is None and q.unit == "percent":
        values = [v for s in whose for v in _candidates(ground, clause, s) if v.role == "relative"]
        return next((v for v in values if q.is_of(100 * v.number)), None)
    return None


def _apart_by(ground: Ground, clause: Clause, q: Quantity) -> Held | None:
    """`0.13 more than B`: the difference of two losses."""
    if q.unit not in ("", "points") or not _MORE_THAN.match(clause.masked[q.end :]):
        return None
    sides = two_sides(clause, q.start, q.end)
    if sides is None:
        return None
    losses = [
        next(
            (one for f in found_of(ground, clause, s) if isinstance(f, Effect) and (one := ground.loss(f)) is not None),
            None,
        )
        for s in sides
    ]
    if losses[0] is None or losses[1] is None:
        return None
    apart = abs(losses[0] - losses[1]) * (100 if q.unit == "points" else 1)
    outcome: Outcome = "backed" if q.is_of(apart) else "contradicted"
    return Held(q, outcome, f"they differ by {apart:.3g}", None, None, "change")


def _threshold(ground: Ground, clause: Clause, q: Quantity, candidates: Sequence[list[Value]], role: Role) -> Held:
    """`p < .05` beside a removal says that it is so."""
    for values in candidates:
        known = [v for v in values if v.role == "p" and v.attribute in ("p", "p_equivalence")]
        if known and not any(fits(ground, clause, q, v, "p", None, ()) for v in known):
            return Held(q, "contradicted", f"p = {known[0].number:.3g}", None, known[0].of, role)
    return Held(q, "backed", "", None, None, role)


def _candidates(ground: Ground, clause: Clause, subject: Subject) -> Iterator[Value]:
    """Where a kind of removal is named, the default removal may be told beside it."""
    found = found_of(ground, clause, subject)
    if clause.scope.kinds and len(subject.components) == 1:
        found += [
            one for one in ground.singles(subject.components[0], replace(clause.scope, kinds=())) if one not in found
        ]
    if "otherwise" in clause.words:
        found += [one for component in subject.components for one in ground.otherwise(component, clause.scope)]
    for one in found:
        yield from values_of(ground, one)


def _first(
    ground: Ground,
    clause: Clause,
    q: Quantity,
    values: Sequence[Value],
    role: Role | None,
    other: Quantity | None,
    row: bool,
) -> Value | None:
    return next((v for v in values if fits(ground, clause, q, v, role, other, values, row=row)), None)


def _refused(
    ground: Ground,
    clause: Clause,
    q: Quantity,
    whose: tuple[Subject, ...],
    candidates: Sequence[list[Value]],
    role: Role | None,
) -> Held:
    if not whose:
        return Held(q, "unbacked", "no result gives this number, and the sentence names no removal", None, None, role)
    values = [v for each in candidates for v in each]
    if not values:
        return Held(q, "unbacked", _not_measured(ground, clause, whose), None, None, role)
    known = next((v for v in values if v.role == role and v.of is not None), None) or next(
        (v for v in values if v.role == "change"), None
    )
    if known is None or known.of is None:
        return Held(
            q,
            "contradicted",
            f"there is no such value of {_told(whose)}: {values[0].of.verdict if values[0].of else ''}",
            None,
            values[0].of,
            role,
        )
    return Held(
        q,
        "contradicted",
        f"{selection.name(known.of)}: {known.attribute} is {_shown(ground, known)}",
        ground.reference(known.of, known.attribute),
        known.of,
        role,
    )


def _shown(ground: Ground, v: Value) -> str:
    from ...report import numbers

    if v.role == "p":
        return numbers.p_value(v.number)
    return numbers.number(v.number, signed=v.signed) if v.role != "count" else str(int(v.number))


def _not_measured(ground: Ground, clause: Clause, whose: tuple[Subject, ...]) -> str:
    where = f" in {' and '.join(clause.scope.modes)}" if clause.scope.modes else ""
    together = len(whose[0].components) > 1
    return f"{_told(whose)} {'were not removed together' if together else 'was not measured'}{where}"


def _told(whose: tuple[Subject, ...]) -> str:
    return ", ".join(" + ".join(one.components) for one in whose)
