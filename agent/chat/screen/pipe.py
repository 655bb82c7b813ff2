"""A conversation without a terminal: plain text, or a JSON record a line; nobody is asked anything."""

import errno
import io
import json
import os
import signal
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NoReturn, TextIO

from rich.console import Console

from ....executor.errors import LesionError
from ..approval import Approval
from ..front import Stream
from ..shown import Note, Prose, Shown
from .ascii import ascii_stream, is_ascii_only
from .drawing import Drawing

_WIDTH = 2000
"""Columns: no line of a table is wrapped or left out for a program that reads it."""


class ReaderGone(SystemExit):
    """Whoever read the output is gone: nothing more can be said, and nothing is wrong."""


class Pipe:
    """A `Front` for pipes and programs.

    Args:
        messages: what is said, one after the other; none given, the lines of `stdin`.
        as_json: records on `stdout`, and nothing else there.
    """

    def __init__(
        self,
        messages: Sequence[str] = (),
        *,
        as_json: bool = False,
        stdin: TextIO | None = None,
        stdout: TextIO | None = None,
        stderr: TextIO | None = None,
    ) -> None:
        self._stdin, self._stdout = stdin or sys.stdin, stdout or sys.stdout
        self._stderr = stderr or sys.stderr
        self._said = iter(messages) if messages else (line.rstrip("\r\n") for line in self._stdin)
        self._as_json = as_json
        self._drawing = Drawing(is_ascii_only(self._stdout, {}))

    def read(self) -> str | None:
        """The next message that says anything; None after the last."""
        try:
            return next((message.strip() for message in self._said if message.strip()), None)
        except UnicodeDecodeError as error:
            raise LesionError(
                str(error), where="standard input", to_do=f"messages are text in {error.encoding}"
            ) from None

    def show(self, *things: Shown) -> None:
        """Each as a record or as text; notes of a text go to `stderr`."""
        for thing in things:
            if self._as_json:
                self._record(thing.kind, thing, **({"complete": True} if isinstance(thing, Prose) else {}))
            elif isinstance(thing, Note):
                self._write(self._stderr, self._text(thing))
            elif isinstance(thing, Prose):
                self._write(self._stdout, self._drawing.block(thing.text))
            else:
                self._write(self._stdout, self._text(thing))

    @contextmanager
    def answering(self) -> Generator[Stream]:
        """The answer is written when it has ended, whole or broken off."""
        answer = _Collected(lambda text: self._write(self._stderr, self._drawing.line(text)))
        try:
            yield answer
        finally:
            if self._as_json:
                self._record("prose", answer.prose, complete=answer.is_complete)
            elif answer.prose.text.strip():
                self._write(self._stdout, self._drawing.block(answer.prose.text))

    @contextmanager
    def busy(self, text: str) -> Generator[None]:
        """A line on `stderr`."""
        self._write(self._stderr, self._drawing.line(text))
        yield

    def approve(self, asked: Approval) -> None:
        """Shows what would have been asked."""
        if self._as_json:
            self._record("approval", asked)
        else:
            self._write(self._stdout, self._text(asked))

    def _record(self, event: str, thing: Shown | Approval, **more: Any) -> None:
        fields = json.loads(thing.model_dump_json(exclude={"kind"}))
        self._write(self._stdout, json.dumps({"event": event, **fields, **more}, allow_nan=False))

    def _text(self, thing: Shown | Approval) -> str:
        ascii_only = self._drawing.is_ascii
        text = io.StringIO()
        console = Console(file=ascii_stream(text) if ascii_only else text, width=_WIDTH, color_system=None)
        console.print(self._drawing.draw(thing))
        return "\n".join(line.rstrip() for line in text.getvalue().rstrip("\n").split("\n"))

    def _write(self, stream: TextIO, text: str) -> None:
        try:
            stream.write(f"{text}\n")
            stream.flush()
        except OSError as error:
            _cannot_be_written(stream, "standard error" if stream is self._stderr else "standard output", error)


class _Collected:
    """A `Stream` that keeps what came."""

    def __init__(self, wait: Callable[[str], None]) -> None:
        self._wait = wait
        self.prose = Prose(text="")
        self.is_complete = False

    def add(self, text: str) -> None:
        self.prose = Prose(text=self.prose.text + text)

    def waiting(self, text: str) -> None:
        self._wait(text)

    def end(self, whole: Prose) -> None:
        self.prose, self.is_complete = whole, True


def _cannot_be_written(stream: TextIO, name: str, error: OSError) -> NoReturn:
    with suppress(OSError, ValueError):  # what is still buffered is not tried again when the program ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    if error.errno in (errno.EPIPE, errno.ECONNRESET):
        raise ReaderGone(128 + signal.SIGPIPE) from None
    raise LesionError(
        f"cannot be written: {error.strerror or error}",
        where=name,
        to_do="free some space, or write it elsewhere; the conversation itself is kept",
    ) from None
