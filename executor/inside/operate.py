"""Interventions, as a job names them, put into a live model; and the statistics of the sites that need some."""

import json
from typing import Any, Dict, Iterable, List, Optional, Union

from torch import nn

from .filling import Filling, Refused, Statistics, Watching, site_seed
from .surgery import Cut, HeadCut, ModuleCut, MultiheadCut, UnitCut
from .weights import WeightCut

Spec = Dict[str, Any]
References = Dict[str, Union[Statistics, Refused]]
"""Statistics by site, or why there are none."""
FROM_REFERENCE = ("mean", "resample")


def operate(
    model: nn.Module, specs: "List[Spec]", seed: int = 0, references: "Optional[References]" = None
) -> "List[Cut]":
    """Put every intervention into `model`. `Refused` where it does not fit; then none is left in place."""
    made = cuts(model, specs, seed, references)
    place(made)
    return made


def cuts(
    model: nn.Module, specs: "List[Spec]", seed: int = 0, references: "Optional[References]" = None
) -> "List[Cut]":
    """Every intervention, made and not yet in place. `Refused` where it does not fit."""
    return [_cut(model, spec, _filling(spec, seed, references or {}), seed) for spec in specs]


def place(made: "List[Cut]") -> None:
    """Put them in, in order; where one fails none stays."""
    try:
        for cut in made:
            cut.place()
    except BaseException:
        undo(made)
        raise
    for cut in made:
        if isinstance(cut, WeightCut):
            cut.settle()


def undo(cuts: "List[Cut]") -> None:
    """Take out what `operate` put in, the last first."""
    for cut in reversed(cuts):
        cut.undo()


def watch(model: nn.Module, specs: "Iterable[Spec]") -> "tuple[List[Cut], Dict[str, Statistics]]":
    """Watch the sites of every intervention that needs statistics: the watchers in place, and what they will have seen."""
    wanted = [spec for spec in specs if needs_reference(spec)]
    drawn = {site_of(spec) for spec in wanted if spec["removal"] == "resample"}
    sites = {site_of(spec): spec for spec in wanted}
    statistics = {site: Statistics(spec.get("dim", -1), site in drawn) for site, spec in sites.items()}
    watchers = [_cut(model, spec, Watching(statistics[site]), 0) for site, spec in sites.items()]
    place(watchers)
    return watchers, statistics


def needs_reference(spec: Spec) -> bool:
    """Whether the intervention replaces activations by values of the reference split."""
    return spec["kind"] != "weight" and spec["removal"] in FROM_REFERENCE


def site_of(spec: Spec) -> str:
    """The place in the model, whatever is done there."""
    where = {key: value for key, value in spec.items() if key not in ("removal", "constant")}
    return json.dumps(where, sort_keys=True)


def _filling(spec: Spec, seed: int, references: References) -> Filling:
    found = references.get(site_of(spec))
    if isinstance(found, Refused):
        raise found
    if needs_reference(spec) and found is None:
        raise Refused(f"{spec['removal']} of {spec['path']}: there is nothing to take it from")
    return Filling(spec["removal"], spec.get("constant", 0.0), found, site_seed(site_of(spec), seed))


def _cut(model: nn.Module, spec: Spec, fill: Filling, seed: int) -> Cut:
    kind = spec["kind"]
    if kind == "weight":
        _require_parameter(model, spec["parameter"])
        return WeightCut(model, spec, fill, site_seed(spec["parameter"], seed))
    if kind == "head":
        return _head_cut(model, spec, fill)
    module = _module(model, spec["path"])
    if kind == "neuron":
        return UnitCut(module, spec["path"], spec["units"], spec.get("dim", -1), fill)
    return ModuleCut(module, spec["path"], fill)


def _require_parameter(model: nn.Module, name: str) -> None:
    try:
        model.get_parameter(name)
    except AttributeError:
        raise Refused(f"the model has no parameter {name!r}") from None


def _head_cut(model: nn.Module, spec: Spec, fill: Filling) -> Cut:
    projection = _module(model, spec["projection"])
    parent = model.get_submodule(spec["projection"].rpartition(".")[0])
    if isinstance(parent, nn.MultiheadAttention):
        return MultiheadCut(parent, spec["path"], spec["heads"], spec["width"], fill)
    return HeadCut(projection, spec["path"], spec["heads"], spec["width"], fill)


def _module(model: nn.Module, path: str) -> nn.Module:
    try:
        found = model.get_submodule(path) if path else None
    except AttributeError:
        found = None
    if found is None:
        raise Refused(f"the model has no module {path!r}")
    return found
