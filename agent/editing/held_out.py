"""Whether an edit could train on what the evaluation measures by: what both load, how that is bound, and the names of splits."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from ..reading.words import words
from .acts import dotted
from .difference import Difference
from .names import imported, references
from .pieces import Piece, Pieces, more, nodes, shown
from .reach import Reach

SPLITS = frozenset(
    "train training trainval val valid validation dev test testing eval evaluation holdout heldout".split()
)
"""Texts that name a part of the data."""
HELD_OUT = SPLITS - {"train", "training", "trainval", "eval", "evaluation"}
"""Words in names of what is not trained on."""
SELECTORS = frozenset("split train subset partition fold phase".split())
"""Keywords that choose a part of the data."""
LOADERS = frozenset("load loads loadtxt genfromtxt read fetch".split())
"""Words in the names of what reads data, whoever wrote it."""
CALLABLE = ("FunctionDef(", "AsyncFunctionDef(", "ClassDef(")


@dataclass(frozen=True)
class Use:
    """One call of what the evaluation calls too."""

    call: ast.Call
    whole: str
    """The expression that it is part of, as far as arithmetic does not separate them, and what that is bound to."""
    mapped: bool
    """Its statement puts the result in the place of what it was given, as `x = prepare(x)` does."""


def held_out(change: Difference, given: Pieces, evaluation: Reach) -> list[str]:
    """What an edit changes of the data that is trained on, each as the rest of a sentence that begins with "it"."""
    shared = _shared(change, evaluation)
    before, after = ([one for piece in side for one in _uses(piece, shared)] for side in (given.gone, given.come))
    kept, new = {one.whole for one in before}, {one.whole for one in after}
    problems = [
        f"changes how `{shown(one.call)}`, which the evaluation calls too, is called or used: take the whole "
        "statement or leave it"
        for one in after
        if one.whole not in kept
    ]
    problems += [
        f"takes `{shown(one.call)}` from the training alone, while the evaluation still does it: what that shows is "
        "that the two no longer match"
        for one in before
        if one.mapped and one.whole not in new
    ]
    loaded = _bound_to(change, shared) | {one for piece in given.come for one in _words(piece) if _is_held_out(one)}
    known = {one for piece in given.gone for one in _words(piece)}
    brought = {one for piece in given.come for one in _words(piece)} - known
    problems += [f"uses `{one}`, which the lines it removes do not" for one in sorted(loaded & brought)]
    return problems + [f"chooses other data by `{shown(one)}`" for one in more(given, _choices)]


def _shared(change: Difference, evaluation: Reach) -> frozenset[str]:
    """Names that this file has for functions and classes that the evaluation reaches, dotted."""
    defined = {one.name for one in evaluation.definitions if one.code.startswith(CALLABLE)}
    imports = [
        one
        for node in ast.walk(change.before)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for one in imported(node)
    ]
    aliases = {one.bound for one in imports if one.name in defined}
    modules = {one.bound for one in imports}
    found = {".".join(chain) for top in change.gone for chain in references(top).chains}
    return frozenset(
        one
        for one in found
        for head, _, last in [one.rpartition(".")]
        if (not head and one in defined | aliases) or (head.split(".")[0] in modules and last in defined)
    )


def _uses(piece: Piece, shared: frozenset[str]) -> Iterator[Use]:
    parents = {id(child): node for node in ast.walk(piece.node) for child in ast.iter_child_nodes(node)}
    target: ast.expr | None = getattr(piece.node, "target", None)
    targets: list[ast.expr] = getattr(piece.node, "targets", [target] if target else [])
    for node in ast.walk(piece.node):
        if isinstance(node, ast.Call) and _is_shared(node, shared):
            top: ast.AST = node
            while isinstance(parents.get(id(top)), ast.expr | ast.keyword) and not isinstance(
                parents[id(top)], ast.BinOp | ast.UnaryOp
            ):
                top = parents[id(top)]
            whole = " ".join(ast.dump(one) for one in (*targets, top))
            yield Use(node, whole, parents.get(id(top)) is piece.node and _is_mapped(node, targets))


def _is_shared(call: ast.Call, shared: frozenset[str]) -> bool:
    """Also where a shared function is handed on, as in `map(load, files)`."""
    named = [call.func, *call.args, *(one.value for one in call.keywords)]
    chains = {".".join(dotted(one)) for one in named}
    own = dotted(call.func) or (getattr(call.func, "attr", ""),)
    return not shared.isdisjoint(chains) or not LOADERS.isdisjoint(words(own[-1]))


def _is_mapped(call: ast.Call, targets: list[ast.expr]) -> bool:
    given = {one.id for part in call.args for one in ast.walk(part) if isinstance(one, ast.Name)}
    bound = {one.id for part in targets for one in ast.walk(part) if isinstance(one, ast.Name)}
    return bool(given & {one for one in bound if "loss" not in words(one)})


def _bound_to(change: Difference, shared: frozenset[str]) -> set[str]:
    """Names that hold what a shared call gives."""
    return {
        one.id
        for top in change.gone
        for node in ast.walk(top)
        if isinstance(node, ast.Assign) and any(True for _ in _uses(Piece(node, "", 0, 0), shared))
        for target in node.targets
        for one in ast.walk(target)
        if isinstance(one, ast.Name)
    }


def _words(piece: Piece) -> Iterator[str]:
    """Names and attributes that a piece reads."""
    for one in nodes([piece]):
        if isinstance(one, ast.Name | ast.Attribute) and isinstance(one.ctx, ast.Load):
            yield one.id if isinstance(one, ast.Name) else one.attr


def _is_held_out(name: str) -> bool:
    return not HELD_OUT.isdisjoint(words(name))


def _choices(piece: Piece) -> Iterator[ast.AST]:
    """Names of splits, and arguments that choose one."""
    for one in ast.walk(piece.node):
        named = isinstance(one, ast.Constant) and isinstance(one.value, str) and not SPLITS.isdisjoint(words(one.value))
        if named or (isinstance(one, ast.keyword) and one.arg in SELECTORS):
            yield one
