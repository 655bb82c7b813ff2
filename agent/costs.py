"""What arms and components weigh: parameters, floating-point operations, steps and seconds."""

from collections.abc import Sequence
from statistics import fmean

from pydantic import BaseModel, ConfigDict

from ..executor.interventions import (
    HeadIntervention,
    Intervention,
    ModuleIntervention,
    NeuronIntervention,
    acts_on_program,
)
from ..executor.outcomes import Outcome
from .arms import Arm, seconds_of
from .components import Component
from .planning.plan import Ablation
from .results import Cost


class Weighed(BaseModel):
    """The baseline's model on the scales."""

    model_config = ConfigDict(frozen=True)

    parameters: int | None = None
    flops: int | None = None
    """Of one forward in evaluation."""
    modules: dict[str, tuple[int, int | None]] = {}
    """Module path → its parameters and its floating-point operations in that forward."""
    units: dict[str, int] = {}
    """Module path → the units that its output has; of an attention its heads."""


def weighed(outcome: Outcome) -> Weighed:
    """From the survey of the live model."""
    heads = {one.module: one.heads for one in outcome.heads}
    units = {one.path: one.features for one in outcome.anatomy if one.features}
    modules = {one.path: (one.parameters, one.flops) for one in outcome.anatomy}
    return Weighed(parameters=outcome.parameters, flops=outcome.flops, modules=modules, units=units | heads)


def cost_of(ablation: Ablation, arm: Arm, check: Outcome | None, model: Weighed) -> Cost:
    """What one arm took, and what its model would take without what is removed."""
    parameters, flops = model.parameters, model.flops
    if any(acts_on_program(one) for one in ablation.interventions):  # another model, perhaps: its check has weighed it
        parameters, flops = (check.parameters, check.flops) if check else (None, None)
    gone = [removed(one, model) for one in ablation.interventions]
    whole = [row for row in arm.measured if not row.facts.seen and row.facts.replayed is None]
    seconds = [taken for row in whole if (taken := seconds_of(row))]
    steps = [row.facts.forwards for row in arm.measured if row.facts.forwards]
    return Cost(
        parameters=None if parameters is None else parameters - sum(one[0] for one in gone),
        flops=None if flops is None else flops - sum(one[1] for one in gone),
        steps=round(fmean(steps)) if steps else None,
        seconds=fmean(seconds) if seconds else None,
    )


def removed(intervention: Intervention, model: Weighed) -> tuple[int, int]:
    """Parameters and operations that would go with what an intervention takes out; a share of its module's for a part."""
    if isinstance(intervention, ModuleIntervention) and intervention.removal != "placebo":
        return _module(intervention.path, model, 1.0)
    if isinstance(intervention, HeadIntervention):
        return _module(intervention.path, model, len(intervention.heads) / model.units.get(intervention.path, 10**9))
    if isinstance(intervention, NeuronIntervention):
        return _module(intervention.path, model, len(intervention.units) / model.units.get(intervention.path, 10**9))
    return 0, 0


def saved(components: Sequence[Component], model: Weighed) -> tuple[int, int]:
    """What would go with components that do not overlap, by their default removals."""
    gone = [removed(one.interventions[0], model) for one in components]
    return sum(one[0] for one in gone), sum(one[1] for one in gone)


def _module(path: str, model: Weighed, share: float) -> tuple[int, int]:
    parameters, flops = model.modules.get(path, (0, 0))
    return round(parameters * share), round((flops or 0) * share)
