"""Command-line flags as `argparse` declares them: groups, subcommands, switches, and defaults set elsewhere."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from ....executor.experiments.knobs import FlagKnob, LiteralKnob
from .found import Found, Given, is_placeholder
from .source import MISSING, Source, last_name, literal, running

FAMILY = "flags"
NUMBERS = {"int": int, "float": float}
LISTS = ("+", "*")


class Declared(NamedTuple):
    """One flag: its setting with the default, and how its text becomes a value."""

    found: Found
    type: str
    """Name of the conversion; nothing where there is none."""


def argparse_flags(sources: Sequence[Source], options: Sequence[Given], words: Sequence[str]) -> list[Found]:
    """Every optional argument with a default that can be read, as the command gives it, or by its default.

    Args:
        sources: Files of the script.
        options: What the command gives.
        words: The command's arguments, among which a subcommand is named.
    """
    declared = [one for source in sources for one in _declared(source, words)]
    late = {key: found for source in sources for key, found in _set_defaults(source)}
    with_defaults = [one._replace(found=_defaulted(one.found, late)) for one in declared]
    found = [as_given(one, options) for one in with_defaults]
    return [one for one in found if one is not None]


def as_given(declared: Declared, options: Sequence[Given]) -> Found | None:
    """The setting with the value that the command gives it; None where a trial fills it in, or nothing is known of it."""
    found = declared.found
    assert isinstance(found.knob, FlagKnob)
    value = found.value
    for option in options:
        if option.name not in (found.knob.flag, *found.knob.aliases, found.knob.other):
            continue
        if is_placeholder(option.values):
            return None
        value = _spoken(found.knob, option, declared.type, isinstance(value, list))
    return None if value is MISSING else found._replace(value=value)


def _spoken(knob: FlagKnob, option: Given, kind: str, several: bool) -> Any:
    if knob.style == "switch":
        return bool(knob.on) is (option.name != knob.other)
    values = [converted(value, kind) for value in option.values]
    return values if several else values[0] if values else True


def converted(text: str, kind: str) -> Any:
    """A word as its type makes it; the word itself where the type is not known."""
    try:
        if kind in NUMBERS:
            return NUMBERS[kind](text)
    except ValueError:
        return text
    if kind == "bool":
        return bool(text)
    if "bool" in kind or kind == "json":
        return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(text.lower(), text)
    return text


def _declared(source: Source, words: Sequence[str]) -> Iterator[Declared]:
    other = _other_subcommands(source, words)
    for node in running(source):
        match node:
            case ast.Call(func=ast.Attribute(value=owner, attr="add_argument") | ast.Name(id="add_argument" as owner)):
                if isinstance(owner, ast.expr) and last_name(owner) in other:
                    continue
                names = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
                flags = [name for name in names if name.startswith("-")]
                if flags and (one := _flag(source, node, flags)) is not None:
                    yield one
            case _:
                continue


def _other_subcommands(source: Source, words: Sequence[str]) -> set[str]:
    """Variables that hold the parsers of subcommands that the command does not name."""
    found: set[str] = set()
    for node in running(source):
        match node:
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.Call(func=ast.Attribute(attr="add_parser"), args=[ast.Constant(value=str(command)), *_]),
            ) if command not in words:
                found.add(name)
            case _:
                continue
    return found


def _flag(source: Source, node: ast.Call, flags: list[str]) -> Declared | None:
    """One `add_argument`; None for those that hold no setting, as `--version` or a list that grows."""
    given = {word.arg: word.value for word in node.keywords if word.arg}
    action = _action(given.get("action"))
    long = next((flag for flag in flags if flag.startswith("--")), flags[0])
    dest = literal(given.get("dest"))
    key = dest if isinstance(dest, str) else long.lstrip("-").replace("-", "_")
    knob = _knob(source, action, long, [flag for flag in flags if flag != long], given)
    value = _default(action, given)
    if knob is None or (value is MISSING and "default" not in given):
        return None
    comment = literal(given.get("help"))
    kind = last_name(given["type"]) if "type" in given else ""
    kind = "bool" if kind == "" and action == "BooleanOptionalAction" else kind
    if isinstance(value, str) and kind in NUMBERS:
        value = converted(value, kind)
    help_text = comment if isinstance(comment, str) else ""
    return Declared(Found(key, value, source.place(node), knob, FAMILY, help_text), kind)


def _knob(source: Source, action: str, long: str, aliases: list[str], given: Mapping[str, ast.expr]) -> FlagKnob | None:
    default = given.get("default")
    stands = source.knob(default) if default is not None and literal(default) is not MISSING else None
    knob = FlagKnob(long, aliases=tuple(aliases))
    if action in ("store_true", "store_false"):
        on = action == "store_true"
        stuck = stands is not None and literal(default) is on
        return replace(knob, style="switch", on=on, default=stands if stuck else None)
    if action == "BooleanOptionalAction":
        return replace(knob, style="switch", other=f"--no-{long.lstrip('-')}")
    if action not in ("store", ""):
        return None
    plain = "type" in given and last_name(given["type"]) == "bool"
    return replace(knob, booleans=("True", "") if plain else knob.booleans, default=stands)


def _action(node: ast.expr | None) -> str:
    value = literal(node)
    return value if isinstance(value, str) else last_name(node) if node is not None else ""


def _default(action: str, given: Mapping[str, ast.expr]) -> Any:
    if "default" in given:
        return literal(given["default"])
    return {"store_true": False, "store_false": True}.get(action)


class _Late(NamedTuple):
    """A default that `set_defaults` gives."""

    value: Any
    stands: LiteralKnob


def _set_defaults(source: Source) -> Iterator[tuple[str, _Late]]:
    for node in running(source):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "set_defaults":
            for word in node.keywords:
                if word.arg and (value := literal(word.value)) is not MISSING:
                    yield word.arg, _Late(value, source.knob(word.value))


def _defaulted(found: Found, late: Mapping[str, _Late]) -> Found:
    """The setting with its default from `set_defaults`, which one written in a later `add_argument` replaces."""
    set_ = late.get(found.key)
    assert isinstance(found.knob, FlagKnob)
    if set_ is None or (set_.stands.file == found.place.file and set_.stands.start[0] < found.place.line):
        return found
    stuck = found.knob.style != "switch" or (found.knob.other is None and set_.value is found.knob.on)
    return found._replace(value=set_.value, knob=replace(found.knob, default=set_.stands if stuck else None))
