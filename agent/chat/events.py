"""What was said and done in a conversation, event by event: a file that is written at once and read again by the next process."""

import errno
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from ...executor.errors import LedgerError
from ..appended import AppendedLines
from ..records.base import Record

ModeOfWork = Literal["ask", "auto", "plan-only"]
"""ask: nothing runs before a yes. auto: what stays within the stated caps runs. plan-only: nothing runs."""
Ending = Literal["whole", "cut", "cancelled", "broken"]


class CallMade(Record):
    """A tool that the model asked for."""

    id: str
    name: str
    arguments: str


class Said(Record):
    """A person's message."""

    event: Literal["said"] = "said"
    text: str


class Answered(Record):
    """What the model said, as it came, and the tools that it asked for."""

    event: Literal["answered"] = "answered"
    text: str
    calls: tuple[CallMade, ...] = ()
    ended: Ending = "whole"


class Returned(Record):
    """What a tool gave back to the model."""

    event: Literal["returned"] = "returned"
    call: str
    text: str


class Drafted(Record):
    """Ablations that were proposed, as a plan's fragment; nothing of it runs before a yes."""

    event: Literal["drafted"] = "drafted"
    by: str
    ablations: tuple[dict[str, Any], ...]
    components: tuple[dict[str, Any], ...] = ()
    more_seeds: tuple[str, ...] = ()


class Withdrawn(Record):
    """Proposals that were taken back; empty: all of them."""

    event: Literal["withdrawn"] = "withdrawn"
    ids: tuple[str, ...] = ()


class Approved(Record):
    """A person's yes, or auto's: these wait in the queue from now on."""

    event: Literal["approved"] = "approved"
    request: str
    """Name of the queue's entry."""
    ids: tuple[str, ...]
    by: Literal["person", "auto"]


class Refused(Record):
    """A person's no."""

    event: Literal["refused"] = "refused"
    what: str
    reason: str


class Told(Record):
    """Something new of the results was told."""

    event: Literal["told"] = "told"
    key: str
    count: int
    text: str = ""
    """In words, for the model."""


class Noticed(Record):
    """Something that the model should know at its next turn, such as a reference of its own that leads nowhere."""

    event: Literal["noticed"] = "noticed"
    text: str


class Consented(Record):
    """The project's source may be sent to this server, for this model."""

    event: Literal["consented"] = "consented"
    server: str


class Moded(Record):
    """How much may happen without a yes from now on."""

    event: Literal["mode"] = "mode"
    mode: ModeOfWork
    trials: int | None = None
    """Of auto: how many trials may start."""
    until: float | None = None
    """Of auto: when it ends, in seconds since the epoch."""
    attempts: int = 0
    """Trials that were started before."""


class Modelled(Record):
    """Another model answers from now on; None: none."""

    event: Literal["model"] = "model"
    model: str | None


class Drafting(Record):
    """A paragraph of the model's, whose numbers are references."""

    event: Literal["paragraph"] = "paragraph"
    template: str
    text: str


Event = Annotated[
    Said
    | Answered
    | Returned
    | Drafted
    | Withdrawn
    | Approved
    | Refused
    | Told
    | Noticed
    | Consented
    | Moded
    | Modelled
    | Drafting,
    Field(discriminator="event"),
]


class Timed(Record):
    """An event and when it happened."""

    at: str
    """UTC, ISO 8601."""
    what: Event


_TIMED: TypeAdapter[Timed] = TypeAdapter(Timed)


class EventLog:
    """The events of one conversation, on disk.

    Raises:
        LedgerError: the file cannot be read, or holds a line that is no event.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = AppendedLines(path)
        except OSError as error:
            raise LedgerError(
                f"the conversation cannot be read: {error.strerror}",
                where=str(path),
                to_do="make it readable, or begin anew with `lesion chat --new`",
            ) from error
        self.events = [_read(path, number, line) for number, line in enumerate(self._file.lines, start=1)]

    def append(self, event: Event) -> None:
        """Write an event, and have it on the disk before this returns. Raises `LedgerError` where that fails."""
        timed = Timed(at=datetime.now(UTC).isoformat(timespec="milliseconds"), what=event)
        try:
            self._file.append(timed.model_dump_json(exclude_defaults=False).encode())
        except OSError as error:
            full = error.errno in {errno.ENOSPC, errno.EDQUOT}
            raise LedgerError(
                f"the conversation cannot be written down: {error.strerror or error}",
                where=str(self.path),
                to_do="free some disk space; what was said before is kept, and `lesion chat` goes on from there"
                if full
                else "make the file writable, or name another state folder with --state DIR",
            ) from error
        self.events.append(timed)


def _read(path: Path, number: int, line: bytes) -> Timed:
    try:
        return _TIMED.validate_json(line)
    except ValidationError:
        raise LedgerError(
            "this line is no event of a conversation",
            where=f"{path}:{number}",
            to_do="put it right, or begin anew with `lesion chat --new`",
        ) from None
