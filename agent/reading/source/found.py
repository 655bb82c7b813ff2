"""What a reader of source hands on: one `Found` for each place, with the changes that would take it out."""

import ast
from dataclasses import dataclass
from typing import NamedTuple

from ...components import ComponentKind
from .file import SourceFile


class Change(NamedTuple):
    """Characters `start` to `end` of a file's text, replaced."""

    start: int
    end: int
    new: str


@dataclass(frozen=True)
class Found:
    """Something at one place that could be ablated."""

    source: SourceFile
    node: ast.AST
    kind: ComponentKind
    name: str
    """Short and lasting, e.g. `loss-kl`; places of one name are told apart by `scope`, or are one thing."""
    label: str
    evidence: str
    changes: tuple[Change, ...] = ()
    """Empty where no mechanical edit is safe."""
    scope: str = ""
    """What tells two of one name apart; empty: all places of this name are removed together."""
    attributes: frozenset[str] = frozenset()
    """Names of modules or parameters whose removal from the live model would be the same."""
    mentions: frozenset[str] = frozenset()
    """Names in what is taken out: a setting among them switches the same."""


def replaced(source: SourceFile, node: ast.AST, new: str) -> tuple[Change, ...]:
    """A node replaced by other text."""
    return (Change(*source.span(node), new),)


def by_input(source: SourceFile, call: ast.Call) -> tuple[Change, ...]:
    """A call replaced by its first argument; by what it is a method of, where it has none."""
    inner = call.args[0] if call.args else call.func.value if isinstance(call.func, ast.Attribute) else call
    start, end = source.span(inner)
    text = source.text[start:end]
    return replaced(source, call, text if _closed(inner) else f"({text})")


def without_operand(source: SourceFile, sum_: ast.BinOp, operand: ast.expr) -> tuple[Change, ...]:
    """`a + b` without one of the two."""
    left, right = source.span(sum_.left, sum_), source.span(sum_.right, sum_)
    if operand is sum_.right:
        return (Change(left[1], right[1], ""),)
    return (Change(left[0], right[0], "-" if isinstance(sum_.op, ast.Sub) else ""),)


def _closed(node: ast.expr) -> bool:
    """Whether it binds more tightly than any operator around it."""
    return isinstance(node, ast.Name | ast.Call | ast.Attribute | ast.Subscript | ast.Constant)
