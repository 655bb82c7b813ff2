"""The live model as the survey saw it: the components it holds, and whether an intervention fits it."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...executor.interventions import (
    ConfigOverride,
    HeadIntervention,
    Intervention,
    ModuleIntervention,
    NeuronIntervention,
    SourceEdit,
    WeightIntervention,
    needs_reference,
)
from ...executor.outcomes import HeadsRecord, ModuleRecord, Outcome, ParameterRecord
from ..components import Component
from ..planning.plan import nearest
from ..spec import AnatomySection
from .heads import components_from_heads, with_stated
from .modules import components_from_modules
from .parameters import components_from_parameters
from .units import components_from_units, unmatched


@dataclass(frozen=True)
class Anatomy:
    """Modules, heads and parameters of the baseline's model, and the keys of its configuration."""

    modules: Sequence[ModuleRecord]
    heads: Sequence[HeadsRecord]
    parameters: Sequence[ParameterRecord]
    reference: bool
    """Whether there is a reference split to take means and other examples from."""
    stated: AnatomySection
    keys: Sequence[str] = ()
    flops: int | None = None
    """Of one forward in evaluation."""

    @classmethod
    def of(cls, outcome: Outcome, stated: AnatomySection, keys: Sequence[str]) -> "tuple[Anatomy, list[str]]":
        """What the survey's outcome shows, with what the study states; and what of that fits nothing, in words."""
        heads, problems = with_stated(outcome.heads, outcome.anatomy, stated.heads)
        problems += unmatched(stated.units, outcome.anatomy)
        reference = "reference" in outcome.offers
        found = cls(outcome.anatomy, heads, outcome.tensors, reference, stated, keys, outcome.flops)
        return found, problems

    def components(self) -> list[Component]:
        """What could be removed of the model: modules, heads, parameters beside the layers, groups of units."""
        return [
            *components_from_modules(list(self.modules), reference=self.reference),
            *components_from_heads(self.heads, self.modules, reference=self.reference),
            *components_from_parameters(self.parameters, self.modules),
            *components_from_units(self.modules, self.heads, self.stated.units, reference=self.reference),
        ]

    def problem(self, intervention: Intervention) -> str | None:
        """Why an intervention cannot be, with the nearest that can; None where it can, and for the source, which is no part of it."""
        if needs_reference(intervention) and not self.reference:
            return (
                f'{intervention.describe()}: there is no reference split; give batches(config, "reference") and score'
            )
        if isinstance(intervention, SourceEdit):
            return None
        if isinstance(intervention, ConfigOverride):
            return self._unknown("configuration key", intervention.key, self.keys)
        if isinstance(intervention, WeightIntervention):
            return self._weight_problem(intervention)
        if found := self._unknown("module", intervention.path, [one.path for one in self.modules]):
            return found
        if isinstance(intervention, HeadIntervention):
            return self._head_problem(intervention)
        module = self._module(intervention.path)
        if isinstance(intervention, NeuronIntervention):
            return _units_problem(intervention, module)
        return _bypass_problem(intervention, module)

    def _module(self, path: str) -> ModuleRecord:
        return next(one for one in self.modules if one.path == path)

    def _unknown(self, what: str, name: str, known: Sequence[str]) -> str | None:
        return None if name in known else f"there is no {what} {name!r}{nearest(name, list(known))}"

    def _head_problem(self, one: HeadIntervention) -> str | None:
        if found := self._unknown("projection", one.projection, [each.path for each in self.modules]):
            return found
        record = next((each for each in self.heads if each.projection == one.projection), None)
        columns = (self._module(one.projection).input_shape or [0])[-1]
        heads = record.heads if record and record.width == one.width else columns // one.width
        if heads and not all(0 <= head < heads for head in one.heads):
            return f"{one.path} has heads 0 to {heads - 1}: there is no head {max(one.heads)}"
        return None

    def _weight_problem(self, one: WeightIntervention) -> str | None:
        shapes = {name: each.shape for each in self.parameters for name in (each.name, *each.aliases)}
        if found := self._unknown("parameter", one.parameter, list(shapes)):
            return found
        shape = shapes[one.parameter]
        for dim, span in enumerate((one.rows, one.columns)):
            if span and (dim >= len(shape) or not 0 <= span[0] < span[1] <= shape[dim]):
                shown = "×".join(map(str, shape))
                return f"{one.parameter} is {shown}: there is no slice {span[0]}:{span[1]} of dimension {dim}"
        return None


def _units_problem(one: NeuronIntervention, module: ModuleRecord) -> str | None:
    if module.features is not None and not all(0 <= unit < module.features for unit in one.units):
        return f"{one.path} has units 0 to {module.features - 1}: there is no unit {max(one.units)}"
    return None


def _bypass_problem(one: ModuleIntervention, module: ModuleRecord) -> str | None:
    if one.removal == "bypass" and module.calls and not module.bypassable:
        shapes = f"{module.input_shape or '?'} → {module.output_shape or module.output_type}"
        return f"bypass of {one.path} would change the shape: {shapes}"
    return None
