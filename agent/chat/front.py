"""The seam between a conversation and whoever takes part in it: a terminal, or a pipe."""

from contextlib import AbstractContextManager
from typing import Protocol

from .approval import Approval, Reply
from .shown import Prose, Shown


class Stream(Protocol):
    """An answer that comes in pieces."""

    def add(self, text: str) -> None:
        """More of it: Markdown, its numbers marked already."""
        ...

    def waiting(self, text: str) -> None:
        """Nothing more comes for now, and why; gone with the next piece."""
        ...

    def end(self, whole: Prose) -> None:
        """It is complete: `whole` begins with all that was added, and may explain marks after it."""
        ...


class Front(Protocol):
    """Shows what was said and found, and asks a person."""

    def show(self, *things: Shown) -> None:
        """Show these, one after the other. May be called from any thread: what a person is typing stays."""
        ...

    def answering(self) -> AbstractContextManager[Stream]:
        """While a language model's answer comes; what was streamed stays, also where it is broken off."""
        ...

    def busy(self, text: str) -> AbstractContextManager[None]:
        """While something is waited for."""
        ...

    def approve(self, asked: Approval) -> Reply | None:
        """Ask a person. None where there is nobody to ask."""
        ...
