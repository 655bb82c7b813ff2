"""Changes of a file's text as search/replace blocks, each of whose search texts stands in the file once."""

from collections.abc import Sequence

from ....executor.interventions import Block
from .file import SourceFile
from .found import Change

SHORTEST = 12
"""Characters that a search text has, where it is not whole lines."""
LARGEST = 4000
"""Characters that a search text may grow to."""


def blocks(source: SourceFile, changes: Sequence[Change]) -> list[Block] | None:
    """As few and as short as will do, in the order of the text; None where a place cannot be told from its like."""
    regions: list[tuple[int, int]] = []
    for one in sorted(set(changes)):
        grown = _grown(source.text, one.start, one.end)
        if grown is None:
            return None
        if regions and grown[0] < regions[-1][1]:
            grown = min(grown[0], regions[-1][0]), max(grown[1], regions.pop()[1])
        regions.append(grown)
    return [_block(source, changes, start, end) for start, end in regions]


def _block(source: SourceFile, changes: Sequence[Change], start: int, end: int) -> Block:
    text, at = "", start
    for one in sorted(set(changes)):
        if start <= one.start and one.end <= end:
            text += source.text[at : one.start] + one.new
            at = one.end
    return Block(file=source.name, search=source.text[start:end], replace=text + source.text[at:end])


def _grown(text: str, start: int, end: int) -> tuple[int, int] | None:
    """The place itself where it is alone of its kind, else with whole lines around it until it is."""
    if end - start >= SHORTEST and _once(text, start, end):
        return start, end
    start, end = text.rfind("\n", 0, start) + 1, _line_end(text, end)
    above = True
    while not _once(text, start, end):
        if end - start > LARGEST or (start == 0 and end == len(text)):
            return None
        if (above and start > 0) or end == len(text):
            start = text.rfind("\n", 0, start - 1) + 1
        else:
            end = _line_end(text, end + 1)
        above = not above
    return start, end


def _line_end(text: str, at: int) -> int:
    """Behind the line that holds the character before `at`."""
    if at > 0 and text[at - 1] == "\n":
        return at
    found = text.find("\n", at)
    return len(text) if found < 0 else found + 1


def _once(text: str, start: int, end: int) -> bool:
    piece = text[start:end]
    first = text.find(piece)
    return first == start and text.find(piece, start + 1) < 0
