"""Runs one command as a child process: its output passed on and read line by line, its disk use bounded, nothing left behind."""

import os
import re
import select
import signal
import subprocess
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Any, Callable, Deque, Dict, List, Optional

COLOURS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07]*\x07")
LONGEST_LINE = 1 << 16
LINES_KEPT = 40
POLL_SECONDS = 0.25
DRAIN = 1 << 22
"""Bytes that are still read once the command itself has ended, while something that it left behind holds the pipe."""


class Ended:
    """How a command ended. `status`: its exit code, negative for a signal; None where it never began."""

    def __init__(self) -> None:
        self.status: Optional[int] = None
        self.problem: Optional[str] = None
        self.full = False
        """It was stopped because it wrote more than it may."""
        self.seconds = 0.0
        self.lines: Deque[str] = deque(maxlen=LINES_KEPT)

    def last(self, count: int = 8) -> str:
        """The last lines that say something."""
        return "\n".join([line for line in self.lines if line.strip()][-count:])


class Lines:
    """Cuts output into lines, at line feeds and carriage returns, without colours; an endless line is cut, too."""

    def __init__(self, tell: "Callable[[str], None]") -> None:
        self._tell, self._rest = tell, b""

    def feed(self, data: bytes) -> None:
        """Take in more output."""
        *lines, self._rest = re.split(b"[\r\n]", self._rest + data)
        for line in lines:
            self._say(line)
        if len(self._rest) > LONGEST_LINE:
            self.end()

    def end(self) -> None:
        """What is there is a line."""
        rest, self._rest = self._rest, b""
        self._say(rest)

    def _say(self, line: bytes) -> None:
        if line:
            self._tell(COLOURS.sub("", line.decode(errors="replace")))


def run(
    words: "List[str]", environment: "Dict[str, str]", cwd: str, hear: "Callable[[str], None]", limits: "Dict[str, Any]"
) -> Ended:
    """Run a command to its end; `hear` is given every line. Whatever it leaves running is killed."""
    ended, began = Ended(), time.perf_counter()

    def line(text: str) -> None:
        ended.lines.append(text)
        hear(text)

    try:
        process = _start(words, environment, cwd)
    except OSError as error:
        ended.problem = _why_not(error, words, environment, cwd)
        return ended
    try:
        _listen(process, Lines(line), ended, Disk(cwd, limits["disk"]))
    finally:
        _kill(process)
        ended.status = process.wait()
        ended.seconds = time.perf_counter() - began
        _sweep()
    return ended


class Disk:
    """What a run writes beside its workspace: into a layer over the project that lies in memory."""

    def __init__(self, folder: str, most: int) -> None:
        self._folder, self._most = folder, most
        self._before = self._used()

    def full(self) -> bool:
        """Whether it has grown beyond the limit."""
        return _is_alone() and self._used() - self._before > self._most

    def _used(self) -> int:
        found = os.statvfs(self._folder)
        return (found.f_blocks - found.f_bfree) * found.f_frsize


def _start(words: "List[str]", environment: "Dict[str, str]", cwd: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        words,
        env=environment,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def _why_not(error: OSError, words: "List[str]", environment: "Dict[str, str]", cwd: str) -> str:
    if not os.path.isdir(cwd):
        return f"there is no folder {cwd} to start the command in: see experiment.cwd"
    if isinstance(error, FileNotFoundError):
        looked = f"; looked in {environment['PATH']}" if "/" not in words[0] else ""
        return f"there is no command {words[0]!r} inside the sandbox{looked}"
    return f"the command {words[0]!r} cannot be started: {error.strerror}"


def _listen(process: "subprocess.Popen[bytes]", lines: Lines, ended: Ended, disk: Disk) -> None:
    """Until the command has ended: not until its pipe closes, which a daemon may hold open."""
    assert process.stdout is not None
    pipe, looked = process.stdout.fileno(), 0.0
    os.set_blocking(pipe, False)
    while process.poll() is None:
        if not _take(pipe, lines, POLL_SECONDS):
            process.wait()
        now = time.monotonic()
        if now - looked > POLL_SECONDS:
            looked = now
            if disk.full():
                ended.full = True
                return
    left = DRAIN
    while left > 0:
        taken = _take(pipe, lines, 0.0)
        if not taken or taken is True:
            break
        left -= taken
    lines.end()


def _take(pipe: int, lines: Lines, seconds: float) -> "Any":
    """The number of bytes that were read, True where there are none yet, 0 at the end of the pipe."""
    if not select.select([pipe], [], [], seconds)[0]:
        return True
    data = os.read(pipe, 1 << 16)
    _pass_on(data)
    lines.feed(data)
    return len(data)


def _pass_on(data: bytes) -> None:
    while data:
        data = data[os.write(1, data) :]


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """The command's whole group."""
    with suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)


def _is_alone() -> bool:
    """Whether this is a sandbox, with a process namespace and a layer of its own."""
    return os.environ.get("HOME") == "/trial"


def _sweep() -> None:
    """In a sandbox, also what has left the group: all processes but its first, our parent and us."""
    if not _is_alone():
        return
    ours = {1, os.getppid(), os.getpid()}
    for entry in Path("/proc").glob("[0-9]*"):
        if int(entry.name) not in ours:
            try:
                os.kill(int(entry.name), signal.SIGKILL)
            except OSError:
                continue
