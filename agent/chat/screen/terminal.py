"""The terminal's side of a conversation: a prompt that things can be shown above, answers as they come, questions."""

import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import Any, Final, TypeVar

from prompt_toolkit import PromptSession
from prompt_toolkit.application import Application, get_app_session, run_in_terminal
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import Completer
from prompt_toolkit.document import Document
from prompt_toolkit.styles import Style
from prompt_toolkit.utils import get_cwidth
from rich.console import Console
from rich.status import Status
from rich.text import Text

from ....prompts import phrases
from ...report.text import plain
from ..approval import Approval, Reply
from ..front import Stream
from ..shown import Note, Shown, Step
from .ascii import ascii_stream, is_ascii_only
from .drawing import WORDS, Drawing
from .echo import unechoed
from .keyboard import LinesTyped, forget_typed, prompt_keys

_Said = TypeVar("_Said")
_MENU_ROWS = 6
_TOOLBAR_SECONDS = 1.0
_HINT_SECONDS = 4.0
_STYLE = Style.from_dict({"bottom-toolbar": "noreverse #888888", "prompt": "bold"})


class Arrived(Enum):
    """Not a message: something came that the conversation should look at."""

    ARRIVED = "arrived"


ARRIVED: Final = Arrived.ARRIVED


class Terminal:
    """A `Front` with a prompt; one thread reads and asks, any may show.

    Args:
        history: the file of the lines typed before.
        completer: what the prompt offers while one types.
        toolbar: what the line below the prompt says, most important first; the last go where it is narrow.
    """

    def __init__(
        self,
        history: Path,
        completer: Completer | None = None,
        toolbar: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        is_ascii = is_ascii_only(sys.stdout)
        self._console = Console(
            file=ascii_stream(sys.stdout) if is_ascii else sys.stdout, highlight=False, _environ=_unsized(os.environ)
        )
        self._is_dumb = self._console.is_dumb_terminal
        self._drawing, self._toolbar = Drawing(is_ascii), toolbar
        self._lock = threading.RLock()
        self._waiting: deque[Shown] = deque()
        self._asks: tuple[PromptSession[Any], str] | None = None
        self._streams = self._is_ready = False
        self._status: Status | None = None
        self._arrived = threading.Event()
        self._kept = Document()
        self._hint_until = 0.0
        self._prompt: PromptSession[str | Arrived] = PromptSession(
            history=LinesTyped(history),
            completer=completer,
            auto_suggest=AutoSuggestFromHistory(),
            multiline=True,
            prompt_continuation=phrases(WORDS).continuation,
            bottom_toolbar=self._toolbar_text,
            reserve_space_for_menu=_MENU_ROWS,
            refresh_interval=_TOOLBAR_SECONDS,
            key_bindings=prompt_keys(self._hint_how_to_leave),
            style=_STYLE,
        )
        self._question: PromptSession[str] = PromptSession(style=_STYLE)

    def read(self) -> str | Arrived | None:
        """What the person says; None where they leave, `ARRIVED` where `interrupt` was called."""
        self._get_ready()
        while not self._arrived.is_set():
            try:
                said = self._asked(self._prompt, phrases(WORDS).prompt, self._kept)
            except KeyboardInterrupt:  # of a dumb terminal
                self._kept = Document()
                self._say_how_to_leave()
                continue
            except EOFError:
                return None
            if not isinstance(said, Arrived):
                self._kept = Document()
                if said.strip():
                    return said.strip()
        self._arrived.clear()
        return ARRIVED

    def interrupt(self) -> None:
        """Makes the present `read`, else the next, return `ARRIVED`; what was typed is there again in the one after."""
        self._arrived.set()
        self._in_loop(self._leave_prompt)

    def show(self, *things: Shown) -> None:
        """From any thread: above an open prompt, and after an answer that is streaming."""
        with self._lock:
            self._waiting.extend(things)
            if not self._in_loop(self._show_above):
                self._show_waiting()

    @contextmanager
    def answering(self) -> Generator[Stream]:
        """While an answer comes."""
        from .streaming import LiveAnswer, PlainAnswer

        self._stop_spinning()
        with self._lock:
            self._streams = True
        kind = PlainAnswer if self._is_dumb else LiveAnswer
        try:
            with unechoed(sys.stdin), kind(self._console, self._drawing) as stream:
                yield stream
        finally:
            with self._lock:
                self._streams = False
                self._show_waiting()

    @contextmanager
    def busy(self, text: str) -> Generator[None]:
        """A spinner, that leaves nothing behind."""
        said = Text(self._drawing.line(text), "dim", no_wrap=True, overflow="ellipsis")
        if self._is_dumb:
            self._console.print(said)
            yield
            return
        self._stop_spinning()
        status = Status(said, console=self._console, spinner="line" if self._drawing.is_ascii else "dots")
        self._status = status
        try:
            with unechoed(sys.stdin), status:
                yield
        finally:
            self._status = None

    def approve(self, asked: Approval) -> Reply:
        """Draws what is asked, then asks: Enter is yes, anything typed a reason against it."""
        words = phrases(WORDS)
        self._stop_spinning()
        with self._lock:
            self._console.print()
            self._console.print(self._drawing.draw(asked))
        said = self._answer(words.approval["ask"])
        if said is None or said.lower() in words.no:
            return Reply(yes=False)
        return Reply(yes=True) if said == "" or said.lower() in words.yes else Reply(yes=False, reason=said)

    def choose(self, question: str, options: Sequence[str]) -> int | None:
        """Which of them, counted from 0; Enter takes the first. None where no answer was wanted."""
        words = phrases(WORDS)
        listed = [words.option(number, plain(text)) for number, text in enumerate(options, 1)]
        self.show(Note(text="\n".join([plain(question), *listed])))
        while (said := self._answer(words.choose(len(options)))) is not None:
            if said == "" or (said.isascii() and said.isdigit() and 1 <= int(said) <= len(options)):
                return int(said or 1) - 1
            self.show(Note(text=words.choose_again(len(options)), tone="warning"))
        return None

    def _answer(self, question: str) -> str | None:
        self._stop_spinning()
        forget_typed(sys.stdin, self._question.app.input)
        try:
            return self._asked(self._question, self._drawing.stretch(question), Document()).strip()
        except (KeyboardInterrupt, EOFError):
            return None

    def _asked(self, session: PromptSession[_Said], question: str, typed: Document) -> _Said:
        self._stop_spinning()
        said_already = typed.text if self._is_dumb else ""
        self._asks = session, question
        try:
            return session.prompt([("class:prompt", question + said_already)], default=typed, pre_run=self._opened)
        finally:
            with self._lock:
                self._asks = None
                self._show_waiting()

    def _opened(self) -> None:
        """What came since it was decided to ask."""
        if self._arrived.is_set():
            self._in_loop(self._leave_prompt)
        self._in_loop(self._show_above)

    def _open_app(self) -> Application[Any] | None:
        app = get_app_session().app if self._asks is not None else None
        return app if app is not None and app.is_running else None

    def _in_loop(self, act: Callable[[], object]) -> bool:
        """Whether a prompt is open, whose loop will do it."""
        with self._lock, suppress(RuntimeError):  # the loop is closed: what waits is shown after it
            app = self._open_app()
            if app is not None and app.loop is not None:
                app.loop.call_soon_threadsafe(act)
                return True
        return False

    def _leave_prompt(self) -> None:
        app, asks = self._open_app(), self._asks
        if app is not None and not app.is_done and asks is not None and asks[0] is self._prompt:
            self._kept = self._prompt.default_buffer.document
            app.erase_when_done = True
            app.exit(result=ARRIVED)

    def _show_above(self) -> None:
        if self._waiting:
            run_in_terminal(self._show_between if self._is_dumb else self._show_waiting)

    def _show_between(self) -> None:
        """On a terminal where nothing stands above anything: the line that was being typed is written again."""
        self._console.print()
        self._show_waiting()
        if self._asks is not None:
            session, question = self._asks
            self._console.print(Text(question + session.default_buffer.text), end="")

    def _show_waiting(self) -> None:
        with self._lock:
            while self._waiting and not self._streams:
                thing = self._waiting.popleft()
                if not isinstance(thing, (Note, Step)):
                    self._console.print()
                self._console.print(self._drawing.draw(thing))

    def _get_ready(self) -> None:
        """Imports what draws answers while somebody types: neither the prompt nor the first token waits for it."""
        if not self._is_ready:
            self._is_ready = True
            threading.Thread(target=import_module, args=(".streaming", __package__), daemon=True).start()

    def _say_how_to_leave(self) -> None:
        self.show(Note(text=phrases(WORDS).how_to_leave))

    def _hint_how_to_leave(self) -> None:
        """In the toolbar, for a while: nothing of it stays on the screen."""
        self._hint_until = time.monotonic() + _HINT_SECONDS

    def _stop_spinning(self) -> None:
        if self._status is not None:
            self._status.stop()

    def _toolbar_text(self) -> str:
        hinted = time.monotonic() < self._hint_until
        parts = [phrases(WORDS).how_to_leave] if hinted else self._toolbar()
        return fitting([self._drawing.line(part) for part in parts], self._console.width)


def _unsized(environment: Mapping[str, str]) -> dict[str, str]:
    """Without the size that the terminal had when somebody exported it."""
    return {name: value for name, value in environment.items() if name not in ("COLUMNS", "LINES")}


def fitting(parts: Sequence[str], width: int) -> str:
    """As many of the first parts as fit on a line, with something between them; the first is cut where not even it does."""
    said = ""
    for part in filter(None, parts):
        longer = f"{said} | {part}" if said else part
        if get_cwidth(longer) > width:
            break
        said = longer
    return said or next(filter(None, parts), "")[:width]
