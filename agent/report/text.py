"""Makes the texts inside results fit for where they are printed: labels come from any code, or from a model."""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..firstline import first_line
from .digits import beside_delta

if TYPE_CHECKING:
    from ..results import Results

Escape = Callable[[str], str]

_MARKDOWN = re.compile(r"[\\`*{}\[\]<>|~#$&@^]|(?<![^\W_])_|_(?![^\W_])|:(?=//)|(?<=www)\.|^=+$", re.IGNORECASE)
"""Everything that Markdown or one of its dialects reads as markup, addresses that become links by themselves among it."""
_BLANK_LETTERS = dict.fromkeys(map(ord, "\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5"), " ")
"""Printable by Unicode's book, and nothing to be seen."""
_QUOTES = str.maketrans("“”„‟«»", "'" * 6)
MOST_QUOTED = 600
_CODE = "diff"
"""The field whose lines stay lines."""
_NAMED_BY_THE_USER = ("setting", "baseline_setting", "own", "values")
"""Maps from keys of the experiment's configuration."""
_MESSAGES = ("reason", "problems")
"""Fields of which only the first line is shown: a crash's message may hold a traceback."""
_BLOCK_START = re.compile(r"^(\d*)([-+.)])(?=\s|[-+]|$)")


def plain(text: str) -> str:
    """One line without control characters: safe in a terminal and in a figure.

    Escape sequences lose what makes them one; so do characters that turn the direction of writing or have no width.
    """
    return " ".join("".join(c for c in " ".join(text.split()) if c.isprintable()).translate(_BLANK_LETTERS).split())


def lines(text: str) -> str:
    """Several lines in which every other control character is spelled out, as in `\\x1b`: what code holds stays visible."""
    return "".join(
        c if (c.isprintable() and ord(c) not in _BLANK_LETTERS) or c in "\n\t" else c.encode("unicode_escape").decode()
        for c in text
    )


def fenced(text: str, language: str = "") -> str:
    """A code block that nothing inside can end."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def quoted(text: str, length: int = MOST_QUOTED) -> str:
    """Somebody's own words, already escaped, in quotation marks that nothing inside can close; at most `length` characters."""
    return f"“{clipped_escaped(text.translate(_QUOTES), length)}”"


def clipped_escaped(text: str, length: int) -> str:
    """Likewise `clipped`, for escaped text: no backslash is left behind without what it escapes."""
    if len(text) <= length:
        return text
    cut = text[: length - 1]
    odd = (len(cut) - len(cut.rstrip("\\"))) % 2
    return cut[: len(cut) - odd].rstrip() + "…"


def markdown(text: str) -> str:
    """One line in which nothing is Markdown or HTML any more."""
    escaped = _MARKDOWN.sub(lambda match: "\\" + match[0], plain(text))
    return _BLOCK_START.sub(r"\1\\\2", escaped)


def clipped(text: str, length: int) -> str:
    """At most `length` characters, the last an ellipsis where something was cut."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def shortened(text: str, length: int) -> str:
    """Likewise, cut in the middle: of long paths it is the end that tells them apart."""
    if len(text) <= length:
        return text
    end = (length - 1) // 2
    return f"{text[: length - 1 - end]}…{text[len(text) - end :]}"


def clipped_names(names: Sequence[str], length: int) -> str:
    """Several names in at most `length` characters: each keeps its ends, since half a pair says nothing."""
    room = max(8, (length - 3 * (len(names) - 1)) // max(1, len(names)))
    return clipped(" + ".join(shortened(name, room) for name in names), length)


def prepared(results: "Results", escape: Escape) -> "Results":
    """The same results with every text escaped, and labels that name several components told apart by their ids.

    Intervals know δ (`digits.beside_delta`). Keys of open maps are ours and stay; metrics' names are the user's and are
    escaped wherever they stand. The text of drafts is Markdown already, and stays.
    """
    data = _escaped(_told_apart(results.model_dump()), escape)
    data["drafts"] = [
        {**one, "text": draft.text, "template": draft.template}
        for one, draft in zip(data["drafts"], results.drafts, strict=True)
    ]
    data["baseline"] = {
        mode: {escape(metric): floor for metric, floor in metrics.items()} for mode, metrics in data["baseline"].items()
    }
    return beside_delta(type(results).model_validate(data))


def _escaped(value: Any, escape: Escape) -> Any:
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, dict):
        return {key: _escaped_field(key, item, escape) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_escaped(item, escape) for item in value)
    return value


def _escaped_field(key: str, item: Any, escape: Escape) -> Any:
    if key == _CODE and item:
        return lines(item)
    return _escaped(
        _keys_too(item, escape, key), (lambda text: escape(first_line(text))) if key in _MESSAGES else escape
    )


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
