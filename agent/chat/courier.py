"""Brings results into the conversation as they come, whoever runs the study, and says when the conversation's own run has ended."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from ...executor.errors import LesionError
from ...prompts import phrases

if TYPE_CHECKING:
    from .arrivals import Arrivals
    from .conversation import Conversation

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
        self._progress(progress_line(talk.desk.spec, talk.desk.state) if talk.desk.driver else "")
        for one in self._arrivals().poll():
            talk.hear(one)
        ended = talk.runner.ended()
        if ended is not None:
            talk.run_ended(ended)
        return ended is not None

    def _arrivals(self) -> "Arrivals":
        """One for each version of the study that is talked about."""
        from .arrivals import Arrivals

        desk = self._talk.desk
        if self._known is None or (self._known.spec, self._known.version) != (desk.spec, desk.setting.version):
            self._known = Arrivals(desk.spec, desk.state, self._talk.session.told, desk.setting.version)
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
