"""Records of a model's attentions: confirmed by value, recognised by type, or told by an attribute."""

from itertools import takewhile
from typing import Any, Dict, Iterable, List, Optional, Sequence

from torch import nn

from .heads import Found, HeadFinder

COUNTS = ("num_heads", "n_head", "n_heads", "num_attention_heads")
WIDTHS = ("head_dim", "head_size", "attention_head_size")


def attentions(model: nn.Module, finder: HeadFinder, called: "Iterable[str]") -> "List[Dict[str, Any]]":
    """One `HeadsRecord` an attention of two heads or more, in `named_modules()` order."""
    modules = dict(model.named_modules())
    running = {path: modules[path] for path in called}
    records = [*_by_value(list(finder.found.values())), *_by_type(running)]
    records += _by_attribute(running, finder.layers, [one["module"] for one in records])
    order = {path: place for place, path in enumerate(modules)}
    return sorted(records, key=lambda one: (order[one["module"]], order[one["projection"]]))


def packed(model: nn.Module, finder: HeadFinder) -> "Dict[str, int]":
    """Name of each packed query, key and value weight → the dimension along which its three equal parts lie."""
    in_projections = {
        _join(path, "in_proj_weight"): 0
        for path, module in model.named_modules()
        if isinstance(module, nn.MultiheadAttention)
    }
    return {**in_projections, **{_join(path, "weight"): dim for path, dim in finder.packed.items()}}


def _by_value(found: "Sequence[Found]") -> "List[Dict[str, Any]]":
    return [
        {
            "module": _holder(one, found),
            "projection": one.projection,
            "heads": one.heads,
            "width": one.width,
            "key_value_heads": one.key_value_heads,
            "evidence": one.evidence,
        }
        for one in found
    ]


def _by_type(running: "Dict[str, nn.Module]") -> "List[Dict[str, Any]]":
    return [
        {
            "module": path,
            "projection": _join(path, "out_proj"),
            "heads": module.num_heads,
            "width": module.head_dim,
            "key_value_heads": module.num_heads,
            "evidence": "nn.MultiheadAttention, by its type",
        }
        for path, module in running.items()
        if isinstance(module, nn.MultiheadAttention) and module.num_heads > 1
    ]


def _by_attribute(
    running: "Dict[str, nn.Module]", layers: "Dict[str, List[str]]", taken: "List[str]"
) -> "List[Dict[str, Any]]":
    """Innermost modules that state their heads and end in a child layer of as many features."""
    stating = {path for path, module in running.items() if _stated(module, COUNTS)}
    records: List[Dict[str, Any]] = []
    for path in stating:
        inside = any(_within(other, path) for other in [*taken, *(stating - {path})])
        if inside or any(_within(path, other) for other in taken):
            continue
        record = _stated_record(path, running, layers.get(path, []))
        records += [record] if record else []
    return records


def _stated_record(path: str, running: "Dict[str, nn.Module]", layers: "List[str]") -> "Optional[Dict[str, Any]]":
    children = [_join(path, name) for name, _ in running[path].named_children()]
    projection = layers[-1] if layers else ""
    if projection not in children or layers.count(projection) > 1 or not any(one in children for one in layers[:-1]):
        return None
    name = _stated(running[path], COUNTS)
    heads: int = getattr(running[path], name or "")
    features = _inputs(running[projection])
    stated_width = _stated(running[path], WIDTHS)
    width: int = getattr(running[path], stated_width) if stated_width else features // heads
    if not features or features != heads * width:
        return None
    return {
        "module": path,
        "projection": projection,
        "heads": heads,
        "width": width,
        "key_value_heads": heads,
        "evidence": f"{name} = {heads} of {path or 'the model'}, whose last layer, {projection}, reads {heads} × {width}",
    }


def _stated(module: nn.Module, names: "Sequence[str]") -> "Optional[str]":
    found = (name for name in names if type(getattr(module, name, None)) is int and getattr(module, name) > 1)
    return None if isinstance(module, nn.MultiheadAttention) else next(found, None)


def _inputs(layer: nn.Module) -> int:
    """Features that a linear layer reads, 0 for any other; a weight of [in, out] is told by the bias, which counts outputs."""
    weight: Any = getattr(layer, "weight", None)
    if isinstance(layer, nn.Linear):
        return layer.in_features
    bias: Any = getattr(layer, "bias", None)
    transposed = getattr(weight, "ndim", 0) == 2 and bias is not None and weight.shape[1] == len(bias)
    return weight.shape[0] if transposed else 0


def _holder(one: Found, found: "Sequence[Found]") -> str:
    """The attention that holds both the computation and its projection; the computation alone where that holds several."""
    steps = one.owner.split(".")
    prefixes = [".".join(steps[: length + 1]) for length in range(len(steps))]
    holder = "".join([*takewhile(lambda prefix: _within(one.projection, prefix), prefixes)][-1:])
    alone = sum(_within(other.owner, holder) for other in found) == 1
    return holder if holder and alone else one.owner


def _within(path: str, holder: str) -> bool:
    return not holder or path == holder or path.startswith(holder + ".")


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
