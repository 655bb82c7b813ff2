"""Whether an edit makes a program do more, or less often, than taking something away would: calls, conditions, early ends."""

import ast
from collections import Counter
from collections.abc import Iterator, Sequence

from .acts import dotted
from .difference import Difference
from .pieces import BODIES, Piece, Pieces, more, nodes, shown
from .vocabulary import ATTRIBUTES, BUILTINS

ENDS = ast.Return | ast.Break | ast.Continue | ast.Raise
SWITCHES = frozenset({"detach", "zeros_like", "ones_like", "Identity"})
"""Calls that take away: one of them may be put around what stays."""


def repeats(change: Difference, given: Pieces) -> list[str]:
    """What the edit does more often than what it replaces, each as the rest of a sentence that begins with "it"."""
    left = Counter(_done(given.gone))
    problems = [f"calls `{name}` more often" for name, _ in Counter(_done(given.come)) - left]
    calls = [sum(_counts(node) for node in nodes(side)) for side in (given.gone, given.come)]
    if calls[1] > calls[0] and not problems:
        problems.append(f"makes more calls than what it takes away ({calls[1]}, not {calls[0]})")
    problems += [f"brings in the condition `{shown(one)}`" for one in _conditions(given)]
    left = Counter(_unreached(change.gone))
    problems += [f"ends before `{code}`" for code in Counter(_unreached(change.new)) - left]
    return list(dict.fromkeys(problems))


def _done(side: Sequence[Piece]) -> Iterator[tuple[str, int]]:
    """Calls by what is called, and what ends a function or a loop; each with the number of loops around it."""
    for piece in side:
        for node in ast.walk(piece.node):
            if isinstance(node, ast.Call):
                name = _callee(node)
                if name.rpartition(".")[2] not in ATTRIBUTES | BUILTINS:
                    yield name, piece.loops
            if isinstance(node, ENDS):
                yield type(node).__name__.lower(), piece.loops


def _callee(call: ast.Call) -> str:
    attribute = f".{call.func.attr}" if isinstance(call.func, ast.Attribute) else shown(call.func)
    return ".".join(dotted(call.func)) or attribute


def _counts(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and _callee(node).rpartition(".")[2] not in SWITCHES


def _conditions(given: Pieces) -> list[ast.AST]:
    """Conditions that neither stood in what is taken away, as a whole or in part, nor are always the same."""
    known = {ast.dump(one) for one in nodes(given.gone)}
    return [one for one in more(given, _tests) if not isinstance(one, ast.Constant) and ast.dump(one) not in known]


def _tests(piece: Piece) -> Iterator[ast.AST]:
    return (one.test for one in ast.walk(piece.node) if isinstance(one, ast.If | ast.IfExp | ast.While))


def _unreached(body: Sequence[ast.AST]) -> Iterator[str]:
    """Statements behind one that ends their block."""
    for at, one in enumerate(body):
        if isinstance(one, ENDS):
            yield from (shown(behind) for behind in body[at + 1 :])
        for name in BODIES:
            inner = getattr(one, name, None)
            if isinstance(inner, list):
                yield from _unreached(inner)
