"""Fences around text that others wrote: lines with a word that occurs nowhere in it, so that no text can close its own."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from ....prompts import render

DIGITS = 12
PLACEHOLDER = "0" * DIGITS
"""Stands for the word where only the length counts."""


@dataclass(frozen=True)
class Section:
    """One piece of the project: what it is, and its text."""

    label: str
    """Path and lines."""
    text: str

    def fenced(self, word: str) -> str:
        """The text between its fences."""
        return render("llm/fenced.j2", nonce=word, label=self.label, text=self.text.rstrip("\n")).rstrip("\n")


def fenced(label: str, text: str) -> str:
    """One text between fences of its own."""
    section = Section(label, text)
    return section.fenced(word_for([section]))


def word_for(sections: Sequence[Section]) -> str:
    """A word for the fences that none of the sections holds; the same for the same sections, so that a run can be replayed."""
    whole = "\n".join(part for one in sections for part in (one.label, one.text))
    seed = whole.encode("utf-8", "surrogatepass")
    for count in range(len(whole) + 1):
        word = hashlib.sha256(count.to_bytes(8) + seed).hexdigest()[:DIGITS]
        if word not in whole:
            return word
    raise AssertionError("a text cannot hold more words than characters")
