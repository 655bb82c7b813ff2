"""Which components and metrics a text names: by id, path, label, a unique last part, `w/o X`, heads by layer and number."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..facts import Facts
from .source import CODE, CODE_ENDS
from .ways import component_names, metric_names, normal

_ORDINARY = frozenset(
    "first second third last left right main other both all loss data model base head heads layer block blocks none one two "
    "mean zero training test seed seeds study result results effect baseline faint weak strong full part parts mode metric "
    "harmful helpful quiet mute rate size steps lr optimizer".split()
)
"""Words that name a component only where they are set as code, or where a noun of its kind follows."""


_NEVER = frozenset(
    "mean zero training test seed seeds study result results effect baseline rate size steps lr mode metric all none other both last data loss".split()
)
"""Of these, words that are no name but where they are marked."""


_NOUNS = frozenset(("block", "layer", "head"))
"""Of these, such as are called by their noun: `the block`."""


_KIND = r"(?=\s+(?:module|layer|component|block|part|linear|unit|head|branch|path|term|step)\b)"


_GOES_ON = re.compile(
    r"['’]?s?\s*(?:$|[.;:)(\]]|,(?! we\b| the\b| in\b)|(?:and|or|nor|is|are|was|were|matters?|hurts?|costs?|alone|together|removed|when|does|do|did|by|to|with|has|have|had|works?|compensates?|can|could|will|at|on|in|changes?|adds?|leads?|raises?"
    r"|lowers?|reduces?|increases?|improves?|remains?|stays?|contributes?|helps?|not|than|itself|as|but|while|which|for|acts?|interacts?|holds?|no|because|separately|individually|backs?|show|shows|came|turned|gives?|forms?|each|individually|behaves?|takes?|makes?|causes?|drops?|rises?)\b)"
)


_NOT_BEFORE = re.compile(
    r"\b(?:an?|our|this|that|from|on|at|to|in|these|those|very|its|their|each|every|be|is|are|was|were|too|more|less|most|only|turned|proved|come|comes|came)\s$|(?:^|[^\w,])the\s$"
)


_REMOVAL_BEFORE = re.compile(
    r"(?:remov\w+|without|w/o|ablat\w+|dropping|zeroing|bypass\w+|deleting|disabling|cutting)(?: out)? (?:the )?$"
)


_WORD = re.compile(r"(?<![\w.])\w")


_SERIES = re.compile(
    r"\b(?P<noun>[a-z]+?)s (?P<members>(?:\d{1,3}|[a-z])(?:(?:, and |, | and | & )(?:\d{1,3}|[a-z])\b)+)(?: (?:of|in) (?P<of>[a-z][\w.]*\w(?: \d+)?))?"
)


_BOTH = re.compile(
    r"\b(?:both|either|neither|the two|each)(?: of the)? (?:\w+ )??(?P<noun>[a-z]{3,}?)s?\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Mention:
    """A place in a sentence that names something."""

    start: int
    end: int
    components: tuple[str, ...]
    """One; several where a joint removal is called by its name."""


class Names:
    """Every way to name what a study removed, and what it measured."""

    def __init__(self, facts: Facts) -> None:
        results = facts.results
        self._components = _Lookup(component_names(facts))
        names: dict[str, set[tuple[str, ...]]] = defaultdict(set)
        for metric in {m for metrics in results.baseline.values() for m in metrics} | {results.study.primary}:
            for name in metric_names(metric):
                names[name].add((metric,))
        self._metrics = _Lookup(
            {name: tuple(sorted(m for (m,) in found)) for name, found in names.items()}, ordinary=True
        )

    def components(self, text: str) -> list[Mention]:
        """All that are named in a sentence, from left to right."""
        bare = _Bare(text)
        plain = normal(bare.text)
        series = [mention for found in _SERIES.finditer(plain) for mention in self._series(found)]
        taken = [(one.start, one.end) for one in series]
        single = [one for one in self._components.find(plain, bare.marked) if not _inside(one, taken)]
        found = sorted((bare.back(one) for one in [*series, *single]), key=lambda one: one.start)
        return list(_added(text, found))

    def both(self, text: str) -> tuple[str, ...]:
        """`Both heads`, `either head`, `the two heads`, where there are just two that are called so."""
        found = _BOTH.search(text)
        if found is None:
            return ()
        noun = found["noun"].lower()
        called = {c for name, one in self._components.names.items() if name.startswith(f"{noun} ") for c in one}
        return tuple(sorted(called)) if len(called) == 2 else ()

    def metrics(self, text: str) -> list[Mention]:
        """All metrics that are named; one of several data sets by all of their names."""
        bare = _Bare(text)
        return [bare.back(one) for one in self._metrics.find(normal(bare.text), bare.marked)]

    def _series(self, found: re.Match[str]) -> Iterator[Mention]:
        members = [(one.start(), one[0]) for one in re.finditer(r"\d+|\b[a-z]\b(?<!\ba\b(?= nd))", found["members"])]
        whose = f" of {found['of']}" if found["of"] else ""
        known = [self._components.names.get(f"{found['noun']} {name}{whose}") for _, name in members]
        if whose and None in known:
            known = [self._components.names.get(f"{found['noun']} {name}") for _, name in members]
        if None in known:
            return
        for at, ((start, name), components) in enumerate(zip(members, known, strict=True)):
            begin = found.start() if at == 0 else found.start("members") + start
            end = found.end() if at == len(members) - 1 else found.start("members") + start + len(name)
            yield Mention(begin, end, components or ())


class _Bare:
    """A sentence without the marks of code, and the way back."""

    def __init__(self, text: str) -> None:
        self._at = [at for at, c in enumerate(text) if c not in (CODE, CODE_ENDS)]
        self.text = "".join(text[at] for at in self._at)
        quotes = (CODE, '"', "“", "'", "‘")
        self.marked = frozenset(n for n, at in enumerate(self._at) if at and text[at - 1] in quotes)
        """Where something begins that is set as code, or quoted."""

    def back(self, one: Mention) -> Mention:
        """The same mention in the sentence as it was."""
        return Mention(self._at[one.start], self._at[one.end - 1] + 1, one.components)


class _Lookup:
    """Finds the longest of many names at every word."""

    def __init__(self, names: dict[str, tuple[str, ...]], *, ordinary: bool = False) -> None:
        self.names, self._ordinary = names, ordinary
        self._by_first: dict[str, list[str]] = defaultdict(list)
        for name in sorted(names, key=len, reverse=True):
            self._by_first[_first(name)].append(name)

    def find(self, plain: str, marked: frozenset[int]) -> Iterator[Mention]:
        end = 0
        for word in _WORD.finditer(plain):
            if word.start() < end:
                continue
            for name in self._by_first.get(_first(plain[word.start() : word.start() + 80]), ()):
                stop = word.start() + len(name)
                if (
                    plain.startswith(name, word.start())
                    and _ends(plain, stop)
                    and (self._ordinary or _meant(name, plain, marked, word.start()))
                ):
                    end = stop
                    yield Mention(word.start(), stop, self.names[name])
                    break


def _added(text: str, found: list[Mention]) -> Iterator[Mention]:
    """`A + B` names their joint removal."""
    joint: Mention | None = None
    for one in found:
        if joint is not None and _PLUS.fullmatch(text[joint.end : one.start]):
            components = tuple(dict.fromkeys((*joint.components, *one.components)))
            joint = Mention(joint.start, one.end, components)
            continue
        if joint is not None:
            yield joint
        joint = one
    if joint is not None:
        yield joint


_PLUS = re.compile(rf"[{CODE_ENDS}]?\s*(?:\([^()]*\)\s*)?\+\s*[{CODE}]?")


def _first(name: str) -> str:
    found = re.match(r"\w+", name)
    return found[0].rstrip("s") if found else name[:1]


def _ends(plain: str, stop: int) -> bool:
    return re.match(r"(?:['’]?s)?(?![\w/])(?!:\w)(?!\.\w)", plain[stop:]) is not None


def _meant(name: str, plain: str, marked: frozenset[int], start: int) -> bool:
    """An ordinary word is a name where it is marked as one."""
    if name not in _ORDINARY:
        return True
    if start in marked or re.match(_KIND, plain[start + len(name) :]) or _REMOVAL_BEFORE.search(plain[:start]):
        return True
    if name in _NOUNS and plain[:start].endswith("the ") and _GOES_ON.match(plain[start + len(name) :]):
        return True
    return (
        name not in _NEVER
        and _NOT_BEFORE.search(plain[:start]) is None
        and _GOES_ON.match(plain[start + len(name) :]) is not None
    )


def _inside(one: Mention, taken: Iterable[tuple[int, int]]) -> bool:
    return any(one.start < end and one.end > start for start, end in taken)
