"""Comparisons, ratios and superlatives, recomputed from the results.

A comparison of two removals is backed where their intervals lie apart in the order that is claimed, contradicted where the estimates
lie the other way round, and unbacked where the intervals overlap: nothing tests that difference. A superlative is a comparison with the
runner-up. That two are equal is never backed: no test of a study shows it. A ratio must round to what is printed, and its two
intervals must lie apart as well."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...report import numbers, selection
from ...results import Effect, Interaction
from .amounts import found_of
from .clauses import METRIC, Clause, Subject, two_sides
from .finding import Kind, Outcome
from .ground import Found, Ground
from .quantities import Quantity
from .verdicts import told

_MORE = r"more|larger|greater|bigger|higher|stronger|worse|harder|steeper|further|deeper|costlier|severer|farther"
_LESS = r"less|smaller|fewer|lower|weaker|milder|better|lighter|cheaper"
_THAN = re.compile(rf"\b(?:(?P<more>{_MORE})|(?P<less>{_LESS}))\b(?P<between>[^.;]{{0,60}}?)\bthan\b", re.IGNORECASE)
_EXCEEDS = re.compile(
    r"\b(?:(?P<more>exceed(?:s|ed|ing)?|outweigh(?:s|ed)?|surpass(?:es|ed)?|dwarf(?:s|ed)?|dominat(?:es|ed)(?! by)|outrank(?:s|ed)?|top(?:s|ped)|overshadow(?:s|ed)?)|(?P<less>trail(?:s|ed)|lag(?:s|ged) behind|falls? short of|rank(?:s|ed)? below|fell short of)|(?P<ahead>rank(?:s|ed)? (?:above|ahead of)|ahead of))\b",
    re.IGNORECASE,
)
_EQUAL = re.compile(
    r"\b(?:(?:just |equally |nearly |almost |about )?as (?:\w+ )?(?:important|large|much|strong|big|costly|harmful|damaging|useful|critical|crucial|severe|bad|heavily|strongly|great|high|little|small)(?: \w+){0,2} as\b|similar(?:ly)?|comparabl[ey]|on par|the same (?:amount|loss|effect|cost|size|extent|drop)|equally|indistinguishable from|identical|match(?:es|ed)|rivals?|no different from|differ(?:s|ed)? (?:little|hardly))",
    re.IGNORECASE,
)
_NOT = re.compile(r"(?:\bnot|n['’]t|\bnever|\bno)\s+(?:\w+\s+){0,2}$", re.IGNORECASE)
_SUPERLATIVE = re.compile(
    r"(?<!at )(?<!at the )\b(?:(?P<rank>second|third)[- ](?:most |least )?)?(?:(?P<most>most|largest|biggest|greatest|highest|strongest|worst|steepest|heaviest|costliest|dominant|foremost|severest)|(?P<least>least|smallest|lowest|weakest|mildest|best|cheapest))\b(?! (?:of (?:the|our|these|what|it|its|their|that|this|them)\b|components?\b|heads?\b|removals?\b|effect size|parts?\b|effects? of interest|effect of interest|seeds|likely|recent|verdicts?|ablations?|of (?:all )?(?:removals|components|heads)\b))(?P<after>[^.;,]{0,48})"
    r"|\b(?P<any>than|over|above) (?:for |in |that of |those of |with )?(?:any|every|all)(?: of the)? others?\b|\bthan the rest\b|\b(?:ranks?|comes?|came) first\b|\bmore than anything\b|\bthe (?:main|chief|primary|principal|leading|top|single) (?:driver|factor|contributor|source|component|ingredient)\b|\bsecond only to\b",
    re.IGNORECASE,
)
_GAIN = re.compile(r"\b(?:gain|improve\w*|improvement|benefit\w*|help(?:s|ed|ful)?|boost)\b", re.IGNORECASE)
_HARMFUL = re.compile(r"\b(?:harmful|detrimental|counterproductive)\b", re.IGNORECASE)
_SMALL_CHANGE = re.compile(
    r"\b(?:change|effect|difference|impact|influence|delta|loss|cost|drop|decrease)s?\b", re.IGNORECASE
)
_GIVES_BACK = re.compile(
    r"\b(?:recover|restor|regain|giv\w+ back|gave back|given back|retain|keep|kept)\w*[^.;]*$", re.IGNORECASE
)
_CHANGES = re.compile(r"\b(?:loss|drop|gain|cost|decrease|change|improvement)\b")
_TWICE = {2.0: 0.15, 0.5: 0.05, 3.0: 0.25}


@dataclass(frozen=True)
class Related:
    """A comparison, and what came of it."""

    start: int
    end: int
    text: str
    kind: Kind
    outcome: Outcome
    why: str
    found: Found | None = None


def relations(ground: Ground, clause: Clause) -> Iterator[Related]:
    """Every comparison, ratio and superlative of a clause."""
    ratios = [
        q
        for q in clause.quantities
        if q.unit in ("times", "magnitudes") or (q.unit == "percent" and _of_another(clause, q))
    ]
    for q in ratios:
        yield _ratio(ground, clause, q)
    spans = [(q.start, clause.end) for q in ratios]
    superlatives = list(_superlatives(ground, clause))
    yield from superlatives
    spans += [(s.start, s.end) for s in superlatives]
    for found in (*_THAN.finditer(clause.words), *_EXCEEDS.finditer(clause.words)):
        start, end = clause.start + found.start(), clause.start + found.end()
        if not any(start < b and end > a for a, b in spans):
            one = _compared(ground, clause, found, start, end)
            if one is not None:
                yield one
                spans.append((start, end))
    for found in _EQUAL.finditer(clause.words):
        start, end = clause.start + found.start(), clause.start + found.end()
        if not any(start < b and end > a for a, b in spans):
            yield from _equal(ground, clause, found, start, end)


def _size(ground: Ground, clause: Clause, subject: Subject) -> tuple[float, tuple[float, float] | None, Found] | None:
    for found in found_of(ground, clause, subject):
        size = found.observed if isinstance(found, Interaction) else ground.loss(found)
        if size is not None:
            return size, ground.loss_interval(found), found
    return None


def _compared(ground: Ground, clause: Clause, found: re.Match[str], start: int, end: int) -> Related | None:
    """None where no removal is compared: numbers, δ and sums are held elsewhere."""
    rest = clause.masked[end : clause.end]
    if re.match(
        r"\s*(?:±|(?:the|their|its)\s+(?:sum|smallest|additive|two single|δ)|δ|about|a\s|an\s|\.?\d|one\b|two\b|three\b|half|additive|chance|twice|(?:for |in |that of |those of )?(?:any|all|every) others?|zero\b|what|(?:the )?chance|(?:its|their|the) (?:single|own)|seeds?|[a-z]+\s+(?:seeds|percent|points|times))",
        rest,
        re.IGNORECASE,
    ):
        return None
    text = clause.text[start - clause.start : end - clause.start]
    if re.match(r"\s*(?:the\s+)?(?:baseline|full|reference|intact|unablated|original)", rest):
        return None
    if len(set(clause.scope.modes)) > 1:
        return Related(
            start, end, text, "comparison", "unbacked", "modes answer different questions, and are not compared"
        )
    sides = two_sides(clause, end, end)
    if sides is None:
        if re.match(r"\s*(?:without|with)\s+(?:it|them)", rest) or not (clause.groups or clause.carried):
            return None
        return Related(start, end, text, "comparison", "unbacked", "no result compares these")
    sign = _direction(ground, clause, found, sides[0])
    if _NOT.search(clause.masked[clause.start : start]):
        sign = -sign
    return _ordered(ground, clause, sides, sign, start, end, text)


def _direction(ground: Ground, clause: Clause, found: re.Match[str], first: Subject) -> int:
    """1: the first is claimed to cost more."""
    sign = -1 if found["less"] else 1
    context = clause.words
    near = found["between"] if "between" in found.re.groupindex else ""
    if (
        METRIC in near
        and not re.search(
            r"\b(?:cost|los[et]|losing|lower|drop|reduc|take|remove)\w*\b[^.;]{0,20}$",
            context[: found.start()],
            re.IGNORECASE,
        )
        and not re.search(r"loss|drop|cost|decrease|change", near.replace(METRIC, ""))
    ):
        floors = ground.floors(clause.scope)
        sign = sign if floors and floors[0][2].goal == "minimize" else -sign
    elif re.search(r"\b(?:worse|better)\b", found[0][:7]):
        sign = 1 if found["more"] else -1
        sign = sign if first.removed else -sign
    elif _HARMFUL.search(context) and not first.removed:
        sign = -sign
    elif _GAIN.search(context) and first.removed:
        sign = -sign
    return sign


def _ordered(
    ground: Ground, clause: Clause, sides: tuple[Subject, Subject], sign: int, start: int, end: int, text: str
) -> Related:
    one, other = _size(ground, clause, sides[0]), _size(ground, clause, sides[1])
    if one is None or other is None:
        return Related(
            start,
            end,
            text,
            "comparison",
            "contradicted" if _unmeasured(ground, clause, sides) else "unbacked",
            "there is no delta of one of these to compare",
        )
    why = f"{told(ground, one[2])} against {told(ground, other[2])}"
    if sign * (one[0] - other[0]) <= 0:
        return Related(start, end, text, "comparison", "contradicted", why, one[2])
    if not _apart(one[1], other[1]):
        return Related(
            start,
            end,
            text,
            "comparison",
            "unbacked",
            f"{why}: the intervals overlap, and nothing tests the difference",
            one[2],
        )
    return Related(start, end, text, "comparison", "backed", "", one[2])


def _unmeasured(ground: Ground, clause: Clause, sides: Sequence[Subject]) -> bool:
    return any(
        isinstance(f, Effect) and f.verdict in selection.UNMEASURED
        for side in sides
        for f in found_of(ground, clause, side)
    )


def _apart(one: tuple[float, float] | None, other: tuple[float, float] | None) -> bool:
    return one is not None and other is not None and (one[0] > other[1] or other[0] > one[1])


def _equal(ground: Ground, clause: Clause, found: re.Match[str], start: int, end: int) -> Iterator[Related]:
    flat = [s for group in clause.groups for s in group]
    sides = two_sides(clause, start, end) or ((flat[0], flat[1]) if len(flat) > 1 else None)
    if sides is None and len(clause.carried) > 1 and not flat:
        sides = (clause.carried[0], clause.carried[1])
    if sides is None:
        return
    one, other = _size(ground, clause, sides[0]), _size(ground, clause, sides[1])
    if one is None or other is None:
        return
    negated = _NOT.search(clause.masked[clause.start : start]) is not None
    same = (
        isinstance(one[2], Effect)
        and isinstance(other[2], Effect)
        and (one[2].same_as == other[2].ablation or other[2].same_as == one[2].ablation)
    )
    why = f"{told(ground, one[2])} against {told(ground, other[2])}"
    apart = _apart(one[1], other[1])
    if negated:
        right = apart and one[0] < other[0]
        yield Related(
            start,
            end,
            found[0],
            "comparison",
            "backed" if right else "contradicted" if one[0] >= other[0] else "unbacked",
            why,
            one[2],
        )
    elif same and re.search(r"identical|same|indistinguishable", found[0]):
        yield Related(start, end, found[0], "comparison", "backed", "", one[2])
    else:
        yield Related(
            start,
            end,
            found[0],
            "comparison",
            "contradicted" if apart else "unbacked",
            f"{why}: no test shows that they are equal",
            one[2],
        )


def _of_another(clause: Clause, q: Quantity) -> bool:
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


def _ratio(ground: Ground, clause: Clause, q: Quantity) -> Related:
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
        one, other = _size(ground, clause, sides[0]), _size(ground, clause, sides[1])
        if one is not None and other is not None and other[0] and one[0]:
            apart, less = _apart(one[1], other[1]), re.match(r"\s*(?:less|smaller|lower|fewer|weaker)\b", rest)
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


def implied(ground: Ground, clause: Clause) -> Subject | None:
    """Whom a superlative is about where nobody is named: `The largest loss is 0.17`."""
    found = _SUPERLATIVE.search(clause.words)
    if found is None or clause.groups or "most" not in found.re.groupindex:
        return None
    ranked = _ranking(ground, clause, found, joint=False)
    return Subject(tuple(ranked[0][2].components), True, False, 0, 0) if ranked else None


def _superlatives(ground: Ground, clause: Clause) -> Iterator[Related]:
    for found in _SUPERLATIVE.finditer(clause.words):
        start, end = clause.start + found.start(), clause.start + found.end() - len(found["after"] or "")
        text = clause.words[found.start() : end - clause.start]
        subjects = _who(clause, start, end)
        if not subjects:
            if (clause.groups or METRIC in clause.words) and not clause.quantities:
                yield Related(
                    start, end, text, "superlative", "unbacked", "it is not clear which removal this is about"
                )
            continue
        joint = len(subjects[0].components) > 1
        ranked = _ranking(ground, clause, found, joint=joint)
        yield _ranked(ground, clause, ranked, subjects, found, start, end, text)


def _who(clause: Clause, start: int, end: int) -> tuple[Subject, ...]:
    before = [g for g in clause.groups if g[0].start < start]
    after = [g for g in clause.groups if g[0].start >= end]
    if before:
        return before[-1]
    if after and not re.match(r"\s*(?:is|are|was)\b", clause.words[:0]):
        return after[0]
    return clause.carried


def _ranking(
    ground: Ground, clause: Clause, found: re.Match[str], *, joint: bool
) -> list[tuple[float, tuple[float, float] | None, Found]]:
    """The findings in question, the one that is claimed to be first in front."""
    after = (found["after"] or "").lower()
    if joint:
        pool: list[Found] = [j for j in ground.pairs(clause.scope) if j.observed is not None]
    else:
        domain = "head" if re.search(r"\bheads?\b", clause.words) else ""
        pool = list(ground.family(clause.scope, domain))
    sized = [
        (size, ground.loss_interval(one), one)
        for one in pool
        if (size := one.observed if isinstance(one, Interaction) else ground.loss(one)) is not None
    ]
    modes = {one.mode for _, _, one in sized}
    if len(modes) > 1 and not clause.scope.modes:
        return []
    return sorted(sized, key=lambda one: -_place(ground, clause, found, after, one[0]))


def _place(ground: Ground, clause: Clause, found: re.Match[str], after: str, loss: float) -> float:
    """How far in front a loss stands in what the superlative ranks by."""
    least = found["least"] is not None
    removed = any(s.removed for g in clause.groups for s in g) or any(s.removed for s in clause.carried)
    if METRIC in after[:20] and not _CHANGES.search(after.replace(METRIC, "")):
        floors = ground.floors(clause.scope)
        up = bool(floors) and floors[0][2].goal == "minimize"
        return loss if up != least else -loss
    gains = _GAIN.search(after) and (removed or re.search(r"gain|improvement", after))
    if gains or (_HARMFUL.search(clause.words) and not removed):
        return loss if least else -loss
    if least:
        return -abs(loss)
    return abs(loss) if re.search(r"\b(?:effect|change|difference|impact|influence)\b", after) else loss


def _ranked(
    ground: Ground,
    clause: Clause,
    ranked: list[tuple[float, tuple[float, float] | None, Found]],
    subjects: tuple[Subject, ...],
    found: re.Match[str],
    start: int,
    end: int,
    text: str,
) -> Related:
    if not ranked:
        return Related(
            start, end, text, "superlative", "unbacked", "there is nothing to rank, or several modes: say in which"
        )
    names = [tuple(sorted(one[2].components)) for one in ranked]
    wanted = [tuple(sorted(s.components)) for s in subjects]
    place = {"second": 1, "third": 2}.get((found["rank"] or "").lower(), 0)
    if found[0].lower().startswith("second only"):
        wanted, place = wanted[:1], 1 if names and wanted[0] != names[0] else 0
    top = names[place : place + len(wanted)]
    if sorted(top) != sorted(wanted):
        return Related(
            start,
            end,
            text,
            "superlative",
            "contradicted",
            f"it is {told(ground, ranked[place][2]) if place < len(ranked) else 'nothing'}",
            ranked[0][2],
        )
    last, runner = place + len(wanted) - 1, place + len(wanted)
    if runner < len(ranked) and not _apart(ranked[last][1], ranked[runner][1]):
        return Related(
            start,
            end,
            text,
            "superlative",
            "unbacked",
            f"the interval overlaps that of the runner-up, {told(ground, ranked[runner][2])}",
            ranked[last][2],
        )
    if place and not _apart(ranked[place - 1][1], ranked[place][1]):
        return Related(
            start,
            end,
            text,
            "superlative",
            "unbacked",
            "the interval overlaps that of the one before it",
            ranked[place][2],
        )
    return Related(start, end, text, "superlative", "backed", "", ranked[last][2])
