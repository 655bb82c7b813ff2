"""What could be removed: one `Component` per part of the experiment, however it was found."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from ..executor.interventions import Intervention

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
