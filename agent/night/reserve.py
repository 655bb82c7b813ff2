"""Room on the disk that a night holds for its own end: where something fills the disk meanwhile, its report and its last record fit."""

import os
from contextlib import suppress
from pathlib import Path

NAME = "reserve"
BYTES = 16 << 20


def hold(state: Path) -> None:
    """Take the room in a state folder; where there is none, the night goes without."""
    with suppress(OSError), (state / NAME).open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, BYTES)


def release(state: Path) -> None:
    """Give it back."""
    with suppress(OSError):
        (state / NAME).unlink(missing_ok=True)
