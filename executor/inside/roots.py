"""The outermost modules of a script, their copies, and the interventions that were put into them."""

import weakref
from typing import Any, Dict, List, Optional, Sequence, Tuple

import torch
from torch import nn

from .holders import held_as
from .operate import operate
from .surgery import Cut

MOST_NAMES = 12


class Root:
    """An outermost module; `name` is the prefix of its paths, None for the first, whose paths are plain; `held`: it is a path
    below what holds the module without being called."""

    def __init__(
        self, module: nn.Module, name: "Optional[str]", original: "Optional[Root]", late: bool, held: bool = False
    ) -> None:
        self.name, self.original, self.late, self.held = name, original, late, held
        self.shape = shape_of(module)
        self.size = sum(parameter.numel() for parameter in module.parameters())
        self.calls, self.state = 0, _state(module)
        self._weak = weakref.ref(module)
        self._held = module if original is None and not late else None
        self.names = [path for path, _ in module.named_modules(remove_duplicate=False) if path]
        self.parameters = [path for path, _ in module.named_parameters(remove_duplicate=False)]

    @property
    def module(self) -> "Optional[nn.Module]":
        """The module; None where it was a copy that is gone."""
        return self._weak()

    @property
    def prefix(self) -> str:
        """What its paths begin with."""
        return self.name + "." if self.name else ""


def shape_of(module: nn.Module) -> "Tuple[Any, ...]":
    """Class, and names and shapes of all parameters: equal for copies."""
    return (type(module), *((name, tuple(one.shape)) for name, one in module.named_parameters()))


def _state(module: nn.Module) -> "Tuple[bool, bool]":
    """How a module is called now: whether in training, and with gradients."""
    return module.training, torch.is_grad_enabled()


def _original(module: nn.Module, alike: "List[Root]", late: bool) -> "Optional[Root]":
    """Which of the roots of its very shape `module` is a copy of; None where it is a part of its own, as a second block is.

    A copy begins with equal weights, or comes after many calls, or is called otherwise (an average in evaluation). Parts that
    only look alike have other weights, and are called alike, one after the other, or are held under names of their own.
    """
    for one in alike:
        if one.module is not None and _same_weights(one.module, module):
            return one
    first = next(iter(alike), None)
    if first is None or late or first.module is None:
        return first
    path, other = held_as(module), held_as(first.module)
    beside = path is not None and other is not None and path != other
    return None if beside or all(one.calls == 1 and one.state == _state(module) for one in alike) else first


def _same_weights(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.parameters(), other.parameters())  # noqa: B905
    return all(first.device == second.device and torch.equal(first, second) for first, second in pairs)


class Roots:
    """Every root, in the order of their first calls."""

    def __init__(self) -> None:
        self.all: List[Root] = []
        self.running = False
        self._ids: Dict[int, Any] = {}
        self._roots: Dict[int, Root] = {}

    def __contains__(self, module: nn.Module) -> bool:
        return id(module) in self._ids

    def add(self, module: nn.Module, late: bool) -> Root:
        """A new root: a copy of one that is there, one that contains some of them and takes their place, or one of its own."""
        shape = shape_of(module)
        alike = [one for one in self.all if one.original is None and one.shape == shape]
        original = _original(module, alike, late)
        parts = {id(part) for part in module.modules()}
        inner = [one for one in self.all if one.module is not None and id(one.module) in parts]
        path = held_as(module) if original is None and not late else None
        name = None if original is None and path is None and len(inner) == len(self.all) else self._name(module, path)
        if original is not None:
            name = original.name
        elif inner and path is None:
            name = inner[0].name if inner[0].original is None and not inner[0].held else name
        root = Root(module, name, original, late, held=path is not None)
        self._roots[id(module)] = root
        self.all = [one for one in self.all if one not in inner] + [root]
        key = id(module)
        self._ids[key] = weakref.ref(module, lambda _gone: (self._ids.pop(key, None), self._roots.pop(key, None)))
        return root

    def called(self, module: nn.Module) -> None:
        """Count one call of a root."""
        root = self._roots.get(id(module))
        if root is not None:
            root.calls += 1

    def paths(self) -> "List[str]":
        """Of every module that was found."""
        return [one.prefix + path for one in self.all if one.original is None for path in one.names]

    def _name(self, module: nn.Module, path: "Optional[str]") -> str:
        kind = path or type(module).__name__
        taken = {one.name for one in self.all}
        return next(name for name in [kind, *("%s%d" % (kind, n) for n in range(2, 1000))] if name not in taken)


class Placed:
    """The interventions of a run, and where they were put."""

    def __init__(self, specs: "List[Dict[str, Any]]", seed: int) -> None:
        self.specs, self._seed = specs, seed
        self.refusal: Optional[str] = None
        self._cuts: Dict[int, List[Cut]] = {index: [] for index in range(len(specs))}
        self._prefixes: Dict[int, str] = {}
        self._homes: Dict[int, Tuple[Any, ...]] = {}

    def put_into(self, root: Root) -> None:
        """Those that belong there. `Refused` where one does not fit."""
        module = root.module
        assert module is not None
        fitting = [(index, spec) for index, spec in enumerate(self.specs) if self._fits(index, spec, root)]
        if not fitting or self._is_cut(module):
            return
        cuts = operate(module, [_below(spec, root.prefix) for _, spec in fitting], self._seed)
        for (index, _), cut in zip(fitting, cuts):  # noqa: B905
            self._cuts[index].append(cut)
            self._prefixes[index], self._homes[index] = root.prefix, root.shape

    def _is_cut(self, module: nn.Module) -> bool:
        """Whether it is a copy that was made after the cut; what another process has cut and saved whole is taken out."""
        ours = {id(cut.tally) for cuts in self._cuts.values() for cut in cuts}
        found = _cuts_in(module)
        while found and not any(id(cut.tally) in ours for cut in found):
            for cut in found:
                Cut.undo(cut)  # of a weight, too: its values are what the file holds
            found = _cuts_in(module)
        return bool(found)

    def missing(self) -> "List[str]":
        """Paths that no root has."""
        return [_path(spec) for index, spec in enumerate(self.specs) if not self._cuts[index]]

    def proofs(self) -> "List[Dict[str, Any]]":
        """One for each intervention, summed over the copies of the model."""
        return [self._proof(index) for index in range(len(self.specs)) if self._cuts[index]]

    def _proof(self, index: int) -> "Dict[str, Any]":
        proofs = [cut.proof() for cut in self._cuts[index]]
        changed = any(one["changed"] for one in proofs)
        called = next((one for one in proofs if one["calls"]), proofs[0])
        return {
            "target": self._prefixes[index] + proofs[0]["target"],
            "removal": proofs[0]["removal"],
            "calls": sum(one["calls"] for one in proofs),
            "changed": changed,
            "reason": None if changed else called["reason"],
        }

    def _fits(self, index: int, spec: "Dict[str, Any]", root: Root) -> bool:
        if index in self._homes:
            return root.shape == self._homes[index]
        path = _path(spec)
        if not path.startswith(root.prefix):
            return False
        below = path[len(root.prefix) :]
        return below in (root.parameters if spec["kind"] == "weight" else root.names)


def shown(paths: "Sequence[str]") -> str:
    """Some of the paths, for a message."""
    more = ", …" if len(paths) > MOST_NAMES else ""
    return (", ".join(paths[:MOST_NAMES]) or "none") + more


def _path(spec: "Dict[str, Any]") -> str:
    return spec["parameter"] if spec["kind"] == "weight" else spec["path"]


def _below(spec: "Dict[str, Any]", prefix: str) -> "Dict[str, Any]":
    """The intervention with paths as the root itself has them."""
    names = ("path", "projection", "parameter")
    return {key: value[len(prefix) :] if key in names else value for key, value in spec.items()}


def _cuts_in(module: nn.Module) -> "List[Cut]":
    """Of a copy that was made after the cut."""
    owners = [getattr(part.__dict__.get("forward"), "__self__", None) for part in module.modules()]
    return [one for one in owners if isinstance(one, Cut)]
