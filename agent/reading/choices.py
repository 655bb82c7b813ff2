"""Whether a setting can be switched off, and by which value: from the comment beside it, and from the source."""

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

NEUTRAL = ("none", "null", "off", "disabled", "no", "identity", "constant")
CHOICES = re.compile(r"""['"]?[\w-]+['"]?(?:\s*(?:\||,|/|\bor\b)\s*['"]?[\w-]+['"]?)+""")
WORD = re.compile(r"[\w-]+")


class Off(NamedTuple):
    """The value that switches a setting off, and how that is known."""

    value: str | None
    evidence: str


def off_in_comment(comment: str, current: str, *, schedule: bool) -> Off | None:
    """The neutral word in a list of choices such as `# cosine | linear | none` that names the current value too."""
    for listed in CHOICES.findall(comment):
        choices = [choice for choice in WORD.findall(listed) if choice != "or"]
        if current in choices and (found := _neutral(choices, schedule)):
            value = None if found == "null" else found
            return Off(value, f"`{found}` is listed beside it: {comment.strip()}")
    return None


def off_in_source(tree: ast.Module, file: str, key: str, *, schedule: bool) -> Off | None:
    """The neutral word, or None, that the source compares the setting `key` with or offers as a choice for it."""
    found: dict[str | None, int] = {}
    for node in ast.walk(tree):
        for value in _values_for(node, key):
            found.setdefault(value, node.lineno)  # type: ignore[attr-defined]
    if word := _neutral([value for value in found if value], schedule):
        return Off(word, f"{file}:{found[word]} knows `{word}` as a value of it")
    return Off(None, f"{file}:{found[None]} asks whether it is None") if None in found else None


def tested_for_zero(tree: ast.Module, key: str) -> bool:
    """Whether the source asks if the setting is set at all: `if grad_clip:`, `grad_clip > 0`, `grad_clip != 0`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and _names(node.left, key):
            if any(isinstance(side, ast.Constant) and side.value in (0, 0.0) for side in node.comparators):
                return True
        elif isinstance(node, (ast.If, ast.IfExp)) and any(_names(part, key) for part in _conditions(node.test)):
            return True
    return False


def _conditions(test: ast.expr) -> list[ast.expr]:
    return test.values if isinstance(test, ast.BoolOp) else [test]


def _neutral(choices: list[str], schedule: bool) -> str | None:
    """The most neutral of the choices; `constant` only means none to a schedule."""
    ranked = [word for word in NEUTRAL if schedule or word != "constant"]
    return next((choice for word in ranked for choice in choices if choice.lower() == word), None)


def _values_for(node: ast.AST, key: str) -> Iterator[str | None]:
    """The constants that one expression or statement holds against the setting."""
    if isinstance(node, ast.Compare) and _names(node.left, key):
        yield from (value for side in node.comparators for value in _constants(side))
    elif isinstance(node, ast.Match) and _names(node.subject, key):
        for part in ast.walk(node):
            if isinstance(part, ast.MatchValue):
                yield from _constants(part.value)
    elif isinstance(node, ast.Call) and any(_is_option(argument, key) for argument in node.args):
        for keyword in node.keywords:
            if keyword.arg == "choices":
                yield from _constants(keyword.value)


def _constants(node: ast.expr) -> Iterator[str | None]:
    """The strings and Nones of a literal, or of a tuple, list or set of them."""
    items = node.elts if isinstance(node, (ast.Tuple, ast.List, ast.Set)) else [node]
    for item in items:
        if isinstance(item, ast.Constant) and (item.value is None or isinstance(item.value, str)):
            yield item.value


def _names(node: ast.expr, key: str) -> bool:
    """Whether an expression reads the setting: `key`, `config.key`, `config["key"]`, `config.get("key")`."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Subscript(slice=ast.Constant(value=name)):
            return name == key
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=name), *_]):
            return name == key
        case ast.Call(func=ast.Attribute(value=inner, attr="lower")):
            return _names(inner, key)
        case _:
            return False


def _is_option(node: ast.expr, key: str) -> bool:
    """Whether an argument is the command-line flag of the setting."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and _flag(node.value) == key


def _flag(text: str) -> str:
    return text.lstrip("-").replace("-", "_")
