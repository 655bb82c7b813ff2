"""Command-line flags made from the types of dataclass fields: tyro, HfArgumentParser; and absl's definitions."""

import ast
from collections.abc import Iterator, Mapping, Sequence

from ....executor.experiments.knobs import FlagKnob
from .defaults import class_fields, classes
from .flags import FAMILY, Declared, as_given
from .found import Found, Given
from .source import MISSING, Source, last_name, literal, running

Classes = Mapping[str, tuple[Source, ast.ClassDef]]
DEEPEST = 6


def typed_flags(sources: Sequence[Source], options: Sequence[Given]) -> tuple[list[Found], set[str]]:
    """The fields as settings, as the command gives them or by their defaults; and the classes that were read for it."""
    known = classes(sources)
    declared: list[Declared] = []
    used: set[str] = set()
    for source in sources:
        for node in running(source):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            if last_name(node.func) in ("cli", "tyro_cli") and (name := last_name(node.args[0])) in known:
                declared += _tyro(known, name, "", used)
            elif last_name(node.func) == "HfArgumentParser":
                given = node.args[0]
                for one in given.elts if isinstance(given, (ast.Tuple, ast.List)) else [given]:
                    declared += _transformers(known, last_name(one), used)
            elif last_name(node.func).startswith("DEFINE_"):
                declared += _absl(source, node)
    found = [as_given(one, options) for one in declared]
    return [one for one in found if one is not None], used


def _tyro(known: Classes, name: str, prefix: str, used: set[str], depth: int = 0) -> Iterator[Declared]:
    """Dotted flags of nested dataclasses, switches with an opposite."""
    source, node = known[name]
    used.add(name)
    for base in node.bases:
        if last_name(base) in known and depth < DEEPEST:
            yield from _tyro(known, last_name(base), prefix, used, depth + 1)
    for field in class_fields(source, node):
        key = f"{prefix}{field.name}"
        nested = next((one for one in _names(field.default, field.annotation) if one in known), None)
        value = literal(field.default)
        if nested is not None and depth < DEEPEST:
            yield from _tyro(known, nested, f"{key}.", used, depth + 1)
        elif value is not MISSING and field.default is not None:
            flag = f"--{key.replace('_', '-')}"
            alias = (f"--{key}",) if "_" in key else ()
            knob = FlagKnob(flag, aliases=alias, default=source.knob(field.default))
            if isinstance(value, bool):
                *tables, last = key.replace("_", "-").split(".")
                knob = FlagKnob(flag, "switch", other=f"--{'.'.join([*tables, f'no-{last}'])}", aliases=alias)
            kind = _kind(field.annotation, value)
            yield Declared(Found(key, value, source.place(field.node), knob, FAMILY, field.help), kind)


def _transformers(known: Classes, name: str, used: set[str]) -> Iterator[Declared]:
    """Flags with the fields' own names; True and False are values."""
    if name not in known:
        return
    source, node = known[name]
    used.add(name)
    for field in class_fields(source, node):
        value = literal(field.default)
        if value is not MISSING and field.default is not None and field.annotation is not None:
            knob = FlagKnob(f"--{field.name}", default=source.knob(field.default))
            kind = _kind(field.annotation, value)
            yield Declared(Found(field.name, value, source.place(field.node), knob, FAMILY, field.help), kind)


def _absl(source: Source, node: ast.Call) -> Iterator[Declared]:
    """`flags.DEFINE_float("lr", 0.1, "…")`."""
    kind = last_name(node.func).removeprefix("DEFINE_").replace("integer", "int")
    words = {word.arg: word.value for word in node.keywords}
    default = node.args[1] if len(node.args) > 1 else words.get("default")
    name, value = literal(node.args[0]), literal(default)
    known = kind in ("int", "float", "string", "bool", "boolean", "enum")
    if not known or default is None or not isinstance(name, str) or value is MISSING:
        return
    said = literal(node.args[2]) if len(node.args) > 2 else ""
    knob = FlagKnob(f"--{name}", "equals", aliases=(f"-{name}",), default=source.knob(default))
    if isinstance(value, bool):
        knob = FlagKnob(f"--{name}", "switch", other=f"--no{name}")
    text = said if isinstance(said, str) else ""
    yield Declared(Found(name, value, source.place(node), knob, FAMILY, text), kind)


def _names(*nodes: ast.expr | None) -> Iterator[str]:
    yield from (last_name(node) for node in nodes if node is not None)


def _kind(annotation: ast.expr | None, value: object) -> str:
    """`float`, `int`, `strtobool`, or nothing: from the annotation, else from the default."""
    if isinstance(value, bool):
        return "strtobool"
    named = {node.id for node in ast.walk(annotation) if isinstance(node, ast.Name)} if annotation else set[str]()
    return next((kind for kind in ("float", "int") if kind in named or type(value).__name__ == kind), "")
