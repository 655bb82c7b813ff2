"""Defaults of classes that hold a configuration: dataclass fields and class attributes."""

import ast
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .found import Found
from .source import Source, last_name, literal

FAMILY = "defaults"
NAMES = re.compile(
    r"(Config|Cfg|Configuration|Conf|Args|Arguments|Params|Parameters|HParams|Hparams|Options|Opts|Settings)\d*$|[Hh]yper"
)


class Field(NamedTuple):
    """One field of a class."""

    source: Source
    name: str
    annotation: ast.expr | None
    default: ast.expr | None
    """What stands for its default, `field(default=…)` unwrapped; a name or call of a class for a nested one."""
    node: ast.stmt
    help: str


def class_fields(source: Source, node: ast.ClassDef) -> Iterator[Field]:
    """The fields of a class, in order."""
    for statement in node.body:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
                pass
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                annotation = None
            case _:
                continue
        default, text = _unwrapped(value)
        yield Field(source, name, annotation, default, statement, text)


def _unwrapped(value: ast.expr | None) -> tuple[ast.expr | None, str]:
    """The default in `field(default=…)`, `Field(…)` and the like, and a help text."""
    match value:
        case ast.Call(func=function) if last_name(function) in ("field", "Field", "attrib", "ib", "choice"):
            words = {word.arg: word.value for word in value.keywords}
            metadata = words.get("metadata")
            text = words.get("help", words.get("description"))
            if isinstance(metadata, ast.Dict):
                pairs = zip(metadata.keys, metadata.values, strict=True)
                text = next((v for k, v in pairs if isinstance(k, ast.Constant) and k.value == "help"), text)
            said = literal(text)
            default = words.get("default", value.args[0] if value.args else None)
            return default or _made(words.get("default_factory")), said if isinstance(said, str) else ""
        case _:
            return value, ""


def _made(factory: ast.expr | None) -> ast.expr | None:
    """What a factory gives: the body of a lambda, or the class itself."""
    return factory.body if isinstance(factory, ast.Lambda) else factory


def classes(sources: Sequence[Source]) -> dict[str, tuple[Source, ast.ClassDef]]:
    """Every class by its name, the first of each."""
    found: dict[str, tuple[Source, ast.ClassDef]] = {}
    for source in sources:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ClassDef):
                found.setdefault(node.name, (source, node))
    return found


def class_defaults(sources: Sequence[Source], without: set[str]) -> list[Found]:
    """Literal defaults of the classes that look like configuration, but for those that every call gives itself.

    Args:
        sources: Files of the script.
        without: Classes that are read as flags already.
    """
    calls = _calls(sources)
    found: list[Found] = []
    for name, (source, node) in classes(sources).items():
        if not NAMES.search(name) or name in without:
            continue
        for field in class_fields(source, node):
            written = [given.get(field.name) for given in calls.get(name, [])]
            stands = [one for one in written if one is not None]
            if not stands:
                if field.default is not None:
                    found += source.setting(f"{name}.{field.name}", field.default, FAMILY)
            elif len(written) == 1:
                found += stands[0][0].setting(f"{name}.{field.name}", stands[0][1], FAMILY)
            elif len(stands) < len(written) and field.default is not None:
                found += source.setting(f"{name}.{field.name}", field.default, FAMILY)
    return found


Arguments = dict[str, tuple[Source, ast.expr]]


def _calls(sources: Sequence[Source]) -> dict[str, list[Arguments]]:
    """By class: the keyword arguments of each call, those of a dictionary handed over as `**name` included.

    Where the entry script calls a class, only its own calls count: a library makes others of it for other purposes.
    """
    own = _calls(sources[:1]) if len(sources) > 1 else {}
    found: dict[str, list[Arguments]] = {}
    for source in sources:
        tables = _tables(source)
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Call) and NAMES.search(last_name(node.func)):
                words: Arguments = {}
                for word in node.keywords:
                    if word.arg:
                        words[word.arg] = (source, word.value)
                    elif isinstance(word.value, ast.Name):
                        words |= {key: (source, value) for key, value in tables.get(word.value.id, {}).items()}
                found.setdefault(last_name(node.func), []).append(words)
    return found | own


def _tables(source: Source) -> dict[str, dict[str, ast.expr]]:
    """Variables set to a dictionary: the values by their keys."""
    found: dict[str, dict[str, ast.expr]] = {}
    for node in ast.walk(source.tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id="dict"), keywords=words)):
                found.setdefault(name, {}).update({word.arg: word.value for word in words if word.arg})
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict(keys=keys, values=values)):
                pairs = zip(keys, values, strict=True)
                named = {key.value: value for key, value in pairs if isinstance(key, ast.Constant)}
                found.setdefault(name, {}).update({str(key): value for key, value in named.items()})
            case _:
                continue
    return found
