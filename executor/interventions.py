"""How a component is removed: pure data at the bottom of everything, a union discriminated by `kind`."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

Removal = Literal["zero", "mean", "resample", "bypass", "constant"]
"""zero, or a constant, in place of the values; their mean over the reference split, or those of another reference
example; or the input passed on."""
Span = tuple[int, int]
"""From, inclusive, to, exclusive."""
FROM_REFERENCE: frozenset[str] = frozenset({"mean", "resample"})
"""Removals of activations that take their values from the reference split."""


SILENT: dict[str, Any] = {"constant": 0.0, "dim": -1, "rows": None, "columns": None}
"""Values that are left out of a plan."""


class _Intervention(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Live(_Intervention):
    """Cuts something in the live model."""

    constant: float = Field(default=0.0, allow_inf_nan=False)
    """What `constant` puts in place."""

    @model_serializer(mode="wrap")
    def _sparse(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without what says nothing: plans read better, and keys and hashes outlive new fields."""
        data: dict[str, Any] = handler(self)
        silent = {key: value for key, value in data.items() if SILENT.get(key, ...) == value}
        return {key: value for key, value in data.items() if key not in silent}


class ConfigOverride(_Intervention):
    """One key of the experiment's configuration set to another value; the file on disk is never touched."""

    kind: Literal["config"] = "config"
    key: str
    """Dotted path of an existing key."""
    value: Any = None
    """What it is set to: any value that JSON can carry."""

    def describe(self) -> str:
        """One readable phrase, e.g. `dropout = 0.0`."""
        shown = (
            {True: "true", False: "false"}.get(self.value, self.value) if isinstance(self.value, bool) else self.value
        )
        return f"{self.key} = {shown}"


class ModuleIntervention(_Live):
    """The output of one module of the live model, replaced whole."""

    kind: Literal["module"] = "module"
    path: str
    """Module path as `named_modules()` gives it."""
    dim: int = -1
    """The output's dimension that counts features: what `mean` averages over is all the others."""
    removal: Removal | Literal["placebo"]
    """`placebo` replaces the output by itself: a control that must change nothing."""

    def describe(self) -> str:
        """One readable phrase, e.g. `bypass blocks.3.mlp`."""
        return f"{_verb(self)} {self.path}"


class HeadIntervention(_Live):
    """Attention heads: columns of the input of their output projection, replaced."""

    kind: Literal["head"] = "head"
    path: str
    """The attention module, as people know it."""
    projection: str
    """The module whose input holds the heads side by side, each `width` columns wide."""
    heads: list[int] = Field(min_length=1)
    width: int = Field(ge=1)
    removal: Literal["zero", "mean", "resample", "constant"]

    def describe(self) -> str:
        """One readable phrase, e.g. `zero head 5 of blocks.3.attn`."""
        return f"{_verb(self)} head{'s' if len(self.heads) > 1 else ''} {_listed(self.heads)} of {self.path}"


class NeuronIntervention(_Live):
    """Units (neurons, channels) of one module's output, replaced."""

    kind: Literal["neuron"] = "neuron"
    path: str
    units: list[int] = Field(min_length=1)
    dim: int = -1
    """The output's dimension that counts units."""
    removal: Literal["zero", "mean", "resample", "constant"]

    def describe(self) -> str:
        """One readable phrase, e.g. `mean units 0–15 of conv1`."""
        return f"{_verb(self)} unit{'s' if len(self.units) > 1 else ''} {_listed(self.units)} of {self.path}"


class WeightIntervention(_Live):
    """A parameter or a slice of it: set to zero, to its own mean, to a constant, or its entries shuffled (`resample`)."""

    kind: Literal["weight"] = "weight"
    parameter: str
    """As `named_parameters()` gives it; a tied parameter is cut wherever it is used."""
    rows: Span | None = None
    columns: Span | None = None
    removal: Literal["zero", "mean", "resample", "constant"]

    def describe(self) -> str:
        """One readable phrase, e.g. `zero attn.in_proj_weight[0:64]`."""
        rows = "{}:{}".format(*self.rows) if self.rows else ":" if self.columns else ""
        columns = ", {}:{}".format(*self.columns) if self.columns else ""
        return f"{_verb(self)} {self.parameter}" + (f"[{rows}{columns}]" if rows or columns else "")


class Block(_Intervention):
    """One search/replace block of a source edit."""

    file: str = Field(min_length=1, max_length=500)
    """Relative to the project's root, with forward slashes."""
    search: str = Field(min_length=1, max_length=8000)
    """As it stands in the file, best whole lines; must be found exactly once."""
    replace: str = Field(max_length=8000)
    """What stands there instead."""


class SourceEdit(_Intervention):
    """Lines of the experiment's source replaced in a trial's private view of the project; the files are never touched."""

    kind: Literal["source"] = "source"
    blocks: list[Block] = Field(min_length=1, max_length=8)

    def describe(self) -> str:
        """One readable phrase, e.g. `edit train.py`."""
        return f"edit {', '.join(dict.fromkeys(one.file for one in self.blocks))}"


LiveIntervention = ModuleIntervention | HeadIntervention | NeuronIntervention | WeightIntervention
AnyIntervention = ConfigOverride | SourceEdit | LiveIntervention
SWITCHES: frozenset[str] = frozenset({"override", "edit"})
"""Removals that change the program's own course: what one of them has changed is not seen in the live model."""
Intervention = Annotated[
    ConfigOverride | SourceEdit | ModuleIntervention | HeadIntervention | NeuronIntervention | WeightIntervention,
    Field(discriminator="kind"),
]


def removal_name(intervention: AnyIntervention) -> str:
    """The kind that a delta is reported under: `override`, `edit`, `zero`, `mean`, …"""
    if isinstance(intervention, ConfigOverride):
        return "override"
    return "edit" if isinstance(intervention, SourceEdit) else intervention.removal


def acts_on_program(intervention: AnyIntervention) -> bool:
    """Whether it changes the program's own course, by its configuration or its source, and not the live model."""
    return isinstance(intervention, (ConfigOverride, SourceEdit))


def config_overrides(interventions: list[Intervention]) -> dict[str, Any]:
    """The configuration overrides among `interventions`, by dotted key."""
    return {one.key: one.value for one in interventions if isinstance(one, ConfigOverride)}


def live_interventions(interventions: list[Intervention]) -> list[LiveIntervention]:
    """Those that cut the live model."""
    return [one for one in interventions if not isinstance(one, (ConfigOverride, SourceEdit))]


def source_edits(interventions: Sequence[Intervention]) -> list[SourceEdit]:
    """Those that edit the source."""
    return [one for one in interventions if isinstance(one, SourceEdit)]


def described(interventions: Sequence[AnyIntervention]) -> str:
    """One readable phrase for all of them; a file that several of them edit is named once."""
    files = dict.fromkeys(block.file for one in interventions if isinstance(one, SourceEdit) for block in one.blocks)
    edit = f"edit {', '.join(files)}"
    return ", ".join(dict.fromkeys(edit if isinstance(one, SourceEdit) else one.describe() for one in interventions))


def needs_reference(intervention: AnyIntervention) -> bool:
    """Whether it replaces activations by values of the reference split."""
    activations = isinstance(intervention, (ModuleIntervention, HeadIntervention, NeuronIntervention))
    return activations and intervention.removal in FROM_REFERENCE


def _verb(one: LiveIntervention) -> str:
    return f"{one.constant:g} for" if one.removal == "constant" else one.removal


def _listed(numbers: list[int]) -> str:
    """`5`, `0–15`, `1, 4, 9`."""
    first, last = min(numbers), max(numbers)
    if len(numbers) > 2 and sorted(numbers) == list(range(first, last + 1)):
        return f"{first}–{last}"
    return ", ".join(map(str, numbers)) if len(numbers) <= 8 else f"{', '.join(map(str, numbers[:8]))}, …"
