"""What the results hold on a reviewer's question: the components that it names, what was measured of them, and what was not."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

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


def found_on(question: str, results: Results, known: Sequence[tuple[str, str]] = ()) -> Found:
    """What there is on a question.

    Args:
        question: a reviewer's words.
        results: of the study.
        known: further components as (id, label), measured or not.
    """
    told = {part: label for one in results.effects for part, label in zip(one.components, one.labels, strict=False)}
    named = _named(question, {**dict(known), **told})
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
    together = any(set(results.interactions[at].components) == set(named) for at in joints)
    if 1 < len(named) <= MOST_TOGETHER and not together:
        wanted.append(list(named))
    return Found(named, effects, joints, wanted)


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
