"""One batch scored with some cuts in place: what came out, what it took, and the model given back as it was."""

import time
from contextlib import nullcontext
from typing import Any, Callable, List, NamedTuple, Optional, Tuple

import torch
from torch import nn

from .experiment import Run
from .replay import played
from .seeding import other_states, same_states, states
from .targets import Scores, Target, bits
from .tensors import bit_sums, copied, tensors_of

SAMPLED = 4096
"""Elements of an output that tell one removal from another."""


class Shown(NamedTuple):
    """What scoring a batch has given."""

    scores: Scores
    outputs: List[torch.Tensor]
    """All that the model put out."""


class Scorer:
    """Scores single batches of one model."""

    def __init__(self, run: Run, restore: "Callable[[], List[str]]", *, careful: bool) -> None:
        """`restore` puts back the weights that scoring has changed, and names them. `careful`: after each score, for they may
        change unseen."""
        self._run, self._restore, self._careful = run, restore, careful
        self._weights = [*run.model.parameters(), *run.model.buffers()]
        self._training: "List[Tuple[nn.Module, bool]]" = []
        self._outputs: List[torch.Tensor] = []
        self._hook = run.model.register_forward_hook(self._see)

    def close(self) -> None:
        """Look at the model no more."""
        self._hook.remove()

    def begin_split(self) -> None:
        """Set the model to evaluate, as it is at the beginning of every split."""
        self._run.model.eval()
        self._training = [(module, module.training) for module in self._run.model.modules()]

    def score(self, batch: Any, name: str, target: Optional[Target] = None, player: Any = None) -> Shown:
        """Score one batch with the cuts of a target; the calls of modules go through a player where there is one.

        It is a copy that is scored: what is done to it, in whatever way, is not seen by the next.
        """
        for module, training in self._training:
            if module.training != training:
                module.training = training
        given, self._outputs = copied(batch), []
        started, worked = time.perf_counter(), time.process_time()
        versions = _versions(self._weights)
        try:
            if target:
                target.enter(name)
            with played(player) if player else nullcontext():
                scores = self._run.scored(given, name)
            if player:
                player.finish()
        finally:
            if target:
                target.leave()
                target.seconds += time.perf_counter() - started
                target.processor_seconds += time.process_time() - worked
            if self._careful or versions != _versions(self._weights):
                self._put_back(target)
        return Shown(scores, self._outputs)

    def drawn(self, name: str) -> "Tuple[bool, bool]":
        """Whether scoring the batch of that name, just now, has drawn from torch's generators, and from others."""
        now, others = states(), other_states()
        self._run.seed_for(name)
        return not same_states(now, states()), others != other_states()

    def _put_back(self, target: Optional[Target]) -> None:
        changed = self._restore()
        if target:
            target.changed += [one for one in changed if one not in target.changed]

    def _see(self, _module: nn.Module, _args: Any, output: Any) -> None:
        self._outputs += tensors_of(output)


def equal(one: Shown, other: Shown) -> bool:
    """Whether two gave the same, bit for bit."""
    return same_scores(one.scores, other.scores) and digest(one) == digest(other)


def same_scores(one: Scores, other: Scores) -> bool:
    """Whether two are the same, bit for bit, values that are no number included."""
    return bits(one) == bits(other)


def digest(shown: Shown) -> "List[Any]":
    """Sums over the bits of all that was put out."""
    return [(str(one.dtype), tuple(one.shape), bit_sums(one)) for one in shown.outputs]


def sample(shown: Shown) -> "List[Any]":
    """The same of a corner of each output: tells removals apart, at no cost."""
    return [(tuple(one.shape), bit_sums(_corner(one.detach()))) for one in shown.outputs]


def _corner(tensor: torch.Tensor) -> torch.Tensor:
    while tensor.numel() > SAMPLED:
        longest = max(range(tensor.dim()), key=tensor.size)
        tensor = tensor.narrow(longest, 0, -(-tensor.size(longest) // 2))
    return tensor


def size_of(batch: Any) -> int:
    """Bytes of the tensors in a batch."""
    return sum(one.numel() * one.element_size() for one in tensors_of(batch))


def _versions(batch: Any) -> "List[int]":
    return [one._version for one in tensors_of(batch) if not one.is_inference()]
