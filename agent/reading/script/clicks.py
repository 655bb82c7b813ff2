"""Command-line flags as click, typer and fire declare them."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from ....executor.experiments.knobs import FlagKnob
from .flags import FAMILY, NUMBERS, Declared, as_given
from .found import Found, Given
from .source import MISSING, Source, last_name, literal, running

Function = ast.FunctionDef | ast.AsyncFunctionDef


def click_flags(sources: Sequence[Source], options: Sequence[Given]) -> list[Found]:
    """Options of decorated functions, as the command gives them, or by their defaults."""
    declared: list[Declared] = []
    for source in sources:
        mains = _handed_over(source)
        for node in running(source):
            if isinstance(node, Function):
                declared += _decorated(source, node)
                if "run" in mains.get(node.name, "") or any(_is_typer(one) for one in node.decorator_list):
                    declared += _parameters(source, node)
                elif mains.get(node.name) == "Fire":
                    declared += _fire(source, node)
    found = [as_given(one, options) for one in declared]
    return [one for one in found if one is not None]


def _handed_over(source: Source) -> dict[str, str]:
    """Functions that `typer.run` and `fire.Fire` are given, and which of the two."""
    found: dict[str, str] = {}
    for node in running(source):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="typer"), attr="run" as how), args=[ast.Name(id=name)]):
                found[name] = how
            case ast.Call(func=ast.Attribute(attr="Fire") | ast.Name(id="Fire"), args=[ast.Name(id=name), *_]):
                found[name] = "Fire"
            case _:
                continue
    return found


def _is_typer(decorator: ast.expr) -> bool:
    """`@app.command()` of typer: click's own takes options by decorators, and its functions have no defaults."""
    return isinstance(decorator, ast.Call) and last_name(decorator.func) in ("command", "callback")


def _decorated(source: Source, function: Function) -> Iterator[Declared]:
    for node in function.decorator_list:
        if isinstance(node, ast.Call) and last_name(node.func) == "option" and (one := _option(source, node)):
            yield one


def _option(source: Source, node: ast.Call) -> Declared | None:
    """One `@click.option`."""
    names = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    given = {word.arg: word.value for word in node.keywords if word.arg}
    flags = [name for name in names if name.startswith("-")]
    if not flags or literal(given.get("multiple")) is True or literal(given.get("count")) is True:
        return None
    kind = last_name(given["type"]).lower() if "type" in given else ""
    named = next((name for name in names if not name.startswith("-")), None)
    switch = literal(given.get("is_flag")) is True
    return _made(source, node, flags, given.get("default"), kind, named=named, switch=switch, text=given.get("help"))


def _made(
    source: Source,
    node: ast.AST,
    names: list[str],
    default: ast.expr | None,
    kind: str,
    *,
    named: str | None = None,
    switch: bool = False,
    text: ast.expr | None = None,
) -> Declared | None:
    """A flag from its names, of which one may be `--x/--no-x`."""
    pair = next((name for name in names if "/" in name), None)
    on, _, off = (pair or "").partition("/")
    long = on.strip() or next((name for name in names if name.startswith("--")), names[0])
    key = named or long.lstrip("-").replace("-", "_")
    value = literal(default) if default is not None else (False if switch or pair else None)
    if value is MISSING:
        return None
    stands = source.knob(default) if default is not None else None
    knob = FlagKnob(long, aliases=tuple(name for name in names if name not in (long, pair)), default=stands)
    if pair:
        knob = replace(knob, style="switch", other=off.strip())
    elif switch or (isinstance(value, bool) and kind == ""):
        knob = replace(knob, style="switch", on=not value, default=None)
    kind = kind or (type(value).__name__ if isinstance(value, (int, float)) else "")
    said = literal(text)
    found = Found(key, value, source.place(node), knob, FAMILY, said if isinstance(said, str) else "")
    return Declared(found, {"integer": "int", "choice": ""}.get(kind, kind))


def _defaults(function: Function) -> Iterator[tuple[ast.arg, ast.expr]]:
    """The parameters that have a default."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    if arguments.defaults:
        yield from zip(positional[-len(arguments.defaults) :], arguments.defaults, strict=True)
    yield from ((one, value) for one, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if value)


def _parameters(source: Source, function: Function) -> Iterator[Declared]:
    """The options of a typer command."""
    for argument, default in _defaults(function):
        annotation, option = _annotated(argument.annotation)
        value: ast.expr | None = default
        if isinstance(default, ast.Call) and last_name(default.func) in ("Option", "Argument"):
            option = default
            words = {word.arg: word.value for word in default.keywords}
            value = words.get("default", default.args[0] if default.args else None)
        if value is None or (option is not None and last_name(option.func) == "Argument"):
            continue
        skip = 1 if option is default else 0
        names = [one.value for one in option.args[skip:] if isinstance(one, ast.Constant)] if option else []
        flags = [name for name in names if isinstance(name, str) and name.startswith("-")]
        dashed = argument.arg.replace("_", "-")
        boolean = annotation == "bool"
        flags = flags or [f"--{dashed}/--no-{dashed}" if boolean else f"--{dashed}"]
        text = next((word.value for word in option.keywords if word.arg == "help"), None) if option else None
        one = _made(source, argument, flags, value, "" if boolean else annotation, named=argument.arg, text=text)
        if one is not None:
            yield one


def _annotated(annotation: ast.expr | None) -> tuple[str, ast.Call | None]:
    """The type's name, and what `Annotated` holds of typer's own."""
    match annotation:
        case ast.Subscript(value=outer, slice=ast.Tuple(elts=[inner, *rest])) if last_name(outer) == "Annotated":
            return last_name(inner), next((one for one in rest if isinstance(one, ast.Call)), None)
        case None:
            return "", None
        case _:
            return last_name(annotation), None


def _fire(source: Source, function: Function) -> Iterator[Declared]:
    """Parameters of a function that fire calls: `--name=value`, read as Python."""
    for argument, default in _defaults(function):
        value: Any = literal(default)
        if value is not MISSING:
            knob = FlagKnob(f"--{argument.arg}", "equals", default=source.knob(default))
            kind = type(value).__name__ if type(value).__name__ in NUMBERS else "strtobool"
            yield Declared(Found(argument.arg, value, source.place(argument), knob, FAMILY), kind)
