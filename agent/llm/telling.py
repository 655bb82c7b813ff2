"""What a person sees of an answer while it comes: its words and no others, whatever form the server puts them in."""

from collections.abc import Callable
from typing import Any, Literal

from pydantic_core import from_json

from .answers import without_thoughts
from .connection import healed
from .written import may_be_json, prose_of, without_half

Form = Literal["text", "record", "either"]
"""either: a record, from a server that may as well answer with a text."""
ANEW = "\n\n"
"""Between what was said of an answer that broke off, and another one."""


class Telling:
    """Hands on one answer in pieces, over all the requests that it takes.

    The pieces end with the whole answer. It stands alone, unless an earlier request broke off and the next one says something else.
    """

    def __init__(self, on_text: Callable[[str], None]) -> None:
        self._on_text = on_text
        self._form: Form = "text"
        self._heard = self._told = ""
        self.now = ""
        """What can be read of the request's answer so far."""

    def begin(self, form: Form) -> None:
        """A request goes out."""
        self._form, self._heard, self.now = form, "", ""

    def hear(self, delta: str) -> None:
        """A piece of the answer came, as the server sends it; an empty one is a thought, or a call."""
        if not delta:
            return
        self._heard += delta
        self.now = self._readable(healed(without_half(self._heard)))
        if not self._told.startswith(self.now):
            self._tell(self.now)

    def end(self, text: str) -> None:
        """The answer is `text`."""
        if text != self._told:
            self._tell(text)

    def _tell(self, text: str) -> None:
        piece = text[len(self._told) :] if text.startswith(self._told) else ANEW + text
        self._told = text
        if piece:
            self._on_text(piece)

    def _readable(self, heard: str) -> str:
        if self._form == "text":
            return prose_of(heard)
        if self._form == "either" and not may_be_json(heard):
            return prose_of(heard.partition("{")[0])
        return said_in(heard) or self.now


def said_in(partial: str) -> str:
    """What `say` holds in a record that is not complete."""
    said = without_thoughts(partial)
    try:
        found: Any = from_json(said[said.find("{") :], allow_partial="trailing-strings") if "{" in said else {}
    except ValueError:
        return ""
    words = found.get("say") if isinstance(found, dict) else None
    return words.strip() if isinstance(words, str) else ""
