"""Which names in a piece of source say how much of everything there is, and what they are given."""

import ast
from collections.abc import Iterator

from ..reading.words import SCALE_WORDS, is_scale, words
from .acts import dotted

NO_AMOUNTS = frozenset("keep path dir file device".split())
"""Words of scale that do not count in source: a rate of keeping, a path that is dropped."""
PARTS = frozenset("layer layers head heads group groups channel channels depth batch step".split())
"""Words of scale that also name a thing itself (`batch = augment(batch)`): what they are given must be a number."""
COUNTED = frozenset("samples examples updates rounds".split())
"""Words that say how many in source, of what they are given as a number."""
NUMERIC = frozenset("int float len min max round abs get".split())
"""Calls that make numbers of numbers."""
AXES = (0, 1, 2, 3)
Given = tuple[str, ast.AST]
"""A name, and the value given to it."""


def given_values(node: ast.AST) -> Iterator[Given]:
    """Every name in a piece that is given a value: targets, arguments, defaults, keys."""
    yield from assigned(node)
    for one in ast.walk(node):
        if isinstance(one, ast.NamedExpr):
            yield one.target.id, one.value
        elif isinstance(one, ast.keyword) and one.arg:
            yield one.arg, one.value
        elif isinstance(one, ast.Dict):
            yield from ((leaf(key), value) for key, value in zip(one.keys, one.values, strict=True) if key)
        elif isinstance(one, ast.arguments):
            yield from _defaults(one)
        elif isinstance(one, ast.Call) and one.args and isinstance(one.args[0], ast.Constant):
            values = [*one.args[1:], *(argument.value for argument in one.keywords)]
            yield from ((leaf(one.args[0]), value) for value in values)


def assigned(node: ast.AST) -> Iterator[Given]:
    """The targets of an assignment, and their values."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield from _matched(target, node.value)
    elif isinstance(node, ast.AugAssign | ast.AnnAssign) and node.value is not None:
        yield leaf(node.target), node.value


def leaf(node: ast.AST) -> str:
    """The last part of what names something: `lr` of `group["lr"]`, `args.lr` and `"lr"`; empty where it names nothing."""
    if isinstance(node, ast.Subscript):
        return leaf(node.slice)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return node.attr if isinstance(node, ast.Attribute) else (dotted(node) or ("",))[-1]


def is_amount(name: str, value: ast.AST) -> bool:
    """Whether what a name is given says how much there is."""
    if not _is_scale(name) or (name == "dim" and _is_axis(value)):
        return False
    scale = SCALE_WORDS.intersection(words(name))
    return is_rate(name) or not scale <= PARTS or is_definite(value)


def is_rate(name: str) -> bool:
    """Whether a name is a learning rate's."""
    named = set(words(name))
    return "lr" in named or named >= {"learning", "rate"}


def _is_scale(name: str) -> bool:
    named = set(words(name))
    return is_rate(name) or bool(named & COUNTED) or (is_scale(name, 1) and not SCALE_WORDS & named <= NO_AMOUNTS)


def is_definite(value: ast.AST) -> bool:
    """Whether an expression is a number made of numbers and settings of scale alone."""
    if isinstance(value, ast.BinOp):
        return is_definite(value.left) and is_definite(value.right)
    if isinstance(value, ast.UnaryOp):
        return is_definite(value.operand)
    if isinstance(value, ast.Call):
        return bool(value.args) and leaf(value.func) in NUMERIC
    if isinstance(value, ast.Constant):
        return is_number(value.value) or isinstance(value.value, str)
    return isinstance(value, ast.Subscript | ast.Attribute | ast.Name) and _is_scale(leaf(value))


def amounts(node: ast.AST) -> Iterator[ast.AST]:
    """The largest expressions below a node that are made of numbers and a setting of scale, rates aside."""
    if isinstance(node, ast.BinOp | ast.Subscript | ast.Attribute | ast.Name) and is_definite(node):
        named = {word for one in ast.walk(node) for word in words(leaf(one))}
        if named & (SCALE_WORDS - PARTS - NO_AMOUNTS - {"lr"}):
            if not isinstance(getattr(node, "ctx", None), ast.Store):
                yield node
            return
    for one in ast.iter_child_nodes(node):
        yield from amounts(one)


def is_number(value: object) -> bool:
    """Whether a constant is a number rather than a truth value."""
    return isinstance(value, int | float | complex) and not isinstance(value, bool)


def _defaults(given: ast.arguments) -> Iterator[Given]:
    placed = [*given.posonlyargs, *given.args]
    with_default = placed[len(placed) - len(given.defaults) :]
    yield from ((one.arg, value) for one, value in zip(with_default, given.defaults, strict=True))
    named = zip(given.kwonlyargs, given.kw_defaults, strict=True)
    yield from ((one.arg, value) for one, value in named if value)


def _matched(target: ast.AST, value: ast.AST) -> Iterator[Given]:
    """Names of a target, each with its own value where both sides are as long."""
    if isinstance(target, ast.Tuple | ast.List):
        values = value.elts if isinstance(value, ast.Tuple | ast.List) else []
        for at, one in enumerate(target.elts):
            yield from _matched(one, values[at] if len(values) == len(target.elts) else value)
    else:
        yield leaf(target), value


def _is_axis(value: ast.AST) -> bool:
    return isinstance(value, ast.UnaryOp) or (isinstance(value, ast.Constant) and value.value in AXES)
