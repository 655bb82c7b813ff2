"""What a language model says about results, checked: references filled, numbers of its own marked, as a whole or piece by piece."""

from typing import NamedTuple

from ...prompts import phrases
from ..chat.shown import Prose
from .cleaning import Cleaner
from .facts import Facts
from .own import MARK
from .scanner import Scanner


class End(NamedTuple):
    """The end of a text that came in pieces."""

    rest: str
    """What has not been handed on yet, without the explanation of the mark."""
    prose: Prose
    """All of it; a last line explains the mark where there is one."""


class Filter:
    """Checks a text that comes in pieces, and hands on what nothing can change any more."""

    def __init__(self, facts: Facts) -> None:
        self._cleaner = Cleaner()
        self._scanner = Scanner(facts)
        self._done: list[str] = []

    @property
    def problems(self) -> tuple[str, ...]:
        """Why references could not be filled, for the model's next turn."""
        return tuple(self._scanner.problems)

    @property
    def cited(self) -> tuple[str, ...]:
        """The references that were filled, as they were written, each once."""
        return tuple(self._scanner.cited)

    def add(self, piece: str) -> str:
        """What is certain by now and was not handed on before."""
        return self._hand_on(self._scanner.read(self._cleaner.add(piece)))

    def end(self) -> End:
        """The rest, and the whole; a code block that was left open is closed."""
        rest = self._scanner.read(self._cleaner.end(), final=True)
        if self._scanner.fence:
            rest += f"{'' if (''.join(self._done) + rest).endswith(chr(10)) else chr(10)}{self._scanner.fence}\n"
        rest = self._hand_on(rest)
        text, own = "".join(self._done), tuple(self._scanner.own)
        if own:
            ends = len(text) - len(text.rstrip("\n"))
            text += "\n" * max(0, 2 - ends) + phrases("chat/marks.j2").explained(MARK) + "\n"
        return End(rest, Prose(text=text, own_numbers=own))

    def _hand_on(self, text: str) -> str:
        self._done.append(text)
        return text


def marked(text: str, facts: Facts) -> Prose:
    """The whole of a text, checked."""
    whole = Filter(facts)
    whole.add(text)
    return whole.end().prose
