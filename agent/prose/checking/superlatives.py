"""Superlatives, held against the runner-up."""

import re
from collections.abc import Iterator

from ...results import Interaction
from .clauses import METRIC, Clause, Subject, is_carried
from .gains import GAIN, HARMFUL
from .ground import Found, Ground
from .related import Related, lie_apart
from .verdicts import told

_SUPERLATIVE = re.compile(
    r"(?<!at )(?<!at the )(?<!next )(?<!among the )(?<!one of the )(?<!some of the )\b(?:(?P<rank>second|third)[- ](?:most |least )?)?(?:(?P<most>most|largest|biggest|greatest|highest|strongest|worst|steepest|heaviest|costliest|dominant|foremost|severest)|(?P<least>least|smallest|lowest|weakest|mildest|best|cheapest))\b(?! (?:\S+ )?effects?(?: size)? of interest)(?! (?:of (?:the|our|these|what|it|its|their|that|this|them)\b|components?\b|heads?\b|removals?\b|effect size|parts?\b|effects? of interest|effect of interest|seeds|likely|recent|verdicts?|ablations?|of (?:all )?(?:removals|components|heads)\b))(?P<after>[^.;:,]{0,48})"
    r"|\b(?P<any>than|over|above) (?:for |in |that of |those of |with )?(?:any|every|all)(?: of the)? others?\b|\bthan the rest\b|\b(?:ranks?|comes?|came) first\b|\bmore than anything\b|\bthe (?:main|chief|primary|principal|leading|top|single) (?:driver|factor|contributor|source|component|ingredient)\b|\bsecond only to\b",
    re.IGNORECASE,
)


_SMALL_CHANGE = re.compile(
    r"\b(?:change|effect|difference|impact|influence|delta|loss|cost|drop|decrease)s?\b", re.IGNORECASE
)


_CHANGES = re.compile(
    r"\b(?:loss|drop|gain|cost|decrease|change|improvement|effect|impact|influence|difference|role)s?\b"
)


def implied(ground: Ground, clause: Clause) -> Subject | None:
    """Whom a superlative is about where nobody is named: `The largest loss is 0.17`."""
    found = _SUPERLATIVE.search(clause.words)
    if (
        found is None
        or clause.groups
        or (clause.carried and is_carried(clause.words))
        or "most" not in found.re.groupindex
    ):
        return None
    ranked = _ranking(ground, clause, found, joint=False)
    return Subject(tuple(ranked[0][2].components), True, False, 0, 0) if ranked else None


def ranked_claims(ground: Ground, clause: Clause) -> Iterator[Related]:
    """Every superlative of a clause."""
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
    gains = GAIN.search(after) and (removed or re.search(r"gain|improvement", after))
    if gains or (HARMFUL.search(clause.words) and not removed):
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
    if runner < len(ranked) and not lie_apart(ranked[last][1], ranked[runner][1]):
        return Related(
            start,
            end,
            text,
            "superlative",
            "unbacked",
            f"the interval overlaps that of the runner-up, {told(ground, ranked[runner][2])}",
            ranked[last][2],
        )
    if place and not lie_apart(ranked[place - 1][1], ranked[place][1]):
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
