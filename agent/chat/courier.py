"""Brings results into the conversation as they come, whoever runs the study, and says when the conversation's own run has ended."""

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ...executor.errors import LesionError
from ...prompts import phrases
from .shown import Note

if TYPE_CHECKING:
    from .arrivals import Arrivals
    from .conversation import Conversation
    from .news import Arrival

MOST_AT_ONCE = 8
"""Things that are told one by one."""
EVERY = 1.0
"""Seconds between two looks at the ledger."""


def _nothing(*_: str) -> None:
    """Nobody wants to know."""


class Courier:
    """Looks at the ledger now and then, in a thread of its own where `start` is called."""

    def __init__(
        self, talk: "Conversation", ended: Callable[[], None] = _nothing, progress: Callable[[str], None] = _nothing
    ) -> None:
        self._talk, self._ended, self._progress = talk, ended, progress
        self._known: Arrivals | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)

    def start(self) -> None:
        """From now on."""
        self._thread.start()

    def close(self) -> None:
        """No more."""
        self._over.set()

    def look(self) -> bool:
        """Tell what is new; whether the conversation's own run has ended."""
        from .arrivals import progress_line

        talk = self._talk
        self._progress(progress_line(talk.desk.spec, talk.desk.state, short=True) if talk.running.driver else "")
        ended = talk.runner.ended()  # before the last results are looked for
        self._tell(self._arrivals().poll())
        if ended is not None:
            talk.run_ended(ended)
        return ended is not None and not talk.runner.busy

    def _tell(self, arrived: "Sequence[Arrival]") -> None:
        """One by one; what came in by the dozen, before this conversation began or while nobody was here, in a line."""
        for one in arrived:
            self._talk.hear(one, shown=len(arrived) <= MOST_AT_ONCE)
        if len(arrived) > MOST_AT_ONCE:
            self._talk.front.show(Note(text=phrases("chat/loop.j2").many(len(arrived))))

    def _arrivals(self) -> "Arrivals":
        """One for each state of the study file."""
        from .arrivals import Arrivals

        desk = self._talk.desk
        if self._known is None or self._known.spec is not desk.spec:
            self._known = Arrivals(desk.spec, desk.state, self._talk.session.told)
        return self._known

    def _run(self) -> None:
        troubled = ""
        while not self._over.wait(EVERY):
            try:
                if self.look():
                    self._ended()
                troubled = ""
            except LesionError as error:
                if str(error) != troubled:  # once, not every second
                    troubled = str(error)
                    self._talk.trouble(phrases("chat/loop.j2").not_read(troubled))
