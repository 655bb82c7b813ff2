"""Metrics in text: names with numbers behind them, in what a script printed and in what its source would print."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .naming import SPLIT_WORD, SPLITS, goal_of, key_of

NUMBER = r"-?(?:\d+\.?\d*(?:e[-+]?\d+)?|nan|inf)"
"""A number as scripts print it; also what is none, so that a run that diverged is told from one that printed nothing."""
PAIR = re.compile(
    r"(?:^|(?<=[\s,;:|\[({]))[\"']?"
    r"(?P<name>[A-Za-z][\w./@-]*(?: [A-Za-z][\w./@-]*){0,3})"
    r"(?P<between>[\"']?\s*(?:[:=]|->)\s*|\s+)"
    rf"(?P<ratio>(?P<right>\d+)\s*/\s*(?P<all>\d+)\s*\(\s*)?(?P<number>{NUMBER})(?P<percent>\s*%)?(?![\w/]|\.\d)",
    re.IGNORECASE,
)
WORD = re.compile(r"[A-Za-z][A-Za-z\d]*")
JOINTS = re.compile(r"\b(?:with|of|is|and|the|a|an)\s", re.IGNORECASE)
"""Words behind which a name may begin."""
DANGLING = re.compile(r"(?:^|\s)(?:the|a|an|at|on|in|of|with|for|after|and|to|from)$", re.IGNORECASE)
"""A last word that no name has."""


class Printed(NamedTuple):
    """One name with a number behind it."""

    name: str
    """A key that TOML takes bare: `val_loss`."""
    pattern: str
    """A regular expression with one group of that name."""
    value: float
    scale: float
    """What a perfect share comes to: 1, 100 of a percentage, or all there are where right answers are counted."""


def printed(lines: Iterable[str]) -> list[Printed]:
    """Every metric in `lines`, once each with its last value, in the order in which they first come."""
    found: dict[str, tuple[Printed, str]] = {}
    for line in map(str.rstrip, lines):
        for one in _in_line(line):
            found[one.name] = one, line
    lines = {line for _, line in found.values()}
    return [_alone(one, lines - {line}) for one, line in found.values()]


def _alone(one: Printed, others: set[str]) -> Printed:
    """The metric with a pattern that does not find the end of a longer name: `loss` in `valid loss`."""
    if not any(re.search(one.pattern, line) for line in others):
        return one
    return one._replace(pattern=rf"(?<![A-Za-z] ){one.pattern}")


def _in_line(line: str) -> Iterator[Printed]:
    """Pairs from left to right; what is said before a name belongs to it: a split, or what is measured."""
    split, position = "", 0
    for match in PAIR.finditer(line):
        ahead, shown = line[position : match.start("name")], _shown(match["name"])
        own = SPLIT_WORD.search(shown)
        if told := own or SPLIT_WORD.search(ahead) or SPLIT_WORD.search(match["name"]):
            split = SPLITS[told[1].lower()]
        lead = "" if own or not split else _said(line[: match.start("name")], split)
        name = key_of(shown, split)
        if not goal_of(shown) and (own or match["percent"]) and (measured := _measured(ahead)):
            lead, name = measured, "_".join(filter(None, (split, measured.lower())))
        if name is None or DANGLING.search(shown):
            continue
        position = match.end()
        yield _pair(match, shown, name, rf"\b{re.escape(lead)}(?![A-Za-z]).*?\b" if lead else r"\b")
        if own and "_" in shown:
            split = ""


def _shown(name: str) -> str:
    """The words of a name from where it begins: behind `with` in `finished with loss`."""
    last = JOINTS.split(name)[-1]
    return last if goal_of(last) else name


def _pair(match: re.Match[str], shown: str, name: str, before: str) -> Printed:
    """The metric of one match; where a share is rounded to whole percent, the count that it was made of."""
    start = f"{before}{_spaced(shown)}{_spaced(match['between'])}"
    if match["ratio"] and "." not in match["number"] and match["percent"]:
        counted = re.sub(r"(accuracy|acc)$", "correct", name)
        return Printed(counted, rf"{start}(?P<{counted}>\d+)\s*/", float(match["right"]), float(match["all"]))
    ratio = r"\d+\s*/\s*\d+\s*\(\s*" if match["ratio"] else ""
    scale = 100.0 if match["percent"] else 1.0
    return Printed(name, f"{start}{ratio}(?P<{name}>{NUMBER})", float(match["number"]), scale)


def _measured(ahead: str) -> str | None:
    """The last word before a name that says what is measured: `Accuracy of the network on … images: 54 %`."""
    words: list[str] = WORD.findall(ahead)
    return next((word for word in reversed(words) if goal_of(word)), None)


def _said(before: str, split: str) -> str:
    """The word that names the split, as it is written."""
    return next((one[1] for one in reversed(list(SPLIT_WORD.finditer(before))) if SPLITS[one[1].lower()] == split), "")


def _spaced(text: str) -> str:
    """A text as a pattern that does not care how much space there is, nor which quotation marks."""
    pieces = (
        r"\s+" if piece.isspace() else r"\W" if piece in "\"'" else re.escape(piece).replace(r"\-", "-")
        for piece in re.findall(r"\s+|[\"']|[^\s\"']+", text)
    )
    loose = any(mark in text for mark in ":=>")
    return "".join(r"\s*" if piece == r"\s+" and loose else piece for piece in pieces)
