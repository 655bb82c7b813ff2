"""The rules planner: what an experienced researcher removes first, and what they try together afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple

from ... import prompts
from ...executor.interventions import removal_name
from ..components import Component, ComponentKind
from ..results import Prediction
from .followups import follow_up
from .plan import Ablation, Dropped, Plan
from .planner import Learnt

Interactions = Literal["auto", "pairs", "none"]
MOST_SINGLES = 60
"""Singles beyond this many are listed as dropped: their trials would not be paid back by what they tell."""


class Prior(NamedTuple):
    """What is expected of a kind before anything ran."""

    size: float
    """Expected loss in δ."""
    worth: float
    """How open the question is, 0 to 1: removing a layer on the only path has a foregone answer."""


PRIORS: dict[ComponentKind, Prior] = {
    "augmentation": Prior(2.0, 1.0),
    "loss_term": Prior(0.5, 0.95),
    "regularization": Prior(1.0, 0.9),
    "normalization": Prior(3.0, 0.85),
    "schedule": Prior(1.0, 0.8),
    "skip_connection": Prior(2.0, 0.75),
    "preprocessing": Prior(1.5, 0.75),
    "data": Prior(2.0, 0.7),
    "optimizer": Prior(1.0, 0.7),
    "other": Prior(0.5, 0.65),
    "attention_head": Prior(0.5, 0.6),
    "neuron_group": Prior(0.5, 0.6),
    "weight_matrix": Prior(2.0, 0.5),
    "attention": Prior(3.0, 0.5),
    "mlp": Prior(3.0, 0.5),
    "activation": Prior(1.0, 0.45),
    "layer": Prior(4.0, 0.3),
    "embedding": Prior(5.0, 0.2),
}


@dataclass(frozen=True)
class RulesPlanner:
    """Plans without a model. `interactions`: follow-ups by its own judgement, every pair, or none."""

    interactions: Interactions = "auto"
    wanted: Sequence[str] = ("*",)
    """Glob patterns over component ids."""
    kinds: Sequence[str] = ()
    """Further kinds of removal, tried on what matters."""
    name: str = "rules"

    def first_round(self, study: str, components: Sequence[Component]) -> Plan:
        """Default removals of everything that asks a question of its own, the most open questions first."""
        chosen = [
            one for one in components if one.interventions and any(fnmatchcase(one.id, glob) for glob in self.wanted)
        ]
        reasons = {one.id: reason for one in chosen if (reason := self._not_asked(one, chosen))}
        asked = sorted((one for one in chosen if one.id not in reasons), key=lambda one: -PRIORS[one.kind].worth)
        reasons |= {
            one.id: f"beyond the first {MOST_SINGLES}; name it in study.components" for one in asked[MOST_SINGLES:]
        }
        ablations = [single(one) for one in asked[:MOST_SINGLES]]
        dropped = [Dropped(id=name, reason=reason) for name, reason in reasons.items()]
        return Plan(study=study, round=1, planner=self.name, ablations=ablations, dropped=dropped)

    def _not_asked(self, component: Component, chosen: Sequence[Component]) -> str | None:
        """Why a component gets no ablation of its own; one that the study names by its whole id always does."""
        if component.id in self.wanted:
            return None
        if covered(component, chosen):
            return "inside a block that is removed whole; name it in study.components to ask for it alone"
        if component.id.startswith("module:") and not component.size and len(component.interventions) == 1:
            return (
                "has no parameters and changes the shape, so it could only be zeroed, and everything before it with it"
            )
        return None

    def next_round(self, learnt: Learnt) -> Plan | None:
        """Joint removals: of what looks negligible, of what matters most, and inside groups that matter together."""
        ablations = follow_up(learnt, self.interactions, self.kinds)
        if not ablations:
            return None
        first = learnt.plans[0]
        return Plan(study=first.study, round=len(learnt.plans) + 1, planner=self.name, ablations=ablations)


def covered(component: Component, chosen: Sequence[Component]) -> bool:
    """Whether a plain layer's question is already asked by removing the block around it."""
    if not component.id.startswith("module:") or component.kind not in ("layer", "embedding"):
        return False
    parent = component.id.rpartition(".")[0]
    return any(one.id == parent for one in chosen)


def single(component: Component) -> Ablation:
    """The default removal of one component, with what is expected of it."""
    prior = PRIORS[component.kind]
    intervention = component.interventions[0]
    nested = component.kind == "layer" and removal_name(intervention) == "bypass"
    size = 2.0 if nested else prior.size
    return Ablation(
        id=component.id,
        components=[component.id],
        interventions=[intervention],
        hypothesis=prompts.render("rules/hypothesis.j2", kind=component.kind, label=component.label, nested=nested),
        prediction=Prediction(direction="worse" if size >= 1 else "none", size=size),
    )
