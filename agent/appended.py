"""A file of JSON lines that only grows: each line is on the disk before its append returns, and a half-written one is never read."""

import os
from pathlib import Path


class AppendedLines:
    """The lines of one file; one process may append, and what it appends after a dead one begins a new line.

    Raises:
        OSError: the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines, self._end = whole_lines(path)
        """As they were when the file was opened."""

    def append(self, line: bytes) -> None:
        """Write a line, without its end; one that does not fit leaves nothing behind. Raises `OSError`."""
        data = line + b"\n"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(descriptor, self._end)
            try:
                written = 0
                while written < len(data):
                    written += os.pwrite(descriptor, data[written:], self._end + written)
                os.fsync(descriptor)
            except OSError:
                os.ftruncate(descriptor, self._end)
                raise
            self._end += len(data)
        finally:
            os.close(descriptor)


def whole_lines(path: Path, start: int = 0) -> tuple[list[bytes], int]:
    """The lines from a byte on, and where the last whole one ends. None where there is no file. Raises `OSError`."""
    try:
        with path.open("rb") as file:
            file.seek(start)
            data = file.read()
    except FileNotFoundError:
        return [], 0
    end = data.rfind(b"\n") + 1
    return data[:end].splitlines(), start + end
