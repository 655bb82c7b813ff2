"""What is measured side by side on one batch after another: a set of cuts, where it first touches the model, and its values."""

import json
from array import array
from typing import Any, Container, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from torch import nn

from .operate import References, Spec, cuts, place, undo
from .surgery import Cut
from .tape import Tape
from .weights import WeightCut

Scores = Mapping[str, Sequence[float]]
"""Column → one value for each example of one batch."""
Callers = Dict[nn.Module, List[nn.Module]]
"""Module → the modules that hold it."""


def packed(scores: Scores) -> Scores:
    """The same in little room."""
    return {name: array("d", values) for name, values in scores.items()}


def bits(scores: Scores) -> "Dict[str, bytes]":
    """The same as it is stored, to be compared."""
    return {name: array("d", values).tobytes() for name, values in scores.items()}


class Proved(NamedTuple):
    """What one cut has shown so far."""

    calls: int
    changed: bool
    asleep: bool


class Target:
    """A set of cuts in one model."""

    def __init__(self, model: nn.Module, specs: "Sequence[Spec]", seed: int, references: References) -> None:
        self.names = [spec_name(spec) for spec in specs]
        self.cuts = cuts(model, list(specs), seed, references)
        self.specs = list(specs)
        self.values: Dict[str, Dict[int, Scores]] = {}
        """Split → place of the batch → what it scored."""
        self.failure: Optional[BaseException] = None
        self.seconds, self.processor_seconds = 0.0, 0.0
        self.same = True
        """Whether everything it has put out equals the baseline's."""
        self.print: List[Any] = []
        """Of its first output, to be told from others by."""
        self.changed: List[str] = []
        """Weights that scoring has changed; they were put back."""
        self.skipped, self.calls = 0, 0
        """Module calls that were not made, of those that there are."""
        self.checked = False
        """Whether it was held against the plain way."""
        self._touched = [cut.touches() for cut in self.cuts]
        self._ran = False

    @property
    def kind(self) -> "Tuple[str, ...]":
        """The kinds of its cuts: what a check of one says about others."""
        return tuple(type(cut).__name__ for cut in self.cuts)

    @property
    def nests(self) -> bool:
        """Whether its cuts may be looked at one after the other: none draws, and no two are in one module."""
        modules = [id(one) for touched in self._touched for one in touched]
        return len(set(modules)) == len(modules) and all(one["removal"] != "resample" for one in self.specs)

    def enter(self, batch: str) -> None:
        """Put the cuts in, for one batch."""
        for cut in self.cuts:
            cut.fill.begin(batch)
        place(self.cuts)

    def leave(self) -> None:
        """Take them out."""
        undo(self.cuts)
        self._ran = True

    def proved(self) -> "Dict[str, Proved]":
        """What each cut has shown, by its name."""
        tallies = [cut.tally for cut in self.cuts]
        return {
            name: Proved(one.calls, one.changed, one.asleep)
            for name, one in zip(self.names, tallies)  # noqa: B905
        }

    def believe(self, shown: "Dict[str, Proved]") -> None:
        """Set what the cuts have shown: of a run that does not count, or of one in which others ran in their place."""
        for name, cut in zip(self.names, self.cuts):  # noqa: B905
            if name in shown:
                cut.tally.calls, cut.tally.changed, cut.tally.asleep = shown[name]

    def learn(self, before: "Dict[str, Proved]", shown: "Dict[str, Proved]") -> "Dict[str, Proved]":
        """What each cut has done in the run since `before`, also where another's run, which has `shown` it, was replayed."""
        lately: Dict[str, Proved] = {}
        for name, now in self.proved().items():
            calls, other = now.calls - before[name].calls, shown.get(name, Proved(0, False, False))
            changed, asleep = now.changed or other.changed, now.asleep or other.asleep
            lately[name] = Proved(max(calls, other.calls), changed, asleep)
            self.believe({name: Proved(before[name].calls + lately[name].calls, changed, asleep)})
        return lately

    def start(self, tape: Tape, callers: Callers, without: "Container[str]" = ()) -> int:
        """The first call on the tape that does not run as it would without the cuts; behind the last where there is none.

        `callers`: module → those that hold it. `without`: cuts that the tape was recorded with.
        """
        starts = self.starts(tape, callers)
        return min((at for name, at in starts.items() if name not in without), default=len(tape.calls))

    def starts(self, tape: Tape, callers: Callers) -> "Dict[str, int]":
        """The same for each cut by itself, by name."""
        return {
            name: self._start_of(cut, touched, tape, callers)
            for name, cut, touched in zip(self.names, self.cuts, self._touched)  # noqa: B905
        }

    def _start_of(self, cut: Cut, touched: "List[nn.Module]", tape: Tape, callers: Callers) -> int:
        return min((self._first_call(cut, one, tape, callers) for one in touched), default=0)

    def _first_call(self, cut: Cut, module: nn.Module, tape: Tape, callers: Callers) -> int:
        if module in tape.first:
            return tape.first[module]
        if not isinstance(cut, WeightCut) and self._ran and not cut.tally.calls:
            return len(tape.calls)
        return min((tape.first[one] for one in _nearest_called(module, tape, callers)), default=0)


def _nearest_called(module: nn.Module, tape: Tape, callers: Callers) -> "Iterator[nn.Module]":
    """The innermost modules around one that is never called itself: they may use its weights, or call its forward."""
    waiting, seen = list(callers.get(module, [])), {module}
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        if one in tape.first:
            yield one
        else:
            waiting += callers.get(one, [])


def callers_of(model: nn.Module) -> Callers:
    """Of every module of a model."""
    found: Callers = {}
    for module in model.modules():
        for child in module.children():
            found.setdefault(child, []).append(module)
    return found


def spec_name(spec: Spec) -> str:
    """One intervention, told from every other."""
    return json.dumps(spec, sort_keys=True)


class Node:
    """A target with what it is nested in: its `children` hold its cuts and more, the further ones touched later."""

    def __init__(self, names: "Tuple[str, ...]", target: Optional[Target]) -> None:
        self.names, self.target = names, target
        self.children: List[Node] = []

    @property
    def own(self) -> Target:
        """Its target, once it has one."""
        assert self.target is not None
        return self.target


def nested(targets: "Iterable[Target]", starts: "Dict[str, int]") -> "List[Node]":
    """Targets as trees: what several have in common at their beginning is run once, and recorded.

    Args:
        targets: to be run.
        starts: cut → the first call that it touches.
    """
    ordered: Dict[Tuple[str, ...], Target] = {}
    alone: List[Node] = []
    for one in targets:
        names = tuple(sorted(one.names, key=lambda name: (starts[name], name)))
        if one.nests and names not in ordered:
            ordered[names] = one
        else:
            alone.append(Node(names, one))
    return [*_grown((), ordered), *alone]


def _grown(prefix: "Tuple[str, ...]", ordered: "Dict[Tuple[str, ...], Target]") -> "List[Node]":
    """The nodes right below a prefix: one for each next cut that several share or that is asked for itself."""
    depth = len(prefix)
    groups: Dict[str, Dict[Tuple[str, ...], Target]] = {}
    for names, target in ordered.items():
        if len(names) > depth:
            groups.setdefault(names[depth], {})[names] = target
    nodes: List[Node] = []
    for name, group in groups.items():
        names = (*prefix, name)
        own = group.get(names)
        if own is None and len(group) == 1:
            (whole, target), *_ = group.items()
            nodes.append(Node(whole, target))
            continue
        node = Node(names, own)
        node.children = _grown(names, group)
        nodes.append(node)
    return nodes


def distinct(targets: "Iterable[Optional[Target]]") -> "List[Target]":
    """Each target once, in order."""
    seen: Set[int] = set()
    found: List[Target] = []
    for one in targets:
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            found.append(one)
    return found
