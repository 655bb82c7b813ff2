"""Attributes of configuration objects: `C.dropout = 0.1` in functions such as `get_default_config`, nested ones followed."""

import ast
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .found import Found
from .source import Source, last_name

FAMILY = "attributes"
FUNCTIONS = re.compile(
    r"^_?(get_|make_|build_|create_|load_)?(default_|base_)?(config|cfg|hparams|params|args)s?(_defaults?)?$"
)
HOLDERS = re.compile(
    r"^(CN|CfgNode|ConfigDict|EasyDict|edict|Namespace|SimpleNamespace|Munch|Box|DotDict|AttrDict|Config)$"
)
DEEPEST = 6


class Maker(NamedTuple):
    """A function that makes a configuration, or a file's own top level."""

    owner: str
    """Its class, or nothing."""
    source: Source
    body: Sequence[ast.stmt]


def attributes(sources: Sequence[Source]) -> list[Found]:
    """The settings of every such function; those that another one calls stand below its own attribute."""
    makers = list(_makers(sources))
    used: set[int] = set()
    found: list[tuple[int, list[Found]]] = []
    for index, maker in enumerate(makers):
        found.append((index, _settings(maker, makers, used, f"{maker.owner}." if maker.owner else "", 0)))
    return [one for index, several in found if index not in used for one in several]


def _makers(sources: Sequence[Source]) -> Iterator[Maker]:
    for source in sources:
        yield Maker("", source, source.tree.body)
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ClassDef):
                for one in node.body:
                    if isinstance(one, ast.FunctionDef) and FUNCTIONS.match(one.name):
                        yield Maker(node.name, source, one.body)
        for one in source.tree.body:
            if isinstance(one, ast.FunctionDef) and FUNCTIONS.match(one.name):
                yield Maker("", source, one.body)


def _settings(maker: Maker, makers: Sequence[Maker], used: set[int], prefix: str, depth: int) -> list[Found]:
    """The attributes that one function sets, the last of each."""
    roots = {name for name, value in _set(maker.body) if "." not in name and HOLDERS.match(last_name(value))}
    found: dict[str, Found] = {}
    for name, value in _set(maker.body):
        root, _, path = name.partition(".")
        if root not in roots:
            continue
        key = f"{prefix}{path}"
        if path and (index := _called(value, makers)) is not None and depth < DEEPEST:
            used.add(index)
            inner = _settings(makers[index], makers, used, f"{key}.", depth + 1)
            found |= {one.key: one for one in inner}
        elif isinstance(value, ast.Call) and HOLDERS.match(last_name(value)):
            within = f"{key}." if path else prefix
            words = [word for word in value.keywords if word.arg]
            settings = [
                one for word in words for one in maker.source.setting(f"{within}{word.arg}", word.value, FAMILY)
            ]
            found |= {one.key: one for one in settings}
        elif path:
            found |= {one.key: one for one in maker.source.setting(key, value, FAMILY)}
    return list(found.values())


def _set(body: Sequence[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    """What is set, by its dotted name."""
    for statement in body:
        if (
            isinstance(statement, ast.Assign)
            and len(statement.targets) == 1
            and (name := _dotted(statement.targets[0]))
        ):
            yield name, statement.value


def _dotted(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=inner, attr=name):
            before = _dotted(inner)
            return f"{before}.{name}" if before else ""
        case _:
            return ""


def _called(value: ast.expr, makers: Sequence[Maker]) -> int | None:
    """Which of the functions a call such as `GPT.get_default_config()` is."""
    match value:
        case ast.Call(func=ast.Attribute(value=owner, attr=name)) if FUNCTIONS.match(name):
            return next((i for i, one in enumerate(makers) if one.owner and one.owner == last_name(owner)), None)
        case _:
            return None
