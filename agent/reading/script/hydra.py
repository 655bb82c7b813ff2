"""A Hydra configuration composed as Hydra would: defaults lists, groups, packages, overrides; nothing is executed."""

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ....executor.experiments.knobs import AssignKnob
from ..formats import NotReadable, read_yaml
from ..plain import NotPlain, plain
from .found import Found, Given, Place, is_placeholder
from .source import Source, last_name, literal, running

FAMILY = "hydra"
PACKAGE = re.compile(r"^#\s*@package\s+(\S+)", re.MULTILINE)
DEEPEST = 12


class Start(NamedTuple):
    """Where a composition begins."""

    folder: Path
    name: str


class Entry(NamedTuple):
    """One line of a defaults list."""

    group: str
    """Nothing for a file that is named itself."""
    option: str
    """`null` where nothing is chosen."""
    package: str | None
    """Given after `@`."""
    override: bool


Leaf = tuple[Any, Place]


def hydra_settings(root: Path, cwd: Path, sources: Sequence[Source], options: Sequence[Given]) -> list[Found]:
    """The composed configuration, with what the command assigns; empty where no script is Hydra's."""
    start = next((one for source in sources for one in _starts(source, cwd)), None)
    if start is None:
        return []
    start = _told(start, options, cwd)
    given = {one.name.lstrip("+~"): one for one in options if not one.name.startswith("-")}
    composer = Composer(
        root, start.folder, {name.lstrip("/"): one.values[0] for name, one in given.items() if one.values}
    )
    found: dict[str, Found] = {}
    for key, (value, place) in composer.composed(start.name).items():
        if value != "???" and not key.startswith("hydra."):
            found[key] = Found(key, value, place, AssignKnob(key), FAMILY)
    for name, one in given.items():
        if is_placeholder(one.values):
            found.pop(name, None)
        elif name in found:
            found[name] = found[name]._replace(value=_value(one.values[0]))
    return list(found.values())


class Composer:
    """Composes the files below one folder."""

    def __init__(self, root: Path, folder: Path, chosen: dict[str, str]) -> None:
        self.root, self.folder, self.chosen = root, folder, dict(chosen)
        self.given = frozenset(chosen)
        self.groups: set[str] = set()

    def composed(self, name: str) -> dict[str, Leaf]:
        """Every value by its dotted key; overrides of choices are found first, until no further ones appear."""
        for _ in range(DEEPEST):
            before = dict(self.chosen)
            self._collect(name, "", 0)
            if self.chosen == before:
                break
        found = self._file(name, "", "", 0)
        for group in self.given - self.groups:
            if (self.folder / group).is_dir():
                entry = Entry(group, self.chosen[group], None, override=False)
                _merge(found, self._file(self._path(entry), group, group.replace("/", "."), 1))
        return found

    def _collect(self, name: str, group: str, depth: int) -> None:
        """Takes note of every `override` in the files that the present choices lead to."""
        for entry in self._entries(name, group):
            if entry.override:
                if entry.group not in self.given:
                    self.chosen[entry.group] = entry.option
            elif entry.option != "_self_" and depth < DEEPEST:
                self.groups.add(entry.group)
                self._collect(self._path(entry), entry.group, depth + 1)

    def _path(self, entry: Entry) -> str:
        option = self.chosen.get(entry.group, entry.option) if entry.group else entry.option
        return f"{entry.group}/{option}" if entry.group else option

    def _file(self, name: str, group: str, package: str, depth: int) -> dict[str, Leaf]:
        """One file and those of its defaults list, at their packages."""
        found: dict[str, Leaf] = {}
        if depth > DEEPEST:
            return found
        text, values, lines = self._read(name)
        header = PACKAGE.search(text[:500])
        if header:
            package = "" if header[1] in ("_global_", "_global_.") else header[1].removeprefix("_global_.")
        entries = [one for one in self._entries(name, group) if not one.override]
        if not any(entry.option == "_self_" for entry in entries):
            entries.append(Entry("", "_self_", None, override=False))
        for entry in entries:
            if entry.option == "_self_":
                own = {key: value for key, value in values.items() if key != "defaults"}
                _merge(found, self._leaves(name, own, lines, (), package))
            else:
                _merge(found, self._file(self._path(entry), entry.group, _package(entry, group, package), depth + 1))
        return found

    def _entries(self, name: str, group: str) -> list[Entry]:
        _, values, _ = self._read(name)
        listed = values.get("defaults")
        entries = [_entry(one, group) for one in listed] if isinstance(listed, list) else []
        return [one for one in entries if one is not None]

    def _read(self, name: str) -> tuple[str, dict[Any, Any], dict[tuple[str, ...], int]]:
        for suffix in ("", ".yaml", ".yml"):
            path = self.folder / f"{name}{suffix}"
            if suffix or path.suffix in (".yaml", ".yml"):
                try:
                    text = path.read_text(encoding="utf-8")
                    return text, *read_yaml(text)
                except (OSError, UnicodeDecodeError, NotReadable):
                    continue
        return "", {}, {}

    def _leaves(
        self, name: str, values: dict[Any, Any], lines: dict[tuple[str, ...], int], path: tuple[str, ...], package: str
    ) -> dict[str, Leaf]:
        found: dict[str, Leaf] = {}
        file = (self.folder / name).relative_to(self.root).as_posix()
        file = file if file.endswith((".yaml", ".yml")) else f"{file}.yaml"
        for key, value in values.items():
            inner = (*path, str(key))
            if isinstance(value, dict) and value:
                found |= self._leaves(name, value, lines, inner, package)
                continue
            try:
                dotted = ".".join(filter(None, (package, *inner)))
                found[dotted] = (plain(value, inner), Place(file, lines.get(inner, 1)))
            except NotPlain:
                continue
        return found


def _merge(found: dict[str, Leaf], more: dict[str, Leaf]) -> None:
    """Later values win, also over a table, or a value around them."""
    for key, leaf in more.items():
        for other in [one for one in found if one.startswith(f"{key}.") or key.startswith(f"{one}.")]:
            del found[other]
        found[key] = leaf


def _entry(one: Any, group: str) -> Entry | None:
    """One entry, its group made absolute; None for Hydra's own groups and for empty choices."""
    if isinstance(one, str):
        name, _, package = one.partition("@")
        absolute = name if name.startswith("/") or not group or name == "_self_" else f"{group}/{name}"
        return Entry("", absolute.lstrip("/"), package or None, override=False)
    if not isinstance(one, dict) or len(one) != 1:
        return None
    (key, option), *_ = one.items()
    words = str(key).split()
    name, _, package = words[-1].partition("@")
    absolute = name if name.startswith("/") or not group else f"{group}/{name}"
    absolute = absolute.lstrip("/")
    if not isinstance(option, str | None) or absolute.split("/")[0] == "hydra":
        return None
    return Entry(absolute, (option or "null").removesuffix(".yaml"), package or None, override="override" in words)


def _package(entry: Entry, group: str, package: str) -> str:
    """Where a default's values go: its group below the present package, or what it says itself."""
    if entry.package is not None:
        own = entry.package
        if own.startswith("_global_"):
            return own.removeprefix("_global_").lstrip(".")
        return ".".join(filter(None, (package, own))) if own != "_here_" else package
    if not entry.group:
        return package
    relative = entry.group.removeprefix(f"{group}/") if group else entry.group
    inner = relative.replace("/", ".")
    return ".".join(filter(None, (package, inner))) if relative != entry.group or not group else inner


def _starts(source: Source, cwd: Path) -> Iterator[Start]:
    for node in running(source):
        if isinstance(node, ast.Call) and last_name(node.func) == "main" and isinstance(node.func, ast.Attribute):
            words = {word.arg: literal(word.value) for word in node.keywords}
            folder, name = words.get("config_path"), words.get("config_name")
            if isinstance(name, str):
                inside = folder if isinstance(folder, str) else "."
                yield Start((source.file.parent / inside).resolve(), name.removesuffix(".yaml"))
        elif isinstance(node, ast.Call) and last_name(node.func) == "compose":
            words = {word.arg: literal(word.value) for word in node.keywords}
            name = words.get("config_name", literal(node.args[0]) if node.args else None)
            folder = next(_initialized(source), None)
            if isinstance(name, str) and folder is not None:
                yield Start((source.file.parent / folder).resolve(), name.removesuffix(".yaml"))


def _initialized(source: Source) -> Iterator[str]:
    for node in running(source):
        if isinstance(node, ast.Call) and last_name(node.func) in ("initialize", "initialize_config_dir"):
            for value in [
                *node.args,
                *(word.value for word in node.keywords if word.arg in ("config_path", "config_dir")),
            ]:
                if isinstance(folder := literal(value), str):
                    yield folder


def _told(start: Start, options: Sequence[Given], cwd: Path) -> Start:
    """The start with `--config-name` and `--config-path` of the command."""
    for one in options:
        if one.name in ("--config-name", "-cn") and one.values:
            start = start._replace(name=one.values[0].removesuffix(".yaml"))
        elif one.name in ("--config-path", "-cp", "--config-dir", "-cd") and one.values:
            start = start._replace(folder=(cwd / one.values[0]).resolve())
    return start


def _value(text: str) -> Any:
    """A value as it is assigned on the command line."""
    try:
        return plain(read_yaml(f"value: {text}")[0]["value"], ())
    except (NotReadable, NotPlain, KeyError):
        return text
