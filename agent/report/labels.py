"""Names of a figure's rows, short enough for it and told apart: two rows never carry the same label for two names."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING, TypeVar

from .text import clipped, plain, prepared

if TYPE_CHECKING:
    from ..records.classes import ConfusionShift
    from ..results import Effect, Interaction, Results

_CLASS = re.compile(r"(?P<path>.*\S) \([^\W\d]\w*\)")
"""A module's path with the name of its class."""
_BEFORE = 8
"""Characters kept in front of where two names part."""
_R = TypeVar("_R", "Effect", "Interaction", "ConfusionShift")


def drawn(results: "Results") -> "Results":
    """Results as figures show them: texts made plain, modules named without their class where that leaves one name for one."""
    told = prepared(results, plain)
    removals = (told.effects, told.interactions, told.confusions)
    short = without_classes(label for found in removals for each in found for label in each.labels)
    return told.model_copy(
        update={
            "effects": [_renamed(each, short) for each in told.effects],
            "interactions": [_renamed(each, short) for each in told.interactions],
            "confusions": [_renamed(each, short) for each in told.confusions],
        }
    )


def without_classes(names: Iterable[str]) -> dict[str, str]:
    """Name → the same without the class in brackets behind it, where what is left names nothing else."""
    every = list(dict.fromkeys(names))
    bare = {name: match["path"] if (match := _CLASS.fullmatch(name)) else name for name in every}
    of: defaultdict[str, list[str]] = defaultdict(list)
    for name in every:
        of[bare[name]].append(name)
    return {name: bare[name] if len(of[bare[name]]) == 1 else name for name in every}


def how_removed(effect: "Effect") -> str:
    """What tells a removal outside the sealed family from the same component's there."""
    outside = len(effect.components) == 1 and effect.role != "confirmatory"
    return f" · {effect.intervention_kind} · {effect.role}" if outside else ""


def told_apart(texts: Sequence[str], labels: Sequence[str], length: int) -> list[str]:
    """Labels that are the same for two rows only where their texts are the same.

    Args:
        texts: of every row, whole.
        labels: likewise, cut as reads best; those that came out alike are cut around the place where their texts part.
        length: the most characters of a label.
    """
    labels = [*labels]
    for alike in _alike(texts, labels):
        start = _shared([texts[at] for at in alike])
        for at in alike:
            labels[at] = _around(texts[at], start, length)
    for alike in _alike(texts, labels):
        numbers = dict(zip(dict.fromkeys(texts[at] for at in alike), count(1), strict=False))
        for at in alike:
            mark = f" ({numbers[texts[at]]})"
            labels[at] = clipped(labels[at], length - len(mark)) + mark
    return labels


def _renamed(found: _R, names: Mapping[str, str]) -> _R:
    return found.model_copy(update={"labels": [names[label] for label in found.labels]})


def _alike(texts: Sequence[str], labels: Sequence[str]) -> list[list[int]]:
    """Places of rows with one label for several texts."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    for at, label in enumerate(labels):
        places[label].append(at)
    return [found for found in places.values() if len({texts[at] for at in found}) > 1]


def _shared(texts: Sequence[str]) -> int:
    """How many characters all begin with."""
    columns = zip(*texts, strict=False)
    return next((at for at, letters in enumerate(columns) if len({*letters}) > 1), min(map(len, texts)))


def _around(text: str, start: int, length: int) -> str:
    """What stands around a place, cut at both ends."""
    begin = max(0, min(start - _BEFORE, len(text) - length + 1))
    return ("…" if begin else "") + clipped(text[begin:], length - (1 if begin else 0))
