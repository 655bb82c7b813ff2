"""What some functions of a file reach statically: the part of the source that an edit must not touch."""

import ast
import builtins
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .modules import Module, Modules, Statement
from .names import Chain, Imported, References, references

SHOWN = 60
"""Characters of a statement that has no name of its own."""


@dataclass(frozen=True)
class Definition:
    """One reached statement at the top level of a file: a function, a class with all its methods, an assignment, …"""

    file: str
    """Relative to the root, with forward slashes."""
    name: str
    """What it binds; the beginning of its text where it binds nothing."""
    first: int
    last: int
    """Lines, 1-based and inclusive, decorators included."""
    code: str
    """Its syntax tree, without positions: what stays equal when comments or the lines above change."""


@dataclass(frozen=True)
class Reach:
    """All that was reached, by file and line."""

    definitions: tuple[Definition, ...]

    @property
    def files(self) -> frozenset[str]:
        """The files that hold something reached."""
        return frozenset(one.file for one in self.definitions)

    def touches(self, path_relative: str, first: int, last: int) -> str | None:
        """Name of the first reached definition among lines `first` to `last` (1-based, inclusive); None: none is there."""
        for one in self.definitions:
            if one.file == path_relative and one.first <= last and first <= one.last:
                return one.name
        return None

    def changed(self, after: "Reach") -> list[str]:
        """Names (`name (file)`) of what is reached here or in `after` and is not the same in both."""
        mine, theirs = _by_name(self), _by_name(after)
        keys = mine.keys() | theirs.keys()
        return sorted(f"{name} ({file})" for file, name in keys if mine.get((file, name)) != theirs.get((file, name)))


def reach(
    root: Path,
    file: Path,
    functions: Sequence[str],
    *,
    texts: Mapping[str, str] | None = None,
    known: Modules | None = None,
) -> Reach:
    """Everything in the project's files that `functions` of `file` reach, as far as the source shows it.

    Names in bodies, decorators, defaults and base classes are followed through module-level definitions and imports (also
    relative ones, and those inside functions); a class is reached with all its methods; a module used whole is reached
    whole; a function that declares a reached name `global` counts. Statements that do something at import time count in
    every file that is imported on the way. What cannot be seen: `getattr` by a computed name, registries, methods of
    objects that are passed in, attributes set on modules from inside functions.

    Args:
        root: The project's root; files outside it are not followed.
        file: The experiment's file.
        functions: Names of functions in it; those it does not have are ignored.
        texts: New texts by relative path, in place of the files on disk.
        known: The project's modules as `modules_of` gives them, where it is asked about more than once.
    """
    entry = file.parent.resolve() / file.name
    modules = known or modules_of(root, file)
    walk = _Walk(modules.with_texts(texts) if texts else modules)
    walk.load(entry)
    for name in functions:
        if walk.provides(entry, name):
            walk.need(entry, (name,))
    walk.run()
    return Reach(tuple(sorted(walk.reached.values(), key=lambda one: (one.file, one.first, one.name))))


def modules_of(root: Path, file: Path) -> Modules:
    """The project's modules, to be read once for several questions."""
    return Modules(root, entry=file.parent.resolve() / file.name)


class _Walk:
    """A worklist over (file, dotted name)."""

    def __init__(self, modules: Modules) -> None:
        self.modules = modules
        self.reached: dict[tuple[Path, int, int], Definition] = {}
        self._loaded: set[Path] = set()
        self._seen: set[tuple[Path, Chain]] = set()
        self._waiting: list[tuple[Path, Chain]] = []

    def need(self, file: Path, chain: Chain) -> None:
        """Note the dotted name `chain`, as the top level of `file` knows it."""
        if (file, chain) not in self._seen:
            self._seen.add((file, chain))
            self._waiting.append((file, chain))

    def provides(self, file: Path, name: str, seen: frozenset[Path] = frozenset()) -> bool:
        """Whether the top level of `file` binds `name`, itself or by star imports."""
        module = self.modules.module(file)
        stars = [one for one in self._star_files(module) if one not in seen]
        return name in module.bindings or any(self.provides(one, name, seen | {file, *stars}) for one in stars)

    def run(self) -> None:
        """Follow all that was noted."""
        while self._waiting:
            file, chain = self._waiting.pop()
            module = self.modules.module(file)
            for statement in module.bindings.get(chain[0], []):
                self._take(module, statement)
            for one in module.imports:
                if one.bound == chain[0]:
                    self._import(one, file, chain[1:])
            self._stars(module, chain)

    def load(self, file: Path) -> None:
        """`file` is imported: what it does then is reached, and what it imports is loaded too."""
        if file in self._loaded:
            return
        self._loaded.add(file)
        module = self.modules.module(file)
        if module.tree is None:
            name = self.modules.relative(file)
            self.reached[file, 1, 0] = Definition(name, name, 1, module.text.count("\n") + 1, module.text)
        for statement in module.statements:
            if statement.acts:
                self._take(module, statement)
        for one in module.imports:
            self._load_all(one, file)

    def _take(self, module: Module, statement: Statement) -> None:
        key = module.path, statement.node.lineno, statement.node.col_offset
        if key in self.reached:
            return
        file, name = self.modules.relative(module.path), _name(statement)
        code, found = _seen(statement, module)
        self.reached[key] = Definition(file, name, statement.first, statement.last, code)
        for one in found.imports:
            self._load_all(one, module.path)
        for chain in found.chains:
            self.need(module.path, chain)
            for one in found.imports:
                if one.bound == chain[0]:
                    self._import(one, module.path, chain[1:])

    def _load_all(self, one: Imported, importer: Path) -> None:
        for places in self.modules.places(one, importer):
            inner = [places[-1] / one.name] if one.name and one.name != "*" else []
            for place in (*places, *inner):
                for file in self.modules.files(place):
                    self.load(file)

    def _import(self, one: Imported, importer: Path, rest: Chain) -> None:
        """What a name bound by an import stands for, then `rest` of the dotted name."""
        self._load_all(one, importer)
        for places in self.modules.places(one, importer):
            if one.name is not None:
                self._follow(places[-1], (one.name, *rest))
                continue
            if len(places) == 1 or one.bound != places[0].name:
                self._follow(places[-1], rest)
            else:
                self._follow(places[0], rest)

    def _follow(self, place: Path, rest: Chain) -> None:
        """`rest` as an attribute of the module at `place`; all of the module where nothing is left to look up."""
        for file in self.modules.files(place):
            self.load(file)
            bindings = self.modules.module(file).bindings
            whole = not rest or (rest[0] not in bindings and "__getattr__" in bindings)
            for chain in [(name,) for name in bindings] if whole else [rest]:
                self.need(file, chain)
        if rest and (self.modules.files(place / rest[0]) or (place / rest[0]).is_dir()):
            self._follow(place / rest[0], rest[1:])

    def _stars(self, module: Module, chain: Chain) -> None:
        """`chain` through star imports: where it is bound; everywhere, where no place shows it."""
        stars = self._star_files(module)
        provided = [file for file in stars if self.provides(file, chain[0])]
        unknown = not provided and chain[0] not in module.bindings and not hasattr(builtins, chain[0])
        for file in provided:
            self.need(file, chain)
        for file in stars if unknown else []:
            for name in self.modules.module(file).bindings:
                self.need(file, (name,))
        for statement in module.bindings.get("*", []) if provided or unknown else []:
            self._take(module, statement)

    def _star_files(self, module: Module) -> list[Path]:
        stars = [one for one in module.imports if one.bound == "*"]
        places = [places[-1] for one in stars for places in self.modules.places(one, module.path)]
        return [file for place in places for file in self.modules.files(place)]


def _seen(statement: Statement, module: Module) -> tuple[str, References]:
    """The code of a statement and what it refers to; every name in it where it is nested too deeply to be followed."""
    try:
        return ast.dump(statement.node), references(statement.node)
    except RecursionError:
        names = {(one.id,) for one in ast.walk(statement.node) if isinstance(one, ast.Name)}
        return "\n".join(module.text.split("\n")[statement.first - 1 : statement.last]), References(set(names))


def _name(statement: Statement) -> str:
    name = getattr(statement.node, "name", None)
    if isinstance(name, str):
        return name
    named = [] if statement.acts else sorted(statement.binds)
    if len(named) == 1:
        return named[0]
    try:
        text = " ".join(ast.unparse(statement.node).split())
    except RecursionError:
        return f"line {statement.first}"
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def _by_name(given: Reach) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for one in given.definitions:
        found.setdefault((one.file, one.name), []).append(one.code)
    return found
