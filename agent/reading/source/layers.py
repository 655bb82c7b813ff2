"""Parts of a model that its module tree may not show: functions that normalise and activate, additions, ties."""

import ast
from collections.abc import Iterator

from ...components import ComponentKind
from .file import SourceFile
from .found import Change, Found, by_input, replaced, without_operand
from .naming import dotted, last, names_in, of_words, slug

ACTIVATIONS = frozenset(
    "relu relu_ relu6 gelu silu swish elu selu celu leaky_relu softplus tanh mish hardswish hardtanh prelu rrelu".split()
)
FORMULAS = f"{' '.join(ACTIVATIONS)} activation act"
"""Words of classes that are an activation themselves."""
NORMS = frozenset("layer_norm batch_norm group_norm instance_norm rms_norm normalize local_response_norm".split())
MADE: dict[str, ComponentKind] = {
    **dict.fromkeys(
        "ReLU ReLU6 GELU SiLU ELU SELU CELU LeakyReLU Softplus Tanh Mish Hardswish PReLU".split(), "activation"
    ),
    **dict.fromkeys("LayerNorm RMSNorm GroupNorm BatchNorm1d BatchNorm2d BatchNorm3d".split(), "normalization"),
    **dict.fromkeys("Dropout Dropout1d Dropout2d Dropout3d AlphaDropout DropPath".split(), "regularization"),
}
"""Layers that a class makes, whose call can be replaced by its input."""
SHORT_KIND = {"normalization": "norm", "regularization": "dropout"}
SKIPS = "identity residual shortcut skip shortcuts res resid downsample"
WRAPPERS = "drop dropout droppath resid scale gamma ls"
"""Words of what a branch passes on its way into a sum."""
POSITIONS = "pos position positions positional pe posemb wpe"


def layers(source: SourceFile) -> Iterator[Found]:
    """Everything of a model in the file."""
    for node in source.nodes:
        if isinstance(node, ast.Assign):
            yield from _tie(source, node)
        if not source.in_model(node) or source.measures(node):
            continue
        if isinstance(node, ast.Call):
            yield from _functional(source, node)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            yield from _addition(source, node)
        elif isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add):
            yield from _augmented(source, node)


def _functional(source: SourceFile, call: ast.Call) -> Iterator[Found]:
    """`F.relu(x)`, `x.tanh()`, and `self.norm(x)` where the class makes such a layer."""
    name, full = last(call.func), source.imported(call.func)
    torchs = bool(call.args) and full.startswith("torch")
    method = not call.args and not torchs and isinstance(call.func, ast.Attribute) and name in ("relu", "relu_", "tanh")
    made = _made(source, call)
    if of_words(source.scope(call), FORMULAS):
        return
    kind: ComponentKind
    if (torchs or method) and name in ACTIVATIONS:
        kind, attribute = "activation", ""
    elif torchs and name in NORMS:
        kind, attribute = "normalization", ""
    elif made in MADE and len(call.args) == 1:
        kind, attribute = MADE[made], name
    else:
        return
    inner = call.args[0] if call.args else call.func.value if isinstance(call.func, ast.Attribute) else call
    hint = attribute or source.origin(inner) or source.scope(call)
    yield Found(
        source,
        call,
        kind,
        slug(SHORT_KIND.get(kind, kind), hint),
        f"{made or name} of {source.said(inner)[:40]} in {source.scope(call)}",
        f"`{source.said(call)[:60]}`",
        by_input(source, call),
        scope=source.scope(call),
        attributes=frozenset({attribute} if attribute else ()),
        mentions=frozenset(names_in(call.func)) - {"self"},
    )


def _addition(source: SourceFile, node: ast.BinOp) -> Iterator[Found]:
    """A position or a residual among the two operands of a sum."""
    for operand in (node.left, node.right):
        if _is_position(operand):
            yield _position(source, operand, without_operand(source, node, operand))
            return
    for operand, other in ((node.left, node.right), (node.right, node.left)):
        if _is_skip(operand, other) or _goes_on(source, node, operand, other):
            yield _residual(source, node, other, without_operand(source, node, operand), source.said(operand))
            return


def _augmented(source: SourceFile, node: ast.AugAssign) -> Iterator[Found]:
    """`x += self.pos`, `out += identity`, `x += self.attn(x)`."""
    target = dotted(node.target)
    if _is_position(node.value):
        yield _position(source, node.value, replaced(source, node, "pass"))
    elif _is_named_skip(node.value):
        yield _residual(source, node, node.target, replaced(source, node, "pass"), source.said(node.value))
    elif isinstance(node.value, ast.Call) and _takes(node.value, target):
        (start, _), (end, _) = source.span(node.target), source.span(node.value)
        name = source.said(node.target)
        yield _residual(source, node, node.value, (Change(start, end, f"{name} = "),), name)


def _is_skip(operand: ast.expr, other: ast.expr) -> bool:
    if _is_named_skip(operand):
        return not isinstance(other, ast.Constant)
    return isinstance(operand, ast.Name) and isinstance(other, ast.Call) and _takes(other, operand.id)


def _goes_on(source: SourceFile, node: ast.BinOp, operand: ast.expr, other: ast.expr) -> bool:
    """Whether a sum such as `x = x + self.attn(normed)` carries on what it was given, however the call came by its input."""
    around = source.parent(node)
    if not isinstance(around, ast.Assign) or not isinstance(operand, ast.Name):
        return False
    same = [one.id for one in around.targets if isinstance(one, ast.Name)] == [operand.id]
    return same and isinstance(other, ast.Call) and dotted(other.func).startswith("self.")


def _is_named_skip(node: ast.expr) -> bool:
    return isinstance(node, ast.Name | ast.Attribute | ast.Call) and of_words(last(node), SKIPS)


def _takes(call: ast.Call, name: str) -> bool:
    """Whether a function's argument is made of `name`."""
    given = [*call.args, *(one.value for one in call.keywords)]
    return bool(name) and any(isinstance(one, ast.Name) and one.id == name for arg in given for one in ast.walk(arg))


def _residual(source: SourceFile, node: ast.AST, kept: ast.AST, changes: tuple[Change, ...], said: str) -> Found:
    hint = _worker(kept) if isinstance(kept, ast.Call) else ""
    return Found(
        source,
        node,
        "skip_connection",
        slug("residual", source.scope(node), hint),
        f"residual of {slug(source.scope(node), hint)}",
        f"`{said[:40]}` is added to what was made of it",
        changes,
        scope=source.scope(node),
    )


def _worker(call: ast.Call) -> str:
    """The name of what is called, inside dropout and the like: `attn` of `self.drop(self.attn(x)[0])`."""
    inner = call.args[0] if call.args else None
    while isinstance(inner, ast.Subscript):
        inner = inner.value
    wrapped = of_words(last(call.func), WRAPPERS) and isinstance(inner, ast.Call)
    return _worker(inner) if wrapped and isinstance(inner, ast.Call) else last(call.func)


def _is_position(node: ast.expr) -> bool:
    return isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Subscript) and of_words(last(node), POSITIONS)


def _position(source: SourceFile, node: ast.expr, changes: tuple[Change, ...]) -> Found:
    return Found(
        source,
        node,
        "embedding",
        "positional-encoding",
        f"positional encoding in {source.scope(node)}",
        f"`{source.said(node)[:40]}` is added",
        changes,
        scope=source.scope(node),
        attributes=frozenset({last(node), *_origin(source, node)}),
    )


def _origin(source: SourceFile, node: ast.expr) -> set[str]:
    """The attribute that a local name was made by: `wpe` for `pos_emb = self.wpe(pos)`."""
    function = source.function(node)
    if not isinstance(node, ast.Name) or function is None:
        return set()
    given = [one for one in ast.walk(function) if isinstance(one, ast.Assign)]
    return {last(one.value) for one in given if [last(each) for each in one.targets] == [node.id]}


def _tie(source: SourceFile, node: ast.Assign) -> Iterator[Found]:
    """`self.head.weight = self.embedding.weight`."""
    if len(node.targets) != 1:
        return
    pair = (node.targets[0], node.value)
    tied = all(isinstance(one, ast.Attribute) and one.attr == "weight" for one in pair)
    if tied and dotted(pair[0]) != dotted(pair[1]):
        yield Found(
            source,
            node,
            "other",
            "weight-tying",
            f"weight tying in {source.scope(node)}",
            f"`{source.said(node)[:60]}`",
            replaced(source, node, "pass"),
            scope=source.scope(node),
        )


def _made(source: SourceFile, call: ast.Call) -> str:
    """The type of the layer that `self.<name>(…)` calls, where its class makes it by one call."""
    owner = source.owner(call)
    if owner is None or not dotted(call.func).startswith("self.") or dotted(call.func).count(".") != 1:
        return ""
    name = dotted(call.func)
    given = [one for one in ast.walk(owner) if isinstance(one, ast.Assign) and dotted(one.targets[0]) == name]
    types = {last(one.value) for one in given if isinstance(one.value, ast.Call)}
    return types.pop() if len(types) == 1 and len(given) == 1 else ""
