"""The keyboard of a terminal: what is typed too early, keys of the prompt, and the lines typed before."""

import os
import termios
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import has_focus
from prompt_toolkit.history import FileHistory
from prompt_toolkit.input import Input
from prompt_toolkit.input.typeahead import clear_typeahead
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

_GOES_ON = "\\"


def forget_typed(keyboard: TextIO, keys: Input) -> None:
    """Drops what was typed before a question stood on the screen: an early Enter answers nothing."""
    clear_typeahead(keys)
    with suppress(termios.error, OSError, ValueError):
        termios.tcflush(keyboard.fileno(), termios.TCIFLUSH)


def prompt_keys(at_empty_line: Callable[[], None]) -> KeyBindings:
    """Enter sends, or goes on after a backslash; Alt-Enter goes on; Ctrl-C clears the line, or calls `at_empty_line`."""
    keys = KeyBindings()
    typing = has_focus(DEFAULT_BUFFER)

    @keys.add("enter", filter=typing)
    def send(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.document.is_cursor_at_the_end and buffer.text.endswith(_GOES_ON):
            buffer.delete_before_cursor()
            buffer.insert_text("\n")
        else:
            buffer.validate_and_handle()

    @keys.add("escape", "enter", filter=typing)
    def go_on(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    @keys.add("c-c", filter=typing)
    @keys.add("<sigint>")
    def clear(event: KeyPressEvent) -> None:
        if event.app.current_buffer.text:
            event.app.current_buffer.reset()
        else:
            at_empty_line()

    del send, go_on, clear
    return keys


class LinesTyped(FileHistory):
    """A history that only its owner can read; where its file cannot be used, it lasts as long as the process."""

    def __init__(self, file: Path) -> None:
        super().__init__(file)
        self._file = file

    def load_history_strings(self) -> Iterable[str]:
        """Newest first."""
        try:
            return super().load_history_strings()
        except OSError:
            return ()

    def store_string(self, string: str) -> None:
        """At the end of the file."""
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self._file, os.O_CREAT | os.O_WRONLY, 0o600))
            super().store_string(string)
