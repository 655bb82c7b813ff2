"""Names of a figure's rows, short enough for it and told apart: two rows never carry the same label for two names."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from os.path import commonprefix

from .text import clipped

_CLASS = re.compile(r"(?P<path>.*\S) \([^\W\d]\w*\)")
"""A module's path with the name of its class."""
_BEFORE = 8
"""Characters kept in front of where two names part."""

Names = dict[str, str]


def without_classes(names: Iterable[str]) -> Names:
    """Name → the same without the class in brackets behind it, where what is left names nothing else."""
    every = list(dict.fromkeys(names))
    bare = {name: match["path"] if (match := _CLASS.fullmatch(name)) else name for name in every}
    of: defaultdict[str, list[str]] = defaultdict(list)
    for name in every:
        of[bare[name]].append(name)
    return {name: bare[name] if len(of[bare[name]]) == 1 else name for name in every}


def told_apart(texts: Sequence[str], cuts: Sequence[Callable[[int], str]], length: int) -> list[str]:
    """Labels of at most `length` characters, the same for two rows only where their texts are the same.

    Args:
        texts: the whole label of every row.
        cuts: likewise cut to a number of characters, as reads best.
        length: the most characters.
    """
    labels = [cut(length) for cut in cuts]
    for alike in _alike(texts, labels):
        start = len(commonprefix([texts[at] for at in alike]))
        for at in alike:
            labels[at] = _around(texts[at], start, length)
    for alike in _alike(texts, labels):
        numbers = dict(zip(dict.fromkeys(texts[at] for at in alike), count(1), strict=False))
        for at in alike:
            mark = f" ({numbers[texts[at]]})"
            labels[at] = clipped(labels[at], length - len(mark)) + mark
    return labels


def _alike(texts: Sequence[str], labels: Sequence[str]) -> list[list[int]]:
    """Places of rows with one label for several texts."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    for at, label in enumerate(labels):
        places[label].append(at)
    return [found for found in places.values() if len({texts[at] for at in found}) > 1]


def _around(text: str, start: int, length: int) -> str:
    """What stands around a place, cut at both ends."""
    begin = max(0, min(start - _BEFORE, len(text) - length + 1))
    return ("…" if begin else "") + clipped(text[begin:], length - (1 if begin else 0))
