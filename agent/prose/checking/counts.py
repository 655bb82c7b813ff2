"""How many: `two components matter`, `three of the five heads`, `six components at once`, held against the verdicts of the family."""

import re
from collections import Counter
from collections.abc import Iterator

from .clauses import Clause
from .counted import Counted
from .covered import coverage_claims
from .ground import Ground
from .lexicon import Said, said
from .quantifiers import ASKS, NOUN, beyond, quantified
from .quantities import Quantity
from .roles import is_count_of_things
from .sizes import distinct, pool_of, sizes_of, total_sizes
from .statements import claim_of_many
from .verdicts import judged

_OF = re.compile(r"\b(?:of|among|out of)\s+(?:the |all |our |these )?$", re.IGNORECASE)


def counts(ground: Ground, clause: Clause) -> Iterator[Counted]:
    """Every quantifier and count of a clause."""
    phrases = list(said(clause.words))
    numbered = [q for q in clause.quantities if is_count_of_things(clause, q)]
    yield from coverage_claims(ground, clause)
    for q in numbered:
        if not _counts_nothing(ground, clause, q):
            yield _numbered(ground, clause, q, phrases, numbered)
    yield from quantified(ground, clause, phrases, numbered)


def _counts_nothing(ground: Ground, clause: Clause, q: Quantity) -> bool:
    return (
        ASKS.search(clause.masked[clause.start : q.start]) is not None
        or re.match(r"\s*\w+ at a time\b", clause.masked[q.end :]) is not None
        or _is_size_of_a_group(ground, clause, q)
    )


def _numbered(ground: Ground, clause: Clause, q: Quantity, phrases: list[Said], numbered: list[Quantity]) -> Counted:
    """A count, or the size of the family that one is of."""
    whole = next((o for o in numbered if o.start > q.start and _is_of(clause, q, o)), None)
    part = any(o.start < q.start and _is_of(clause, o, q) for o in numbered)
    if part or (whole is None and _OF.search(clause.masked[clause.start : q.start])):
        return _family_size(ground, clause, q)
    return _number(ground, clause, q, phrases, whole)


def _is_of(clause: Clause, first: Quantity, second: Quantity) -> bool:
    return (
        re.fullmatch(r"\s*(?:of|out of|/)\s*(?:the|our|all|these|those)?\s*", clause.masked[first.end : second.start])
        is not None
    )


def _number(ground: Ground, clause: Clause, q: Quantity, phrases: list[Said], of: Quantity | None) -> Counted:
    tail = clause.masked[q.end : clause.end]
    counted = tail[:60] if re.search(rf"^\s*(?:\w+ ){{0,3}}{NOUN}", tail) else clause.words
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
        known = {
            *sizes_of(ground, clause, tail[:40]),
            *total_sizes(ground, tail[:40]),
            *(tallies.values() if of else ()),
        }
        right = q.value in known
        return Counted(q.start, q.end, q.text, "count", "backed" if right else "contradicted", f"there are {len(pool)}")
    claim = claim_of_many(ground, clause, phrase, tail[: max(0, clause.start + phrase.start - q.end)])
    also = beyond(phrases)
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
