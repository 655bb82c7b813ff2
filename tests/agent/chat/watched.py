"""A program in a real pseudo-terminal, and the screen that a person before it would see."""

import os
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pexpect
import pyte

TIMEOUT = 30
CONVERSATION = Path(__file__).with_name("conversation.py")
CTRL_C, CTRL_D, CTRL_R, UP, TAB, ALT_ENTER = "\x03", "\x04", "\x12", "\x1b[A", "\t", "\x1b\r"
COLOURLESS = {"NO_COLOR": "1"}


class Watched(AbstractContextManager["Watched"]):
    """The fake conversation on a screen of so many columns and rows."""

    def __init__(self, folder: Path, columns: int = 80, rows: int = 24, **environment: str) -> None:
        self.folder = folder
        for name in ("main", "side"):
            if not (folder / name).exists():
                os.mkfifo(folder / name)
        self.screen = pyte.HistoryScreen(columns, rows, history=1000)
        self.screen.write_process_input = self.send  # type: ignore[method-assign]
        self._stream = pyte.ByteStream(self.screen)
        kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")}
        self.raw = b""
        self.child = pexpect.spawn(
            sys.executable,
            [str(CONVERSATION), str(folder)],
            dimensions=(rows, columns),
            env={**kept, "TERM": "xterm-256color", "LANG": "C.UTF-8", "LC_ALL": "", **environment},
            timeout=TIMEOUT,
        )
        self.main = (folder / "main").open("w", encoding="utf-8", buffering=1)
        self.side = (folder / "side").open("w", encoding="utf-8", buffering=1)

    def __exit__(self, *_: object) -> None:
        self.main.close()
        self.side.close()
        self.child.close(force=True)

    def send(self, text: str) -> None:
        self.child.send(text)

    def enter(self, text: str = "") -> None:
        self.send(f"{text}\r")

    def feed(self, *texts: str) -> None:
        """To the main thread, one piece a line."""
        for text in texts:
            self.main.write(text.replace("\n", "\\n") + "\n")

    def resize(self, columns: int, rows: int) -> None:
        self.child.setwinsize(rows, columns)
        self.screen.resize(rows, columns)

    @property
    def lines(self) -> list[str]:
        """Of the screen and above it."""
        above = ["".join(line[x].data for x in range(self.screen.columns)) for line in self.screen.history.top]
        return [line.rstrip() for line in (*above, *self.screen.display)]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def until(self, seen: str | Callable[[], bool]) -> None:
        """Reads until a text, or what a function looks for, is on the screen."""
        found = (lambda: seen in self.text) if isinstance(seen, str) else seen
        latest = time.monotonic() + TIMEOUT
        while not found():
            try:
                data = self.child.read_nonblocking(65536, max(0.0, latest - time.monotonic()))
            except (pexpect.TIMEOUT, pexpect.EOF) as error:
                raise AssertionError(f"not seen: {seen}\n{self.text}") from error
            self.raw += data
            self._stream.feed(data)

    def prompted(self) -> None:
        """Until an empty prompt waits."""
        self.until(lambda: self.current == ">")

    @property
    def current(self) -> str:
        """The line of the cursor."""
        return self.screen.display[self.screen.cursor.y].rstrip()

    def ended(self) -> None:
        self.until("left")
        self.child.expect(pexpect.EOF)
