"""Tells the night's summary to a command of the user's: `mail -s lesion me@example.org`, `notify-send`, `curl`."""

import os
import selectors
import signal
import subprocess
import time
from contextlib import suppress
from typing import IO

from ..report.text import clipped, plain

LONGEST, LEAST = 60.0, 10.0
"""Seconds that it may take."""
KEPT = 2000
"""Bytes of the end of what it prints."""
SHOWN = 200
CHUNK = 1 << 16
LOOK = 0.05
"""Seconds between looks whether it has ended."""


def notify(command: str, text: str, seconds: float = LONGEST) -> str | None:
    """Run `command` through the shell, in a session of its own, with `text` on its standard input.

    After `seconds` it is ended, with all that it started in its process group. Returns what went wrong, in a line; None
    where it ended with 0. Raises nothing, whatever the command does.
    """
    try:
        process = subprocess.Popen(
            command,
            shell=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        return f"--notify could not be started: {plain(str(error))}"
    try:
        return _told(process, text.encode(errors="replace"), seconds)
    except OSError as error:
        return f"--notify failed: {plain(str(error))}"
    finally:
        _close(process)


def _told(process: subprocess.Popen[bytes], text: bytes, seconds: float) -> str | None:
    said, in_time = _talked(process, text, time.monotonic() + seconds)
    if not in_time:
        return f"--notify took longer than {round(seconds, 1):g} s, and was ended{_last(said)}"
    code = process.returncode
    return f"--notify ended with exit code {code}{_last(said)}" if code else None


def _talked(process: subprocess.Popen[bytes], text: bytes, end: float) -> tuple[bytes, bool]:
    """The end of what it printed, and whether it ended in time. Whatever it left running in the background is not waited for."""
    assert process.stdin is not None and process.stdout is not None
    said, ended = b"", False
    with selectors.DefaultSelector() as selector:
        for stream, event in ((process.stdin, selectors.EVENT_WRITE), (process.stdout, selectors.EVENT_READ)):
            os.set_blocking(stream.fileno(), False)
            selector.register(stream, event)
        while not ended and time.monotonic() < end:
            ended = process.poll() is not None
            if not selector.get_map():
                time.sleep(LOOK)
            for key, event in selector.select(0 if ended else LOOK):
                if event == selectors.EVENT_WRITE:
                    text = _given(process.stdin, text)
                    done = not text
                else:
                    chunk = process.stdout.read(CHUNK)
                    said, done = (said + (chunk or b""))[-KEPT:], chunk == b""
                if done:
                    selector.unregister(key.fileobj)
                    _shut(process.stdin if event == selectors.EVENT_WRITE else process.stdout)
    return said, ended


def _given(stream: IO[bytes], text: bytes) -> bytes:
    """What is still to be given; nothing where nobody reads it."""
    try:
        return text[os.write(stream.fileno(), text) :] if text else b""
    except BlockingIOError:
        return text
    except BrokenPipeError:
        return b""


def _shut(stream: IO[bytes]) -> None:
    with suppress(OSError):
        stream.close()


def _last(said: bytes) -> str:
    lines = [text for line in said.decode(errors="replace").splitlines() if (text := plain(line))]
    return f": {clipped(lines[-1], SHOWN)}" if lines else ""


def _close(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            _shut(stream)
