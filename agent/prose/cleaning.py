"""The text of a model, free of what looks otherwise than it reads: entities, control characters, letters of another width.

What comes out holds printable characters, blanks, tabs and line ends only."""

import html
import re
import unicodedata

from ..report.text import lines

_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_GROWING = re.compile(r"&[#\w]{0,33}\Z")
_SPECIAL = re.compile(r"[^\n -%'-~]")


class Cleaner:
    """Cleans a text that comes in pieces; an entity that may still grow is held back."""

    def __init__(self) -> None:
        self._held = ""

    def add(self, piece: str) -> str:
        """What is certain by now."""
        text = self._held + piece
        growing = _GROWING.search(text)
        cut = growing.start() if growing else len(text)
        self._held = text[cut:]
        return cleaned(text[:cut])

    def end(self) -> str:
        """The rest."""
        text, self._held = self._held, ""
        return cleaned(text)


def cleaned(text: str) -> str:
    """The whole of a text."""
    return _SPECIAL.sub(_one, _ENTITY.sub(_decoded, text))


def _decoded(entity: re.Match[str]) -> str:
    """Letters, numbers and what cannot be seen stand for themselves; punctuation stays an entity, which no markup is read from."""
    text = html.unescape(entity[0])
    return text if text != entity[0] and all(c.isalnum() or not c.isprintable() for c in text) else entity[0]


def _one(character: re.Match[str]) -> str:
    c = character[0]
    if c == "\r":
        return ""
    if unicodedata.category(c) == "Zs":
        return " "
    if "\uff01" <= c <= "\uff5e" or "\U0001d400" <= c <= "\U0001d7ff":
        return unicodedata.normalize("NFKC", c)
    return lines(c)
