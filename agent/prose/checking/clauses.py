"""The clauses of a sentence, and what each is about: which parts, removed or there, apart or together, in which mode and metric."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from .ground import Scope
from .modes import said_kinds, said_modes
from .names import Mention, Names
from .quantities import Quantity, quantities

NAME, METRIC = "\ue010", "\ue012"
"""Stand in place of every character of a name and of a metric."""


_CUT = re.compile(
    r";|(?<!\d):\s|—|,?\s(?:but|while|whereas|although|though|yet|however|even though|despite|in contrast,?|by contrast,?|on the other hand,?)\s|,\s(?:and|so|which|with|where|whose|since|because|as|nor|or|then|making|leading|suggesting|showing)\s|,\s(?=together|each|alone|jointly|both|it |its |their |they |neither|none)"
    r"|\sand\s(?=(?:it|its|this|that|removing|dropping|ablating|the (?:removal|loss|change|effect|joint|interval|verdict))\b)|\s(?:and|but)\s(?=together\b)|\sbecause\s|\sso that\s|\sand (?:is|are|was|were) "
)


_REMOVES = (
    r"(?:remov(?:e[sd]?|ing|al)|ablat(?:e[sd]?|ing|ions?)|drop(?:s|ped|ping)?|zero(?:es|ed|ing)?(?: out)?|bypass(?:es|ed|ing)?|delet(?:e[sd]?|ing|ion)|disabl(?:e[sd]?|ing)|cut(?:s|ting)?(?: out| away)?"
    r"|tak(?:e|es|ing) (?:out|away)|taken (?:out|away)|turn(?:s|ed|ing)? off|switch(?:es|ed|ing)? off|eliminat(?:e[sd]?|ing|ion)|omit(?:s|ted|ting)?|omission|leav(?:e|es|ing) out|left out|exclud(?:e[sd]?|ing)|lesion(?:s|ed|ing)?"
    r"|knock(?:s|ed|ing)? out|prun(?:e[sd]?|ing)|skip(?:s|ped|ping)?|without|w/o|absence|absent|missing|loss of|losing|lacking|minus|in place of|replac(?:e[sd]?|ing)|gone|off|strip(?:ped|ping)?|less)"
)


_NO_OF = re.compile(
    r"\b(?:removal|ablations?|omission|deletion|elimination|exclusion|absence)\s+(?:the\s+)?[\ue000\"“]?$",
    re.IGNORECASE,
)


_BEFORE = re.compile(
    rf"\b{_REMOVES}\s*(?:of\s+|out\s+|away\s+)?(?:both\s+|either\s+|each of\s+|only\s+|just\s+|all of\s+)?(?:the\s+|a\s+|an\s+|any\s+|its\s+)?(?:[a-z-]+\s+){{0,2}}[\ue000\"“'‘]?\s*$",
    re.IGNORECASE,
)


_AFTER = re.compile(
    rf"^[\ue001\"”'’]?(?:['’]s)?\s*(?:(?:module|layer|component|block|head|term|part|augmentation|regularizer)s?\s+)?(?:\([^)]*\)\s*)?(?:(?:is|are|was|were|being|be|been|gets?|(?:is|are) both|both|together|had been|has been)\s+){{0,2}}(?:{_REMOVES})\b(?!\s+(?:accuracy|performance|the|by|from|to|sharply|\ue012|\d))",
    re.IGNORECASE,
)


_THAT_OF = re.compile(r"\b(?:removals?|ablations?)\b[^.;]{0,40}\b(?:that|those) of\s*(?:the\s+)?$", re.IGNORECASE)


_PRESENT = re.compile(
    r"\b(?:adding|add|includ\w+|keep\w*|retain\w*|with|us(?:e|es|ing)|enabl\w+|presence of|insert\w*|introduc\w+)\s+(?:the\s+|a\s+)?[\ue000\"“]?$",
    re.IGNORECASE,
)


_JOINED = re.compile(
    r"^[\ue001\"”'’)]*(?:\s+(?:module|layer|head|component|block|term))?(?:\s*\([^()]*\))?\s*(?:,\s*(?:and|or|nor|then)?|and|or|nor|&|\+|as well as|together with|along with|but also|plus|with|/)\s*(?:also\s+)?(?:(?:of|both|removing|without|w/o|the|a|removal of|ablating|dropping|from|by|that of)\s+){0,3}[\ue000(\"“'‘]*$",
    re.IGNORECASE,
)


_TOGETHER = re.compile(
    r"\b(?:(?<!taken )together(?!, (?:these|this|the|our|they show))|jointly|joint|both at once|at once|at the same time|simultaneous(?:ly)?|in combination|combined|combination|combining|the pair|pairs?|each other|one another|both (?:are|is|were|was) (?:removed|ablated|gone|cut|dropped|zeroed)|(?:removing|dropping|ablating|cutting|zeroing|without|bypassing) (?:both|the two|all three|all of)|removal of both|both removed|both [\ue000]?\ue010+[\ue001]? and (?:the )?[\ue000]?\ue010+[\ue001]? (?:are |were |is |was )?(?:removed|gone|ablated|cut|zeroed|dropped|off)|without both|as a (?:pair|group)|group|interact\w*|mutual\w*|(?<!in )(?<!by )contrast|hides? (?:each|behind)|additive|beyond the sum|in series|irreducible|compensat\w+|redundan\w+|synerg\w+|interact\w*|triples? of|I\s*=|\ue010 and \ue010 together|in concert)\b|\ue010\s*[\ue001]?\s*\+\s*[\ue000]?\ue010",
    re.IGNORECASE,
)


_APART = re.compile(
    r"\b(?:each(?! other)|alone|separately|(?<!sum of the )(?<!sum of their )(?<!of the two )individual(?:ly)?|on (?:its|their) own|by (?:itself|themselves)|either(?= (?!case|way)\w)|singly|in isolation|respectively|one at a time|neither|apart)\b",
    re.IGNORECASE,
)


_CONTRASTED = re.compile(r"\b(?:in contrast to|unlike|as opposed to|heads (?:of|in))\s+(?:the\s+)?\W?$", re.IGNORECASE)


_PRONOUN = re.compile(
    r"\b(?:it|its|this|that|these|those|they|their|them|both|the two|each|the (?:same|latter|former|component|head|module|layer|removal|pair|part|ablation|change|effect|drop|loss|gain|difference|interval|verdict|interaction|contrast|joint|three)|which|neither|either|doing so|such)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Subject:
    """What something is said of."""

    components: tuple[str, ...]
    removed: bool
    together: bool
    start: int
    end: int


@dataclass(frozen=True)
class Clause:
    """A part of a sentence with one predicate or so; offsets are the sentence's."""

    start: int
    end: int
    text: str
    masked: str
    """Names and metrics replaced by characters of their own; the whole sentence, so that offsets are the same."""
    groups: tuple[tuple[Subject, ...], ...]
    """What it names, those that are listed together in one group."""
    carried: tuple[Subject, ...]
    """What the text before it was about."""
    scope: Scope
    quantities: tuple[Quantity, ...]
    metrics: tuple[Mention, ...] = ()
    """Where metrics are named."""

    @property
    def words(self) -> str:
        """Its own part of the masked sentence."""
        return self.masked[self.start : self.end]


@dataclass
class Carried:
    """What a paragraph was about so far."""

    subjects: tuple[Subject, ...] = ()
    scope: Scope = field(default_factory=Scope)
    before: tuple[Subject, ...] = ()
    """What it was about before that."""
    heading: tuple[str, ...] = ()
    """Modes that the heading above names."""


def clauses(text: str, names: Names, carried: Carried, taken: Sequence[tuple[int, int]] = ()) -> Iterator[Clause]:
    """The clauses of one sentence; what it is about is carried on, for the next."""
    mentions = [one for one in names.components(text) if not _CONTRASTED.search(text[: one.start])]
    metrics = [one for one in names.metrics(text) if not any(one.start < m.end and one.end > m.start for m in mentions)]
    masked = _masked(_masked(text, mentions, NAME), metrics, METRIC)
    numbers = quantities(masked, [*((m.start, m.end) for m in [*mentions, *metrics]), *taken])
    modes = said_modes(text)
    scope = Scope(modes or carried.scope.modes, carried.scope.metrics, said_kinds(text))
    previous = carried.subjects
    if not mentions and len({s.components for s in previous}) == 1 and re.search(r"\bboth\b", text, re.IGNORECASE):
        previous = (*carried.before, *previous)
    if not mentions and not previous:
        previous = tuple(Subject((c,), False, False, 0, 0) for c in names.both(text))
    for start, end in _bounds(masked, numbers):
        inside = [one for one in mentions if start <= one.start < end]
        named = tuple(dict.fromkeys(name for m in metrics if start <= m.start < end for name in m.components))
        here = said_modes(text[start:end])
        kinds = said_kinds(text[start:end]) or said_kinds(text)
        scope = Scope(here or scope.modes, named or scope.metrics, kinds)
        groups = tuple(_groups(text, masked, start, end, inside))
        own = tuple(n for n in numbers if start <= n.start < end)
        ahead = previous or (() if groups else _ahead(text, masked, end, mentions))
        if not groups and masked[end - 1] == ":" and (listed := _ahead(text, masked, end, mentions)):
            ahead = tuple(replace(one, removed=True) for one in listed)
        yield Clause(
            start, end, text[start:end], masked, groups, _together(ahead, masked[start:end]), scope, own,
            tuple(m for m in metrics if start <= m.start < end),
        )  # fmt: skip
        previous = groups[-1] if groups else previous
    everything = tuple(s for group in _groups(text, masked, 0, len(text), mentions) for s in group)
    if everything:
        carried.before, carried.subjects = carried.subjects, everything
    carried.scope = Scope(modes or carried.scope.modes, scope.metrics, ())


def _ahead(text: str, masked: str, start: int, mentions: Sequence[Mention]) -> tuple[Subject, ...]:
    """What is named later in the sentence, where nothing was before."""
    later = [one for one in mentions if one.start >= start]
    return next(iter(_groups(text, masked, start, len(masked), later)), ())


def is_carried(words: str) -> bool:
    """Whether a clause points back to what was said before."""
    return _PRONOUN.search(words) is not None


def on_primary(clause: Clause) -> Clause:
    """The clause read on the primary metric, where its metric was only named before."""
    begins = clause.masked.rfind(";", 0, clause.start) + 1
    said_here = METRIC in clause.masked[begins : clause.end] or not clause.scope.metrics
    return clause if said_here else replace(clause, scope=replace(clause.scope, metrics=()))


def is_apart(words: str) -> bool:
    """Whether a clause speaks of each of several by itself."""
    return _APART.search(words) is not None


def _masked(text: str, mentions: Sequence[Mention], mark: str) -> str:
    for one in mentions:
        text = text[: one.start] + mark * (one.end - one.start) + text[one.end :]
    return text


def _bounds(masked: str, numbers: Sequence[Quantity]) -> Iterator[tuple[int, int]]:
    """Cuts only where something is said on either side: a list of names is no clause."""
    from .lexicon import said

    start = 0
    leading = re.match(r"\s*(?:While|Whereas|Although|Though|Even though)\b", masked) is not None
    inside = [(m.start(), m.end()) for m in re.finditer(r"\([^()]*\)|\[[^\[\]]*\]", masked)]
    cuts: list[re.Match[str]] = [*_CUT.finditer(masked), *(list(re.finditer(r",\s", masked))[:3] if leading else [])]
    for cut in sorted(cuts, key=lambda found: found.start()):
        if cut.start() < start:
            continue
        if any(a <= cut.start() < b for a, b in inside):
            continue
        before, after = masked[start : cut.start()], masked[cut.end() :]
        says = any(True for _ in said(before)) or any(start <= n.start < cut.start() for n in numbers)
        if says and any(c.isalnum() or c == NAME for c in after):
            yield start, cut.start() + 1
            start = cut.start() + 1
    yield start, len(masked)


def _groups(text: str, masked: str, start: int, end: int, mentions: Sequence[Mention]) -> Iterator[tuple[Subject, ...]]:
    group: list[Mention] = []
    for one in mentions:
        if group and not _JOINED.match(masked[group[-1].end : one.start]):
            yield _subjects(text, masked, start, end, group)
            group = []
        group.append(one)
    if group:
        yield _subjects(text, masked, start, end, group)


def _subjects(text: str, masked: str, start: int, end: int, group: Sequence[Mention]) -> tuple[Subject, ...]:
    before, after = masked[max(start, group[0].start - 60) : group[0].start], masked[group[-1].end : end]
    own = [_is_removed(masked[max(start, m.start - 60) : m.start], masked[m.end : end]) for m in group]
    if re.search(
        r"\b(?:when|if|once) (?:it is |they are )?(?:removed|ablated|zeroed|dropped|cut)\b",
        masked[start:end],
        re.IGNORECASE,
    ):
        own = [True for _ in group]
    gone = _AFTER.match(after) is not None or _THAT_OF.search(masked[start : group[0].start]) is not None
    removed = gone or ((own[0] or (len(own) > 1 and any(own))) and not _PRESENT.search(before))
    subjects = tuple(Subject(m.components, removed, len(m.components) > 1, m.start, m.end) for m in group)
    distinct = {c for m in group for c in m.components}
    listed = [m for m in group if len(m.components) > 1 and "+" not in text[m.start : m.end]]
    if listed and not _is_together(masked[start:end]):
        return tuple(Subject((c,), removed, False, m.start, m.end) for m in group for c in m.components)
    at_once = re.match(r"[\ue001\"”]?\s*(?:together|jointly|combined|at once)\b", after) is not None
    if any(len(m.components) > 1 for m in group):
        return subjects
    if len(distinct) > 1 and (at_once or _is_together(masked[start:end])):
        return (Subject(tuple(sorted(distinct)), removed, True, group[0].start, group[-1].end),)
    return subjects


def _is_removed(before: str, after: str) -> bool:
    """Whether the words before a name say that it is taken away, or that it is set to nothing."""
    if re.search(r"\b(?:set(?:ting|s)?|put(?:ting)?)\s+(?:the\s+)?[\ue000\"“]?$", before, re.IGNORECASE) and re.match(
        r"[\ue001\"”]?\s+(?:\w+\s+)?to\s+(?:zero|0|off|none|its mean)\b", after
    ):
        return True
    return _BEFORE.search(before) is not None and _NO_OF.search(before) is None


def _is_together(words: str) -> bool:
    return _TOGETHER.search(words) is not None and (not _APART.search(words) or " each other" in words)


def _together(subjects: tuple[Subject, ...], words: str) -> tuple[Subject, ...]:
    """What was carried on, taken together or apart as the clause says."""
    removes = re.search(
        rf"\b{_REMOVES}\s+(?:of\s+)?(?:it|them|both|this|these|the two|either|all three|each)\b|\b(?:taking|take|cutting|turning|switching|leaving)\s+(?:it|them|this|both)\s+(?:out|away|off)\b|\b(?:its|their)\s+(?:removal|ablation|absence|loss)\b|\b(?:it|they|both|these|either)\s+(?:is|are|was|were)\s+{_REMOVES}\b",
        words,
        re.IGNORECASE,
    )
    if removes:
        subjects = tuple(replace(one, removed=True) for one in subjects)
    distinct = {c for one in subjects for c in one.components}
    if (
        len(distinct) > 1
        and _is_together(words)
        and (len(subjects) == 1 or all(len(s.components) == 1 for s in subjects))
    ):
        return (Subject(tuple(sorted(distinct)), any(one.removed for one in subjects), True, 0, 0),)
    if _APART.search(words):
        return tuple(Subject((c,), one.removed, False, one.start, one.end) for one in subjects for c in one.components)
    return subjects


def two_sides(clause: Clause, start: int, end: int) -> tuple[Subject, Subject] | None:
    """What is compared with what: named before and after, the first carried where it is not named again."""
    flat = [s for group in clause.groups for s in group]
    before, after = [s for s in flat if s.end <= start], [s for s in flat if s.start >= end]
    if before and after:
        return before[-1], after[0]
    if len(after) > 1:
        return (after[1], after[0]) if re.search(r"\bthan\b", clause.masked[start:end]) else (after[0], after[1])
    if after and clause.carried:
        return clause.carried[-1], after[0]
    if len(before) > 1:
        return before[0], before[1]
    return None


def metric_at(clause: Clause, start: int, end: int, *, following: bool) -> Clause:
    """A clause that names several metrics, narrowed to the one that a place in it is about."""
    if len({m.components for m in clause.metrics}) < 2:
        return clause
    after = next((m for m in clause.metrics if m.start >= end), None)
    before = next((m for m in reversed(clause.metrics) if m.end <= start), None)
    reach = (
        r"\s*(?:the\s+)?(?:\w+\s+)?$" if following else r"\s*(?:%\s*)?(?:points?\s+)?(?:(?:of|in|for)\s+(?:the\s+)?)?$"
    )
    near = after is not None and re.match(reach, clause.masked[end : after.start]) is not None
    chosen = after if near or before is None else before
    return clause if chosen is None else replace(clause, scope=replace(clause.scope, metrics=chosen.components))
