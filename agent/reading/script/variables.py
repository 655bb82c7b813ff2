"""Environment variables that a script asks for with a default."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ....executor.experiments.knobs import VariableKnob
from .flags import converted
from .found import Found
from .source import MISSING, Source, last_name, literal, running

FAMILY = "env"


def variables(sources: Sequence[Source], environment: Mapping[str, str]) -> list[Found]:
    """One setting `env.NAME` for each; the value of `[experiment.env]` first, as a number where the script makes it one."""
    found: dict[str, Found] = {}
    for source in sources:
        kinds = dict(_conversions(source))
        for node in running(source):
            if (asked := _asked(node)) is None:
                continue
            name, default = asked
            value: Any = environment.get(name, literal(default) if default is not None else MISSING)
            if isinstance(value, str):
                value = converted(value, kinds.get(node, ""))
            if value is not MISSING and name not in found:
                found[name] = Found(f"env.{name}", value, source.place(node), VariableKnob(name), FAMILY)
    return list(found.values())


def _asked(node: ast.AST) -> tuple[str, ast.expr | None] | None:
    """Name and default of `os.environ.get`, `os.getenv` and `os.environ[…]`."""
    match node:
        case ast.Call(func=ast.Attribute(value=owner, attr="get"), args=[ast.Constant(value=str(name)), *rest]) if (
            last_name(owner) == "environ"
        ):
            return name, rest[0] if rest else None
        case ast.Call(func=function, args=[ast.Constant(value=str(name)), *rest]) if last_name(function) == "getenv":
            return name, rest[0] if rest else None
        case ast.Subscript(value=owner, slice=ast.Constant(value=str(name)), ctx=ast.Load()) if (
            last_name(owner) == "environ"
        ):
            return name, None
        case _:
            return None


def _conversions(source: Source) -> Iterator[tuple[ast.AST, str]]:
    for node in running(source):
        match node:
            case ast.Call(func=ast.Name(id="int" | "float" as kind), args=[inner]):
                yield inner, kind
            case _:
                continue
