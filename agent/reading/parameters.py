"""Components from parameters that no module intervention reaches: bare ones, and the parts of packed projections."""

from collections.abc import Sequence
from math import prod

from ...executor.interventions import Intervention, Span, WeightIntervention
from ...executor.outcomes import ModuleRecord, ParameterRecord
from ..components import Component, ComponentKind

EMBEDDINGS = ("pos", "embed", "token")
WHOLE = "MultiheadAttention"


def components_from_parameters(
    parameters: Sequence[ParameterRecord], modules: Sequence[ModuleRecord]
) -> list[Component]:
    """One component a bare parameter of a module that has parts of its own, and one a part of a packed projection."""
    records = {module.path: module for module in modules}
    found: list[Component] = []
    for parameter in parameters:
        owner = records.get(parameter.module)
        if parameter.packed:
            found += [_part(parameter, index) for index in range(len(parameter.packed))]
        elif parameter.bare and (owner is None or owner.children) and not (owner and owner.type == WHOLE):
            found.append(_component(parameter, "", None, None))
    return found


def _part(parameter: ParameterRecord, index: int) -> Component:
    size = parameter.shape[parameter.packed_dim] // len(parameter.packed)
    span = (index * size, (index + 1) * size)
    rows, columns = (span, None) if parameter.packed_dim == 0 else (None, span)
    return _component(parameter, f"/{parameter.packed[index]}", rows, columns)


def _component(parameter: ParameterRecord, part: str, rows: Span | None, columns: Span | None) -> Component:
    name = parameter.name
    ways: list[Intervention] = [
        WeightIntervention(parameter=name, rows=rows, columns=columns, removal=kind)
        for kind in ("zero", "mean", "resample")
    ]
    tied = f"; the same tensor as {', '.join(parameter.aliases)}" if parameter.aliases else ""
    packed = f"one of {len(parameter.packed)} parts of a packed projection" if part else "a parameter beside the layers"
    return Component(
        id=f"weight:{name}{part}",
        kind=_kind(name, part),
        label=f"{name}{part}",
        where=parameter.module or name,
        size=prod(parameter.shape) // max(1, len(parameter.packed)),
        evidence=f"{packed}, {'×'.join(map(str, parameter.shape))}{tied}",
        interventions=ways,
    )


def _kind(name: str, part: str) -> ComponentKind:
    own = name.rsplit(".", maxsplit=1)[-1].lower()
    return "embedding" if not part and any(word in own for word in EMBEDDINGS) else "weight_matrix"
