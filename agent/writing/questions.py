"""What the results hold on a reviewer's question: the components that it names, what was measured of them, and what was not."""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from ..results import Results

MOST_TOGETHER = 4
"""Components of a question that are asked about together; a longer list is no joint removal."""


@dataclass(frozen=True)
class Found:
    """Places in the results, and what is missing there."""

    named: list[str]
    """Ids of the components that the question names."""
    effects: list[int]
    """Places of their effects on the primary metric in `Results.effects`, controls left out."""
    interactions: list[int]
    """Places of joint removals of two or more of them, nothing else among them."""
    wanted: list[list[str]]
    """What nobody measured: a component alone, or all of them together."""
    unanswered: list[str] = field(default_factory=list[str])
    """What else is asked: the question's sentences that name no component, where others do."""


def found_on(question: str, results: Results, known: Sequence[tuple[str, str]] = ()) -> Found:
    """What there is on a question.

    Args:
        question: a reviewer's words.
        results: of the study.
        known: further components as (id, label), measured or not.
    """
    told = {part: label for one in results.effects for part, label in zip(one.components, one.labels, strict=False)}
    labels = {**dict(known), **told}
    named = _named(question, labels)
    effects = [
        at
        for at, one in enumerate(results.effects)
        if len(one.components) == 1
        and one.components[0] in named
        and one.metric == results.study.primary
        and one.role != "control"
    ]
    joints = [
        at
        for at, one in enumerate(results.interactions)
        if set(one.components) <= set(named) and len(one.components) > 1 and one.metric == results.study.primary
    ]
    measured = {results.effects[at].components[0] for at in effects}
    wanted = [[one] for one in named if one not in measured]
    distinct = _distinct(named, measured)
    together = any(set(results.interactions[at].components) == set(distinct) for at in joints)
    if 1 < len(distinct) <= MOST_TOGETHER and not together:
        wanted.append(distinct)
    asked = [one for one in re.split(r"(?<=[.?!])\s+", question.strip()) if one.endswith("?")]
    unanswered = [one for one in asked if named and not _named(one, labels)]
    return Found(named, effects, joints, wanted, unanswered)


def _distinct(named: Sequence[str], measured: Collection[str]) -> list[str]:
    """Without what another one of them removes already: a setting and the module of its name, a part and its whole.

    What was measured is kept before what was not.
    """
    kept: list[str] = []
    for one in sorted(named, key=lambda part: part not in measured):
        if not any(_is_same(one, other) for other in kept):
            kept.append(one)
    return [one for one in named if one in kept]


def _is_same(one: str, other: str) -> bool:
    (kind, _, path), (other_kind, _, other_path) = one.partition(":"), other.partition(":")
    if "config" in (kind, other_kind):
        return kind != other_kind and _last(one) == _last(other)
    first, second = (re.sub(r"[/\[]", ".", each) + "." for each in (path, other_path))
    return first.startswith(second) or second.startswith(first)


def _named(question: str, labels: dict[str, str]) -> list[str]:
    """Ids in the order in which the question names them: by id, path or label, or by the last part of a path that no other has.

    Longer names are looked for first, and what they take is gone: `attention.0 head 3` names no `attention.0`.
    """
    ends = Counter(_last(component) for component in labels)
    names: dict[str, set[str]] = {}
    for component, label in labels.items():
        short = {_last(component)} if ends[_last(component)] == 1 else set[str]()
        for name in {component, component.partition(":")[2], label, *short}:
            if len(name) > 1:
                names.setdefault(name.lower(), set()).add(component)
    text, places = question.lower(), dict[str, int]()
    for name in sorted(names, key=len, reverse=True):
        for match in re.finditer(rf"(?<![\w.]){re.escape(name)}(?!\w)(?!\.\w)", text):
            for component in names[name]:
                places.setdefault(component, match.start())
        text = re.sub(rf"(?<![\w.]){re.escape(name)}(?!\w)(?!\.\w)", lambda found: " " * len(found[0]), text)
    return sorted(places, key=lambda one: places[one])


def _last(component: str) -> str:
    return component.partition(":")[2].rpartition(".")[2]
