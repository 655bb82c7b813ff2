"""What a night may spend on language models, over all of its studies."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from ..llm.settings import ModelSettings
from ..llm.spending import dollars_of
from ..llm.transcript import Exchange, Transcript

NOWHERE = Path(os.devnull)


class Purse:
    """Dollars that are left of a night's `--max-cost`: what any of its studies spends is gone for all.

    Read from the transcripts, so that a night which is gone on with after a crash has no second purse. What was asked before the
    night, and the conversation of somebody who chats meanwhile, do not count.
    """

    def __init__(self, most: float | None, since: float) -> None:
        """`most`: dollars, None for any number; `since`: when the night was launched first, in seconds since the epoch."""
        self._most = None if most is None else Decimal(str(most))
        self._since = datetime.fromtimestamp(int(since * 1000) / 1000, UTC)  # as exact as a transcript is
        self._books: dict[Path, _Book] = {}

    def open(self, transcript: Path, settings: ModelSettings) -> None:
        """Count what a study spends from now on, and since the launch. Raises `LedgerError` for an unreadable transcript."""
        if transcript not in self._books:
            self._books[transcript] = _Book(transcript, settings, self._since)

    def spent(self) -> Decimal:
        """Dollars by now, those of models without prices left out."""
        return sum((book.spent() for book in self._books.values()), Decimal(0))

    def left(self) -> Decimal | None:
        """Dollars; None where there is no cap."""
        return None if self._most is None else self._most - self.spent()


class _Book:
    """One study's transcript, read on as it grows, whoever writes it."""

    def __init__(self, path: Path, settings: ModelSettings, since: datetime) -> None:
        self._settings = settings
        self._transcript = Transcript(NOWHERE, beside=(path,))
        before = self._transcript.counted
        self._then = [one for one in before if datetime.fromisoformat(one.time) >= since]
        self._before = len(before)

    def spent(self) -> Decimal:
        new: Sequence[Exchange] = self._transcript.counted[self._before :]
        return dollars_of([*self._then, *new], self._settings) or Decimal(0)
