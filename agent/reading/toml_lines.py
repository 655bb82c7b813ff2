"""On which line of a TOML text each key stands: tomllib does not tell, and messages need it."""

import re
import tomllib
from typing import Any

KeyPath = tuple[str, ...]

KEY = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')"""
PATH = rf"{KEY}(?:[ \t]*\.[ \t]*{KEY})*"
HEADER = re.compile(rf"[ \t]*(\[\[?)[ \t]*({PATH})[ \t]*\]")
ENTRY = re.compile(rf"[ \t]*({PATH})[ \t]*=")
TOKEN = re.compile(
    r'''"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|\#[^\n]*|[\[\]{}\n]|[^\[\]{}\n"'#]+|.''',
    re.DOTALL,
)


def toml_lines(text: str) -> dict[KeyPath, int]:
    """The line, from 1, of every table and key; keys of inline tables and of arrays of tables are left out."""
    lines: dict[KeyPath, int] = {}
    table: KeyPath | None = ()
    at, line = 0, 1
    while at < len(text):
        found: KeyPath | None = None
        end = _line_end(text, at)
        if header := HEADER.match(text, at):
            found = _keys(header[2])
            table = found if header[1] == "[" else None
        elif entry := ENTRY.match(text, at):
            found = None if table is None else table + _keys(entry[1])
            end = _value_end(text, entry.end())
        if found is not None:
            for length in range(1, len(found) + 1):
                lines.setdefault(found[:length], line)
        line += text.count("\n", at, end)
        at = end
    return lines


def nearest_line(lines: dict[KeyPath, int], path: KeyPath) -> int:
    """The line of `path`, of the closest key or table around it, or 1."""
    around = (path[:length] for length in range(len(path), 0, -1))
    return next((lines[outer] for outer in around if outer in lines), 1)


def _keys(dotted: str) -> KeyPath:
    """The parts of a dotted key, unquoted."""
    node: Any = tomllib.loads(f"{dotted} = 0")
    keys: list[str] = []
    while isinstance(node, dict):
        key, node = next(iter(node.items()))
        keys.append(key)
    return tuple(keys)


def _line_end(text: str, at: int) -> int:
    """Where the next line starts."""
    return text.find("\n", at) + 1 or len(text)


def _value_end(text: str, at: int) -> int:
    """Where the line after a value starts, which may span many lines itself."""
    depth = 0
    for token in TOKEN.finditer(text, at):
        depth += (token[0] in ("[", "{")) - (token[0] in ("]", "}"))
        if token[0] == "\n" and depth <= 0:
            return token.end()
    return len(text)
