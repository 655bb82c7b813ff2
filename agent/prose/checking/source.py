"""A text as its reader sees it, in which every character knows where it stood in the source."""

from collections.abc import Callable
from dataclasses import dataclass, field

from ..facts import Facts
from ..references import REFERENCE, NoSuchReference

CODE, CODE_ENDS = "\ue000", "\ue001"
"""Stand around what was set as code: a name is meant there, whatever word it is."""
OPAQUE = "¤"
"""Stands for what makes no claim: code, a citation, an address."""
UNTOUCHED = ("meaning", "reason", "text", "question", "intervention", "state", "name")
"""Attributes whose value is a text of its own."""
SYMBOLS = {
    "pm": "±", "times": "×", "cdot": "·", "delta": "δ", "Delta": "Δ", "alpha": "α", "sigma": "σ", "rho": "ρ",
    "approx": "≈", "sim": "~", "simeq": "≈", "le": "≤", "leq": "≤", "leqslant": "≤", "ge": "≥", "geq": "≥", "geqslant": "≥",
    "lt": "<", "gt": ">", "ll": "<", "gg": ">", "percent": "%", "textminus": "−", "textpm": "±", "texttimes": "×", "infty": "∞",
    "rightarrow": "→", "to": "→", "ldots": "…", "dots": "…", "textendash": "–", "textemdash": "—", "neq": "≠", "textdelta": "δ",
    "cmark": "✓", "lbrack": "[", "rbrack": "]", "uparrow": "↑", "downarrow": "↓", "textless": "<", "textgreater": ">",
}  # fmt: skip


@dataclass
class Plain:
    """Text without markup; paragraphs are apart by an empty line, rows of tables and headings stand on lines of their own."""

    text: str = ""
    at: list[int] = field(default_factory=list[int])
    """Of each character its offset in the source."""
    filled: list[tuple[int, int, str]] = field(default_factory=list[tuple[int, int, str]])
    """Where values of references stand, and the expression of each."""
    problems: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    """References that cannot be filled: where, and why."""


class Writer:
    """Puts a plain text together, piece by piece."""

    def __init__(self, facts: Facts) -> None:
        self.plain = Plain()
        self._parts: list[str] = []
        self._length = 0
        self._facts = facts

    def copy(self, text: str, at: int) -> None:
        """A piece as it stands at that offset."""
        self._add(text, range(at, at + len(text)))

    def put(self, text: str, at: int) -> None:
        """What stands for something at that offset."""
        self._add(text, [at] * len(text))

    def reference(self, expression: str, at: int, read: Callable[[str], str]) -> None:
        """The value of a reference; one that has none is a problem."""
        try:
            value = read(self._facts.value(expression))
        except NoSuchReference as problem:
            self.plain.problems.append((at, str(problem)))
            return self.put(OPAQUE, at)
        start = self._length
        self.put(OPAQUE if expression.strip().rpartition(".")[2] in UNTOUCHED else value, at)
        self.plain.filled.append((start, self._length, expression.strip()))
        return None

    def done(self) -> Plain:
        """The whole of it."""
        self.plain.text = "".join(self._parts)
        return self.plain

    def _add(self, text: str, at: range | list[int]) -> None:
        self._parts.append(text)
        self.plain.at.extend(at)
        self._length += len(text)


__all__ = ["CODE", "CODE_ENDS", "OPAQUE", "REFERENCE", "SYMBOLS", "Plain", "Writer"]
