"""Which components and metrics a text names: by id, path, label, a unique last part, `w/o X`, heads by layer and number."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..facts import Facts
from .source import CODE, CODE_ENDS

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
_KIND = r"(?=\s+(?:module|layer|component|block|part|linear|unit|head|branch|path|term|step)\b)"
_GOES_ON = re.compile(
    r"['’]?s?\s*(?:$|[.;:)(\]]|,(?! we\b| the\b| in\b)|(?:and|or|nor|is|are|was|were|matters?|hurts?|costs?|alone|together|removed|when|does|do|did|by|to|with|has|have|had|works?|compensates?|can|could|will|at|on|in|changes?|adds?|leads?|raises?"
    r"|lowers?|reduces?|increases?|improves?|remains?|stays?|contributes?|helps?|not|than|itself|as|but|while|which|for|acts?|interacts?|holds?|no|separately|individually|back|show|shows|came|turned|gives?)\b)"
)
_NOT_BEFORE = re.compile(
    r"\b(?:an?|our|this|that|from|on|at|to|in|these|those|very|its|their|each|every|be|is|are|was|were|too|more|less|most|only|turned|proved|come|comes|came)\s$|(?:^|[^\w,])the\s$"
)
_REMOVAL_BEFORE = re.compile(
    r"(?:remov\w+|without|w/o|ablat\w+|dropping|zeroing|bypass\w+|deleting|disabling|cutting)(?: out)? (?:the )?$"
)
_BRITISH = re.compile(r"(?<=[a-z]{2})is(?=(?:ation|ations|ing|ed|e|es|er|ers)\b)")
_WORD = re.compile(r"(?<![\w.])\w")
_SERIES = re.compile(
    r"\b(?P<noun>[a-z]+?)s (?P<members>(?:\d{1,3}|[a-z])(?:(?:, and |, | and | & )(?:\d{1,3}|[a-z])\b)+)(?: (?:of|in) (?P<of>[a-z][\w.]*\w(?: \d+)?))?"
)
_CLASS = re.compile(r"\s*\([A-Za-z_]\w*\)$")
_HEAD = re.compile(r"head:(?P<path>.*?)/?(?P<number>\d+)")
_NUMBERED = re.compile(r"(?:.*\.)?(?P<noun>[a-z_]+?)s?\.(?P<number>\d+)\.(?P<rest>[a-z_0-9]+)", re.IGNORECASE)


@dataclass(frozen=True)
class Mention:
    """A place in a sentence that names something."""

    start: int
    end: int
    components: tuple[str, ...]
    """One; several where a joint removal is called by its name."""


def normal(text: str) -> str:
    """The same length in small letters, with blanks for what joins words, and American endings."""
    plain = "".join(" " if c in "-_\n\t\xa0‑" else low if len(low := c.lower()) == 1 else c for c in text)
    return _BRITISH.sub("iz", plain)


class Names:
    """Every way to name what a study removed, and what it measured."""

    def __init__(self, facts: Facts) -> None:
        results = facts.results
        self._components = _Lookup(_component_names(facts))
        names: dict[str, set[tuple[str, ...]]] = defaultdict(set)
        for metric in {m for metrics in results.baseline.values() for m in metrics} | {results.study.primary}:
            for name in _metric_names(metric):
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
        return sorted((bare.back(one) for one in [*series, *single]), key=lambda one: one.start)

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
    return (
        name not in _NEVER
        and _NOT_BEFORE.search(plain[:start]) is None
        and _GOES_ON.match(plain[start + len(name) :]) is not None
    )


def _inside(one: Mention, taken: Iterable[tuple[int, int]]) -> bool:
    return any(one.start < end and one.end > start for start, end in taken)


def _component_names(facts: Facts) -> dict[str, tuple[str, ...]]:
    """Name → what it names; a name of several different things names none of them."""
    found: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    short: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for effect in [*facts.results.effects, *facts.results.interactions]:
        if len(effect.components) > 1:
            found[normal(effect.ablation)].add(tuple(effect.components))
        for component, label in zip(effect.components, effect.labels, strict=False):
            for name in _ways(component, label):
                found[name].add((component,))
            last = normal(re.split(r"[./:]", component)[-1])
            short[last].add((component,))
    for name, several in _by_verdict(facts).items():
        found[name].add(several)
    for name, several in _siblings(found).items():
        found[name].add(several)
    whole = {name: one for name, ones in found.items() if len(ones) == 1 and _usable(name) for one in ones}
    parts = {name: one for name, ones in short.items() if len(ones) == 1 and _usable(name) for one in ones}
    return {**parts, **whole}


def _usable(name: str) -> bool:
    return (
        len(name) > 1
        and re.search(r"[^\W\d_]", name) is not None
        and not (len(name) < 3 and name.isalpha() and name in "a an as at be by do if in is it no of on or so to up we")
    )


def _ways(component: str, label: str) -> set[str]:
    path = component.partition(":")[2] or component
    ways = {component, path, label, _CLASS.sub("", label)}
    if head := _HEAD.fullmatch(component):
        ways |= _ways_of_a_head(head["path"], head["number"])
    elif numbered := _NUMBERED.fullmatch(path):
        noun, number, rest = numbered["noun"], numbered["number"], numbered["rest"]
        ways |= {f"{rest} {of} {noun}{s} {number}" for of in ("of", "in") for s in ("", "s")}
        ways |= {
            f"{noun} {number} {rest}",
            f"{noun} {number}'s {rest}",
            f"{noun} {number}’s {rest}",
            f"{rest} {number}",
        }
    elif plain := re.fullmatch(r"(?:.*\.)?([a-z_]+?)s?\.(\d+)", path, re.IGNORECASE):
        ways |= {f"{plain[1]} {plain[2]}", f"{plain[1]} layer {plain[2]}"}
    ways |= {
        re.sub(r"norm\b", word, way)
        for way in ways
        for word in ("normalization", "normalisation")
        if re.search(r"[ _-]norm\b", way)
    }
    return {normal(way) for way in ways if way}


def _ways_of_a_head(path: str, number: str) -> set[str]:
    ways = {f"head {number} {of} {path}" for of in ("of", "in", "at") if path} | {
        f"{path} head {number}",
        f"{path}/{number}",
    }
    layer = re.search(r"\d+", path)
    if layer is None:
        return ways
    at = layer[0]
    ways |= {
        f"head {number} {of} {noun} {at}"
        for of in ("of", "in")
        for noun in ("layer", "block", "attention layer", "attention")
    }
    return ways | {
        f"head {at}.{number}",
        f"l{at}h{number}",
        f"head l{at}h{number}",
        f"layer {at} head {number}",
        f"layer {at}, head {number}",
        f"attention {at} head {number}",
        f"{at}.{number}",
    }


def _metric_names(metric: str) -> set[str]:
    dataset, _, name = metric.rpartition("/")
    names = {metric, name, name.replace("val_", "validation "), name.replace("_", "")}
    if dataset:
        names |= {f"{name} on {dataset}", f"{dataset} {name}", f"{name} on the {dataset}"}
    return {normal(one) for one in names if one}


_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")


def _siblings(found: dict[str, set[tuple[str, ...]]]) -> dict[str, tuple[str, ...]]:
    """`attention layers` for all of `attention.0`, `attention.1`; `second attention layer` for one; heads of it."""
    families: dict[str, dict[int, tuple[str, ...]]] = defaultdict(dict)
    for ones in list(found.values()):
        for component, *others in ones:
            numbered = re.fullmatch(r"module:(?:.*\.)?([a-z_]+?)s?\.(\d+)", component)
            if numbered and not others:
                families[normal(numbered[1])][int(numbered[2])] = (component,)
    names: dict[str, tuple[str, ...]] = {}
    for noun, members in families.items():
        called = [f"{noun} layer", f"{noun} block", f"{noun} module"] if noun not in ("layer", "block") else [noun]
        if len(members) > 1:
            everything = tuple(sorted(component for (component,) in members.values()))
            names |= {f"{one}s": everything for one in called}
        for at, component in members.items():
            if at < len(_ORDINALS):
                names |= {f"{_ORDINALS[at]} {one}": component for one in called}
                heads = {
                    name: ones
                    for name, ones in found.items()
                    if re.fullmatch(rf"head \d+ of {noun}\.{at}", name)
                    for ones in ones
                }
                names |= {
                    f"{name.partition(' of ')[0]} of the {_ORDINALS[at]} {one}": ones
                    for name, ones in heads.items()
                    for one in called
                }
    return names


def _by_verdict(facts: Facts) -> dict[str, tuple[str, ...]]:
    """`negligible heads`, where exactly those were removed together."""
    joints = {tuple(sorted(joint.components)) for joint in facts.results.interactions}
    names: dict[str, tuple[str, ...]] = {}
    for mode in {effect.mode for effect in facts.results.effects}:
        family = [
            e
            for e in facts.results.effects
            if e.mode == mode and e.role == "confirmatory" and e.metric == facts.results.study.primary
        ]
        several = tuple(
            sorted({e.components[0] for e in family if e.verdict == "negligible" and len(e.components) == 1})
        )
        if len(several) > 1 and several in joints:
            nouns = ["components", "parts", *(["heads"] if all(one.startswith("head:") for one in several) else [])]
            names |= {f"{word} {noun}": several for word in ("negligible", "unimportant") for noun in nouns}
    return names
