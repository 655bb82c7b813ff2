"""Words of judgement in a clause: whose they are, what they claim of it, and whether its verdict backs that."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from .clauses import METRIC, Clause, Subject, metric_at, on_primary
from .givenback import given_back
from .ground import Ground
from .held import Held
from .judging import judge_all
from .lexicon import Said, resolved, said
from .spoken import PERFORMANCE, is_orphan, speaks
from .stated import Stated, subjects_of
from .verdicts import Claim

_NOUN_AFTER = re.compile(r"^\s+(?:of|in|for|when|if|without|from|is|was|at|\ue012+ (?:drop|loss))\b")


_NOUN_BEFORE = re.compile(
    rf"(?:\b(?:an?|the|any|no|most|more|least|less|greatest|biggest|largest|smallest|small|large|clear|significant|this|shown|of|{METRIC}+)\s+|{METRIC}\s)$",
    re.IGNORECASE,
)


_NOUN = re.compile(
    r"^(?:drop|decrease|reduction|decline|increase|improvement|gain|loss|degradation|rise|fall|harm|cost|jump|growth|dip|damage)s?$",
    re.IGNORECASE,
)


_WHOSE = re.compile(
    r"\b(?:(?:whose|its|their|the|upon|on) (?:removal|ablation|absence|loss)|removing|(?:taking|cutting|turning|leaving) (?:it|them|this) (?:out|off|away)|when removed|if removed|once removed|without|ablating|removal)\b",
    re.IGNORECASE,
)


_COST_OF = re.compile(
    r"\bthe (?:cost|loss|drop|effect|damage|penalty)(?:$| (?:of|from|when) [^.;]{0,80}\b(?:falls?|drops?|shrinks?|declines?|reduces?|rises?|grows?|reduced|fallen|shrunk)$)",
    re.IGNORECASE,
)


_ALONE = re.compile(r"\b(?:alone|each(?! other)|individually|singly)\b[^.;,:]{0,24}$", re.IGNORECASE)


_ERROR = re.compile(r"\b(?:loss|error|perplexity|nll)\b", re.IGNORECASE)


_HEDGES = ("undecided", "not significant", "size uncertain", "negligible", "within δ", "unimportant", "small")


def statements(
    ground: Ground, clause: Clause, taken: Sequence[tuple[int, int]], held: Sequence[Held], sentence: str
) -> Iterator[Stated]:
    """Every judgement of a clause, outside of the spans that are `taken` by comparisons and counts."""
    phrases = list(said(clause.words))
    yield from given_back(ground, clause)
    for phrase in phrases:
        start, end = clause.start + phrase.start, clause.start + phrase.end
        if any(start < b and end > a for a, b in taken) or not speaks(clause, phrase, start, end):
            continue
        yield from _stated(ground, clause, phrase, held, sentence)


def _stated(ground: Ground, clause: Clause, phrase: Said, held: Sequence[Held], sentence: str) -> Iterator[Stated]:
    start, end = clause.start + phrase.start, clause.start + phrase.end
    subjects = subjects_of(clause, start, end)
    if not subjects:
        if is_orphan(clause, phrase):
            yield Stated(
                start,
                end,
                phrase.text,
                "unbacked",
                "it is not clear which removal this is about",
                None,
                _claim(ground, clause, phrase, None, start, end),
            )
        return
    if _ALONE.search(clause.masked[clause.start : start]):
        subjects = tuple(replace(s, components=(c,), together=False) for s in subjects for c in s.components)
    claim = _claim(ground, clause, phrase, subjects[0], start, end)
    if _COST_OF.search(clause.masked[clause.start : start] + phrase.text) and clause.quantities:
        return
    numbered = any(h.role in ("change", "level", "relative") and h.outcome == "backed" for h in held)
    hedged = any(one.removed in _HEDGES for one in said(sentence))
    if claim == "nothing" and any(one.removed == "no-op" for one in said(sentence)):
        claim = "no-op"
    narrowed = metric_at(clause, start, end, following=True)
    judgement = judge_all(ground, narrowed, claim, subjects, numbered=numbered, hedged=hedged)
    if judgement.outcome != "backed" and (primary := on_primary(clause)) is not clause:
        claim = _claim(ground, primary, phrase, subjects[0], start, end)
        judgement = judge_all(ground, primary, claim, subjects, numbered=numbered, hedged=hedged)
    yield Stated(start, end, phrase.text, judgement.outcome, judgement.why, judgement.found, claim)


def _claim(ground: Ground, clause: Clause, phrase: Said, subject: Subject | None, start: int, end: int) -> Claim:
    whose = (
        subject is not None
        and subject.end <= start
        and _WHOSE.search(clause.masked[max(clause.start, subject.end) : start]) is not None
    )
    removed = (
        subject is None
        or subject.removed
        or subject.together
        or whose
        or _is_noun(clause, phrase, start, end)
        or _metric_speaks(clause, subject, start)
    )
    word = phrase.removed if removed else phrase.present
    if re.search(
        r"\b(?:this|the|that|which) (?:component|part|head|layer|module|block)\s+$",
        clause.masked[clause.start : start],
        re.IGNORECASE,
    ):
        word = phrase.present
    if re.search(r"[|&]\s*$", clause.masked[:start]) and re.match(r"\s*(?:[|&\\]|$)", clause.masked[end:]):
        word = phrase.present
    if word == "undecided" and re.search(
        r"\b(?:exceed\w*|size|larger than|beyond|above)\b|δ|smallest effect|threshold",
        clause.masked[max(clause.start, start - 60) : end + 60],
    ):
        return "size uncertain"
    word = _redundant(ground, clause, phrase, subject) or word
    if word == "costs" and not clause.quantities:
        word = "better"
    if (
        word == "better"
        and phrase.present == "worse"
        and re.match(r"\s+(?:off )?(?:without|w/o)", clause.masked[end : clause.end])
    ):
        word = "better"
    return resolved(
        word, maximise=_maximise(ground, metric_at(clause, start, end, following=True)), negated=phrase.negated
    )


def _redundant(ground: Ground, clause: Clause, phrase: Said, subject: Subject | None) -> Claim | None:
    """Of two parts that were removed together, `redundant` says that one backs the other up."""
    named = {c for g in clause.groups for s in g for c in s.components} or {
        c for s in clause.carried for c in s.components
    }
    together = len(named) > 1 and ground.joints(named, clause.scope)
    return "compensation" if phrase.text.lower() == "redundant" and subject is not None and together else None


def _is_noun(clause: Clause, phrase: Said, start: int, end: int) -> bool:
    if not _NOUN.match(phrase.text):
        return False
    return (
        _NOUN_AFTER.match(clause.masked[end : clause.end]) is not None
        or _NOUN_BEFORE.search(clause.masked[clause.start : start]) is not None
    )


def _metric_speaks(clause: Clause, subject: Subject, start: int) -> bool:
    """`Accuracy falls … for dropout`: the metric is what falls, and the part is named after it."""
    if subject.start < start or subject.end == 0:
        return False
    before = clause.masked[clause.start : start]
    return METRIC in before or re.search(r"\b(?:model|network|performance|it)\b", before) is not None


def _maximise(ground: Ground, clause: Clause) -> bool:
    floors = ground.floors(clause.scope)
    goal = floors[0][2].goal if floors else "maximize"
    if METRIC not in clause.words:
        if _ERROR.search(clause.words):
            return False
        if PERFORMANCE.search(clause.words):
            return True
    return goal == "maximize"


def claim_of_many(ground: Ground, clause: Clause, phrase: Said, noun: str) -> Claim:
    """What a phrase claims of each of many: removals, or parts as they work in the model."""
    removed = (
        re.search(r"\b(?:removals?|ablations?|arms?|pairs?|joint|effects?|removing)\b", noun, re.IGNORECASE) is not None
        or _WHOSE.search(clause.words[: phrase.start]) is not None
    )
    word = phrase.removed if removed else phrase.present
    negated = phrase.negated and re.match(r"\s*(?:no|none|neither|nothing)\b", noun, re.IGNORECASE) is None
    return resolved(word, maximise=_maximise(ground, clause), negated=negated)
