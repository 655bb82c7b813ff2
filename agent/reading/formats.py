"""Four kinds of configuration file, each read into nested values and the line of every key."""

import ast
import json
import re
import tomllib
from collections.abc import Callable, Iterator
from typing import Any

from ruamel.yaml import YAML, MappingNode
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from .toml_lines import KeyPath, toml_lines

Read = tuple[dict[Any, Any], dict[KeyPath, int]]


class NotReadable(Exception):
    """The text is malformed at `line`."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def read_yaml(text: str) -> Read:
    """YAML 1.2, where `1e-4` is a number and `off` is a word."""
    try:
        node = YAML(typ="safe", pure=True).compose(text)
        values = YAML(typ="safe", pure=True).load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise NotReadable(f"not valid YAML: {error.problem or error.context}", mark.line + 1 if mark else 1) from error
    except (YAMLError, ValueError) as error:
        raise NotReadable(f"not valid YAML: {error}", 1) from error
    return _mapping({} if values is None else values), dict(_yaml_lines(node, ()))


def read_toml(text: str) -> Read:
    """TOML."""
    try:
        return tomllib.loads(text), toml_lines(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        raise NotReadable(f"not valid TOML: {error}", int(line[1]) if line else len(text.splitlines())) from error


def read_json(text: str) -> Read:
    """JSON; its lines are those of the same text read as YAML, which contains JSON."""
    try:
        values = _mapping(json.loads(text))
    except json.JSONDecodeError as error:
        raise NotReadable(f"not valid JSON: {error.msg}", error.lineno) from error
    try:
        return values, dict(_yaml_lines(YAML(typ="safe", pure=True).compose(text.replace("\t", " ")), ()))
    except YAMLError:
        return values, {}


def read_python(text: str) -> Read:
    """The constants of a Python file: names set at its top level to literals, the last one where there are several."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError) as error:
        raise NotReadable(f"not valid Python: {error}", getattr(error, "lineno", None) or 1) from error
    values: dict[Any, Any] = {}
    lines: dict[KeyPath, int] = {}
    for name, node in _assignments(tree):
        try:
            values[name] = ast.literal_eval(node)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            values.pop(name, None)
            continue
        lines |= {(name,): node.lineno, **dict(_dict_lines(node, (name,)))}
    return values, lines


READERS: dict[str, Callable[[str], Read]] = {
    ".yaml": read_yaml,
    ".yml": read_yaml,
    ".toml": read_toml,
    ".json": read_json,
    ".py": read_python,
}


def _mapping(values: Any) -> dict[Any, Any]:
    if not isinstance(values, dict):
        raise NotReadable(f"the top level is a {type(values).__name__}, not keys and values", 1)
    return values


def _yaml_lines(node: Any, prefix: KeyPath) -> Iterator[tuple[KeyPath, int]]:
    """Each key of a composed YAML document; keys merged by `<<` stand where they were written."""
    if not isinstance(node, MappingNode):
        return
    merged = [(key, value) for key, value in node.value if key.value == "<<"]
    for _, value in merged:
        for one in value.value if isinstance(value.value, list) and not isinstance(value, MappingNode) else [value]:
            yield from _yaml_lines(one, prefix)
    for key, value in node.value:
        if key.value != "<<":
            yield (*prefix, str(key.value)), key.start_mark.line + 1
            yield from _yaml_lines(value, (*prefix, str(key.value)))


def _assignments(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Public names assigned at the top level, in order."""
    for statement in tree.body:
        if isinstance(statement, ast.Assign):
            targets, value = statement.targets, statement.value
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            targets, value = [statement.target], statement.value
        else:
            continue
        yield from ((one.id, value) for one in targets if isinstance(one, ast.Name) and not one.id.startswith("_"))


def _dict_lines(node: ast.expr, prefix: KeyPath) -> Iterator[tuple[KeyPath, int]]:
    """Each text key of a dictionary literal."""
    if not isinstance(node, ast.Dict):
        return
    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            yield (*prefix, key.value), key.lineno
            yield from _dict_lines(value, (*prefix, key.value))
