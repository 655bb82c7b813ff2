"""How many: `all`, `none`, `most`, `three of the five heads`, `the only one`, held against the verdicts of the family."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from ...results import Effect
from .clauses import Clause
from .counted import Counted
from .covered import coverage_claims
from .finding import Outcome
from .ground import Found, Ground
from .lexicon import Said, said
from .quantities import Quantity
from .roles import is_count_of_things
from .sizes import distinct, pool_of, sizes_of, total_sizes
from .stated import subjects_of
from .statements import claim_of_many
from .verdicts import Claim, judged

_NOUN = r"(?P<noun>components?|(?:attention )?heads?|layers?|blocks?|(?:single |joint )?removals?|parts?|modules?|ablations?|arms?|pairs?|groups?|interactions?|combinations?|of them|others\b|rest|effects?|singles?)"


_MANY = re.compile(
    rf"\b(?P<how>all|every|each|no|none|neither|any|most|many|several|few|a few|the majority|only|the only|the sole|not all|not every|almost all|nearly all|half|the remaining|the other|the rest)\b(?: of)?(?: the| these| those| our)?(?P<number> \ue011| \w+)?(?: (?:other|single|remaining|tested|removed|planned|further|ablated|confirmatory))*\s+{_NOUN}(?! of (?:{'accuracy'}))\b"
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


_ASKS = re.compile(r"\b(?:whether|when|until|once|if)\b[^.;,]*$", re.IGNORECASE)


_IS_METHOD = re.compile(r",?\s+we\s+\w+|[^.;]*\bas (?:much|strongly|many) as\b", re.IGNORECASE)


_EXCEPT = re.compile(
    r"\b(?:except|other than|besides|apart from|aside from|save for|but not|with the exception of|beyond (?=\ue010))\b",
    re.IGNORECASE,
)


_DEFINITE = re.compile(r"\b(?:the|these|those|both|all|our)\s+$", re.IGNORECASE)


def counts(ground: Ground, clause: Clause) -> Iterator[Counted]:
    """Every quantifier and count of a clause."""
    phrases = list(said(clause.words))
    numbered = [q for q in clause.quantities if is_count_of_things(clause, q)]
    yield from coverage_claims(ground, clause)
    for q in numbered:
        if _ASKS.search(clause.masked[clause.start : q.start]):
            continue
        if re.match(r"\s*\w+ at a time\b", clause.masked[q.end :]):
            continue
        if _is_size_of_a_group(ground, clause, q):
            continue
        if re.search(
            r"\b(?:of|among|out of)\s+(?:the |all |our |these )?$", clause.masked[clause.start : q.start], re.IGNORECASE
        ) and not any(_is_of(clause, o, q) or _is_of(clause, q, o) for o in numbered):
            yield _family_size(ground, clause, q)
            continue
        if not any(o.start < q.start and _is_of(clause, o, q) for o in numbered):
            yield _number(
                ground,
                clause,
                q,
                phrases,
                next((o for o in numbered if o.start > q.start and _is_of(clause, q, o)), None),
            )
        else:
            yield _family_size(ground, clause, q)
    only = _ONLY_NAME.search(clause.words)
    if only and phrases:
        yield _only(ground, clause, only, phrases)
        return
    for found in _MANY.finditer(clause.words):
        start, end = clause.start + found.start(), clause.start + found.end()
        if _ASKS.search(clause.words[: found.start()]) or _IS_METHOD.match(clause.words[found.end() :]):
            continue
        if re.search(r"\b(?:of|among|over|across|out of)\s+$", clause.words[: found.start()], re.IGNORECASE):
            continue
        if any(q.start < end and q.end > start for q in numbered) and (found["how"] or "").lower() not in (
            "all",
            "none",
            "no",
        ):
            continue
        if any(q.start < end and q.end > start for q in numbered):
            yield from _all_of(ground, clause, found, phrases, start, end)
            continue
        yield from _all_of(ground, clause, found, phrases, start, end)


def _is_of(clause: Clause, first: Quantity, second: Quantity) -> bool:
    return (
        re.fullmatch(r"\s*(?:of|out of|/)\s*(?:the|our|all|these|those)?\s*", clause.masked[first.end : second.start])
        is not None
    )


def _number(ground: Ground, clause: Clause, q: Quantity, phrases: list[Said], of: Quantity | None) -> Counted:
    tail = clause.masked[q.end : clause.end]
    counted = tail[:60] if re.search(rf"^\s*(?:\w+ ){{0,3}}{_NOUN}", tail) else clause.words
    pool = pool_of(ground, clause, counted)
    near = [p for p in phrases if "(" not in clause.masked[q.end : clause.start + p.start]]
    phrase = next((p for p in near if clause.start + p.end > q.end), None) or next(iter(near), None)
    wrong_size = of is not None and int(of.value) not in sizes_of(ground, clause, clause.masked[of.end : of.end + 40])
    named = {c for g in clause.groups for s in g for c in s.components} or {
        c for s in clause.carried for c in s.components
    }
    if _is_number_of(clause, q, len(named)) or _is_covered(ground, clause, q):
        return Counted(q.start, q.end, q.text, "count", "backed", "")
    if re.search(r"\b(?:direction|predict\w*|guess\w*|forecast\w*)\b", clause.words) and ground.results.predictions:
        hits = (
            {s.direction_hits for s in ground.results.predictions}
            | {s.n - s.direction_hits for s in ground.results.predictions}
            | {s.n for s in ground.results.predictions}
        )
        return Counted(
            q.start,
            q.end,
            q.text,
            "count",
            "backed" if int(q.value) in hits else "contradicted",
            f"directions right: {sorted(hits)}",
        )
    if phrase is None:
        tallies = Counter(one.verdict for one in pool)
        known = {*sizes_of(ground, clause, tail[:40]), *total_sizes(ground), *(tallies.values() if of else ())}
        right = q.value in known
        return Counted(q.start, q.end, q.text, "count", "backed" if right else "contradicted", f"there are {len(pool)}")
    claim = claim_of_many(ground, clause, phrase, tail[: max(0, clause.start + phrase.start - q.end)])
    also = _beyond(phrases)
    hold = distinct(
        [one for one in pool if all(judged(ground, each, one).outcome == "backed" for each in (claim, *also))]
    )
    if hold == int(q.value) and not wrong_size:
        return Counted(q.start, q.end, q.text, "count", "backed", "")
    if len({one.mode for one in pool}) > 1 and not clause.scope.modes:
        per_mode = {
            distinct([o for o in pool if o.mode == m and judged(ground, claim, o).outcome == "backed"])
            for m in {o.mode for o in pool}
        }
        if int(q.value) in per_mode:
            return Counted(q.start, q.end, q.text, "count", "unbacked", "say in which mode")
    return Counted(q.start, q.end, q.text, "count", "contradicted", f"{hold} of {distinct(pool)} are {claim}")


def _is_number_of(clause: Clause, q: Quantity, named: int) -> bool:
    """Whether `the two …` are those that are named."""
    following = next((g for g in clause.groups if q.end <= g[0].start < q.end + 24), ())
    return named == int(q.value) or len({c for s in following for c in s.components}) == int(q.value)


def _is_size_of_a_group(ground: Ground, clause: Clause, q: Quantity) -> bool:
    """`A group of six`, `six components at once`: so many were removed together."""
    together = re.search(r"\b(?:group|set) of\s+$", clause.masked[clause.start : q.start]) or re.search(
        r"\b(?:at once|together|jointly|simultaneously|at the same time)\b", clause.masked[q.end : clause.end]
    )
    return together is not None and any(len(e.components) == int(q.value) for e in ground.results.effects)


def _is_covered(ground: Ground, clause: Clause, q: Quantity) -> bool:
    """`Of 780 pairs, 712 were cleared`."""
    return "pair" in clause.masked and q.value > 2 and q.value in ground.results.coverage.values()


def _family_size(ground: Ground, clause: Clause, q: Quantity) -> Counted:
    sizes = sizes_of(ground, clause, clause.masked[q.end : q.end + 40])
    right = int(q.value) in sizes
    return Counted(
        q.start,
        q.end,
        q.text,
        "count",
        "backed" if right else "contradicted",
        f"there are {', '.join(map(str, sorted(sizes)))}",
    )


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
    if re.match(r"\s+(?:was|is|were) (?:learn|concluded)", clause.words[found.end() :]) or text_is_each_other(found):
        return
    if (
        not after
        or ((how in ("any", "each", "only", "few")) and not re.match(r"each|any", how))
        or ((clause.groups or clause.carried) and how in ("each", "all") and found["noun"] == "of them")
        or (how == "any" and found["noun"] == "of them")
    ):
        return
    words = clause.words[found.start() : found.end()]
    claim = claim_of_many(ground, clause, after[0], words)
    pool = [one for one in pool_of(ground, clause, words) if not _others(clause, how, found, one)]
    named = {c for s in clause.carried for c in s.components}
    of_them = re.search(r"pairs? (?:of )?(?:them|these|the three)\b", clause.words[found.start() : found.end() + 14])
    if of_them or (len(named) > 2 and re.search(r"\bpair\b", words)):
        pool = [one for one in pool if set(one.components) < named]
    most = next((q for q in clause.quantities if q.start > end and q.op == "<" and q.unit in ("", "points")), None)
    if how in ("all", "all the") and claim == "changed" and most is not None:
        scale = 100 if most.unit == "points" else 1
        sizes = [abs(loss) * scale for one in pool if isinstance(one, Effect) and (loss := ground.loss(one)) is not None]
        right = bool(sizes) and max(sizes) < most.value
        yield Counted(start, end, clause.text[found.start() : found.end()], "count", "backed" if right else "contradicted", f"the most is {max(sizes, default=0):.3g}")
        return
    if re.search(r"\b(?:smaller|proper)\b", words):
        named = {c for s in clause.carried for c in s.components}
        pool = [one for one in ground.results.effects if set(one.components) < named]
    outcomes: list[Outcome] = [
        _of_all(judged(ground, each, one).outcome for each in (claim, *_beyond(phrases))) for one in pool
    ]
    hold = outcomes.count("backed")
    text, kind = clause.text[found.start() : found.end()], "count"
    outcome = _quantified(how, outcomes, shown=_SHOWN.search(clause.words) is not None)
    yield Counted(start, end, text, kind, outcome, f"{hold} of {len(pool)} are {claim}")


def _beyond(phrases: list[Said]) -> tuple[Claim, ...]:
    """`Cost more than δ`: both are claimed."""
    return tuple(p.removed for p in phrases if p.removed in ("beyond δ", "within δ") and not p.negated)


def _of_all(outcomes: Iterable[Outcome]) -> Outcome:
    found = set(outcomes)
    return "contradicted" if "contradicted" in found else "unbacked" if "unbacked" in found else "backed"


def text_is_each_other(found: re.Match[str]) -> bool:
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
