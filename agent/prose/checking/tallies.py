"""Counts of seeds, examples and trials, and what they took in time and memory."""

import re
from collections.abc import Sequence

from .clauses import Clause, Subject
from .ground import Ground
from .held import Held
from .quantities import Quantity
from .roles import COUNTED
from .values import Value, counted_as

_FAILURES = ("accounting failed", "failed")
_FAILED = re.compile(
    r"\s*(?:\w+ )?(?:trials?|runs?|jobs?|evaluations?|of (?:them|these|which))?\s*(?:have |has |had |that )?(?:\w+ly )?"
    r"(?:fail(?:ed|ures?)|crash\w*|timed out|diverged|did not finish|were killed)\b",
    re.IGNORECASE,
)
"""What a count of trials that did not finish is followed by."""


def tally(
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
    called = q.unit_text or _called(clause, q) or (noun[0] if (noun := COUNTED.match(clause.masked[q.end :])) else "")
    typed = re.search(r"seed|run|example|^$", called) is not None and not called.startswith("most")
    known = own if own and typed and not every else [*own, *(v for v in general if v.role == "count")]
    before = clause.masked[max(clause.start, q.start - 20) : q.start]
    known = [v for v in known if counted_as(v.attribute, called, clause.words, before)]
    part_of = re.search(r"\bof (?:its |the |all |our )?$", before) is not None
    failed = not part_of and _FAILED.match(clause.masked[q.end :]) is not None
    known = [v for v in known if (v.attribute in _FAILURES if failed else v.attribute != "accounting failed")]
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
    if re.search(r"\b(?:maximum|limit|cap|budget)\b", before) or re.match(
        r"\s*this study allows", clause.masked[q.end :]
    ):
        return "most seeds"
    return (
        "pairs"
        if re.search(r"\bpairs\b", clause.masked) and re.search(r"\b(?:measured|cleared|tested)\s*$", before)
        else ""
    )


_SECONDS = {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}


def resources(ground: Ground, clause: Clause, q: Quantity) -> Held:
    """Time and memory, as the study took them; `1 h 27 min` is one of them."""
    compute = {
        k: float(v)
        for k, v in ground.results.compute.items()
        if isinstance(v, int | float) and ("second" in k or "bytes" in k)
    }
    known = [v for k, v in compute.items() if ("second" in k) == (q.unit == "time")]
    known += [one.seconds for one in ground.results.settling.values() if q.unit == "time" and one.seconds is not None]
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
