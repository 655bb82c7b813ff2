"""Components from the live module tree, as one step of the baseline showed it inside the sandbox."""

from ...executor.interventions import Intervention, ModuleIntervention, Removal
from ...executor.outcomes import ModuleRecord
from ..components import Component, ComponentKind

BY_HOME: dict[str, ComponentKind] = {
    "batchnorm": "normalization",
    "instancenorm": "normalization",
    "normalization": "normalization",
    "activation": "activation",
    "dropout": "regularization",
    "sparse": "embedding",
}
BY_NAME: dict[str, ComponentKind] = {
    "attention": "attention",
    "attn": "attention",
    "mlp": "mlp",
    "feedforward": "mlp",
    "ffn": "mlp",
    "norm": "normalization",
}
BYPASSED: frozenset[ComponentKind] = frozenset({"normalization", "activation", "regularization"})


def components_from_modules(modules: list[ModuleRecord], *, reference: bool = False) -> list[Component]:
    """One component a module that is called or holds parameters; containers that are only looked into are left out.

    With `reference` there is a split to take means and other examples from.
    """
    return [_component(module, reference) for module in modules if not _is_shelf(module) and module.type != "Identity"]


def _is_shelf(module: ModuleRecord) -> bool:
    return module.torch_module == "container" and module.calls == 0


def _component(module: ModuleRecord, reference: bool) -> Component:
    kind = module_kind(module)
    return Component(
        id=f"module:{module.path}",
        kind=kind,
        label=f"{module.path} ({module.type})",
        where=module.path,
        size=module.parameters,
        evidence=_evidence(module),
        interventions=_interventions(module, kind, reference),
    )


def module_kind(module: ModuleRecord) -> ComponentKind:
    """The kind by torch's own layer families, else by the words of its type and name."""
    if module.torch_module == "activation" and "Attention" in module.type:
        return "attention"
    if module.torch_module in BY_HOME:
        return BY_HOME[module.torch_module]
    words = f"{module.type} {module.path.rsplit('.', 1)[-1]}".lower()
    named: list[ComponentKind] = [kind for word, kind in BY_NAME.items() if word in words]
    return named[0] if named else "layer"


def _interventions(module: ModuleRecord, kind: ComponentKind, reference: bool) -> list[Intervention]:
    """The default removal first: bypass for what normalises, activates, regularises or holds its own residual; else zero."""
    if module.is_output:
        return []
    dim = module.feature_dim or -1
    usual: list[Removal] = ["zero"]
    if module.bypassable and kind != "embedding":  # positions passed on raw are no removal
        usual = ["bypass", "zero"] if kind in BYPASSED or module.residual else ["zero", "bypass"]
    others: list[Removal] = ["mean", "resample"] if reference and module.output_shape else []
    return [ModuleIntervention(path=module.path, dim=dim, removal=removal) for removal in (*usual, *others)]


def _evidence(module: ModuleRecord) -> str:
    if not module.calls:
        return "never called in one training step and one evaluation"
    shapes = f"{_shape(module.input_shape)} → {_shape(module.output_shape)}"
    notes = [
        note
        for note, holds in (
            ("holds its own residual", module.residual),
            ("a branch beside a residual stream", module.branch),
            ("the output layer", module.is_output),
        )
        if holds
    ]
    return "; ".join([f"called, {shapes}", *notes])


def _shape(shape: list[int] | None) -> str:
    return "×".join(map(str, shape)) if shape is not None else "?"
