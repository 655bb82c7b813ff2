"""Requests as a conversation makes them, for the tiny project of `tests.experiments`."""

from collections.abc import Sequence

from lesion.agent.components import Component
from lesion.agent.planning.plan import Ablation, Plan, joint_id
from lesion.agent.results import Prediction
from lesion.executor.interventions import Block, ConfigOverride, Intervention, SourceEdit

BROUGHT = "edit:zeroing"
ZEROING = ("experiment.py", "        optimizer.zero_grad()\n", "")
LEFT, RIGHT, SCALE, DROPOUT = "config:use_left", "config:use_right", "config:use_scale", "config:unused_dropout"
OFF = {LEFT: False, RIGHT: False, SCALE: False, DROPOUT: 0.0}


def removal(*names: str) -> Ablation:
    """Components off, one or several."""
    off: list[Intervention] = [ConfigOverride(key=one.removeprefix("config:"), value=OFF[one]) for one in names]
    return ablation(joint_id(list(names)) if len(names) > 1 else names[0], sorted(names), off)


def ablation(name: str, components: Sequence[str], interventions: list[Intervention]) -> Ablation:
    """Any removal, with a prediction."""
    return Ablation(
        id=name,
        components=list(components),
        interventions=interventions,
        hypothesis="It carries signal.",
        prediction=Prediction(direction="worse", size=2.0),
    )


def asked(*ablations: Ablation, **more: object) -> Plan:
    """A request."""
    return Plan.model_validate(
        {"study": "tiny", "round": 1, "planner": "chat", "ablations": list(ablations), **more}  # whatever number it has
    )


def edit(replace: str = ZEROING[2]) -> tuple[Ablation, Component]:
    """A source edit and the component that it brings in."""
    removed = SourceEdit(blocks=[Block(file=ZEROING[0], search=ZEROING[1], replace=replace)])
    brought = Component(
        id=BROUGHT, kind="optimizer", label="zeroing of gradients", evidence="asked for", interventions=[removed]
    )
    return ablation(BROUGHT, [BROUGHT], [removed]), brought
