"""All the ways in which a component or a metric may be called."""

import re
from collections import defaultdict

from ...report import selection
from ..facts import Facts

_BRITISH = re.compile(r"(?<=[a-z]{2})is(?=(?:ation|ations|ing|ed|e|es|er|ers)\b)")


_CLASS = re.compile(r"\s*\([A-Za-z_]\w*\)$")


_HEAD = re.compile(r"head:(?P<path>.*?)/?(?P<number>\d+)")


_NUMBERED = re.compile(r"(?:.*\.)?(?P<noun>[a-z_]+?)s?\.(?P<number>\d+)\.(?P<rest>[a-z_0-9]+)", re.IGNORECASE)


def normal(text: str) -> str:
    """The same length in small letters, with blanks for what joins words, and American endings."""
    plain = "".join(" " if c in "-_\n\t\xa0‑" else low if len(low := c.lower()) == 1 else c for c in text)
    return _BRITISH.sub("iz", plain)


def component_names(facts: Facts) -> dict[str, tuple[str, ...]]:
    """Name → what it names; a name of several different things names none of them."""
    found: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    short: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for effect in [*facts.results.effects, *facts.results.interactions]:
        if len(effect.components) > 1:
            for name in (effect.ablation, selection.name(effect)):
                found[normal(name)].add(tuple(effect.components))
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


def metric_names(metric: str) -> set[str]:
    """All the ways to call a metric."""
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
