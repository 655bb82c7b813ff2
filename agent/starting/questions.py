"""Who decides where the evidence does not: a person at a terminal, or nobody."""

from collections.abc import Sequence
from typing import Protocol

import typer

from ...prompts import phrases
from ..report.text import plain


class Questions(Protocol):
    """Asks; every question comes with what was found as its answer."""

    @property
    def decides(self) -> bool:
        """Whether the first of several equals is taken where nobody is asked."""
        ...

    @property
    def asks(self) -> bool:
        """Whether there is somebody to ask."""
        ...

    def choose(self, question: str, options: Sequence[str]) -> str:
        """One of several, or something else that is typed; the first is the default."""
        ...


class Nobody:
    """Takes what was found."""

    asks = False

    def __init__(self, *, decides: bool) -> None:
        self.decides = decides

    def choose(self, question: str, options: Sequence[str]) -> str:
        """The first."""
        return options[0]


class AtTerminal:
    """Asks the person at the terminal."""

    asks = True
    decides = False

    def choose(self, question: str, options: Sequence[str]) -> str:
        """A number, a text of one's own, or nothing for the first."""
        words = phrases("init/asking.j2")
        typer.echo(words.listed(question, [plain(one) for one in options]).rstrip(), err=True)
        said = str(
            typer.prompt(words.number(len(options)), default=options[0] if len(options) == 1 else "1", err=True)
        ).strip()
        if said.isdigit() and 1 <= int(said) <= len(options):
            return options[int(said) - 1]
        return said or options[0]
