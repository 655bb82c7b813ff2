"""An answer on a terminal while it comes: its finished blocks scroll away for good, the last is drawn anew."""

import threading
from time import monotonic
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.text import Text

from ..shown import Prose
from .drawing import Drawing
from .drawmarkdown import MarkdownDrawing, finished_blocks
from .region import Line, Region

_PACE = 0.03
"""Seconds between two drawings; the first comes at once."""
_REST = 4.0
"""Times as long as a drawing took, nothing is drawn: a long last block, which is drawn anew each time, takes a fifth of the time."""


class LiveAnswer:
    """A `Stream` that a thread of its own draws: an interrupt of the main thread finds no half-drawn screen."""

    def __init__(self, console: Console, drawing: Drawing) -> None:
        self._region, self._drawing = Region(console), drawing
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._text, self._is_new, self._why = "", False, ""
        self._begun = False
        self._left = 0
        """Characters of the clean text that are done with."""
        self._failure: Exception | None = None
        self._painter = threading.Thread(target=self._paint, name="answer", daemon=True)

    def add(self, text: str) -> None:
        """More of it."""
        with self._changed:
            self._text, self._is_new, self._why = self._text + self._drawing.stretch(text), True, ""
            self._changed.notify()

    def waiting(self, text: str) -> None:
        """Why nothing comes."""
        with self._changed:
            self._why, self._is_new = self._drawing.line(text), True
            self._changed.notify()

    def end(self, whole: Prose) -> None:
        """It is complete."""
        with self._changed:
            self._text, self._is_new, self._why = self._drawing.stretch(whole.text), True, ""
            self._changed.notify()

    def __enter__(self) -> Self:
        self._painter.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._changed:
            self._closing.set()
            self._changed.notify()
        self._painter.join()
        if self._failure is not None and error is None:
            raise self._failure

    def _paint(self) -> None:
        try:
            while not self._closing.is_set():
                with self._changed:
                    self._changed.wait_for(lambda: self._closing.is_set() or self._is_new)
                    text, self._is_new = self._text, False
                began = monotonic()
                self._draw(text)
                self._closing.wait(max(_PACE, _REST * (monotonic() - began)))
            self._finish()
        except Exception as error:  # raised in the thread that asked for the answer
            self._failure = error

    def _draw(self, text: str) -> None:
        if text.strip() and not self._begun:
            self._begun = True
            self._region.draw([])  # what was waited for
            self._region.leave([Line("", 0)])
        finished = finished_blocks(text[self._left :])
        if finished:
            self._region.leave([*self._lines(text[self._left : self._left + finished]), Line("", 0)])
            self._left += finished
        why = Text(self._why, "dim")  # whole: the last words say when it is asked again
        self._region.draw([*self._lines(text[self._left :]), *(self._region.rendered(why) if self._why else [])])

    def _finish(self) -> None:
        self._why = ""
        self._draw(self._text)
        self._region.leave(self._lines(self._text[self._left :]))

    def _lines(self, text: str) -> list[Line]:
        return self._region.rendered(MarkdownDrawing(text)) if text.strip() else []


class PlainAnswer:
    """A `Stream` for terminals that cannot move the cursor: letter by letter, as it was written."""

    def __init__(self, console: Console, drawing: Drawing) -> None:
        self._console, self._drawing, self._text = console, drawing, ""

    def add(self, text: str) -> None:
        """More of it."""
        self._text += text
        self._console.print(Text(self._drawing.stretch(text)), end="", soft_wrap=True)

    def waiting(self, text: str) -> None:
        """A line of its own."""
        self._console.print(Text(self._drawing.line(text), "dim"))

    def end(self, whole: Prose) -> None:
        """It is complete."""
        self.add(whole.text[len(self._text) :])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._text and not self._text.endswith("\n"):
            self._console.print()
