"""One job for one worker: what it is told, whose results it will give, and the files it may read and write."""

import os
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .overlay import Overlay


@dataclass(frozen=True)
class Job:
    """A message with one entry in `arms` for each of `parts`."""

    message: dict[str, Any]
    parts: tuple[str, ...]
    """Names of its results, in the order of the arms; they come in the order in which arms end."""
    reads: Path | None = None
    """A checkpoint, handed over as an open file: no trial sees the folder it lies in."""
    writes: Path | None = None
    """Where the trained weights go; the file appears once the trial has ended well."""
    overlay: Overlay = field(default_factory=lambda: dict[Path, str]())
    """Source files that it sees with another text: it runs in a worker whose view is made for it."""
    refusal: str | None = None
    """Why it cannot run at all: its source edits do not apply."""

    def without(self, done: Collection[int]) -> "Job | None":
        """What is left of it once these parts have ended; None where nothing is."""
        left = [part for part in range(len(self.parts)) if part not in done]
        if not left:
            return None
        arms = [self.message["arms"][part] for part in left]
        return replace(self, message={**self.message, "arms": arms}, parts=tuple(self.parts[part] for part in left))

    def open_files(self) -> dict[str, int]:
        """Descriptors by their role; the caller closes them."""
        files: dict[str, int] = {}
        if self.reads:
            files["read"] = os.open(self.reads, os.O_RDONLY | os.O_CLOEXEC)
        if self.writes:
            self.writes.parent.mkdir(parents=True, exist_ok=True)
            files["write"] = os.open(self._unfinished, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        return files

    def settle_files(self, ok: bool) -> None:
        """Put what was written in its place, or throw it away. `OSError` where the disk refuses."""
        if not self.writes:
            return
        if not ok:
            with suppress(OSError):
                self._unfinished.unlink()
            return
        with self._unfinished.open("rb") as file:
            os.fsync(file.fileno())
        self._unfinished.replace(self.writes)

    @property
    def _unfinished(self) -> Path:
        assert self.writes is not None
        return self.writes.with_name(f".{self.writes.name}.unfinished")
