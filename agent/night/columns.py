"""Text cut to columns of a terminal: letters of some scripts take two, others none."""

from collections.abc import Sequence


def columns_of(text: str) -> int:
    """How many columns a line takes."""
    from rich.cells import cell_len

    return cell_len(text)


def fitted(text: str, columns: int) -> str:
    """At most so many columns, the last an ellipsis where something was cut."""
    if columns_of(text) <= columns:
        return text
    return f"{_head(text, columns - 1).rstrip()}…"


def wrapped(text: str, columns: int, indent: int = 0) -> list[str]:
    """Whole, on as many lines as it takes, those after the first indented; a word is broken where it is longer than a line."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        if line.strip() and columns_of(f"{line} {word}") > columns:
            lines.append(line)
            line = ""
        line = f"{line} {word}" if line.strip() else " " * (indent if lines else 0) + word
        while columns_of(line) > columns and len(head := _head(line, columns)) > indent:
            lines.append(head)
            line = " " * indent + line[len(head) :]
    return [*lines, line] if line.strip() else lines


def fitted_path(text: str, columns: int) -> str:
    """Likewise, cut in the middle: of long paths it is the end that tells them apart."""
    if columns_of(text) <= columns:
        return text
    tail = _head(text[::-1], (columns - 1) // 2)[::-1]
    return f"{_head(text, columns - 1 - columns_of(tail))}…{tail}"


def fitted_names(names: Sequence[str], columns: int) -> str:
    """Several names beside each other, each cut in its middle to an equal share where they do not fit."""
    shown = names[: max(1, (columns + 3) // 8)]
    room = max(5, (columns - 3 * (len(shown) - 1)) // len(shown)) if shown else columns
    return fitted(" + ".join(fitted_path(name, room) if len(names) > 1 else name for name in shown), columns)


def _head(text: str, columns: int) -> str:
    kept = text[: max(0, columns)]
    while columns_of(kept) > columns:
        kept = kept[:-1]
    return kept
