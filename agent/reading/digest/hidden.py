"""Values that the project keeps to itself, as they may turn up in what a running program says: the messages of its errors."""

import re
from collections.abc import Iterable, Iterator

from .readable import SECRET, Readable, Text
from .secrets import SHORTEST, redacted

WORD = re.compile(r"[^\s\"'`,;()\[\]{}=<>]+")
LARGEST = 100_000
"""Bytes of a withheld file that is looked through."""


def hidden_values(readable: Readable, shown: Iterable[str]) -> tuple[str, ...]:
    """What stands in files that are withheld as secret, plain words aside, and what is taken out of those in `shown`, longest first.

    Args:
        readable: the project.
        shown: files that trials run or read, relative to the root.
    """
    found: set[str] = set()
    for path in readable.found.left_out.get(SECRET, []):
        text = _raw(readable, path)
        found.update(word for word in WORD.findall(text) if any(map(str.isdigit, word)))
        found.update(_taken_out(text, redacted(text)[0]))
    for path in shown:
        given = readable.read(path)
        if isinstance(given, Text) and given.secrets:
            found.update(_taken_out(_raw(readable, path), given.text))
    return tuple(sorted((one for one in found if len(one) >= SHORTEST), key=lambda one: (-len(one), one)))


def _taken_out(before: str, after: str) -> Iterator[str]:
    """Words that only one of two texts has, in lines that are unlike."""
    kept = set(WORD.findall(after))
    for old, new in zip(before.split("\n"), after.split("\n"), strict=False):
        if old != new:
            yield from (word for word in WORD.findall(old) if word not in kept)


def _raw(readable: Readable, path: str) -> str:
    """A file's text, however it may be withheld from others; empty where there is none."""
    try:
        with (readable.root / path).open("rb") as file:
            return file.read(LARGEST).decode("utf-8", "replace").replace("\r\n", "\n")
    except OSError:
        return ""
