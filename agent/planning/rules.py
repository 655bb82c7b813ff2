"""The rules planner: what an experienced researcher removes first, and what they try together afterwards."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple

from ... import prompts
from ...executor.interventions import removal_name
from ..components import Component, ComponentKind
from ..records.planning import RULES
from ..results import Mode, Prediction
from .factorial import FACTORIAL, Cells, Wish, cross, factors_of, merged
from .followups import confirm_searches, follow_up
from .plan import Ablation, Dropped, Plan
from .planner import Learnt
from .pool import LARGE, SMALLEST, quiet_pool

Interactions = Literal["auto", "search", "pairs", "factorial", "none"]
MOST_SINGLES: dict[Mode, int] = {"reevaluate": 2000, "recover": 60, "retrain": 60}
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
    """Plans without a model. `interactions`: by its own judgement, a search, every pair, every combination, or none."""

    interactions: Interactions = "auto"
    wanted: Sequence[str] = ("*",)
    """Glob patterns over component ids."""
    kinds: Sequence[str] = ()
    """Further kinds of removal, tried on what matters."""
    modes: Sequence[Mode] = ("retrain",)
    """The questions that the study asks."""
    factorial: Wish | None = None
    """What the study says about crossing every combination; None: nothing."""
    name: str = RULES
    spent: None = None
    """No language model is asked."""

    def first_round(self, study: str, components: Sequence[Component]) -> Plan:
        """Default removals of everything that asks a question of its own, the most open questions first."""
        chosen = [one for one in components if one.interventions and self.allows(one.id)]
        reasons = {one.id: reason for one in chosen if (reason := self._not_asked(one, chosen))}
        asked = sorted((one for one in chosen if one.id not in reasons), key=lambda one: -PRIORS[one.kind].worth)
        counts: Counter[Mode] = Counter()
        ablations: list[Ablation] = []
        for one in asked:
            fits = self._modes_of(one)
            modes: list[Mode] = [mode for mode in fits if counts[mode] < MOST_SINGLES[mode]]
            counts.update(modes)
            if modes:
                ablations.append(single(one, modes))
            left: list[Mode] = [mode for mode in fits if mode not in modes]
            if left:
                most = MOST_SINGLES[left[0]]
                reasons[one.id] = f"beyond the first {most} ({', '.join(left)}); name fewer in study.components"
        dropped = [Dropped(id=name, reason=reason) for name, reason in reasons.items()]
        self._factors(components, ablations)
        return Plan(study=study, round=1, planner=self.name, ablations=ablations, dropped=dropped)

    def mend(self, plan: Plan, problems: Mapping[str, str]) -> None:
        """Nothing: what a default removal breaks is a finding."""

    def allows(self, name: str) -> bool:
        """Whether the study lets a component be removed."""
        return any(fnmatchcase(name, glob) for glob in self.wanted)

    def _not_asked(self, component: Component, chosen: Sequence[Component]) -> str | None:
        """Why a component gets no ablation of its own; one that the study names by its whole id always does."""
        if not self._modes_of(component):
            return "a question of retraining, which study.modes does not ask for"
        if component.id in (*self.wanted, *self._named_factors):
            return None
        if component.kind == "neuron_group" and not any(fnmatchcase(component.id, glob) for glob in self._named):
            return 'groups of units are asked where the study names them, as in components = ["units:*"]'
        if covered(component, chosen):
            return "inside a block that is removed whole; name it in study.components to ask for it alone"
        removals = {removal_name(one) for one in component.interventions}
        if component.id.startswith("module:") and not component.size and "bypass" not in removals:
            return (
                "has no parameters and changes the shape, so it could only be zeroed, and everything before it with it"
            )
        return None

    @property
    def _named(self) -> list[str]:
        return [glob for glob in self.wanted if glob.startswith("units:")]

    @property
    def _named_factors(self) -> Sequence[str]:
        return self.factorial.patterns if self.factorial else ()

    def _factors(self, components: Sequence[Component], singles: Sequence[Ablation]) -> dict[str, list[Mode]]:
        """The components to be crossed and the modes that each fits; empty where no factorial is asked for."""
        if self.factorial is None or not (self.interactions == FACTORIAL or self._named_factors):
            return {}
        if self.interactions == "none":
            return {}
        known = {one.id: one for one in components}
        alone = [one for one in singles if one.components == [one.id] and one.role == "confirmatory"]
        allowed: dict[str, list[Mode]] = {one.id: [mode for mode in self.modes if one.asks(mode)] for one in alone}
        return {name: allowed[name] for name in factors_of(self.factorial, allowed, known)}

    def _modes_of(self, component: Component) -> list[Mode]:
        """Where it can be asked: a switch of the recipe, a line of the source, and dropout are questions to training."""
        if component.id.startswith(("config:", "edit:")):
            return [mode for mode in self.modes if mode == "retrain"]
        if component.kind == "regularization" and component.id not in (*self.wanted, *self._named_factors):
            return [mode for mode in self.modes if mode != "reevaluate"]
        return list(self.modes)

    def pool(self, learnt: Learnt, mode: Mode) -> list[str]:
        """What costs nothing alone, once: where a search was asked for, or its pairs are too many."""
        searched = any(one.mode == mode for one in learnt.searches)
        if searched or self.interactions not in ("auto", "search") or mode not in learnt.noise:
            return []
        found = quiet_pool(learnt.effects, mode, learnt.noise[mode].smallest_effect, learnt.components)
        return found if len(found) >= (SMALLEST if self.interactions == "search" else LARGE) else []

    def next_round(self, learnt: Learnt) -> Plan | None:
        """Joint removals: of what looks negligible, of what matters most, and inside groups that matter together."""
        first, number = learnt.plans[0], len(learnt.plans) + 1
        if candidates := confirm_searches(learnt):
            return Plan(study=first.study, round=number, planner=self.name, ablations=candidates)
        ablations = follow_up(learnt, self.interactions, self.kinds, self.modes)
        factors = self._factors(learnt.components, learnt.plans[0].ablations)
        cells = cross(learnt, list(factors), factors) if factors else Cells([], [])
        ablations = merged(ablations, cells.ablations)
        if not ablations:
            return None
        return Plan(study=first.study, round=number, planner=self.name, ablations=ablations, dropped=cells.dropped)


def covered(component: Component, chosen: Sequence[Component]) -> bool:
    """Whether a plain layer's question is already asked by removing the block around it."""
    if not component.id.startswith("module:") or component.kind not in ("layer", "embedding"):
        return False
    parent = component.id.rpartition(".")[0]
    return any(one.id == parent for one in chosen)


def single(component: Component, modes: Sequence[Mode] = ()) -> Ablation:
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
        modes=list(modes),
    )
