"""What a state folder keeps of its nights: a record when one is really running, another as its last act.

`<state>/night.jsonl`, one record a line. A launch without an end, and nobody who holds the folder's lock: it died.
"""

import os
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from ..ledgerfile import explained, holder
from ..records.base import Record

FILE = "night.jsonl"


class Launched(Record):
    """A night that really runs."""

    event: Literal["launched"] = "launched"
    pid: int
    at: float
    """Seconds since the epoch."""
    deadline: float
    clocks: str = ""
    """The same as `Deadline.text` keeps it."""
    studies: list[str]
    """Study files, absolute."""
    command: list[str]
    """The words of the command line behind `lesion`, with absolute paths."""
    folder: str
    """Where it was given."""
    log: str | None = None
    """Where a detached one writes."""
    before: dict[str, str] = {}
    """Of this folder's study: effect → verdict when the night began (`verdicts`)."""
    before_version: str = ""
    """Version of the study that these were measured of; another than the results' where the source was edited since."""
    before_split: str = ""
    """Split that these were computed on."""


class Ended(Record):
    """The last act of a night."""

    event: Literal["ended"] = "ended"
    at: float
    code: int
    """The exit code."""
    reason: str
    """`complete`, or what stopped it."""
    told: list[str] = []
    """Of this folder's study: what went wrong and was gone on from."""


class Fate(Record):
    """The last night of a study."""

    launched: Launched
    ended: Ended | None
    died: bool
    """Neither an end nor anybody who runs it."""


def note(state: Path, record: Launched | Ended) -> None:
    """Add a record; it is on disk when this returns. `LedgerError` where it cannot be written."""
    with explained(state / FILE), (state / FILE).open("ab+") as file:
        file.seek(max(0, file.tell() - 1))
        torn = file.read(1) not in (b"", b"\n")
        file.write((b"\n" if torn else b"") + record.model_dump_json().encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def last_night(state: Path) -> Fate | None:
    """What became of the last night; None where there was none, or it cannot be read. A line cut off by a power failure is passed over."""
    try:
        text = (state / FILE).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    launched: Launched | None = None
    ended: Ended | None = None
    for line in text.splitlines():
        record = _record(line)
        if isinstance(record, Launched):
            launched, ended = record, None
        elif record is not None:
            ended = record
    if launched is None:
        return None
    return Fate(launched=launched, ended=ended, died=ended is None and holder(state / "lock") is None)


_RECORDS: TypeAdapter[Launched | Ended] = TypeAdapter(Launched | Ended)


def _record(line: str) -> Launched | Ended | None:
    try:
        return _RECORDS.validate_json(line)
    except ValueError:
        return None
