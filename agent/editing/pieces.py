"""What an edit takes away and puts in, statement by statement: a function of which one line is changed is not all new."""

import ast
import copy
import difflib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from .acts import plainly
from .difference import Difference

BODIES = ("body", "orelse", "finalbody", "handlers", "cases")
SHOWN = 60
"""Characters of a piece of source in a reason."""
LOOPS = ast.For | ast.AsyncFor | ast.While


@dataclass(frozen=True)
class Piece:
    """One simple statement, or the first lines of one with others below it."""

    node: ast.AST
    """Without what stands below it."""
    code: str
    """Its syntax, without positions."""
    depth: int
    loops: int
    """Statements, and loops among them, that it stands in."""


@dataclass(frozen=True)
class Pieces:
    """The pieces of one file that an edit takes away, and those that it puts in."""

    gone: tuple[Piece, ...]
    come: tuple[Piece, ...]


def pieces(change: Difference) -> Pieces:
    """Which pieces are on one side only, in their order; one that is moved is on both."""
    old, new = list(_flat(change.gone)), list(_flat(change.new))
    keys = [[(one.depth, one.loops, one.code) for one in side] for side in (old, new)]
    gone: list[Piece] = []
    come: list[Piece] = []
    for tag, i, j, k, m in difflib.SequenceMatcher(None, *keys, autojunk=False).get_opcodes():
        if tag != "equal":
            gone += old[i:j]
            come += new[k:m]
    return Pieces(tuple(gone), tuple(come))


def nodes(side: Sequence[Piece]) -> Iterator[ast.AST]:
    """Every node in some pieces."""
    for piece in side:
        yield from ast.walk(piece.node)


def more(given: Pieces, found: Callable[[Piece], Iterable[ast.AST]]) -> list[ast.AST]:
    """What is found among the pieces put in, and not among those taken away, or not as often there; by its syntax."""
    left = Counter(ast.dump(one) for piece in given.gone for one in found(piece))
    extra: list[ast.AST] = []
    for one in (one for piece in given.come for one in found(piece)):
        code = ast.dump(one)
        if left[code] == 0:
            extra.append(one)
        left[code] -= left[code] > 0
    return extra


def shown(node: ast.AST) -> str:
    """Its text, in a reason: one line, plain characters."""
    return plainly(" ".join(ast.unparse(node).split()))[:SHOWN]


def _flat(body: Sequence[ast.AST], depth: int = 0, loops: int = 0) -> Iterator[Piece]:
    for one in body:
        head = copy.copy(one)
        below: list[tuple[str, list[ast.AST]]] = []
        for name in BODIES:
            inner = getattr(one, name, None)
            if isinstance(inner, list):
                below.append((name, inner))
                setattr(head, name, [])
        if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant)):
            yield Piece(head, ast.dump(head), depth, loops)
        for name, inner in below:
            yield from _flat(inner, depth + 1, loops + (isinstance(one, LOOPS) and name == "body"))
