"""Quantifiers: `all`, `none`, `most`, `the only one`, held against the verdicts of the family."""

import re
from collections.abc import Iterable, Iterator

from ...results import Effect
from .clauses import Clause
from .counted import Counted
from .finding import Outcome
from .ground import Found, Ground
from .lexicon import Said
from .quantities import Quantity
from .sizes import pool_of
from .stated import subjects_of
from .statements import claim_of_many
from .verdicts import Claim, judged

NOUN = r"(?P<noun>components?|(?:attention )?heads?|layers?|blocks?|(?:single |joint )?removals?|parts?|modules?|ablations?|arms?|pairs?|groups?|interactions?|combinations?|of them|others\b|rest|effects?|singles?)"


_MANY = re.compile(
    rf"\b(?P<how>all|every|each|no|none|neither|any|most|many|several|few|a few|the majority|only|the only|the sole|not all|not every|almost all|nearly all|half|the remaining|the other|the rest)\b(?: of)?(?: the| these| those| our)?(?P<number> \ue011| \w+)?(?: (?:other|single|remaining|tested|removed|planned|further|ablated|confirmatory))*\s+{NOUN}(?! of (?:{'accuracy'}))\b"
    r"|\b(?P<nothing>nothing(?: else)?|everything|none|all)\b(?=\s+(?:matters?|hurts?|helps?|is|are|was|were|else|of these|came))",
    re.IGNORECASE,
)


_ONLY_NAME = re.compile(
    r"\b(?:only|solely|exclusively)(?! (?:if|when|after|once))\s+(?:(?:removing|dropping|the removal of|ablating)\s+)?(?:the )?[\ue000]?\ue010|\b(?:the )?(?:only|sole)(?! (?:if|when|after|once))\s+(?:\w+\s+){0,2}?(?:(?:component|head|removal|part|layer|module|ablation|block)s?|ones?(?! of))\b|\ue010[\ue001]? (?:alone|only) (?:matters?|hurts?)\b",
    re.IGNORECASE,
)


_SHOWN = re.compile(
    r"\b(?:shown|found|verdict|came out|turned out|settled|criterion|significant\w*|detected|was|were|classified|labelled|marked)\b",
    re.IGNORECASE,
)


_EXCEPT = re.compile(
    r"\b(?:except|other than|besides|apart from|aside from|save for|but not|with the exception of|beyond (?=\ue010))\b",
    re.IGNORECASE,
)


_IS_METHOD = re.compile(r",?\s+we\s+\w+|[^.;]*\bas (?:much|strongly|many) as\b", re.IGNORECASE)


ASKS = re.compile(r"\b(?:whether|when|until|once|if)\b[^.;,]*$", re.IGNORECASE)
_AMONG = re.compile(r"\b(?:of|among|over|across|out of)\s+$", re.IGNORECASE)


def quantified(ground: Ground, clause: Clause, phrases: list[Said], numbered: list[Quantity]) -> Iterator[Counted]:
    """Every quantifier of a clause, but for those that stand beside a number of `numbered`."""
    only = _ONLY_NAME.search(clause.words)
    if only and phrases:
        yield _only(ground, clause, only, phrases)
        return
    for found in _MANY.finditer(clause.words):
        start, end = clause.start + found.start(), clause.start + found.end()
        before = clause.words[: found.start()]
        if ASKS.search(before) or _AMONG.search(before) or _IS_METHOD.match(clause.words[found.end() :]):
            continue
        counted = any(q.start < end and q.end > start for q in numbered)
        if not counted or (found["how"] or "").lower() in ("all", "none", "no"):
            yield from _all_of(ground, clause, found, phrases, start, end)


def _only(ground: Ground, clause: Clause, found: re.Match[str], phrases: list[Said]) -> Counted:
    start, end = clause.start + found.start(), clause.start + found.end()
    text = clause.text[found.start() : found.end()]
    after = [p for p in phrases if p.end > found.end()] or phrases
    claim = claim_of_many(ground, clause, after[0], "removal" if _removed(clause) else found[0])
    pool = pool_of(ground, clause, found[0])
    hold = [one for one in pool if judged(ground, claim, one).outcome == "backed"]
    named = {c for s in subjects_of(clause, end, end) for c in s.components} or {
        c for g in clause.groups for s in g for c in s.components
    }
    right = {c for one in hold for c in one.components} == named
    shown = ", ".join(dict.fromkeys(one.components[0] for one in hold)) or "none"
    return Counted(start, end, text, "count", "backed" if right else "contradicted", f"{claim}: {shown}")


def _removed(clause: Clause) -> bool:
    return any(s.removed for g in clause.groups for s in g)


def _all_of(
    ground: Ground, clause: Clause, found: re.Match[str], phrases: list[Said], start: int, end: int
) -> Iterator[Counted]:
    how = (found["how"] or found["nothing"] or "").lower()
    after = [p for p in phrases if p.end > found.end()]
    if not after or _quantifies_nothing(clause, found, how):
        return
    words = clause.words[found.start() : found.end()]
    claim = claim_of_many(ground, clause, after[0], words)
    pool = _pool(ground, clause, found, how)
    text, kind = clause.text[found.start() : found.end()], "count"
    most = next((q for q in clause.quantities if q.start > end and q.op == "<" and q.unit in ("", "points")), None)
    if how == "all" and claim == "changed" and most is not None:
        largest = _largest(ground, pool) * (100 if most.unit == "points" else 1)
        within: Outcome = "backed" if largest < most.value else "contradicted"
        yield Counted(start, end, text, kind, within, f"the most is {largest:.3g}")
        return
    outcomes: list[Outcome] = [
        _of_all(judged(ground, each, one).outcome for each in (claim, *beyond(phrases))) for one in pool
    ]
    hold = outcomes.count("backed")
    outcome = _quantified(how, outcomes, shown=_SHOWN.search(clause.words) is not None)
    yield Counted(start, end, text, kind, outcome, f"{hold} of {len(pool)} are {claim}")


def _quantifies_nothing(clause: Clause, found: re.Match[str], how: str) -> bool:
    of_them = found["noun"] == "of them"
    return (
        re.match(r"\s+(?:was|is|were) (?:learn|concluded)", clause.words[found.end() :]) is not None
        or _is_each_other(found)
        or how in ("only", "few")
        or (bool(clause.groups or clause.carried) and how in ("each", "all") and of_them)
        or (how == "any" and of_them)
    )


def _pool(ground: Ground, clause: Clause, found: re.Match[str], how: str) -> list[Found]:
    """The removals that are quantified: of pairs and parts of what was named, only those."""
    words, named = found[0], {c for s in clause.carried for c in s.components}
    if re.search(r"\b(?:smaller|proper)\b", words):
        return [one for one in ground.results.effects if set(one.components) < named]
    pool = [one for one in pool_of(ground, clause, words) if not _others(clause, how, found, one)]
    of_them = re.search(r"pairs? (?:of )?(?:them|these|the three)\b", clause.words[found.start() : found.end() + 14])
    if of_them or (len(named) > 2 and re.search(r"\bpair\b", words)):
        return [one for one in pool if set(one.components) < named]
    return pool


def _largest(ground: Ground, pool: list[Found]) -> float:
    losses = (ground.loss(one) for one in pool if isinstance(one, Effect))
    return max((abs(loss) for loss in losses if loss is not None), default=float("inf"))


def beyond(phrases: list[Said]) -> tuple[Claim, ...]:
    """`Cost more than δ`: both are claimed."""
    return tuple(p.removed for p in phrases if p.removed in ("beyond δ", "within δ") and not p.negated)


def _of_all(outcomes: Iterable[Outcome]) -> Outcome:
    found = set(outcomes)
    return "contradicted" if "contradicted" in found else "unbacked" if "unbacked" in found else "backed"


def _is_each_other(found: re.Match[str]) -> bool:
    """`Each other` counts nothing."""
    return re.fullmatch(r"each others?", found[0], re.IGNORECASE) is not None


def _others(clause: Clause, how: str, found: re.Match[str], one: Found) -> bool:
    """`All others`: without those that the clause names."""
    text = found[0].lower()
    named = {c for s in clause.carried for c in s.components} | {
        c for g in clause.groups for s in g for c in s.components
    }
    return (
        (
            any(word in text for word in ("other", "rest", "remaining", "else"))
            or _EXCEPT.search(clause.words) is not None
        )
        and isinstance(one, Effect)
        and one.components[0] in named
    )


def _quantified(how: str, outcomes: list[Outcome], *, shown: bool) -> Outcome:
    hold, against, total = outcomes.count("backed"), outcomes.count("contradicted"), len(outcomes)
    if not total:
        return "unbacked"
    if how in ("no", "none", "neither", "nothing", "nothing else"):
        if hold:
            return "contradicted"
        return "backed" if shown or against == total else "unbacked"
    if how in ("most", "the majority", "half", "many", "almost all", "nearly all"):
        least = 0.8 if "all" in how else 0.5 if how != "many" else 0.3
        return "backed" if hold > least * total or (how == "half" and 2 * hold == total) else "contradicted"
    if how in ("several", "few", "a few"):
        return "backed" if (hold >= 2 if how == "several" else 1 <= hold <= 3) else "contradicted"
    if how.startswith("not "):
        return "backed" if 0 < hold < total else "contradicted"
    return "backed" if hold == total else "contradicted" if against else "unbacked"
