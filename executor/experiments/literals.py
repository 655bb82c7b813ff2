"""Replaces literals in the text of a Python file."""

import ast
from collections.abc import Sequence
from typing import Any

from ..errors import EditError
from .knobs import LiteralKnob


def replaced(name: str, text: str, changes: Sequence[tuple[LiteralKnob, Any]]) -> str:
    """`text` with other literals in it. `EditError` where what was read does not stand there any more."""
    starts = line_starts(text)
    problems: list[str] = []
    for knob, value in sorted(changes, key=lambda change: change[0].start, reverse=True):
        if max(knob.start[0], knob.end[0]) > len(starts):
            problems.append(f"{name}:{knob.start[0]}: the file has become shorter since it was read")
            continue
        begin, end = (starts[line - 1] + column for line, column in (knob.start, knob.end))
        if text[begin:end].replace("\r\n", "\n") != knob.text:
            problems.append(f"{name}:{knob.start[0]}: {text[begin:end]!r} stands where {knob.text!r} was read")
            continue
        text = text[:begin] + as_literal(value, knob.text) + text[end:]
    if problems:
        raise EditError(problems)
    return text


def line_starts(text: str) -> list[int]:
    """Where each line begins, as Python counts lines."""
    starts = [0]
    for at, character in enumerate(text):
        if character == "\n" or (character == "\r" and text[at + 1 : at + 2] != "\n"):
            starts.append(at + 1)
    return starts


def as_literal(value: Any, before: str) -> str:
    """`value` as Python writes it; a list stays a tuple where one stood."""
    try:
        was_tuple = isinstance(ast.literal_eval(before), tuple)
    except (ValueError, SyntaxError):
        was_tuple = False
    return repr(tuple(value) if was_tuple and isinstance(value, list) else value)
