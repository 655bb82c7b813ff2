"""Controls beside what matters: an intervention that must change nothing, and random groups of the same kind and size."""

import random
from collections.abc import Iterator, Sequence

from ... import prompts
from ...executor.interventions import HeadIntervention, ModuleIntervention, NeuronIntervention
from ..components import Component, overlap
from ..results import Effect, Mode, Prediction
from .plan import Ablation

COMPARED = {"reevaluate": 5, "recover": 1, "retrain": 1}
"""How many of what matters most are compared with random groups."""
DRAWS = {"reevaluate": 3, "recover": 1, "retrain": 1}
PLACEBO = "control:placebo"


def placebo(components: Sequence[Component]) -> Iterator[Ablation]:
    """A removal's machinery at work where the first of these stands, with nothing changed: its effect must be exactly 0."""
    for component in components:
        for one in component.interventions[:1]:
            if isinstance(one, (ModuleIntervention, HeadIntervention, NeuronIntervention)):
                yield Ablation(
                    id=PLACEBO,
                    components=[component.id],
                    interventions=[ModuleIntervention(path=one.path, removal="placebo")],
                    hypothesis=prompts.render("rules/control.j2", why="placebo", label=component.label),
                    prediction=Prediction(direction="none", size=0.0),
                    role="control",
                    why="placebo",
                )
                return


def random_groups(
    strong: Sequence[Effect], components: Sequence[Component], mode: Mode, dice: random.Random
) -> Iterator[Ablation]:
    """Other heads or units, as many as what matters has, drawn from the same kind of place."""
    known = {one.id: one for one in components}
    drawn = [known[one.components[0]] for one in strong if known[one.components[0]].kind in KINDS]
    for component in drawn[: COMPARED[mode]]:
        others = [one for one in components if _comparable(one, component)]
        for number, other in enumerate(dice.sample(others, min(DRAWS[mode], len(others))), 1):
            yield _random(component, other, number)


KINDS = ("attention_head", "neuron_group")


def _random(component: Component, other: Component, number: int) -> Ablation:
    return Ablation(
        id=f"control:random {number} beside {component.id}",
        components=[other.id],
        interventions=other.interventions[:1],
        hypothesis=prompts.render("rules/control.j2", why="random", label=component.label),
        prediction=Prediction(direction="none", size=0.5),
        role="control",
        why=component.id,
    )


def _comparable(one: Component, component: Component) -> bool:
    """Of the same kind and size, and elsewhere."""
    return one.kind == component.kind and _size(one) == _size(component) and not overlap(one, component)


def _size(component: Component) -> int:
    first = component.interventions[0]
    if isinstance(first, HeadIntervention):
        return len(first.heads)
    return len(first.units) if isinstance(first, NeuronIntervention) else 0
