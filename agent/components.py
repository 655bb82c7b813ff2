"""What could be removed: one `Component` per part of the experiment, however it was found."""

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import PurePosixPath
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from ..executor.interventions import (
    Block,
    ConfigOverride,
    HeadIntervention,
    Intervention,
    ModuleIntervention,
    NeuronIntervention,
    SourceEdit,
    Span,
    source_edits,
)

ComponentKind = Literal[
    "layer",
    "attention",
    "attention_head",
    "mlp",
    "neuron_group",
    "weight_matrix",
    "normalization",
    "activation",
    "skip_connection",
    "embedding",
    "regularization",
    "augmentation",
    "preprocessing",
    "loss_term",
    "optimizer",
    "schedule",
    "data",
    "other",
]


class Component(BaseModel):
    """A part of the experiment that an ablation may remove."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    """Reads well and lasts: `config:dropout`, `module:blocks.3.mlp`."""
    kind: ComponentKind
    label: str
    """What a table calls it."""
    where: str | None = None
    """file:line and/or module path."""
    size: int | None = None
    """Parameters it holds, where it holds any."""
    evidence: str
    """Why it was taken for a component."""
    interventions: list[Intervention]
    """How it can be removed, the default removal first; empty where it never is, as the output layer."""


class _Place(NamedTuple):
    """What a removal takes: a module's path, and which parts of it (None: all)."""

    path: str
    parts: frozenset[object] | None


def overlap(one: Component, other: Component) -> bool:
    """Whether removing one of the two removes some of the other: they are no pair, but nested."""
    if _edit_the_same(one, other):
        return True
    first, second = _place(one), _place(other)
    if first is None or second is None:
        return False
    if first.parts is not None and second.parts is not None:
        return first.path == second.path and not first.parts.isdisjoint(second.parts)
    return (first.parts is None and _holds(first.path, second.path)) or (
        second.parts is None and _holds(second.path, first.path)
    )


def apart(names: Sequence[str], known: Mapping[str, Component]) -> list[str]:
    """`names`, in their order, without what a larger one of them removes too."""
    kept: list[str] = []
    for name in sorted(names, key=lambda one: -(known[one].size or 0)):
        if not any(overlap(known[name], known[other]) for other in kept):
            kept.append(name)
    return [name for name in names if name in kept]


def _edit_the_same(one: Component, other: Component) -> bool:
    """Whether two source edits have a block each of which one holds the other."""
    pairs = product(*(_blocks(each) for each in (one, other)))
    return any(
        _file(first) == _file(second) and (first.search in second.search or second.search in first.search)
        for first, second in pairs
    )


def _blocks(component: Component) -> list[Block]:
    return [block for edit in source_edits(component.interventions[:1]) for block in edit.blocks]


def _file(block: Block) -> PurePosixPath:
    return PurePosixPath(block.file)


def _holds(path: str, inner: str) -> bool:
    return f"{inner}.".startswith(f"{path}.")


def _place(component: Component) -> _Place | None:
    """Where in the model the default removal acts; None for the configuration and the source."""
    first = component.interventions[0] if component.interventions else None
    if first is None or isinstance(first, (ConfigOverride, SourceEdit)):
        return None
    if isinstance(first, ModuleIntervention):
        return _Place(first.path, None)
    if isinstance(first, HeadIntervention):
        return _Place(first.path, frozenset(("head", head) for head in first.heads))
    if isinstance(first, NeuronIntervention):
        return _Place(first.path, frozenset(("unit", unit) for unit in first.units))
    owner, _, name = first.parameter.rpartition(".")
    return _Place(owner, frozenset((name, dim, at) for dim, at in _cells(first.rows, first.columns)))


def _cells(rows: Span | None, columns: Span | None) -> list[tuple[int, int]]:
    """The rows, or the columns, of a slice; of a whole parameter its one place."""
    spans = [(dim, span) for dim, span in enumerate((rows, columns)) if span]
    return [(dim, at) for dim, span in spans for at in range(*span)] or [(0, 0)]
