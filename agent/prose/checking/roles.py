"""What a number measures, by the words around it: a change, a level, an end of an interval, a p-value, a count."""

import re
from collections.abc import Sequence

from .clauses import Clause
from .quantities import Quantity
from .values import Role

_BEFORE: tuple[tuple[Role, str], ...] = (
    ("p", r"(?:(?<![A-Za-z])[pP](?:[- ]?values?)?(?:\s*\([^)]*\))?(?:\s(?:for|of) (?:the )?[\ue000\ue001\ue010 ]+)?(?:[_ ]?(?:adj\w*|equivalence|eq|Holm))?)(?:\s(?:of|for|in) [^.;\d]{0,90}?(?=\s(?:is|was|are|were)\s))?\s*(?:=|<|>|≤|≥|≈|of|is|was|are|were|below|above|under|at|:|\s)*$|significance level of\s*$"),
    ("count", r"(?<![A-Za-z])[nN]\s*=\s*$"),
    ("alpha", r"(?:α|\balpha|significance level(?: of)?)\s*(?:=|of|is|at|:)?\s*$"),
    ("smallest", r"(?:δ|\bdelta|smallest effects?(?: size)?(?: of interest)?(?:\s*\(?δ\)?)?|equivalence (?:bound|margin))\s*(?:=|of|is|was|:|at|\()\s*(?:±\s*)?$|(?:within|band of|band)\s*(?:±\s?)?$|\b(?:lies?|falls?|stays?) (?:entirely |well |wholly )?(?:below|above|within|beyond)\s*[±−-]?$|\b(?:threshold|margin|cut-?off|equivalence \w+)\s*(?:=|of|is|was|:|at|\()\s*(?:±\s*)?$|\b(?:effects?|changes?|differences?) (?:smaller than|larger than|below|above|less than|greater than)\s*(?:±\s*)?$"),
    ("sd", r"(?:σ|\bSD|\bs\.d\.|standard deviations?|\bstd|noise|spread)(?:\s+of one \w+|\s+of [^.;\d]{0,50}(?=\bis\b|\bwas\b))?\s*(?:\(σ\))?\s*(?:=|of|is|was|:|\()?\s*$"),
    ("mde", r"(?:minimum detectable effect|\bMDE|detectable effect)(?:[\w ,()%]{0,30})?\s*(?:=|of|is|was|:)\s*$"),
    ("multiple", r"(?:in units of δ|\bΔ/δ|δ/σ)\s*(?:=|of|is|:)?\s*$"),
    ("other", r"(?:ρ|correlat\w+)\s*(?:=|of|is|:|was|\()?\s*$"),
)  # fmt: skip


COUNTED = re.compile(
    r"^\s*(?:(?:of|out of)\s+(?:the |all |our )?[\w,]+\s+(?:\w+ )?(?:seeds|runs|trials|predictions|directions|pairs|examples|models|claims|checks)|(?:trials? )?(?:finished|failed|crashed|timed out|ran\b|succeeded|completed|skipped|diverged|were (?:not )?(?:skipped|right|run|planned)|this study allows|of (?:these|them|which)|planned|ok\b|did not finish))",
    re.IGNORECASE,
)


_LEVEL_AFTER = re.compile(
    r"^\s*(?:(?:\w+-wise|adjusted|bootstrap|paired|corrected) )?(?:simultaneous|confidence|CI\b|C\.I\.|intervals?|credible|two-sided|power)",
    re.IGNORECASE,
)


_CHANGE = re.compile(
    r"(?:\b(?:contrast|effect|cost|joint loss|observed loss) (?:of|for|between) [^.;\d]{0,90}?(?=\s(?:is|was)\s)|\bby|\bcost(?:s|ing)?|\blos(?:e|es|ing|t|s of|ses of)|\bloss|\bdrops?(?: of)?|\bgains?(?: of)?|Δ\w*\)?|\bdelta|\bchange(?:s)?(?: of)?|\bdifference(?: of)?|\beffects?(?: of)?|\bincreases?(?: of)?|\bdecreases?(?: of)?|\bimprovement(?: of)?|\bdegradation(?: of)?"
    r"|\breduction(?: of)?|\bdeficit(?: of)?|\bpenalty(?: of)?|\bfalls?(?: of)?|\brise(?: of)?|\bcontrast(?: of)?|\bobserved(?: loss)?(?: of)?|\badditive|\bsum of singles|\bpredict(?:ed|ion)(?: of)?|\bexpect(?:ed|ation)(?: of)?|\bsum|(?<![A-Za-z])I(?:\([^)]*\))?\s*=|\bexcess|\bsingles|\bsingle losses|\bchanges \S+|\bworth|\bestimated?(?: at| as)?|\bamounts? to|\btotals?|\bmoves?(?: it)?)"
    r"(?:\s*(?:of|at|is|was|are|=|:|about|only|just|roughly|around|approximately|nearly|almost|over|under|an?|some|estimated|at|more than|less than|at least|at most|as much as|up to|an additional|another|merely|the|loss|beyond|in|\ue012+|\())*\s*$",
    re.IGNORECASE,
)


_LEVEL = re.compile(
    r"(?:\bfrom|\bto|\breach(?:es|ed)?|\bat|\bmean(?: of)?|\bscores?|\bachieves?|\battains?|\bof|\bis|\bwas|\bremains|\bstays|\bdown to|→|\ue012\s*(?:=|:|\()?|\bhas|\bgets)(?:\s*(?:a|an|about|only|just|the|roughly|\ue012+|of))*\s*$",
    re.IGNORECASE,
)


_DEFINITE = re.compile(r"\b(?:the|these|those|its|their|all|both)\s+$", re.IGNORECASE)


_AGAINST = re.compile(
    r"(?:instead of|rather than|as against|against|vs\.?|versus|compared (?:to|with)|(?:close|near|similar|equal) to)\s*(?:the\s+)?$",
    re.IGNORECASE,
)


_FRACTION = re.compile(
    r"\b(?:recover|restor|regain|giv\w+ back|gave back|given back|retain|keep|kept|preserv)\w*", re.IGNORECASE
)


_THINGS = re.compile(
    r"^\s*(?:\w+ ){0,2}?(?:components?|heads?|layers?|blocks?|removals?|parts?|modules?|ablations?|arms?|effects?|verdicts?|joint removals?|groups?|interactions?|of (?:(?:the|our|all|these|those) )?(?:(?:\d+|\w+) )?(?:\w+ )?(?:components?|heads?|layers?|blocks?|removals?|parts?|modules?|ablations?|arms?)\b|of them\b|(?:are|is|were|was|matters?|hurts?|helps?|remain\w*|stay\w*|came out|turned out)\b(?! \d))",
    re.IGNORECASE,
)


_THE = re.compile(r"\b(?:the|these|those)\s+$", re.IGNORECASE)
_VERB = re.compile(r"\s+(?:are|were|have|do|did|can|will)\b")


def is_count_of_things(clause: Clause, q: Quantity) -> bool:
    """Whether it counts components, removals or verdicts."""
    rest = clause.masked[q.end :]
    if COUNTED.match(rest) or (q.spelled and _THE.search(clause.masked[: q.start]) and _VERB.match(rest)):
        return False
    return q.unit in ("", "things") and q.decimals == 0 and q.sign == "" and _THINGS.match(rest) is not None


def is_pronoun(clause: Clause, q: Quantity) -> bool:
    """`The two`, and the like: no number of anything."""
    if q.spelled and q.unit == "" and _DEFINITE.search(clause.masked[: q.start]):
        return True
    return (
        q.spelled
        and q.unit == ""
        and q.value <= 12
        and not _CHANGE.search(clause.masked[max(0, q.start - 60) : q.start])
        and not COUNTED.match(clause.masked[q.end :])
    )


def other_end(clause: Clause, numbers: Sequence[Quantity], at: int) -> Quantity | None:
    """The other end, where a number is one of an interval."""
    for first, second in ((at, at + 1), (at - 1, at)):
        if first < 0 or second >= len(numbers):
            continue
        low, high = numbers[first], numbers[second]
        between, before = clause.masked[low.end : high.start], clause.masked[: low.start]
        if any(one.unit == "percent" and _LEVEL_AFTER.match(clause.masked[one.end :]) for one in (low, high)):
            continue
        if re.fullmatch(r"\s*(?:,|;|to|and|–|:|\.\.)\s*", between) and re.search(
            r"\[\s*$|\(\s*$|(?:interval|CI|C\.I\.|range[sd]?)[^.;\d]{0,24}$|\bbetween\s*$", before
        ):
            return high if at == first else low
    return None


def role_of(clause: Clause, q: Quantity, other: Quantity | None) -> Role | None:
    """What a number measures; None: the words do not say.

    The words right before it come first, then numbers that it is listed with, then its unit, then the verb.
    """
    if other is not None:
        return "end"
    return _by_words(clause, q) or _by_neighbours(clause, q) or _by_unit(clause, q) or _by_verb(clause, q)


def _by_words(clause: Clause, q: Quantity) -> Role | None:
    before, rest = clause.masked[max(0, q.start - 70) : q.start], clause.masked[q.end :]
    if q.sign == "±":
        return (
            "smallest"
            if re.search(r"(?:within|band(?: of)?|(?:margin|threshold|bounds?|cut-?off)(?: of)?)\s*$", before)
            else "half"
        )
    if q.unit == "percent" and _LEVEL_AFTER.match(rest):
        return "confidence"
    named: Role | None = next((role for role, pattern in _BEFORE if re.search(pattern, before)), None)
    if named is None and _CHANCE.search(before):
        return "floor"
    if named is None and q.unit == "" and q.decimals == 0 and _NUMBER_OF.search(before):
        return "count"
    return named


def _by_neighbours(clause: Clause, q: Quantity) -> Role | None:
    previous = [p for p in clause.quantities if p.end <= q.start]
    if not previous or q.unit in ("seeds", "trials"):
        return None
    if _AGAINST.search(clause.masked[: q.start]):
        return role_of(clause, previous[-1], None)
    if re.fullmatch(r"\s*,?\s*(?:and|or|,)?\s*", clause.masked[previous[-1].end : q.start]):
        inherited = role_of(clause, previous[-1], None)
        return inherited if inherited in ("alpha", "count") else None
    return None


def _by_unit(clause: Clause, q: Quantity) -> Role | None:
    rest = clause.masked[q.end :]
    if q.unit in ("seeds", "trials") or COUNTED.match(rest):
        return "count"
    if q.unit in ("delta", "sigma"):
        return "multiple"
    delta = q.sign != "" or re.search(r"Δ[^.;]{0,24}$|\ue012 (?:of )?$", clause.masked[: q.start])
    back = _FRACTION.search(clause.masked[: q.start]) and q.unit in ("percent", "") and not delta
    return "fraction" if back or (q.unit == "percent" and re.match(r"\s*of\b", rest)) else None


def _by_verb(clause: Clause, q: Quantity) -> Role | None:
    before = clause.masked[max(0, q.start - 70) : q.start]
    if _CHANGE.search(before) or q.unit == "points" or _CHANGE_AFTER.match(clause.masked[q.end :]):
        return "change"
    return "level" if _LEVEL.search(before) else None


_CHANCE = re.compile(r"\bchance(?: level| accuracy| performance)?(?: of| at| \(| is)?\s*$")
_NUMBER_OF = re.compile(r"\b(?:maximum|limit|cap|budget)(?: of| is| at)?\s*$|\b(?:measured|cleared|tested|planned)\s*$")
_CHANGE_AFTER = re.compile(
    r"\s*(?:\ue012+\s+)?(?:loss|drop|decrease|increase|gain|reduction|improvement|change|degradation|worse|better|lower|higher|more|less|short|behind|down from|up from|off|below (?:the )?baseline|above (?:the )?baseline)\b"
)
