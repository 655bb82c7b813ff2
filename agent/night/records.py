"""What a state folder keeps of its nights: a record when one is really running, another as its last act.

`<state>/night.jsonl`, one record a line: what was known in the evening, the launch, the end. A launch without an end, and
nobody who holds the folder's lock: it died.
"""

import os
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from ..ledgerfile import explained, holder
from ..records.base import Record

FILE = "night.jsonl"


class Evening(Record):
    """What was known of this folder's study when a new night was asked for, before its preflight."""

    event: Literal["evening"] = "evening"
    at: float
    """Seconds since the epoch."""
    before: dict[str, str] = {}
    before_version: str = ""
    before_split: str = ""
    """As in `Launched`."""


class Launched(Record):
    """A night that really runs."""

    event: Literal["launched"] = "launched"
    pid: int
    at: float
    """Seconds since the epoch."""
    began: float | None = None
    """When the night was asked for; before `at` where it is gone on with."""
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


class Trouble(Record):
    """Something went wrong in the night and was gone on from."""

    event: Literal["trouble"] = "trouble"
    at: float
    text: str


Entry = Evening | Launched | Trouble | Ended


class Fate(Record):
    """The last night of a study."""

    launched: Launched
    ended: Ended | None
    died: bool
    """Neither an end nor anybody who runs it."""


def note(state: Path, record: Entry) -> None:
    """Add a record; it is on disk when this returns. `LedgerError` where it cannot be written."""
    with explained(state / FILE), (state / FILE).open("ab+") as file:
        file.seek(max(0, file.tell() - 1))
        torn = file.read(1) not in (b"", b"\n")
        file.write((b"\n" if torn else b"") + record.model_dump_json().encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def last_night(state: Path) -> Fate | None:
    """What became of the last night; None where there was none, or it cannot be read. A line cut off by a power failure is passed over."""
    launched: Launched | None = None
    ended: Ended | None = None
    for record in _records(state):
        if isinstance(record, Launched):
            launched, ended = record, None
        elif isinstance(record, Ended):
            ended = record
    if launched is None:
        return None
    return Fate(launched=launched, ended=ended, died=ended is None and holder(state / "lock") is None)


def last_evening(state: Path) -> Evening | None:
    """What was known when a night was asked for last; None where none was."""
    return next((one for one in reversed(_records(state)) if isinstance(one, Evening)), None)


def troubles(state: Path) -> list[str]:
    """What went wrong since a night was asked for last, in its order."""
    found: list[str] = []
    for one in _records(state):
        if isinstance(one, Evening):
            found = []
        elif isinstance(one, Trouble):
            found.append(one.text)
    return found


_RECORDS: TypeAdapter[Entry] = TypeAdapter(Entry)


def _records(state: Path) -> list[Entry]:
    """All of them, oldest first."""
    try:
        text = (state / FILE).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return [record for line in text.splitlines() if (record := _record(line))]


def _record(line: str) -> Entry | None:
    try:
        return _RECORDS.validate_json(line)
    except ValueError:
        return None
