"""What measures in a script that nobody wrote for this: functions whose names say so, and what they call, by name.

A script is one program: `reach` would follow it from its first line and find everything. Here only functions count, and a
model that they call is what is measured, not what measures.
"""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from ..reading.digest.imports import distances
from ..reading.source.naming import dotted, last, measures_by_name, of_words
from .modules import Modules
from .names import Function
from .reach import Definition, Reach

LOSSES = "loss losses criterion"
JUDGING = f"{LOSSES} metric metrics score accuracy step shared common"
"""Words of what a model itself measures."""
COURSE = frozenset(
    {"forward", "__init__", "__call__", "train", "step", "fit", "main", "update", "run", "backward", "to"}
)
"""Methods that say nothing of what is meant."""


class _Defined(NamedTuple):
    """One function or method."""

    file: str
    name: str
    """Dotted, with its class."""
    node: Function
    owner: ast.ClassDef | None

    @property
    def definition(self) -> Definition:
        """As `Reach` holds it."""
        node = self.node
        first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
        return Definition(self.file, self.name, first, node.end_lineno or node.lineno, ast.dump(node))


def script_reach(root: Path, entry: Path, *, texts: Mapping[str, str] | None = None, known: Modules) -> Reach:
    """Everything that measures in the files which the script `entry` reaches, each function and method by itself.

    Args:
        root: The project's root.
        entry: The script; where there is none, nothing measures.
        texts: New texts by relative path, in place of the files on disk.
        known: The project's modules.
    """
    if not entry.is_file():
        return Reach(())
    modules = known.with_texts(texts) if texts else known
    trees = {name: modules.module(modules.root / name).tree for name in distances(root, entry)}
    defined = [one for name, tree in trees.items() if tree for one in _defined(name, tree, "", None)]
    found = {id(one.node): one for one in defined if measures_by_name(one.node.name)}
    waiting = list(found.values())
    while waiting:
        for one in _called(waiting.pop(), defined):
            if id(one.node) not in found:
                found[id(one.node)] = one
                waiting.append(one)
    definitions = [one.definition for one in found.values()]
    return Reach(tuple(sorted(definitions, key=lambda one: (one.file, one.first, one.name))))


def _defined(file: str, node: ast.AST, prefix: str, owner: ast.ClassDef | None) -> Iterator[_Defined]:
    for one in ast.iter_child_nodes(node):
        if isinstance(one, ast.ClassDef):
            yield from _defined(file, one, f"{prefix}{one.name}.", one)
        elif isinstance(one, Function):
            yield _Defined(file, prefix + one.name, one, owner)
            yield from _defined(file, one, f"{prefix}{one.name}.", None)
        else:
            yield from _defined(file, one, prefix, owner)


def _called(one: _Defined, defined: list[_Defined]) -> Iterator[_Defined]:
    """What a function that measures calls, as far as names tell."""
    for call in ast.walk(one.node):
        if not isinstance(call, ast.Call):
            continue
        name = last(call.func)
        found = [each for each in defined if _is_meant(name, each)]
        if not found and of_words(name, LOSSES):
            found = [each for each in defined if _is_loss(each)]
        yield from found


def _is_meant(name: str, one: _Defined) -> bool:
    if one.owner is None:
        return one.node.name == name and name not in COURSE
    if one.owner.name == name:
        return not _is_model(one.owner)
    followed = not _is_model(one.owner) or of_words(name, JUDGING)
    return one.node.name == name and name not in COURSE and followed


def _is_model(owner: ast.ClassDef) -> bool:
    return not of_words(owner.name, LOSSES) and any("Module" in dotted(base) for base in owner.bases)


def _is_loss(one: _Defined) -> bool:
    return of_words(one.owner.name if one.owner else one.node.name, LOSSES)
