"""The Python files that a script consists of, parsed, and the literals in them."""

import ast
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ....executor.experiments.imports import local_imports, search_paths
from ....executor.experiments.knobs import LiteralKnob
from .found import Found, Place

MOST_FILES = 200
LARGEST = 1 << 20
LINES = re.compile(r"\r\n|\r|\n")


class _Missing:
    """No literal."""


MISSING = _Missing()


class Source(NamedTuple):
    """One parsed file of the project."""

    file: Path
    name: str
    """Relative to the root, with forward slashes."""
    lines: tuple[str, ...]
    tree: ast.Module
    entry: bool
    """Whether the command starts it: only then does its `__main__` block run."""

    @property
    def stem(self) -> str:
        """The module's last name."""
        return self.file.stem if self.file.stem != "__init__" else self.file.parent.name

    def place(self, node: ast.AST) -> Place:
        """Where a node stands."""
        return Place(self.name, getattr(node, "lineno", 1))

    def knob(self, node: ast.expr) -> LiteralKnob:
        """The knob of one literal."""
        start = (node.lineno, self._column(node.lineno, node.col_offset))
        end_line = node.end_lineno or node.lineno
        end = (end_line, self._column(end_line, node.end_col_offset or 0))
        lines = list(self.lines[start[0] - 1 : end[0]])
        lines[-1] = lines[-1][: end[1]]
        lines[0] = lines[0][start[1] :]
        return LiteralKnob(self.name, start, end, "\n".join(lines))

    def setting(self, key: str, node: ast.expr, family: str) -> Iterator[Found]:
        """The setting that a literal is; the settings in it where it is a dictionary; nothing for anything else."""
        if isinstance(node, ast.Dict) and node.keys:
            for name, value in zip(node.keys, node.values, strict=True):
                if isinstance(name, ast.Constant) and isinstance(name.value, str) and name.value:
                    yield from self.setting(f"{key}.{name.value}", value, family)
        elif (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict" and not node.args
        ):
            for word in node.keywords:
                if word.arg:
                    yield from self.setting(f"{key}.{word.arg}", word.value, family)
        elif (value := literal(node)) is not MISSING:
            yield Found(key, value, self.place(node), self.knob(node), family)

    def _column(self, line: int, offset: int) -> int:
        """Characters before `offset` bytes of a line."""
        return len(self.lines[line - 1].encode()[:offset].decode(errors="ignore"))


def literal(node: ast.expr | None) -> Any:
    """A number, text, truth value, None, or a list or tuple of them (as a list); `MISSING` for anything else."""
    if node is None:
        return MISSING
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return MISSING
    return _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        items = [_plain(one) for one in value]
        return MISSING if any(one is MISSING for one in items) else items
    if isinstance(value, float) and not math.isfinite(value):
        return MISSING
    return value if value is None or isinstance(value, (bool, int, float, str)) else MISSING


def sources(root: Path, entry: Path, cwd: Path) -> list[Source]:
    """The entry script and the project's own files that it imports, in the order of their imports, at most 200."""
    found: dict[Path, Source] = {}
    extra: dict[Path, None] = {}
    waiting = [entry]
    while waiting and len(found) < MOST_FILES:
        file = waiting.pop(0)
        if file in found or (source := parsed(root, file, entry=file == entry)) is None:
            continue
        found[file] = source
        extra |= dict.fromkeys(search_paths(file, source.tree, cwd))
        bases = (entry.parent, cwd, root, *extra)
        waiting += [one.resolve() for one in local_imports(file, source.tree, bases)]
    return list(found.values())


def parsed(root: Path, file: Path, *, entry: bool = False) -> Source | None:
    """One file below the root; None where it is not Python, or lies elsewhere."""
    try:
        if not file.is_relative_to(root) or file.stat().st_size > LARGEST or "site-packages" in file.parts:
            return None
        text = file.read_bytes().decode("utf-8")
        tree = ast.parse(text.removeprefix("\ufeff"))
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None
    return Source(file, file.relative_to(root).as_posix(), tuple(LINES.split(text)), tree, entry)


def running(source: Source) -> Iterator[ast.AST]:
    """Every node of a file but those of a `__main__` block that does not run."""
    for statement in source.tree.body:
        if source.entry or not is_main_block(statement):
            yield from ast.walk(statement)


def is_main_block(statement: ast.stmt) -> bool:
    """Whether a statement is `if __name__ == "__main__":`."""
    match statement:
        case ast.If(test=ast.Compare(left=ast.Name(id="__name__"))):
            return True
        case _:
            return False


def last_name(node: ast.expr) -> str:
    """`c` of `a.b.c`, and of `c`; nothing for what is neither."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Call(func=inner) | ast.Subscript(value=inner):
            return last_name(inner)
        case _:
            return ""
