"""Components from attention heads, and from the key/value groups that several query heads share."""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Literal

from ...executor.interventions import HeadIntervention, Intervention
from ...executor.outcomes import HeadsRecord, ModuleRecord
from ..components import Component
from ..spec import StatedHeads

Kind = Literal["zero", "mean", "resample"]


def components_from_heads(
    found: Sequence[HeadsRecord], modules: Sequence[ModuleRecord], *, reference: bool = False
) -> list[Component]:
    """One component a head, and one a key/value group where queries are grouped."""
    sizes = {module.path: module.parameters for module in modules}
    kinds: list[Kind] = ["zero", "mean", "resample"] if reference else ["zero"]
    return [one for record in found for one in _of(record, sizes.get(record.module), kinds)]


def with_stated(
    found: Sequence[HeadsRecord], modules: Sequence[ModuleRecord], stated: Mapping[str, StatedHeads]
) -> tuple[list[HeadsRecord], list[str]]:
    """The heads that were found and those that the study states, which win; and what fits nothing, in words."""
    records = {record.module: record for record in found}
    problems: list[str] = []
    known = {module.path: module for module in modules}
    for glob, said in stated.items():
        paths = [path for path in known if fnmatchcase(path, glob)]
        if not paths:
            problems.append(f"anatomy.heads: no module is named {glob!r}")
        for path in paths:
            projection = known.get(f"{path}.{said.projection}")
            if projection is None or projection.input_shape is None:
                problems.append(f"anatomy.heads: {path} has no layer {said.projection!r} that is called")
            elif projection.input_shape[-1] % said.heads or said.heads % (said.key_value_heads or said.heads):
                width = projection.input_shape[-1]
                problems.append(
                    f"anatomy.heads: {projection.path} reads {width} columns, which are not {said.heads} heads"
                )
            else:
                records[path] = _record(path, projection, said)
    return list(records.values()), problems


def _record(path: str, projection: ModuleRecord, said: StatedHeads) -> HeadsRecord:
    assert projection.input_shape is not None
    return HeadsRecord(
        module=path,
        projection=projection.path,
        heads=said.heads,
        width=projection.input_shape[-1] // said.heads,
        key_value_heads=said.key_value_heads or said.heads,
        evidence="stated in the study file",
    )


def _of(record: HeadsRecord, parameters: int | None, kinds: Sequence[Kind]) -> Iterator[Component]:
    size = parameters // record.heads if parameters else None
    for head in range(record.heads):
        yield _component(record, f"{head}", f"head {head}", [head], size, kinds)
    if record.key_value_heads < record.heads:
        shared = record.heads // record.key_value_heads
        for group in range(record.key_value_heads):
            heads = list(range(group * shared, (group + 1) * shared))
            yield _component(
                record, f"kv{group}", f"key/value group {group}", heads, (size or 0) * shared or None, kinds
            )


def _component(
    record: HeadsRecord, name: str, label: str, heads: list[int], size: int | None, kinds: Sequence[Kind]
) -> Component:
    ways: list[Intervention] = [
        HeadIntervention(
            path=record.module, projection=record.projection, heads=heads, width=record.width, removal=kind
        )
        for kind in kinds
    ]
    return Component(
        id=f"head:{record.module}/{name}",
        kind="attention_head",
        label=f"{record.module} {label}",
        where=record.module,
        size=size,
        evidence=f"{record.heads} heads of width {record.width}: {record.evidence}",
        interventions=ways,
    )
