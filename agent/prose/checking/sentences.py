"""Sentences of a plain text, each with the paragraph and the heading that it stands under."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .source import Plain

_BLOCK = re.compile(r"(?:[^\n]+(?:\n(?![ \t]*\n))?)+")
_END = re.compile(r"[.!?]+[\"'”’)\ue001]*(?=\s)")
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|vs|cf|al|approx|resp|[Ff]igs?|[Ss]ecs?|[Tt]abs?|[Ee]qs?|[Nn]os?|[Rr]efs?|[Aa]pp|[Cc]h|w\.r\.t|viz|ca|incl|std|avg"
    r"|Dr|Mr|Ms|Prof|St)|(?:^|\s)[A-Z])\.$"
)


@dataclass(frozen=True)
class Span:
    """A sentence, or a row of a table, as offsets in the plain text."""

    start: int
    end: int
    block: int
    """Which paragraph it is of; carried subjects do not outlive it by more than one."""
    row: bool
    """Whether it is a row of a table."""


def sentences(plain: Plain) -> Iterator[Span]:
    """Every sentence, in order, without the blanks around it."""
    for number, block in enumerate(_BLOCK.finditer(plain.text)):
        for start, end, row in _parts(block[0]):
            inner = block[0][start:end]
            if not any(c.isalnum() for c in inner):
                continue
            left = len(inner) - len(inner.lstrip())
            yield Span(block.start() + start + left, block.start() + start + len(inner.rstrip()), number, row)


def _parts(block: str) -> Iterator[tuple[int, int, bool]]:
    """Rows stand alone; everything between them is prose."""
    at, prose = 0, 0
    for line in block.splitlines(keepends=True):
        if line.count(" | ") >= 1:
            yield from _split(block, prose, at)
            yield at, at + len(line), True
            prose = at + len(line)
        at += len(line)
    yield from _split(block, prose, at)


def _split(block: str, start: int, end: int) -> Iterator[tuple[int, int, bool]]:
    for stop in _END.finditer(block, start, end):
        before = block[max(start, stop.start() - 12) : stop.start() + 1]
        if stop[0][0] == "." and _ABBREVIATION.search(before):
            continue
        yield start, stop.end(), False
        start = stop.end()
    if start < end:
        yield start, end, False
