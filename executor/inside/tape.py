"""What the modules of a model gave while one batch was scored, call by call: what a removal can be spared to compute again."""

from typing import Any, Dict, Iterable, Iterator, List, Optional, Sequence, Set, Tuple

import torch
from torch import nn

from .tensors import map_tensors, tensors_of

Key = Tuple[nn.Module, int]
"""A module and which of its calls in one batch, counted from 0."""


class Call:
    """One call of a module: the calls inside it are those that began up to `end`."""

    __slots__ = ("copied", "end", "key", "output", "random", "seconds", "spoilt", "stamps")

    def __init__(self, key: Key) -> None:
        self.key, self.end = key, 0
        self.output: Any = None
        self.stamps: Optional[List[Tuple[torch.Tensor, int]]] = None
        """The held tensors with their versions; None where nothing is held."""
        self.copied = False
        """Others edit the output in place later: a copy is held, and handed out as copies."""
        self.spoilt = False
        """It does more than give its output, itself or a call inside it: it has to be made."""
        self.random: Optional[List[torch.Tensor]] = None
        """The states of torch's generators after it, where it drew from them."""
        self.seconds = 0.0

    def hold(self, output: Any, copied: bool) -> None:
        """Keep the output, as a copy where it will be edited. One of a type that is not known,
        or that takes part in a graph, is not held."""
        if any(tensor.requires_grad for tensor in tensors_of(output)):
            return
        try:
            self.output = map_tensors(_copy if copied else _itself, output)
        except TypeError:
            return
        self.copied = copied
        self.stamps = [(tensor, _version(tensor)) for tensor in tensors_of(self.output)]

    def give(self) -> Any:
        """The output again, in containers of its own."""
        return map_tensors(_copy if self.copied else _itself, self.output)

    @property
    def intact(self) -> bool:
        """Whether nobody has edited what is held."""
        return self.stamps is None or all(_version(tensor) == version for tensor, version in self.stamps)


class Tape:
    """The calls of one batch in the order in which they began."""

    def __init__(self) -> None:
        self.calls: List[Call] = []
        self.first: Dict[nn.Module, int] = {}
        """Module → its first call."""
        self._counts: Dict[nn.Module, int] = {}

    def begin(self, module: nn.Module) -> Call:
        """Add a call that begins now."""
        nth = self._counts.get(module, 0)
        self._counts[module] = nth + 1
        call = Call((module, nth))
        self.first.setdefault(module, len(self.calls))
        self.calls.append(call)
        return call

    def repeat(self, calls: "Sequence[Call]") -> None:
        """Add calls of another tape that would be made here in the same way."""
        for call in calls:
            module, nth = call.key
            self._counts[module] = nth + 1
            self.first.setdefault(module, len(self.calls))
            self.calls.append(call)

    def ready(self, start: int) -> "Iterator[int]":
        """The largest calls that end before call number `start` begins and may be replayed."""
        at = 0
        while at < min(start, len(self.calls)):
            call = self.calls[at]
            if call.end <= start and not call.spoilt:
                yield at
                at = call.end
            else:
                at += 1

    def edited(self) -> "Set[Key]":
        """Calls of which what is held was edited since."""
        return {call.key for call in self.calls if not call.intact}

    def intact(self) -> bool:
        """Whether everything held is as it was."""
        return all(call.intact for call in self.calls)

    def release(self) -> None:
        """Hold nothing any more."""
        for call in self.calls:
            call.output, call.stamps = None, None


def held(tapes: "Iterable[Tape]") -> int:
    """Bytes that are held, each once."""
    calls = (call for tape in tapes for call in tape.calls if call.stamps is not None)
    storages = (tensor.untyped_storage() for call in calls for tensor, _ in call.stamps or ())
    return sum({one.data_ptr(): one.nbytes() for one in storages}.values())


def worth_holding(tape: Tape, starts: "Iterable[int]", sizes: "Dict[Key, int]", room: int) -> "Set[Key]":
    """Which outputs to hold: what saves most time for its bytes, as long as there is room.

    Args:
        tape: of a batch like those to come.
        starts: for every removal, the first call that it touches.
        sizes: call → bytes of its output.
        room: bytes there are.
    """
    saved: Dict[int, float] = {}
    for start in starts:
        for at in tape.ready(start):
            saved[at] = saved.get(at, 0.0) + tape.calls[at].seconds
    chosen: Set[Key] = set()
    bytes_of = {at: sizes.get(tape.calls[at].key, 0) for at in saved}
    for at in sorted(saved, key=lambda one: -saved[one] / max(1, bytes_of[one])):
        if bytes_of[at] <= room:
            room -= bytes_of[at]
            chosen.add(tape.calls[at].key)
    return chosen


def _version(tensor: torch.Tensor) -> int:
    """How often it was edited in place; of those made in inference mode nobody knows, and copies are held."""
    return 0 if tensor.is_inference() else tensor._version


def _itself(tensor: torch.Tensor) -> torch.Tensor:
    return tensor


def _copy(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.clone()
