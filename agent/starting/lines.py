"""Finds lines of source."""

from collections.abc import Sequence

from ..reading.script.source import Source


def first_line_with(files: Sequence[Source], text: str) -> str:
    """`file:line` of the first line whose code holds `text`; empty where none does."""
    return next(
        (
            f"{file.name}:{number}"
            for file in files
            for number, line in enumerate(file.lines, 1)
            if text in line.partition("#")[0]
        ),
        "",
    )
