"""Components from the units of layers: channels of convolutions and hidden neurons, in groups."""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from math import ceil
from typing import Literal

from ...executor.interventions import Intervention, NeuronIntervention
from ...executor.outcomes import HeadsRecord, ModuleRecord
from ..components import Component

LAYERS = ("conv", "linear")
FEWEST = 8
"""Layers with fewer units are asked as a whole only."""
GROUPS = 4
"""Groups of a layer where the study names no size."""
Kind = Literal["zero", "mean", "resample"]


def components_from_units(
    modules: Sequence[ModuleRecord],
    heads: Sequence[HeadsRecord],
    sizes: Mapping[str, int],
    *,
    reference: bool = False,
) -> list[Component]:
    """Groups of units of every layer that is neither the output nor inside an attention.

    `sizes`: glob over module paths → units of a group; those layers are taken whatever their kind.
    """
    inside = tuple(f"{record.module}." for record in heads)
    kinds: list[Kind] = ["zero", "mean", "resample"] if reference else ["zero"]
    found: list[Component] = []
    for module in modules:
        size = next((size for glob, size in sizes.items() if fnmatchcase(module.path, glob)), None)
        usual = module.torch_module in LAYERS and (module.features or 0) >= FEWEST
        wanted = size is not None or (usual and not module.path.startswith(inside))
        if wanted and module.features and not module.is_output and module.calls:
            found += _groups(module, size or ceil(module.features / GROUPS), kinds)
    return found


def unmatched(sizes: Mapping[str, int], modules: Sequence[ModuleRecord]) -> list[str]:
    """What the study says of units of modules that are not there."""
    paths = [module.path for module in modules if module.features]
    return [
        f"anatomy.units: no module with units is named {glob!r}"
        for glob in sizes
        if not any(fnmatchcase(path, glob) for path in paths)
    ]


def _groups(module: ModuleRecord, size: int, kinds: Sequence[Kind]) -> Iterator[Component]:
    assert module.features is not None
    for start in range(0, module.features, size):
        units = list(range(start, min(start + size, module.features)))
        name = f"{units[0]}" if len(units) == 1 else f"{units[0]}:{units[-1] + 1}"
        ways: list[Intervention] = [
            NeuronIntervention(path=module.path, units=units, dim=module.feature_dim or -1, removal=kind)
            for kind in kinds
        ]
        yield Component(
            id=f"units:{module.path}/{name}",
            kind="neuron_group",
            label=f"{module.path} units {name}",
            where=module.path,
            size=round(module.parameters * len(units) / module.features),
            evidence=f"{len(units)} of the {module.features} units of its output",
            interventions=ways,
        )
