"""The project's modules as syntax trees: what each binds and does at import time, and which files an import may mean."""

import ast
import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ..keys import SKIPPED
from .names import Imported, imported

PARTS = (ast.stmt, ast.ExceptHandler, ast.match_case)
"""Nodes that statements stand in."""
DEEPEST = 200
"""Levels of a syntax tree that is read: what walks it afterwards calls itself for each."""
MAIN = ast.dump(ast.parse("__name__ == '__main__'", mode="eval").body)


@dataclass(frozen=True)
class Statement:
    """One statement at the top level of a file: the names it binds, and whether it does more than bind them."""

    node: ast.stmt
    binds: frozenset[str]
    acts: bool
    """It has an effect beside its names, e.g. `torch.set_default_dtype(…)` or `table["x"] = …`."""

    @property
    def first(self) -> int:
        """Line of its first decorator, or its own; 1-based."""
        decorators: list[ast.expr] = getattr(self.node, "decorator_list", [])
        return min([self.node.lineno, *(one.lineno for one in decorators)])

    @property
    def last(self) -> int:
        """Its last line, inclusive."""
        return self.node.end_lineno or self.node.lineno


@dataclass(frozen=True)
class Module:
    """One file: its statements, and what it imports when it is imported itself."""

    path: Path
    text: str
    tree: ast.Module | None
    """Absent where the file does not parse."""
    statements: list[Statement] = field(default_factory=lambda: list[Statement]())
    imports: list[Imported] = field(default_factory=lambda: list[Imported]())

    @cached_property
    def bindings(self) -> dict[str, list[Statement]]:
        """The statements that bind each name."""
        found: dict[str, list[Statement]] = {}
        for statement in self.statements:
            for name in statement.binds:
                found.setdefault(name, []).append(statement)
        return found


class Modules:
    """The Python files below `root`, read when asked for."""

    def __init__(self, root: Path, *, entry: Path) -> None:
        self.root = root.resolve()
        self._texts: dict[Path, str] = {}
        self._bases = [*_package_tops(entry), self.root, self.root / "src"]
        self._read: dict[Path, Module] = {}
        self._files: dict[Path, list[Path]] = {}
        self._places: dict[tuple[str, int, Path], list[list[Path]]] = {}
        self._tried: dict[tuple[Path, tuple[str, ...]], list[Path]] = {}

    def with_texts(self, texts: Mapping[str, str]) -> "Modules":
        """The same project with other texts of some files; what was read of the rest is not read again."""
        other = copy(self)
        other._texts = {self.root / path: text for path, text in texts.items()}
        other._read = {path: module for path, module in self._read.items() if path not in other._texts}
        return other

    def relative(self, path: Path) -> str:
        """With forward slashes, from the root; the whole path of an entry point that lies elsewhere."""
        return (path.relative_to(self.root) if path.is_relative_to(self.root) else path).as_posix()

    def module(self, path: Path) -> Module:
        """The module in the file `path`, which must lie below the root."""
        if path not in self._read:
            text = self._texts.get(path)
            self._read[path] = parsed(path, path.read_bytes() if text is None else text.encode())
        return self._read[path]

    def files(self, place: Path) -> list[Path]:
        """The file or files that the module at `place` (a path without suffix) is made of."""
        if place not in self._files:
            found = [place.with_name(place.name + ".py"), place / "__init__.py"]
            self._files[place] = [path for path in found if path.is_relative_to(self.root) and path.is_file()]
        return self._files[place]

    def places(self, one: Imported, importer: Path) -> list[list[Path]]:
        """Where the module that an import names may lie: each a list of its packages' places, ending with its own.

        Tried: the entry point's folders, the root, `src`, the importing file's folder; where nothing is found, any file
        whose path ends so, because a search path may be set outside the code. Empty: it is none of the project's.
        """
        key = one.module, one.level, importer.parent
        if key not in self._places:
            self._places[key] = self._looked_for(one, importer)
        return self._places[key]

    def _looked_for(self, one: Imported, importer: Path) -> list[list[Path]]:
        parts = [part for part in one.module.split(".") if part]
        if one.level:
            base = importer.parents[min(one.level, len(importer.parents)) - 1]
            found = [self._along(base, parts) if parts else [base]]
        else:
            bases = dict.fromkeys([*self._bases, importer.parent])
            found = [self._along(base, parts) for base in bases]
        found = [places for places in found if places and places[-1].is_relative_to(self.root)]
        return found or ([] if one.level else self._ending(parts))

    def _along(self, base: Path, parts: list[str]) -> list[Path]:
        """The places of `parts` below `base`; empty where the last is neither file nor folder."""
        key = base, tuple(parts)
        if key not in self._tried:
            places = [base.joinpath(*parts[: count + 1]) for count in range(len(parts))]
            self._tried[key] = places if places and (self.files(places[-1]) or places[-1].is_dir()) else []
        return self._tried[key]

    def _ending(self, parts: list[str]) -> list[list[Path]]:
        if parts[0] in sys.stdlib_module_names:
            return []
        alike = self._everywhere.get(parts[-1], [])
        return [[place] for place in alike if place.parts[-len(parts) :] == tuple(parts)]

    @cached_property
    def _everywhere(self) -> dict[str, list[Path]]:
        """The places of all modules below the root, by their last name."""
        found: dict[str, list[Path]] = {}
        for folder, folders, files in os.walk(self.root):
            folders[:] = sorted(one for one in folders if not one.startswith(".") and one not in SKIPPED)
            for name in sorted(files):
                if name.endswith(".py"):
                    place = Path(folder) if name == "__init__.py" else Path(folder, name).with_suffix("")
                    found.setdefault(place.name, []).append(place)
        return found


def syntax(source: bytes) -> ast.Module:
    """The tree of a file that is to be judged: it compiles, and is not nested so deeply that walking it would fail.

    Raises:
        SyntaxError: it would not compile.
        ValueError: it holds zeros.
        RecursionError: it is nested too deeply.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compile(source, "<source>", "exec", dont_inherit=True)
    tree = _tree(source)
    level: list[ast.AST] = [tree]
    for _ in range(DEEPEST):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    if level:
        raise RecursionError(f"nested more than {DEEPEST} deep")
    return tree


def parsed(path: Path, source: bytes) -> Module:
    """The module in `source`. What stands under `if __name__ == "__main__"` is never imported and left out."""
    text = source.decode("utf-8", "replace")
    try:
        tree = _tree(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Module(path, text, None)
    body = [one for one in tree.body if not _is_main(one)]
    imports = [name for one in body for name in import_statements(one, functions=False)]
    shared = "global " in text
    statements = [Statement(one, frozenset(_binds(one, shared=shared)), _acts(one)) for one in body]
    return Module(path, text, tree, statements, imports)


def import_statements(top: ast.AST, *, functions: bool) -> Iterator[Imported]:
    """What the import statements within `top` bind; those inside functions, which run later, only where asked for."""
    waiting = [top]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from imported(node)
        elif functions or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting += [one for one in ast.iter_child_nodes(node) if isinstance(one, PARTS)]


def _tree(source: bytes) -> ast.Module:
    """As Python itself would see it, also by the encoding that the file declares."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source)


def _package_tops(entry: Path) -> list[Path]:
    """The folder of the entry point, and the one that its outermost package stands in."""
    top = entry.parent
    while (top / "__init__.py").exists():
        top = top.parent
    return list(dict.fromkeys([entry.parent, top]))


def _is_main(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and not node.orelse and ast.dump(node.test) == MAIN


def _binds(statement: ast.stmt, *, shared: bool) -> Iterator[str]:
    """Names of the module that a statement binds or changes; where `shared`, also from inside a function by `global`."""
    for node in ast.walk(statement) if shared else ():
        if isinstance(node, ast.Global):
            yield from node.names
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (one.bound for one in imported(node))
        elif not isinstance(node, ast.Lambda):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
                yield node.id
            waiting.extend(ast.iter_child_nodes(node))


def _acts(node: ast.AST) -> bool:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return False
    if isinstance(node, ast.Expr):
        return not isinstance(node.value, ast.Constant)
    if isinstance(node, ast.Assert | ast.Delete | ast.Raise):
        return True
    targets = [one for one in ast.iter_child_nodes(node) if isinstance(getattr(one, "ctx", None), ast.Store)]
    if any(isinstance(part, ast.Attribute | ast.Subscript) for one in targets for part in ast.walk(one)):
        return True
    parts = [
        one for one in ast.iter_child_nodes(node) if isinstance(one, ast.stmt | ast.ExceptHandler | ast.match_case)
    ]
    return any(_acts(one) for one in parts)
