"""Holds the numbers of a clause against the results: whose they are, what they measure, their sign, their unit and their rounding."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from ...report import selection
from ...results import Effect, Interaction
from .clauses import Clause, Subject, metric_at, two_sides
from .finding import Outcome
from .ground import Found, Ground
from .quantities import Quantity
from .values import Role, Value, counted_as, values_of, values_of_floor, values_of_study

_BASELINE = re.compile(
    r"\b(?:baseline|full (?:model|recipe|system|network|configuration|variant)|unablated|intact|nothing removed|reference (?:model|run)|complete model|unmodified|noise floor|run-to-run|original model)\b",
    re.IGNORECASE,
)
_BEFORE: tuple[tuple[Role, str], ...] = (
    ("p", r"(?:(?<![A-Za-z])[pP](?:[- ]?values?)?(?:\s*\([^)]*\))?(?:[_ ]?(?:adj\w*|equivalence|eq|Holm))?)\s*(?:=|<|>|≤|≥|≈|of|is|was|below|above|under|at|:|\s)*$|significance level of\s*$"),
    ("count", r"(?<![A-Za-z])[nN]\s*=\s*$"),
    ("alpha", r"(?:α|\balpha|significance level(?: of)?)\s*(?:=|of|is|at|:)?\s*$"),
    ("smallest", r"(?:δ|\bdelta|smallest effects?(?: size)?(?: of interest)?(?:\s*\(?δ\)?)?|equivalence (?:bound|margin))\s*(?:=|of|is|was|:|at|\()\s*(?:±\s*)?$|(?:within|band of|band)\s*(?:±\s?)?$"),
    ("sd", r"(?:σ|\bSD|\bs\.d\.|standard deviations?|\bstd|noise|spread)(?:\s+of one \w+)?\s*(?:\(σ\))?\s*(?:=|of|is|was|:|\()?\s*$"),
    ("mde", r"(?:minimum detectable effect|\bMDE|detectable effect)(?:[\w ,()%]{0,30})?\s*(?:=|of|is|was|:)\s*$"),
    ("multiple", r"(?:in units of δ|\bΔ/δ|δ/σ)\s*(?:=|of|is|:)?\s*$"),
    ("other", r"(?:ρ|correlat\w+)\s*(?:=|of|is|:|was|\()?\s*$"),
)  # fmt: skip
_COUNTED = re.compile(
    r"^\s*(?:(?:of|out of)\s+(?:the |all |our )?[\w,]+\s+(?:\w+ )?(?:seeds|runs|trials|predictions|pairs|examples|models|claims|checks)|(?:trials? )?(?:finished|failed|crashed|timed out|ran\b|succeeded|completed|skipped|diverged|were (?:skipped|right|run|planned)|of (?:these|them|which)|planned|ok\b|did not finish))",
    re.IGNORECASE,
)
_LEVEL_AFTER = re.compile(
    r"^\s*(?:simultaneous|confidence|CI\b|C\.I\.|intervals?|credible|two-sided|power)", re.IGNORECASE
)
_CHANGE = re.compile(
    r"(?:\bby|\bcost(?:s|ing)?|\blos(?:e|es|ing|t|s of|ses of)|\bloss|\bdrops?(?: of)?|\bgains?(?: of)?|Δ\w*\)?|\bdelta|\bchange(?:s)?(?: of)?|\bdifference(?: of)?|\beffects?(?: of)?|\bincreases?(?: of)?|\bdecreases?(?: of)?|\bimprovement(?: of)?|\bdegradation(?: of)?"
    r"|\breduction(?: of)?|\bdeficit(?: of)?|\bpenalty(?: of)?|\bfalls?(?: of)?|\brise(?: of)?|\bcontrast(?: of)?|\bobserved(?: loss)?(?: of)?|\badditive|\bsum of singles|\bpredict(?:ed|ion)(?: of)?|\bexpect(?:ed|ation)(?: of)?|\bsum|(?<![A-Za-z])I(?:\([^)]*\))?\s*=|\bexcess|\bsingles|\bsingle losses|\bchanges \S+|\bworth|\bestimated?(?: at| as)?|\bamounts? to|\btotals?|\bmoves?(?: it)?)"
    r"(?:\s*(?:of|at|is|was|are|=|:|about|only|just|roughly|around|approximately|nearly|almost|over|under|an?|some|estimated|at|more than|less than|at least|at most|as much as|up to|an additional|another|merely|the|loss|beyond|in|\ue012+|\())*\s*$",
    re.IGNORECASE,
)
_LEVEL = re.compile(
    r"(?:\bfrom|\bto|\breach(?:es|ed)?|\bat|\bmean(?: of)?|\bscores?|\bachieves?|\battains?|\bof|\bis|\bwas|\bremains|\bstays|\bdown to|→|\ue012\s*(?:=|:|\()?|\bhas|\bgets)(?:\s*(?:a|an|about|only|just|the|roughly|\ue012+|of))*\s*$",
    re.IGNORECASE,
)
_OTHERWISE = re.compile(
    r"\b(?:instead of|rather than|against|vs|versus|compared|zero ablation|default)\b", re.IGNORECASE
)
_DEFINITE = re.compile(r"\b(?:the|these|those|its|their|all|both)\s+$", re.IGNORECASE)
_AGAINST = re.compile(
    r"(?:instead of|rather than|as against|against|vs\.?|versus|compared (?:to|with))\s*$", re.IGNORECASE
)
_RELATES = re.compile(r"\b(?:than|as|exceed\w*|outweigh\w*|of|against|to)\b", re.IGNORECASE)
_COSTS = re.compile(r"\b(?:cost\w*|loss(?:es)?|los(?:e|es|ing|t)|deficit|penalty|hurts? by)\b[^\d]*$", re.IGNORECASE)
_MORE_THAN = re.compile(
    r"\s*(?:\w+\s+){0,2}?(?:larger|more|higher|greater|worse|less|smaller|lower)\b[^.;]{0,40}\bthan\b", re.IGNORECASE
)
_FRACTION = re.compile(
    r"\b(?:recover|restor|regain|giv\w+ back|gave back|given back|retain|keep|kept|preserv)\w*", re.IGNORECASE
)
_THINGS = re.compile(
    r"^\s*(?:\w+ ){0,2}?(?:components?|heads?|layers?|blocks?|removals?|parts?|modules?|ablations?|arms?|effects?|verdicts?|joint removals?|groups?|interactions?|of (?:(?:the|our|all|these|those) )?(?:(?:\d+|\w+) )?(?:\w+ )?(?:components?|heads?|layers?|blocks?|removals?|parts?|modules?|ablations?|arms?)\b|of them\b|(?:are|is|were|was|matters?|hurts?|helps?|remain\w*|stay\w*|came out|turned out)\b(?! \d))",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Held:
    """A number, and what came of it."""

    quantity: Quantity
    outcome: Outcome
    why: str
    reference: str | None = None
    found: Found | None = None
    role: Role | None = None


def amounts(ground: Ground, clause: Clause, *, row: bool = False) -> Iterator[Held]:
    """Every number of a clause, but for counts of components and ratios, which are claims of their own."""
    numbers = [
        q
        for q in clause.quantities
        if not is_count_of_things(clause, q) and not _is_pronoun(clause, q) and q.unit not in ("times", "magnitudes")
    ]
    whose = owners(clause)
    for at, q in enumerate(numbers):
        ends = _ends_with(clause, numbers, at)
        yield _held(ground, clause, q, whose[q.start], ends, row)


def is_count_of_things(clause: Clause, q: Quantity) -> bool:
    """Whether it counts components, removals or verdicts."""
    rest = clause.masked[q.end :]
    if _COUNTED.match(rest):
        return False
    return q.unit in ("", "things") and q.decimals == 0 and q.sign == "" and _THINGS.match(rest) is not None


def _is_pronoun(clause: Clause, q: Quantity) -> bool:
    """`The two`, and the like: no number of anything."""
    if q.spelled and q.unit == "" and _DEFINITE.search(clause.masked[: q.start]):
        return True
    return (
        q.spelled
        and q.unit == ""
        and q.value <= 12
        and not _CHANGE.search(clause.masked[max(0, q.start - 60) : q.start])
        and not _COUNTED.match(clause.masked[q.end :])
    )


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


def _ends_with(clause: Clause, numbers: Sequence[Quantity], at: int) -> Quantity | None:
    """The other end, where a number is one of an interval."""
    for first, second in ((at, at + 1), (at - 1, at)):
        if first < 0 or second >= len(numbers):
            continue
        low, high = numbers[first], numbers[second]
        between, before = clause.masked[low.end : high.start], clause.masked[: low.start]
        if re.fullmatch(r"\s*(?:,|;|to|and|–|:|\.\.)\s*", between) and re.search(
            r"\[\s*$|\(\s*$|(?:interval|CI|C\.I\.|range[sd]?)[^.;\d]{0,24}$|\bbetween\s*$", before
        ):
            return high if at == first else low
    return None


def _held(
    ground: Ground, clause: Clause, q: Quantity, whose: tuple[Subject, ...], other: Quantity | None, row: bool
) -> Held:
    clause = metric_at(clause, q.start, q.end, following=False)
    if q.unit in ("time", "bytes"):
        return _resources(ground, clause, q)
    role = _role(clause, q, other)
    if not whose and role in ("change", None) and re.search(r"\bdetect", clause.words):
        role = "mde"
    if (apart := _apart_by(ground, clause, q)) is not None:
        return apart
    candidates = [list(_candidates(ground, clause, subject)) for subject in whose]
    general = [
        *(v for _, _, floor in ground.floors(clause.scope) for v in values_of_floor(floor)),
        *values_of_study(ground),
    ]
    if role == "count":
        return _counted(ground, clause, q, whose, candidates, general)
    baseline = _BASELINE.search(clause.words) is not None
    if (
        role in ("alpha", "smallest", "sd", "mde", "other", "floor")
        or not whose
        or (baseline and role in ("level", "half", None))
    ):
        fitting = next((v for v in general if _fits(ground, clause, q, v, role, other, general)), None)
        if fitting is not None:
            return Held(q, "backed", "", None, None, role)
    if (
        role == "p"
        and any(_fits(ground, clause, q, v, "alpha", None, ()) for v in general if v.role == "alpha")
        and q.op != "="
    ):
        return _threshold(ground, clause, q, candidates, role)
    matched = [_first(ground, clause, q, values, role, other, row) for values in candidates]
    if candidates and all(m is not None for m in matched):
        one = next(m for m in matched if m is not None)
        return Held(q, "backed", "", ground.reference(one.of, one.attribute) if one.of else None, one.of, role)
    return _refused(ground, clause, q, whose, candidates, role)


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


def _counted(
    ground: Ground,
    clause: Clause,
    q: Quantity,
    whose: tuple[Subject, ...],
    candidates: Sequence[list[Value]],
    general: Sequence[Value],
) -> Held:
    """Counts of seeds, examples, trials and so on: of the removal where one is named, else of the study."""
    own = [v for values in candidates for v in values if v.role == "count"]
    every = (
        re.search(r"\b(?:every|each|all|baseline|whole|study|trials|everything)\b", clause.words, re.IGNORECASE)
        is not None
    )
    called = q.unit_text or _called(clause, q) or (noun[0] if (noun := _COUNTED.match(clause.masked[q.end :])) else "")
    typed = re.search(r"seed|run|example|^$", called) is not None and not called.startswith("most")
    known = own if own and typed and not every else [*own, *(v for v in general if v.role == "count")]
    before = clause.masked[max(clause.start, q.start - 20) : q.start]
    known = [v for v in known if counted_as(v.attribute, called, clause.words, before)]
    fitting = [
        v
        for v in known
        if (q.is_of(v.number) if q.op in "<>" and not re.search(r"\bover\s*$", before) else q.rounds(v.number))
    ]
    if fitting:
        return Held(q, "backed", "", None, fitting[0].of, "count")
    there = dict.fromkeys(f"{v.number:g}" for v in known)
    outcome = "contradicted" if there else "unbacked"
    return Held(
        q,
        outcome,
        f"there are {', '.join(list(there)[:6])}" if there else "no result gives this number",
        None,
        None,
        "count",
    )


def _called(clause: Clause, q: Quantity) -> str:
    """What a bare number counts, by the words around it."""
    before = clause.masked[max(clause.start, q.start - 24) : q.start]
    if re.search(r"\b(?:maximum|limit|cap|budget)\b", before):
        return "most seeds"
    return (
        "pairs"
        if re.search(r"\bpairs\b", clause.masked) and re.search(r"\b(?:measured|cleared|tested)\s*$", before)
        else ""
    )


_SECONDS = {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}


def _resources(ground: Ground, clause: Clause, q: Quantity) -> Held:
    """Time and memory, as the study took them; `1 h 27 min` is one of them."""
    compute = {
        k: float(v)
        for k, v in ground.results.compute.items()
        if isinstance(v, int | float) and ("second" in k or "bytes" in k)
    }
    known = [v for k, v in compute.items() if ("second" in k) == (q.unit == "time")]
    if q.unit == "bytes":
        known += [
            float(v) for k, v in ground.results.environment.items() if "bytes" in k and isinstance(v, int | float)
        ]
        power = "KMGT".index(q.unit_text[0].upper()) + 1 if q.unit_text[:1].upper() in "KMGT" and q.unit_text[:1] else 0
        fits = any(q.is_of(v / base**power) for v in known for base in (1000, 1024))
    else:
        parts = [p for p in clause.quantities if p.unit == "time" and _adjacent(clause, p, q)]
        total = sum(p.value * _seconds(p) for p in parts)
        half = 0.5 * 10.0 ** -parts[-1].decimals * _seconds(parts[-1]) if parts else 0.0
        fits = any(
            abs(total - v) <= half + 1e-9 or abs(total - v * workers) <= half
            for v in known
            for workers in (1, 1 / max(1, compute.get("workers", 1)))
        )
    told = ", ".join(f"{v:.4g}" for v in known[:4])
    return Held(
        q,
        "backed" if fits else "contradicted" if known else "unbacked",
        f"measured were {told or 'none'}",
        None,
        None,
        "other",
    )


def _seconds(q: Quantity) -> float:
    word = q.unit_text
    return _SECONDS["ms" if word == "ms" else "h" if word.startswith("h") else "min" if word.startswith("m") else "s"]


def _adjacent(clause: Clause, p: Quantity, q: Quantity) -> bool:
    first, second = sorted((p, q), key=lambda one: one.start)
    return (
        p is q
        or re.fullmatch(
            r"\s*(?:h|hrs?|hours?|min|minutes?|s|seconds?)?\s*(?:and\s)?", clause.masked[first.end : second.start]
        )
        is not None
    )


def _threshold(ground: Ground, clause: Clause, q: Quantity, candidates: Sequence[list[Value]], role: Role) -> Held:
    """`p < .05` beside a removal says that it is so."""
    for values in candidates:
        known = [v for v in values if v.role == "p" and v.attribute in ("p", "p_equivalence")]
        if known and not any(_fits(ground, clause, q, v, "p", None, ()) for v in known):
            return Held(q, "contradicted", f"p = {known[0].number:.3g}", None, known[0].of, role)
    return Held(q, "backed", "", None, None, role)


def _candidates(ground: Ground, clause: Clause, subject: Subject) -> Iterator[Value]:
    """Where a kind of removal is named, the default removal may be told beside it."""
    found = found_of(ground, clause, subject)
    if clause.scope.kinds and len(subject.components) == 1:
        found += [
            one
            for one in ground.singles(subject.components[0], replace(clause.scope, kinds=()))
            if one not in found and _OTHERWISE.search(clause.masked)
        ]
    for one in found:
        yield from values_of(ground, one)


def found_of(ground: Ground, clause: Clause, subject: Subject) -> list[Found]:
    """The findings that a subject stands for, in the modes and metrics of its clause."""
    if len(subject.components) > 1:
        return [
            *ground.joints(subject.components, clause.scope),
            *ground.joint_effects(subject.components, clause.scope),
        ]
    return list(ground.singles(subject.components[0], clause.scope))


def _first(
    ground: Ground,
    clause: Clause,
    q: Quantity,
    values: Sequence[Value],
    role: Role | None,
    other: Quantity | None,
    row: bool,
) -> Value | None:
    return next((v for v in values if _fits(ground, clause, q, v, role, other, values, row=row)), None)


def _role(clause: Clause, q: Quantity, other: Quantity | None) -> Role | None:
    before, rest = clause.masked[max(0, q.start - 70) : q.start], clause.masked[q.end :]
    if other is not None:
        return "end"
    if q.sign == "±":
        return "smallest" if re.search(r"(?:within|band(?: of)?)\s*$", before) else "half"
    if q.unit == "percent" and _LEVEL_AFTER.match(rest):
        return "confidence"
    for role, pattern in _BEFORE:
        if re.search(pattern, before):
            return role
    if re.search(r"\bchance(?: level| accuracy| performance)?(?: of| at| \(| is)?\s*$", before):
        return "floor"
    if (
        re.search(
            r"\b(?:maximum|limit|cap|budget)(?: of| is| at)?\s*$|\b(?:measured|cleared|tested|planned)\s*$", before
        )
        and q.unit == ""
        and q.decimals == 0
    ):
        return "count"
    previous = [p for p in clause.quantities if p.end <= q.start]
    if previous and _AGAINST.search(before) and q.unit not in ("seeds", "trials"):
        return _role(clause, previous[-1], None)
    listed = [
        p
        for p in clause.quantities
        if p.end <= q.start and re.fullmatch(r"\s*,?\s*(?:and|or|,)?\s*", clause.masked[p.end : q.start])
    ]
    if listed and (inherited := _role(clause, listed[-1], None)) in ("alpha", "count"):
        return inherited
    if q.unit in ("seeds", "trials") or _COUNTED.match(rest):
        return "count"
    if q.unit in ("delta", "sigma"):
        return "multiple"
    if _FRACTION.search(clause.masked[: q.start]) and q.unit in ("percent", ""):
        return "fraction"
    if q.unit == "percent" and re.match(r"\s*of\b", rest):
        return "fraction"
    if _CHANGE.search(before):
        return "change"
    if q.unit == "points" or re.match(
        r"\s*(?:\ue012+\s+)?(?:loss|drop|decrease|increase|gain|reduction|improvement|change|degradation|worse|better|lower|higher|more|less|short|behind|down from|up from|off|below (?:the )?baseline|above (?:the )?baseline)\b",
        rest,
    ):
        return "change"
    return "level" if _LEVEL.search(before) else None


def _fits(
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
    if role == "change":
        if v.role == "relative" and q.unit == "percent":
            return q.is_of(100 * v.number)
        return v.role == "change" and _named(clause, q, v) and _is(ground, q, v, clause)
    if role == "level" and v.role == "level":
        return _is(ground, q, v) and _side(clause, q, v)
    if role == "level":
        return (
            v.role == "change"
            and (q.sign != "" or isinstance(v.of, Interaction))
            and _named(clause, q, v)
            and _is(ground, q, v, clause)
        )
    if role == "floor":
        return v.attribute == "floor" and _is(ground, q, v)
    if (
        role == "alpha"
        and v.attribute == "spent"
        and not re.search(r"\bspen[dt]|looks?\b", clause.masked, re.IGNORECASE)
    ):
        return False
    if role in ("sd", "mde", "smallest", "half"):
        scale = _scale(ground, q, v)
        return v.role == role and scale is not None and q.is_of(scale * v.number)
    if role == "fraction":
        return v.role == "fraction" and q.is_of(100 * v.number if q.unit == "percent" else v.number)
    if role == "confidence":
        return v.role == "confidence" and q.rounds(100 * v.number)
    if role == "p":
        equivalence = re.search(r"equivalen|one-sided|TOST", clause.words) is not None
        return v.role == "p" and (v.attribute != "p_equivalence" or equivalence) and _is_p(q, v.number)
    if role is not None:
        return v.role == role and (q.is_of(v.number) or (q.op != "=" and q.rounds(v.number)))
    if v.role in ("change", "level"):
        return _is(ground, q, v, clause) and q.unit != "percent" or (v.role == "level" and _is(ground, q, v))
    if row:
        return (
            q.sign == "" and _is_p(q, v.number)
            if v.role == "p"
            else v.role in ("end", "count", "multiple", "half") and _is(ground, q, v)
        )
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
        r"\b(?:from|instead of|rather than|against|versus|vs\.?|compared (?:with|to)|and not)\s*(?:about |a |an |the )?(?:[a-z\ue012]+ (?:of |at )?){0,2}$",
        before,
    ):
        return v.attribute in ("baseline", "mean")
    if re.search(r"(?:\bto|→|reaches|down to|drops to)\s*(?:about |a |only )?$", before):
        return v.attribute in ("ablated", "floor", "delta") or (
            v.of is None and _BASELINE.search(clause.words) is not None
        )
    if v.attribute == "baseline" and v.of is not None:
        return (
            _BASELINE.search(clause.words) is not None
            or re.match(r"\s*(?:to\b|→|→|–)", clause.masked[q.end :]) is not None
        )
    return True


def _is(ground: Ground, q: Quantity, v: Value, clause: Clause | None = None) -> bool:
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
    if q.unit == "percent":
        return 100.0 if share and v.role in ("level", "half", "sd") else None
    if q.unit == "points":
        return 100.0 if share else 1.0
    return 1.0


def _is_p(q: Quantity, p: float) -> bool:
    if q.op == "<":
        return p < q.value + 1e-12
    return p > q.value - 1e-12 if q.op == ">" else q.rounds(p)


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
