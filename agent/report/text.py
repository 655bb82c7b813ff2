"""Makes the texts inside results fit for where they are printed: labels come from any code, or from a model."""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from ..results import Results

Escape = Callable[[str], str]

_MARKDOWN = re.compile(r"[\\`*{}\[\]<>|~#$&]|(?<![^\W_])_|_(?![^\W_])")
_NAMED_BY_THE_USER = ("setting", "baseline_setting", "own", "values")
"""Maps from keys of the experiment's configuration."""
_BLOCK_START = re.compile(r"^(\d*)([-+.)])(?=\s|[-+]|$)")


def plain(text: str) -> str:
    """One line without control characters: safe in a terminal and in a figure."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())


def markdown(text: str) -> str:
    """One line in which nothing is Markdown or HTML any more."""
    escaped = _MARKDOWN.sub(lambda match: "\\" + match[0], plain(text))
    return _BLOCK_START.sub(r"\1\\\2", escaped)


def clipped(text: str, length: int) -> str:
    """At most `length` characters, the last an ellipsis where something was cut."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def clipped_names(names: Sequence[str], length: int) -> str:
    """Several names in at most `length` characters: each keeps its start, since half a pair says nothing."""
    room = max(8, (length - 3 * (len(names) - 1)) // max(1, len(names)))
    return clipped(" + ".join(clipped(name, room) for name in names), length)


def prepared(results: Results, escape: Escape) -> Results:
    """The same results with every text escaped, and labels that name several components told apart by their ids.

    Keys of open maps are ours and stay; metrics' names are the user's and are escaped wherever they stand.
    """
    data = _escaped(_told_apart(results.model_dump()), escape)
    data["baseline"] = {
        mode: {escape(metric): floor for metric, floor in metrics.items()} for mode, metrics in data["baseline"].items()
    }
    return Results.model_validate(data)


def _escaped(value: Any, escape: Escape) -> Any:
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, dict):
        return {key: _escaped(_keys_too(item, escape, key), escape) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_escaped(item, escape) for item in value)
    return value


def _keys_too(value: Any, escape: Escape, where: str) -> Any:
    """An open map whose keys are the user's own has them escaped too."""
    named = isinstance(value, dict) and where in _NAMED_BY_THE_USER
    return {escape(key): item for key, item in value.items()} if named else value


def _told_apart(data: dict[str, Any]) -> dict[str, Any]:
    found = [
        each
        for told in ("effects", "interactions", "advice", "factorials", "kinds", "datasets", "classes", "confusions")
        for each in data[told]
        if len(each["labels"]) == len(each["components"])
    ]
    named: defaultdict[str, set[str]] = defaultdict(set)
    for each in found:
        for label, component in zip(each["labels"], each["components"], strict=True):
            named[label.strip()].add(component)
    for each in found:
        each["labels"] = [
            _label(label.strip(), component, ambiguous=len(named[label.strip()]) > 1)
            for label, component in zip(each["labels"], each["components"], strict=True)
        ]
    return data


def _label(label: str, component: str, *, ambiguous: bool) -> str:
    if not label:
        return component
    return f"{label} ({component})" if ambiguous else label
