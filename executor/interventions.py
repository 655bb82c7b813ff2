"""How a component is removed: pure data at the bottom of everything, a union discriminated by `kind`."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Removal = Literal["zero", "bypass"]


class ConfigOverride(BaseModel):
    """One key of the experiment's configuration set to another value; the file on disk is never touched."""

    model_config = ConfigDict(frozen=True, extra="forbid")

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


class ModuleIntervention(BaseModel):
    """One module of the live model replaced in place: its output zeroed, or its input passed on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["module"] = "module"
    path: str
    """Module path as `named_modules()` gives it."""
    removal: Removal

    def describe(self) -> str:
        """One readable phrase, e.g. `bypass blocks.3.mlp`."""
        return f"{self.removal} {self.path}"


Intervention = Annotated[ConfigOverride | ModuleIntervention, Field(discriminator="kind")]


def removal_name(intervention: ConfigOverride | ModuleIntervention) -> str:
    """The kind that a delta is reported under: `override`, `zero` or `bypass`."""
    return "override" if isinstance(intervention, ConfigOverride) else intervention.removal


def config_overrides(interventions: list[Intervention]) -> dict[str, Any]:
    """The configuration overrides among `interventions`, by dotted key."""
    return {one.key: one.value for one in interventions if isinstance(one, ConfigOverride)}


def module_interventions(interventions: list[Intervention]) -> list[ModuleIntervention]:
    """The module interventions among `interventions`."""
    return [one for one in interventions if isinstance(one, ModuleIntervention)]
