"""The terms of losses: sums that are minimised, and what is added to them later."""

import ast
from collections.abc import Iterator
from typing import NamedTuple

from .file import SourceFile
from .found import Change, Found, replaced, without_operand
from .naming import LOSS, WEIGHT, dotted, last, names_in, of_words, slug

ACCUMULATED = "item detach data numpy tolist float cpu"
"""What is said of a value that is only kept for the record."""
AUXILIARY = (
    "aux auxiliary reg regularization regularizer penalty kl kld gp entropy consistency distill distillation l1 l2"
)
RECORDS = "running epoch test val valid avg average mean meter train"
BACKWARD = frozenset({"backward", "manual_backward"})


class _Term(NamedTuple):
    """One summand, and the sum whose operand it is."""

    node: ast.expr
    sum: ast.BinOp


def loss_terms(source: SourceFile) -> Iterator[Found]:
    """Each summand that a loss can do without; never all of one loss."""
    minimised = _minimised(source)
    for node in source.nodes:
        if source.measures(node):
            continue
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add | ast.Sub):
            yield from _added(source, node, minimised)
            continue
        target, value = _target(source, node)
        if value is not None and (of_words(target, LOSS) or target in minimised) and not of_words(target, RECORDS):
            yield from _summands(source, value, target)


def _target(source: SourceFile, node: ast.AST) -> tuple[str, ast.expr | None]:
    """The name that a value gets: a variable's, or that of the function that returns it."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        return last(node.targets[0]), node.value
    if isinstance(node, ast.AnnAssign):
        return last(node.target), node.value
    if isinstance(node, ast.Return) and node.value and (function := source.function(node)):
        owner = source.owner(node)
        named = owner.name if owner and function.name == "forward" else function.name
        return ("loss" if function.name == "training_step" else named), node.value
    return "", None


def _summands(source: SourceFile, value: ast.expr, target: str) -> Iterator[Found]:
    terms = [one for one in _terms(_unscaled(value)) if not isinstance(one.node, ast.Constant)]
    own = [one for one in terms if dotted(one.node) == target]
    others = [one for one in terms if one not in own]
    if len(terms) < 2 or any(_is_record(one.node) for one in terms):
        return
    plain = [one for one in others if not _is_auxiliary(one.node)]
    if not own and len(plain) == 1 and len(others) > 1:
        others = [one for one in others if one not in plain]
    for one in others:
        yield _found(source, one.node, without_operand(source, one.sum, one.node), f"a term of `{target}`")


def _added(source: SourceFile, node: ast.AugAssign, minimised: set[str]) -> Iterator[Found]:
    """`loss += …`, where the loss holds more than what is added here."""
    target = last(node.target)
    if not (of_words(target, LOSS) or target in minimised) or of_words(target, RECORDS) or _is_record(node.value):
        return
    if target.startswith("total") and target not in minimised:
        return
    home: ast.AST = source.function(node) or source.tree
    others = [one for one in ast.walk(home) if one is not node and _gives(one, target)]
    if others:
        yield _found(source, node.value, replaced(source, node, "pass"), f"added to `{target}`")


def _gives(node: ast.AST, target: str) -> bool:
    """Whether a statement gives `target` something that is no mere zero."""
    if isinstance(node, ast.AugAssign):
        return isinstance(node.op, ast.Add | ast.Sub) and last(node.target) == target
    if not isinstance(node, ast.Assign) or isinstance(node.value, ast.Constant):
        return False
    if last(node.value) in ("zeros", "zeros_like") or (
        last(node.value) == "tensor"
        and isinstance(node.value, ast.Call)
        and all(isinstance(one, ast.Constant) for one in node.value.args)
    ):
        return False
    flat = [part for one in node.targets for part in (one.elts if isinstance(one, ast.Tuple) else [one])]
    return any(last(one) == target for one in flat)


def _found(source: SourceFile, term: ast.expr, changes: tuple[Change, ...], said: str) -> Found:
    function = source.function(term)
    return Found(
        source,
        term,
        "loss_term",
        f"loss-{_name(term)}",
        f"loss term {source.said(term)[:60]}",
        said + (", weighted" if _weights(term) else ""),
        changes,
        scope=function.name if function else source.scope(term),
        mentions=frozenset(names_in(term)),
    )


def _unscaled(value: ast.expr) -> ast.expr:
    """A sum without what scales or negates all of it: `(a + b) / 2` is `a + b`."""
    while isinstance(value, ast.BinOp | ast.UnaryOp):
        if isinstance(value, ast.UnaryOp):
            value = value.operand
        elif isinstance(value.op, ast.Div):
            value = value.left
        elif isinstance(value.op, ast.Mult) and isinstance(value.left, ast.Constant):
            value = value.right
        elif isinstance(value.op, ast.Mult) and isinstance(value.right, ast.Constant):
            value = value.left
        else:
            break
    return value


def _terms(value: ast.expr) -> list[_Term]:
    if not isinstance(value, ast.BinOp) or not isinstance(value.op, ast.Add | ast.Sub):
        return []
    left = _terms(value.left) or [_Term(value.left, value)]
    right = [_Term(value.right, value)]
    return left + right


def _factors(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
        return [*_factors(node.left), *([] if isinstance(node.op, ast.Div) else _factors(node.right))]
    return _factors(node.operand) if isinstance(node, ast.UnaryOp) else [node]


def _weights(term: ast.expr) -> list[ast.expr]:
    factors = _factors(term)
    return [one for one in factors if len(factors) > 1 and _is_weight(one)]


def _is_weight(node: ast.expr) -> bool:
    text = node.slice.value if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) else ""
    return isinstance(node, ast.Constant) or of_words(f"{dotted(node)}.{text}", WEIGHT)


def _is_auxiliary(term: ast.expr) -> bool:
    return bool(_weights(term)) or of_words(_name(term), AUXILIARY)


def _is_record(node: ast.expr) -> bool:
    return any(of_words(last(one), ACCUMULATED) for one in ast.walk(node) if isinstance(one, ast.Attribute | ast.Call))


def _name(term: ast.expr) -> str:
    """What a term is called: `beta * kl_loss` is `kl`, `F.mse_loss(a, b)` is `mse`."""
    weights = _weights(term)
    rest = [one for one in _factors(term) if one not in weights] or [term]
    one = rest[-1]
    if isinstance(one, ast.Subscript) and isinstance(one.slice, ast.Constant) and isinstance(one.slice.value, str):
        text = one.slice.value
    else:
        text = _plain(one)
    parts = [part for part in slug(text).split("-") if part not in ("loss", "self", "")]
    return "-".join(parts) or "main"


def _plain(node: ast.expr) -> str:
    """Of a call its function's name, looking through `.mean()` and its kin."""
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr not in ("mean", "sum", "abs", "square", "pow", "norm"):
            break
        inner = node.func.value
        node = node.args[0] if dotted(inner) in ("torch", "F") and node.args else inner
    return last(node)


def _minimised(source: SourceFile) -> set[str]:
    """Names on which `backward` is called, or that are handed to it."""
    calls = [one for one in source.nodes if isinstance(one, ast.Call) and last(one.func) in BACKWARD]
    found: set[str] = set()
    for one in calls:
        given = one.args[:1]
        if isinstance(one.func, ast.Attribute):
            inner = one.func.value
            given = given or (inner.args[:1] if isinstance(inner, ast.Call) else [inner])
        found |= {last(each) for each in given}
    return found - {""}
