"""Whether an edit changes how much of everything there is: epochs, batches, widths, rates, loops, slices, numbers."""

import ast
from collections.abc import Iterator

from ..reading.words import words
from .amounts import Given, amounts, assigned, given_values, is_amount, is_definite, is_number, is_rate, leaf
from .difference import Difference
from .pieces import LOOPS, Piece, Pieces, more, nodes, shown

NUMBERS = frozenset({0, 1})
"""Numbers that any edit may bring in, and their negatives: what switches things off."""
TIME = frozenset("step steps epoch epochs iter iters iteration iterations warmup warm progress schedule cosine".split())
"""Words that tell a schedule from a rate."""
COUNTERS = frozenset("range arange islice randint randperm rand randn choice choices sample multinomial Subset".split())
"""Calls whose arguments say how many; those that seed count too."""
INDICES = frozenset("batch idx index indices order perm permutation picked chosen rows".split())
"""Words in the names of what picks rows."""


def rescaled(change: Difference, given: Pieces) -> list[str]:
    """Amounts that the edit changes, each as the rest of a sentence that begins with "it"."""
    known = {node.value for node in nodes(given.gone) if isinstance(node, ast.Constant) and is_number(node.value)}
    new = [one for one in nodes(given.come) if isinstance(one, ast.Constant) and is_number(one.value)]
    numbers = [f"brings in the number {one.value}" for one in new if one.value not in known | NUMBERS]
    names = [*_changed(given, _bounds(change)), *_lost_assignments(change, given), *_lost_arguments(given)]
    bounds = [*more(given, _counts), *more(given, _cuts), *_uncut(given)]
    changed = [f"changes `{name}`" for name in (*names, *map(shown, bounds))]
    loops = [f"changes the loop `{shown(one).removesuffix(':')}`" for one in _loops(given)]
    wholes = [f"leaves `{shown(one)}` of another amount" for one in more(given, lambda piece: amounts(piece.node))]
    return list(dict.fromkeys([*numbers, *changed, *loops, *wholes]))


def _of(side: tuple[Piece, ...], bounds: frozenset[str] = frozenset()) -> list[Given]:
    values = [one for piece in side for one in given_values(piece.node)]
    return [
        (name, value) for name, value in values if is_amount(name, value) or (name in bounds and is_definite(value))
    ]


def _bounds(change: Difference) -> frozenset[str]:
    """Names that stand as bounds of the file's loops and slices, whatever they say."""
    everything = Piece(change.before, "", 0, 0)
    calls = [value for one in _counts(everything) if isinstance(one, ast.Call) for value in one.args]
    slices = [one for one in ast.walk(change.before) if isinstance(one, ast.Slice)]
    given = [*calls, *(value for one in slices for value in (one.lower, one.upper, one.step) if value)]
    return frozenset(leaf(one) for one in given) - {""}


def _changed(given: Pieces, bounds: frozenset[str]) -> Iterator[str]:
    """Names of amounts that are given another value."""
    before = _of(given.gone, bounds)
    old = {(name, ast.dump(value)) for name, value in before}
    for name, value in _of(given.come, bounds):
        if (name, ast.dump(value)) not in old and not _unscheduled(name, value, before):
            yield name


def _lost_assignments(change: Difference, given: Pieces) -> Iterator[str]:
    """Names of amounts that are assigned no more, and still used; what schedules a learning rate aside."""
    used = {leaf(node) for top in change.new for node in ast.walk(top)}
    again = {name for name, _ in _of(given.come)}
    for piece in given.gone:
        for name, value in assigned(piece.node):
            if is_amount(name, value) and name in used - again and not (is_rate(name) and _is_timed(piece)):
                yield name


def _lost_arguments(given: Pieces) -> Iterator[str]:
    """Names of amounts that a call which stays is given no more."""
    called = {ast.dump(one.func) for one in nodes(given.come) if isinstance(one, ast.Call)}
    again = {name for name, _ in _of(given.come)}
    for node in nodes(given.gone):
        if isinstance(node, ast.Call) and ast.dump(node.func) in called:
            yield from (
                one.arg for one in node.keywords if one.arg and one.arg not in again and is_amount(one.arg, one.value)
            )


def _is_timed(piece: Piece) -> bool:
    """Whether a statement runs again and again, or speaks of time."""
    return piece.loops > 0 or _speaks_of_time(piece.node)


def _unscheduled(name: str, value: ast.AST, before: list[Given]) -> bool:
    """Whether a rate is what is left of a product whose other factors follow the time."""
    for other, old in before:
        factors = list(_factors(old))
        rest = [one for one in factors if ast.dump(one) != ast.dump(value)]
        if other == name and is_rate(name) and len(rest) < len(factors) and all(map(_speaks_of_time, rest)):
            return True
    return False


def _factors(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        yield from _factors(node.left)
        yield from _factors(node.right)
    else:
        yield node


def _speaks_of_time(node: ast.AST) -> bool:
    return any(not TIME.isdisjoint(words(leaf(one))) for one in ast.walk(node))


def _counts(piece: Piece) -> Iterator[ast.AST]:
    calls = (one for one in ast.walk(piece.node) if isinstance(one, ast.Call))
    return (one for one in calls if leaf(one.func) in COUNTERS or "seed" in words(leaf(one.func)))


def _cuts(piece: Piece) -> Iterator[ast.Subscript]:
    return (one for one in ast.walk(piece.node) if isinstance(one, ast.Subscript) and _is_cut(one.slice))


def _is_cut(node: ast.AST) -> bool:
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    return any(isinstance(one, ast.Slice) and (one.lower or one.upper or one.step) for one in parts)


def _uncut(given: Pieces) -> Iterator[ast.AST]:
    """What picked rows of something that is still used, and picks none any more."""
    used = {ast.dump(one) for one in nodes(given.come)}
    picks = [one for one in nodes(given.gone) if isinstance(one, ast.Subscript) and _picks(one.slice)]
    yield from (one for one in picks if ast.dump(one) not in used and ast.dump(one.value) in used)


def _picks(index: ast.AST) -> bool:
    """Whether an index is a slice of the first axis by more than one, or a batch by its name."""
    if isinstance(index, ast.Slice):
        return _is_cut(index) and not _is_shift(index)
    return isinstance(index, ast.Name) and not INDICES.isdisjoint(words(index.id))


def _is_shift(cut: ast.Slice) -> bool:
    bounds = [ast.unparse(one) for one in (cut.lower, cut.upper, cut.step) if one]
    return all(one in ("0", "1", "-1") for one in bounds)


def _loops(given: Pieces) -> Iterator[ast.AST]:
    """Counted loops and `while` loops that are others than those that they replace."""
    old, new = ([one for one in side if isinstance(one.node, LOOPS)] for side in (given.gone, given.come))
    before, after = ({one.code for one in side} for side in (old, new))
    for one in old:
        bounded = isinstance(one.node, ast.While) or any(True for _ in _counts(one))
        if new and bounded and one.code not in after:
            yield one.node
    yield from (one.node for one in new if isinstance(one.node, ast.While) and one.code not in before)
