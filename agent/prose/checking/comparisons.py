"""Comparisons of two removals, and claims that two are equal."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from ...report import selection
from ...results import Effect
from .clauses import METRIC, Clause, Subject, two_sides
from .finding import Outcome
from .gains import GAIN, HARMFUL
from .ground import Ground
from .held import found_of
from .related import Related, lie_apart, size_of
from .verdicts import told

_MORE = r"more|larger|greater|bigger|higher|stronger|worse|harder|steeper|further|deeper|costlier|severer|farther"


_LESS = r"less|smaller|fewer|lower|weaker|milder|better|lighter|cheaper"


THAN = re.compile(rf"\b(?:(?P<more>{_MORE})|(?P<less>{_LESS}))\b(?P<between>[^.;]{{0,60}}?)\bthan\b", re.IGNORECASE)


EXCEEDS = re.compile(
    r"\b(?:(?P<more>exceed(?:s|ed|ing)?|outweigh(?:s|ed)?|surpass(?:es|ed)?|dwarf(?:s|ed)?|dominat(?:es|ed)(?! by)|outrank(?:s|ed)?|top(?:s|ped)|overshadow(?:s|ed)?)|(?P<less>trail(?:s|ed)|lag(?:s|ged) behind|falls? short of|rank(?:s|ed)? below|fell short of)|(?P<ahead>rank(?:s|ed)? (?:above|ahead of)|ahead of))\b",
    re.IGNORECASE,
)


EQUAL = re.compile(
    r"\b(?:(?:just |equally |nearly |almost |about )?as (?:\w+ )?(?:important|large|much|strong|big|costly|harmful|damaging|useful|critical|crucial|severe|bad|heavily|strongly|great|high|little|small)(?: \w+){0,2} as\b|similar(?:ly)?|comparabl[ey]|on par|the same (?:amount|loss|effect|cost|size|extent|drop)|equally|indistinguishable from|identical|match(?:es|ed)|rivals?|no different from|differ(?:s|ed)? (?:little|hardly))",
    re.IGNORECASE,
)


_NOT = re.compile(r"(?:\bnot|n['’]t|\bnever|\bno)\s+(?:\w+\s+){0,2}$", re.IGNORECASE)


def comparison(ground: Ground, clause: Clause, found: re.Match[str], start: int, end: int) -> Related | None:
    """None where no removal is compared: numbers, δ and sums are held elsewhere."""
    rest = clause.masked[end : clause.end]
    if re.search(
        r"\b(?:hardly|barely|scarcely|little|not much|only slightly)\s+$", clause.masked[clause.start : start]
    ):
        return None
    if re.match(
        r"\s*(?:±|(?:the|their|its)\s+(?:sum|smallest|additive|threshold|margin|bound|two single|δ)|δ|about|a\s|an\s|(?:the\s+)?\.?\d|one\b|two\b|three\b|half|halv\w+|doubl\w+|tripl\w+|additive|chance|twice|(?:for |in |that of |those of )?(?:any|all|every) others?|zero\b|what|(?:the )?chance|(?:its|their|the) (?:single|own)|seeds?|[a-z]+\s+(?:seeds|percent|points|times))",
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


_ORDER = re.compile(
    r"\s*(?:points?|%)?\s*,?\s*(?:(?P<more>more|larger|higher|greater|worse)|(?P<less>less|smaller|lower|better)) than (?:the )?"
)


def ordered_numbers(clause: Clause) -> Iterator[Related]:
    """`3.75, more than the 3.44 of B`: the numbers themselves must lie so."""
    for one, other in pairwise(clause.quantities):
        found = _ORDER.fullmatch(clause.masked[one.end : other.start])
        if found and one.unit == other.unit and found[0].count("better") + found[0].count("worse") == 0:
            right = abs(one.signed) > abs(other.signed) if found["more"] else abs(one.signed) < abs(other.signed)
            outcome: Outcome = "backed" if right else "contradicted"
            text = found[0].strip(" ,")
            yield Related(
                one.end, other.start, text, "comparison", outcome, f"{one.text} and {other.text} lie the other way"
            )


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
    elif (HARMFUL.search(context) and not first.removed) or (GAIN.search(context) and first.removed):
        sign = -sign
    return sign


def _ordered(
    ground: Ground, clause: Clause, sides: tuple[Subject, Subject], sign: int, start: int, end: int, text: str
) -> Related:
    one, other = size_of(ground, clause, sides[0]), size_of(ground, clause, sides[1])
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
    if not lie_apart(one[1], other[1]):
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


def equalities(ground: Ground, clause: Clause, found: re.Match[str], start: int, end: int) -> Iterator[Related]:
    """Claims that two are equal."""
    flat = [s for group in clause.groups for s in group]
    sides = two_sides(clause, start, end) or ((flat[0], flat[1]) if len(flat) > 1 else None)
    if sides is None and len(clause.carried) > 1 and not flat:
        sides = (clause.carried[0], clause.carried[1])
    if sides is None:
        return
    one, other = size_of(ground, clause, sides[0]), size_of(ground, clause, sides[1])
    if one is None or other is None:
        return
    negated = _NOT.search(clause.masked[clause.start : start]) is not None
    same = (
        isinstance(one[2], Effect)
        and isinstance(other[2], Effect)
        and (one[2].same_as == other[2].ablation or other[2].same_as == one[2].ablation)
    )
    why = f"{told(ground, one[2])} against {told(ground, other[2])}"
    apart = lie_apart(one[1], other[1])
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
