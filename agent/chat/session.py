"""One conversation about one study: what its events come to, held by one process at a time."""

import os
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from ...executor.errors import LedgerError
from ..ledgerfile import lock
from .draft import Draft
from .events import (
    Answered,
    Consented,
    Drafting,
    Event,
    EventLog,
    Moded,
    Modelled,
    Noticed,
    Refused,
    Returned,
    Said,
    Told,
)

if TYPE_CHECKING:
    from ..llm.client import Message

FOLDER = "chat"
"""Of a study's conversation, in its state folder."""
EVENTS, HISTORY = "events.jsonl", "history"


class Session:
    """Everything said and done; `tell` adds to it, on the disk at once, from any thread.

    Raises:
        LedgerError: another process holds the conversation, or its file cannot be used.
    """

    def __init__(self, state: Path, *, new: bool = False) -> None:
        self.folder = state / FOLDER
        self._lock = _held(self.folder)
        try:
            if new:
                _put_aside(self.folder)
            self._log = EventLog(self.folder / EVENTS)
        except BaseException:
            os.close(self._lock)
            raise
        self._telling = Lock()
        self.draft, self.mode = Draft(), Moded(mode="ask")
        self.told: dict[str, int] = {}
        self.servers: set[str] = set()
        """Those that the project may be sent to."""
        self.model: Modelled | None = None
        """Chosen in the conversation, before flags and environment."""
        for one in self._log.events:
            self._apply(one.what)

    def tell(self, event: Event) -> None:
        """Something was said or done. Raises `LedgerError` where it cannot be written down: then it did not happen."""
        with self._telling:
            self._log.append(event)
            self._apply(event)

    def close(self) -> None:
        """Let another process have the conversation."""
        os.close(self._lock)

    @property
    def events(self) -> list[Event]:
        """All of them, in order."""
        return [one.what for one in self._log.events]

    @property
    def last_at(self) -> str | None:
        """When it last went on, UTC."""
        return self._log.events[-1].at if self._log.events else None

    @property
    def turns(self) -> int:
        """Messages of the person."""
        return sum(isinstance(one, Said) for one in self.events)

    @property
    def paragraphs(self) -> list[Drafting]:
        """Those that the model drafted."""
        return [one for one in self.events if isinstance(one, Drafting)]

    @property
    def messages(self) -> "list[Message]":
        """The conversation as the model knows it: every call has its answer, also where a turn was cut off."""
        return messages_of(self.events)

    def _apply(self, event: Event) -> None:
        self.draft.apply(event)
        match event:
            case Moded():
                self.mode = event
            case Told():
                self.told[event.key] = event.count
            case Consented():
                self.servers.add(event.server)
            case Modelled():
                self.model = event
            case _:
                pass


def messages_of(events: Sequence[Event]) -> "list[Message]":
    """What was said, for the model; what happened between two messages of the person is told at the head of the next."""
    from ...prompts import phrases
    from ..llm.calls import Call
    from ..llm.client import Message

    words = phrases("chat/between.j2")
    found: list[Message] = []
    waiting: dict[str, None] = {}
    happened: list[str] = []
    for one in events:
        if waiting and isinstance(one, (Said, Answered)):
            found += [Message("tool", words.cut_off(), answers=call) for call in waiting]
            waiting = {}
        match one:
            case Said():
                text = words.happened(happened, one.text) if happened else one.text
                found.append(Message("user", text))
                happened = []
            case Answered():
                waiting = dict.fromkeys(call.id for call in one.calls)
                calls = tuple(Call(id=each.id, name=each.name, arguments=each.arguments) for each in one.calls)
                text = one.text if one.ended == "whole" else words.broken(one.text, one.ended)
                found.append(Message("assistant", text, calls=calls))
            case Returned() if one.call in waiting:
                waiting.pop(one.call)
                found.append(Message("tool", one.text, answers=one.call))
            case Told() if one.text:
                happened.append(one.text)
            case Noticed():
                happened.append(one.text)
            case Refused() if not waiting:  # else the tool that asked has said so
                happened.append(words.refused(one.what, one.reason))
            case _:
                pass
    found += [Message("tool", words.cut_off(), answers=call) for call in waiting]
    if happened:
        found.append(Message("user", words.happened(happened, "")))
    return found


def _held(folder: Path) -> int:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerError(
            f"the conversation's folder cannot be made: {error.strerror}",
            where=str(folder),
            to_do="free some disk space, or make the place writable, or name another one with --state DIR",
        ) from None
    try:
        return lock(folder / "lock")
    except LedgerError as error:
        raise LedgerError(
            error.what.replace("is running this study", "holds this study's conversation"),
            where=str(folder),
            to_do="go on there; `lesion status` and `lesion report` work beside it",
        ) from None


def _put_aside(folder: Path) -> None:
    """Keep an earlier conversation under the next free number."""
    path = folder / EVENTS
    if path.exists():
        number = 1 + sum(1 for _ in folder.glob("events.*.jsonl"))
        path.replace(folder / f"events.{number}.jsonl")
