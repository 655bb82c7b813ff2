"""Texts that a script would print, made from its source: every value in them is one digit."""

import ast
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..reading.script.source import Source, last_name

HOLE = "7"
"""Stands for a value."""
PERCENT = re.compile(r"%[-+ #0]*\d*(?:\.\d+)?[sdifgGeErx]")
BRACES = re.compile(r"\{[^{}]*\}")
PRINTERS = frozenset(
    "print info debug warning log write echo print_ msg log_message set_description set_description_str".split()
)
CONVERSIONS = frozenset("float str round int repr".split())
KEYWORDS = frozenset("set_postfix log_metrics".split())


class Message(NamedTuple):
    """One text as it would be printed."""

    where: str
    """`file:line`."""
    text: str
    bare: str = ""
    """The name of the value that is printed alone."""


def messages(files: Sequence[Source]) -> list[Message]:
    """Every text that a call of `print`, a logger, or a progress bar shows, in the order of the files."""
    return [
        Message(f"{one.name}:{node.lineno}", line, _alone(node))
        for one in files
        for node in ast.walk(one.tree)
        if isinstance(node, ast.Call)
        for line in _said(node).splitlines()
    ]


def _said(call: ast.Call) -> str:
    name = last_name(call.func)
    if name in KEYWORDS:
        pairs = [f"{word.arg}={HOLE}" for word in call.keywords if word.arg]
        keys = [f"{key}={HOLE}" for one in call.args for key in _keys(one)]
        return ", ".join([*pairs, *keys])
    if name not in PRINTERS or not call.args:
        return ""
    first = call.args[0]
    if (
        isinstance(first, ast.Constant)
        and isinstance(first.value, str)
        and len(call.args) > 1
        and PERCENT.search(first.value)
    ):
        return PERCENT.sub(HOLE, first.value).replace("%%", "%")
    return " ".join(_text(one) for one in call.args)


def _alone(call: ast.Call) -> str:
    """`loss` of `print(loss.item())`; nothing where more is printed."""
    if (
        last_name(call.func) != "print"
        or len(call.args) != 1
        or isinstance(call.args[0], (ast.Constant, ast.JoinedStr))
    ):
        return ""
    names = [node.id for node in ast.walk(call.args[0]) if isinstance(node, ast.Name) and node.id not in CONVERSIONS]
    return names[0] if len(set(names)) == 1 else ""


def _text(node: ast.expr) -> str:
    """An expression as text."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_part(one) for one in parts)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _text(left) + _text(right)
        case ast.BinOp(left=ast.Constant(value=str(text)), op=ast.Mod()):
            return PERCENT.sub(HOLE, text).replace("%%", "%")
        case ast.Call(func=ast.Attribute(value=inner, attr="format")):
            return BRACES.sub(HOLE, _text(inner))
        case ast.Call(func=ast.Attribute(attr="dumps"), args=[inner, *_]):
            return _text(inner)
        case ast.Dict():
            return "{" + ", ".join(f"'{key}': {HOLE}" for key in _keys(node)) + "}"
        case _:
            return HOLE


def _part(node: ast.expr) -> str:
    """A piece of an f-string; a share written as `{x:.1%}` keeps its sign."""
    if isinstance(node, ast.FormattedValue):
        spec = _text(node.format_spec) if node.format_spec else ""
        return f"{HOLE}%" if spec.endswith("%") else HOLE
    return _text(node)


def _keys(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Dict):
        yield from (key.value for key in node.keys if isinstance(key, ast.Constant) and isinstance(key.value, str))
