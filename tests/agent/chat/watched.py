"""A program in a real pseudo-terminal, and the screen that a person before it would see."""

import os
import signal
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
NOT_INHERITED = ("NO_COLOR", "COLUMNS", "LINES", "LESION", "OPENAI")


def _listening() -> None:
    """Ctrl-C counts, also where these tests run in the background of a shell, which ignores it for all that it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Seen(AbstractContextManager["Seen"]):
    """A program on a screen of so many columns and rows; it is killed at the end."""

    timeout = TIMEOUT

    def __init__(
        self, *command: str, columns: int = 80, rows: int = 24, cwd: Path | None = None, **environment: str
    ) -> None:
        self.screen = pyte.HistoryScreen(columns, rows, history=1000)
        self.screen.write_process_input = self.send  # type: ignore[method-assign]
        self._stream = pyte.ByteStream(self.screen)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}
        self.raw = b""
        self.child = pexpect.spawn(
            command[0],
            list(command[1:]),
            dimensions=(rows, columns),
            cwd=cwd,
            env={**kept, "TERM": "xterm-256color", "LANG": "C.UTF-8", "LC_ALL": "", **environment},
            timeout=self.timeout,
            preexec_fn=_listening,
        )

    def __exit__(self, *_: object) -> None:
        self.child.close(force=True)

    def send(self, text: str) -> None:
        self.child.send(text)

    def enter(self, text: str = "") -> None:
        self.send(f"{text}\r")

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
        latest = time.monotonic() + self.timeout
        while not found():
            try:
                data = self.child.read_nonblocking(65536, max(0.0, latest - time.monotonic()))
            except (pexpect.TIMEOUT, pexpect.EOF) as error:
                raise AssertionError(f"not seen: {seen}\n{self.text}") from error
            self.take(data)

    def take(self, data: bytes) -> None:
        """What the program wrote."""
        self.raw += data
        self._stream.feed(data)

    def prompted(self) -> None:
        """Until an empty prompt waits."""
        self.until(lambda: self.current == ">")

    @property
    def current(self) -> str:
        """The line of the cursor."""
        return self.screen.display[self.screen.cursor.y].rstrip()


class Watched(Seen):
    """The fake conversation."""

    def __init__(self, folder: Path, columns: int = 80, rows: int = 24, **environment: str) -> None:
        for name in ("main", "side"):
            if not (folder / name).exists():
                os.mkfifo(folder / name)
        program = (sys.executable, str(CONVERSATION), str(folder))
        super().__init__(*program, columns=columns, rows=rows, **environment)
        self.main = (folder / "main").open("w", encoding="utf-8", buffering=1)
        self.side = (folder / "side").open("w", encoding="utf-8", buffering=1)

    def __exit__(self, *given: object) -> None:
        self.main.close()
        self.side.close()
        super().__exit__(*given)

    def feed(self, *texts: str) -> None:
        """To the main thread, one piece a line."""
        for text in texts:
            self.main.write(text.replace("\n", "\\n") + "\n")

    def ended(self) -> None:
        self.until("left")
        self.child.expect(pexpect.EOF)
