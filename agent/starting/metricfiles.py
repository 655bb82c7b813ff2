"""Files in which a script leaves its metrics, read from its source."""

import ast
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from ..reading.script.source import Source, last_name
from .naming import words_of

ENDINGS = (".json", ".jsonl", ".csv")
READERS = frozenset("load loads read_csv read_json read_text safe_load DictReader reader exists isfile".split())
TELLING = frozenset(
    "metric metrics result results history score scores eval evaluation log logs progress summary stats".split()
)
OTHER = frozenset(
    "config args hparams params vocab tokenizer split splits index manifest labels classes state data".split()
)


class Written(NamedTuple):
    """One file that a script writes, by its name in the source."""

    name: str
    """Its last part, or a path relative to where the script runs."""
    where: str
    """`file:line`."""
    fixed: bool
    """Whether nothing else decides where it lies."""


def written(files: Sequence[Source]) -> list[Written]:
    """The likeliest first; none that looks like anything but metrics."""
    found = {one.name: one for file in files for one in _in(file) if OTHER.isdisjoint(words_of(one.name))}
    return sorted(found.values(), key=lambda one: TELLING.isdisjoint(words_of(one.name)))


def _in(file: Source) -> Iterator[Written]:
    """Texts with such an ending, where something in the file is written at all."""
    if not any(_writes(node) for node in ast.walk(file.tree)):
        return
    parents = {child: node for node in ast.walk(file.tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(file.tree):
        match node:
            case ast.Constant(value=str(text)) if _is_path(text) and not _is_read(node, parents):
                path = PurePosixPath(text.lstrip("/"))
                fixed = not isinstance(parents.get(node), (ast.JoinedStr, ast.BinOp)) and not _is_joined(node, parents)
                yield Written(str(path) if fixed else path.name, f"{file.name}:{node.lineno}", fixed)
            case _:
                continue


def _is_path(text: str) -> bool:
    return text.endswith(ENDINGS) and "\n" not in text and " " not in text and len(text) < 200 and "*" not in text


def _is_joined(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    match parents.get(node):
        case ast.Call(func=func, args=args) if last_name(func) in ("join", "joinpath", "Path"):
            return len(args) > 1 or last_name(func) == "joinpath"
        case _:
            return False


def _is_read(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    """Whether any call around it only reads."""
    around = parents.get(node)
    while around is not None and not isinstance(around, ast.stmt):
        if isinstance(around, ast.Call):
            name = last_name(around.func)
            if name in READERS or name == "add_argument" or (name == "open" and not _writes(around)):
                return True
        around = parents.get(around)
    return False


def _writes(node: ast.AST) -> bool:
    """Whether a node is a call that writes a file."""
    match node:
        case ast.Call(func=func, args=args, keywords=words):
            name = last_name(func)
            modes = [*args, *(word.value for word in words if word.arg == "mode")]
            texts = [one.value for one in modes if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            opened = name == "open" and any(set(text) <= set("wax+bt") and set(text) & set("wax") for text in texts)
            return opened or name in ("write_text", "to_csv", "to_json", "dump")
        case _:
            return False
