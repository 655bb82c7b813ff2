"""What a terminal that knows only ASCII gets instead: our own marks spelled out, everything else replaced one by one."""

import codecs
import os
from collections.abc import Mapping
from typing import TextIO, cast

_SPELLED = {
    "±": "+/-", "δ": "delta", "Δ": "Delta", "σ": "sigma", "α": "alpha", "→": "->", "←": "<-", "≤": "<=", "≥": ">=",
    "…": "...", "≈": "~", "⇥": "->", "€": "EUR", "µ": "u", "η": "eta", "²": "^2", "∞": "inf",
}  # fmt: skip
_ALIKE = {
    "-": "−–—─━‐‑", ".": "·", "x": "×✗", "*": "•●◆", "o": "○", '"': "“”„«»", "'": "‘’", ",": "‚", "|": "│┃▌║", ":": "░",
    "+": "┌┐└┘├┤┬┴┼╇╈✓", "=": "═",
}  # fmt: skip
_ONE_BY_ONE = {ord(character): mark for mark, characters in _ALIKE.items() for character in characters}
_MULTIPLE = str.maketrans(_SPELLED)


def is_ascii_only(stream: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether only ASCII can be shown: by the stream's encoding, or because the locale says C or POSIX in so many words."""
    locale = next((environment[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if environment.get(name)), "")
    return locale in ("C", "POSIX") or not _is_unicode(getattr(stream, "encoding", None) or "ascii")


def spelled(text: str) -> str:
    """The same text in ASCII, letter by letter: what is added later changes nothing before it."""
    return text.translate(_MULTIPLE).translate(_ONE_BY_ONE).encode("ascii", "replace").decode()


def ascii_stream(stream: TextIO) -> TextIO:
    """Writes to `stream` in ASCII, one character for one: what was laid out keeps its columns."""
    return cast("TextIO", _AsciiStream(stream))


class _AsciiStream:
    encoding = "ascii"

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        narrowed = text.replace("…", ".").translate(_ONE_BY_ONE)
        return self._stream.write(narrowed.encode("ascii", "replace").decode())

    def flush(self) -> None:
        self._stream.flush()

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()


def _is_unicode(encoding: str) -> bool:
    try:
        return codecs.lookup(encoding).name.startswith("utf")
    except LookupError:
        return False
