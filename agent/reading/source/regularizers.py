"""Regularizers: dropout as a function, rates and penalties that stand in the source as numbers, clipping of gradients."""

import ast
from collections.abc import Iterator

from ...components import ComponentKind
from .file import SourceFile
from .found import Found, by_input, replaced
from .naming import is_on, last, names_in, slug

DROPOUTS = frozenset("dropout dropout1d dropout2d dropout3d alpha_dropout feature_alpha_dropout drop_path".split())
RATES: dict[str, tuple[str, ComponentKind]] = {
    "weight_decay": ("weight-decay", "regularization"),
    "label_smoothing": ("label-smoothing", "regularization"),
    "gradient_clip_val": ("gradient-clipping", "regularization"),
    "dropout": ("dropout", "regularization"),
    "dropout_rate": ("dropout", "regularization"),
    "drop_rate": ("dropout", "regularization"),
    "attn_drop": ("dropout", "regularization"),
    "drop_path": ("drop-path", "regularization"),
    "drop_path_rate": ("drop-path", "regularization"),
}
"""Keywords whose number removes something when it is 0, and what that is called."""
CLIPS = frozenset("clip_grad_norm_ clip_grad_value_ clip_grad_norm clip_gradients clip_grad_norms".split())


def regularizers(source: SourceFile) -> Iterator[Found]:
    """Every one in the file."""
    for node in source.nodes:
        if isinstance(node, ast.Call) and not source.measures(node):
            yield from _dropout(source, node)
            yield from _rates(source, node)
            yield from _clipping(source, node)
        elif isinstance(node, ast.Dict):
            yield from _in_groups(source, node)


def _dropout(source: SourceFile, call: ast.Call) -> Iterator[Found]:
    if last(call.func) in DROPOUTS and call.args and source.imported(call.func).startswith("torch"):
        hint = slug(source.origin(call.args[0]))
        yield Found(
            source,
            call,
            "regularization",
            slug("dropout", hint),
            f"dropout of {source.said(call.args[0])[:40]} in {source.scope(call)}",
            f"a call of {last(call.func)}",
            by_input(source, call),
            scope=source.scope(call),
            mentions=frozenset(names_in(call)),
        )


def _rates(source: SourceFile, call: ast.Call) -> Iterator[Found]:
    for one in call.keywords:
        if one.arg in RATES and is_on(one.value) and not (one.arg == "dropout" and _is_own(source, call)):
            name, kind = RATES[one.arg]
            grouped = name in ("weight-decay", "label-smoothing", "gradient-clipping")
            yield Found(
                source,
                one.value,
                kind,
                name if grouped else slug(name, last(call.func)),
                name.replace("-", " ") + ("" if grouped else f" of {last(call.func)}"),
                f"`{one.arg}={source.said(one.value)}`",
                replaced(source, one.value, "0.0"),
                scope="" if grouped else source.scope(call),
            )


def _is_own(source: SourceFile, call: ast.Call) -> bool:
    """Whether a keyword is handed to something of no known meaning, in a file of arguments."""
    return last(call.func) in ("add_argument", "dict", "Namespace", "field")


def _in_groups(source: SourceFile, node: ast.Dict) -> Iterator[Found]:
    """`{"params": …, "weight_decay": 0.1}`."""
    keys = [one.value if isinstance(one, ast.Constant) else None for one in node.keys]
    for key, value in zip(keys, node.values, strict=True):
        if key == "weight_decay" and "params" in keys and is_on(value):
            yield Found(
                source,
                value,
                "regularization",
                "weight-decay",
                "weight decay",
                f"`weight_decay` of {source.said(value)} in a parameter group",
                replaced(source, value, "0.0"),
            )


def _clipping(source: SourceFile, call: ast.Call) -> Iterator[Found]:
    if last(call.func) not in CLIPS:
        return
    parent = source.parent(call)
    alone = isinstance(parent, ast.Expr)
    yield Found(
        source,
        call,
        "regularization",
        "gradient-clipping",
        "gradient clipping",
        f"a call of {last(call.func)}" + ("" if alone else ", whose result is used"),
        replaced(source, parent, "pass") if alone else (),
        mentions=frozenset(names_in(call)),
    )
