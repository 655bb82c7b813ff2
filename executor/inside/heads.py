"""Attention heads, found by what runs: the module whose input is, value for value, an attention's heads side by side."""

import weakref
from collections import deque
from typing import Any, Deque, Dict, List, NamedTuple, Optional, Tuple

import torch
from torch import nn

from .calls import Listener
from .layout import groups, side_by_side
from .products import weighted_sum
from .tensors import tensors_of

FUSED = ("scaled_dot_product_attention", "flex_attention")


class Widened(NamedTuple):
    """The output of a layer that may hold q, k and v side by side."""

    path: str
    module: nn.Module
    output: torch.Tensor


class Candidate(NamedTuple):
    """The output of an attention (batch…, tokens, width), with the keys and values (batch…, tokens, width) it read."""

    owner: str
    output: torch.Tensor
    read: "List[torch.Tensor]"
    before: "List[Widened]"
    evidence: str


class Found(NamedTuple):
    """An attention that a projection's input has confirmed."""

    owner: str
    projection: str
    heads: int
    width: int
    key_value_heads: int
    evidence: str


class Frame:
    """What is kept of one running call. Bounded, for each item keeps tensors alive."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.candidates: Deque[Candidate] = deque(maxlen=4)
        self.widened: Deque[Widened] = deque(maxlen=3)
        self.layers: List[str] = []


class HeadFinder(Listener):
    """Confirms attentions, packed projections, and which layers with a weight each module called, in order."""

    def __init__(self) -> None:
        self.found: Dict[str, Found] = {}
        self.packed: Dict[str, int] = {}
        self.layers: Dict[str, List[str]] = {}
        self._frames: List[Frame] = []
        self._weights: List[weakref.ref[torch.Tensor]] = []

    def began(self, path: str, module: nn.Module, tensor: "Optional[torch.Tensor]") -> None:
        """Is what it is given an attention's heads, side by side?"""
        waiting = [frame.candidates for frame in self._frames]
        self._frames.append(Frame(path))
        if tensor is None or getattr(module, "weight", None) is None:
            return
        for candidates in waiting:
            unconfirmed = [one for one in candidates if not self._confirm(one, path, tensor)]
            candidates.clear()
            candidates.extend(unconfirmed)

    def ended(self, path: str, module: nn.Module, output: Any) -> None:
        """Forget its tensors; its caller keeps what may be a packed projection."""
        frame = self._frames.pop()
        self.layers.setdefault(path, frame.layers)
        if not self._frames:
            self._weights.clear()
            return
        weight = getattr(module, "weight", None)
        self._frames[-1].layers += [*frame.layers, path] if weight is not None else frame.layers
        is_matrix = isinstance(weight, torch.Tensor) and weight.dim() == 2
        if is_matrix and isinstance(output, torch.Tensor) and output.shape[-1] % 3 == 0:
            self._frames[-1].widened.append(Widened(path, module, output.detach()))

    def used(self, name: str, args: "Tuple[Any, ...]", kwargs: "Dict[str, Any]", output: Any) -> None:
        """Follow attention weights from their softmax to their product with the values."""
        if name in FUSED:
            attended = next(tensors_of(output))
            key, value = (
                args[place] if len(args) > place else kwargs[word] for place, word in ((1, "key"), (2, "value"))
            )
            self._propose(attended, [key, value], name)
        elif not isinstance(output, torch.Tensor):
            return
        elif name == "softmax":
            self._weights.append(weakref.ref(output))
        else:
            self._follow(name, args, output)

    def _follow(self, name: str, args: "Tuple[Any, ...]", output: torch.Tensor) -> None:
        product = weighted_sum(name, args, output, self._is_weights)
        if product is not None:
            self._propose(product.output, [product.values], f"softmax and {name}")
        elif any(self._is_weights(one) and one.numel() == output.numel() for one in args):
            self._weights.append(weakref.ref(output))

    def _is_weights(self, tensor: Any) -> bool:
        return isinstance(tensor, torch.Tensor) and any(known() is tensor for known in self._weights)

    def _propose(self, output: torch.Tensor, read: "List[torch.Tensor]", evidence: str) -> None:
        owner, caller = self._frames[-1], self._frames[-2] if len(self._frames) > 1 else self._frames[-1]
        before = [*caller.widened, *owner.widened]
        read = [one.detach() for one in read]
        caller.candidates.append(Candidate(owner.path, output.detach(), read, before, evidence))

    def _confirm(self, candidate: Candidate, path: str, tensor: torch.Tensor) -> bool:
        place = side_by_side(candidate.output, tensor)
        if place is None:
            return False
        shared = max(groups(one, place) for one in candidate.read)
        width = candidate.output.shape[-1]
        said = f"{candidate.evidence}; its output, heads side by side, is the input of {path}, value for value"
        self.found.setdefault(path, Found(candidate.owner, path, place.heads, width, shared, said))
        if shared == place.heads:
            self._unpack(candidate, place.heads * width)
        return True

    def _unpack(self, candidate: Candidate, features: int) -> None:
        """Was one layer's output q, k and v? Its last third is then the values."""
        for path, module, output in candidate.before:
            if output.shape[-1] == 3 * features and side_by_side(candidate.read[-1], output[..., -features:]):
                weight: Any = module.weight
                self.packed[path] = 0 if isinstance(module, nn.Linear) or weight.shape[0] == 3 * features else 1
