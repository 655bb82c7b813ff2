"""What a prompt offers while one types: slash commands and their arguments, ids of components and files of the project."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from ...report.text import plain

_MOST = 50
_WORD = re.compile(r"\S*$")
_AT = re.compile(r"(?:^|(?<=\s))@(\S*)$")
_COMMAND = re.compile(r"/(\S*)$")
_ARGUMENT = re.compile(r"/(\S+)\s+(?:\S+\s+)*(\S*)$")
_TELLING = re.compile(r"[:/._]|\d")
"""A word with one of these is hardly prose: it is completed while it is typed, others only when asked for."""

ID, FILE = "id", "file"


class Command(NamedTuple):
    """A slash command as the prompt offers it."""

    name: str
    """Without the slash."""
    help: str
    """In one line."""
    arguments: Sequence[str] = ()
    """What may follow: words, or `ID` and `FILE` for the project's own."""


class ChatCompleter(Completer):
    """Offers what its callables give at that moment: they must not block, and may give nothing yet.

    Args:
        commands: the slash commands, without their slash.
        ids: ids of components, with a label or an empty text each.
        files: paths relative to the project's root.
    """

    def __init__(
        self,
        commands: Callable[[], Iterable[Command]],
        ids: Callable[[], Mapping[str, str]],
        files: Callable[[], Iterable[str]],
    ) -> None:
        self._commands, self._ids, self._files = commands, ids, files

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """Of the word before the cursor."""
        line = document.current_line_before_cursor
        is_first_line = document.cursor_position_row == 0
        if is_first_line and (command := _COMMAND.match(line)):
            return self._of_commands(command[1])
        if is_first_line and (argument := _ARGUMENT.match(line)):
            return self._of_arguments(argument[1], argument[2])
        if (at := _AT.search(line)) is not None:
            return [*self._of_ids(at[1], len(at[0])), *self._of_files(at[1], len(at[0]))][:_MOST]
        word = _WORD.search(line)
        typed = word[0] if word else ""
        if typed and (complete_event.completion_requested or _TELLING.search(typed)):
            return [*self._of_ids(typed, len(typed)), *self._of_files(typed, len(typed))][:_MOST]
        return ()

    def _of_commands(self, typed: str) -> Iterable[Completion]:
        for command in self._commands():
            if command.name.startswith(typed.lower()):
                blank = " " if command.arguments else ""
                yield _offer(f"/{command.name}{blank}", len(typed) + 1, command.help)

    def _of_arguments(self, name: str, typed: str) -> Iterable[Completion]:
        wanted = next((command.arguments for command in self._commands() if command.name == name.lower()), ())
        found: list[Completion] = []
        for kind in wanted:
            if kind == ID:
                found += self._of_ids(typed, len(typed))
            elif kind == FILE:
                found += self._of_files(typed, len(typed))
            elif kind.startswith(typed):
                found.append(_offer(kind, len(typed), ""))
        return found[:_MOST]

    def _of_ids(self, typed: str, length: int) -> Iterable[Completion]:
        """By the start of the id, then by the start of any of its parts: `dropout` finds `config:dropout`."""
        ids = {each: label for each, label in self._ids().items() if each.isprintable()}
        low = typed.lower()
        starting = [each for each in ids if each.lower().startswith(low)]
        inside = [each for each in ids if each not in starting and _starts_a_part(each.lower(), low)]
        for each in (*starting, *inside):
            if each != typed:
                yield _offer(each, length, ids[each])

    def _of_files(self, typed: str, length: int) -> Iterable[Completion]:
        low = typed.lower()
        for path in self._files():
            if (
                path != typed
                and path.isprintable()
                and (path.lower().startswith(low) or path.lower().rpartition("/")[2].startswith(low))
            ):
                yield _offer(path, length, "")


def _starts_a_part(identifier: str, typed: str) -> bool:
    return any(part.startswith(typed) for part in re.split(r"[:./]", identifier)[1:]) if typed else False


def _offer(text: str, length: int, meta: str) -> Completion:
    return Completion(text, start_position=-length, display=plain(text), display_meta=plain(meta))
