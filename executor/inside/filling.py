"""What takes the place of the values that an intervention cuts: zeros, a constant, or what the reference split shows."""

import zlib
from typing import Any, Dict, List, Optional, Tuple

import torch

EXAMPLES_KEPT = 128
"""Reference examples that `resample` draws from."""


class Refused(Exception):
    """The intervention makes no sense here; the message says why, with the shapes."""


class Statistics:
    """Activations at one site over the reference split: their mean per feature, and the first examples of them.

    A site may show several tensors (slots), each of several widths where its module is called in several places.
    """

    def __init__(self, dim: int, keep: bool) -> None:
        self.dim, self.keep = dim, keep
        self._sums: Dict[Tuple[int, int], Tuple[torch.Tensor, int]] = {}
        self._examples: Dict[Tuple[int, int], List[torch.Tensor]] = {}

    def __deepcopy__(self, _memo: Any) -> "Statistics":
        return self

    def take(self, tensor: torch.Tensor, slot: int) -> None:
        """Take in the values of one call."""
        if not tensor.is_floating_point() or not tensor.dim():
            return
        rows = self._rows(tensor.detach())
        flat = rows.reshape(-1, rows.shape[-1])
        key = (slot, rows.shape[-1])
        total, count = self._sums.get(key, (0, 0))
        wide = torch.float64 if tensor.device.type != "mps" else torch.float32
        self._sums[key] = (total + flat.sum(0, dtype=wide), count + flat.shape[0])
        kept = self._examples.setdefault(key, [])
        room = EXAMPLES_KEPT - sum(len(one) for one in kept)
        if self.keep and room > 0:
            kept.append(tensor.detach()[:room].clone())

    def mean(self, like: torch.Tensor, slot: int) -> torch.Tensor:
        """The mean over examples and positions, one value a feature, in the shape of `like`."""
        rows = self._rows(like)
        found = self._sums.get((slot, rows.shape[-1]))
        if found is None:
            raise Refused("the reference split never reached it, so there is no mean to put in place")
        total, count = found
        return self._placed((total / count).expand_as(rows), like)

    def draw(self, like: torch.Tensor, slot: int, generator: torch.Generator) -> torch.Tensor:
        """Values of other examples, drawn with replacement: at the same positions where shapes agree, else at any."""
        rows = self._rows(like)
        kept = self._examples.get((slot, rows.shape[-1]))
        if not kept:
            raise Refused("the reference split never reached it, so there is no other example to draw from")
        same = [one for one in kept if one.shape[1:] == like.shape[1:]]
        if same and like.dim() > 1:
            pool = torch.cat(same)
            return torch.empty_like(like).copy_(pool[_drawn(len(pool), len(like), generator, like)])
        pool = torch.cat([self._rows(one).reshape(-1, rows.shape[-1]) for one in kept])
        drawn = pool[_drawn(len(pool), rows[..., 0].numel(), generator, like)]
        return self._placed(drawn.reshape(rows.shape), like)

    def _rows(self, tensor: torch.Tensor) -> torch.Tensor:
        """`tensor` with its features last; one number for each example has one feature."""
        return tensor.movedim(self._dim(tensor), -1) if tensor.dim() > 1 else tensor.unsqueeze(-1)

    def _placed(self, rows: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
        """Memory of their own for `rows`, laid out as `like` is: what comes next may edit them in place."""
        values = rows.movedim(-1, self._dim(like)) if like.dim() > 1 else rows.squeeze(-1)
        return torch.empty_like(like).copy_(values)

    def _dim(self, tensor: torch.Tensor) -> int:
        return self.dim if -tensor.dim() <= self.dim < tensor.dim() else -1


def _drawn(available: int, wanted: int, generator: torch.Generator, like: torch.Tensor) -> torch.Tensor:
    return torch.randint(available, (wanted,), generator=generator).to(like.device)


class Filling:
    """One kind of removal, with what it needs."""

    def __init__(self, removal: str, constant: float, statistics: "Optional[Statistics]", seed: int) -> None:
        self.removal, self.constant, self.statistics = removal, constant, statistics
        self._seed, self._generator = seed, _Dice(seed)

    def begin(self, batch: str) -> None:
        """Draw for this batch whatever was drawn for others, and in whatever order they come."""
        self._generator.generator.manual_seed(zlib.crc32(f"{batch}/{self._seed}".encode()))

    def __call__(self, tensor: torch.Tensor, slot: int) -> torch.Tensor:
        """What takes the place of `tensor`; the tensor itself where this kind leaves it alone."""
        if self.removal == "placebo" or not is_continuous(tensor):
            return tensor
        if self.removal in ("zero", "constant"):
            return torch.full_like(tensor, self.constant if self.removal == "constant" else 0.0)
        if tensor.is_complex() or not tensor.dim():
            return tensor
        assert self.statistics is not None
        if self.removal == "mean":
            return self.statistics.mean(tensor, slot)
        return self.statistics.draw(tensor, slot, self._generator.generator)


class Watching(Filling):
    """Leaves every value alone and takes it into the statistics of its site."""

    def __init__(self, statistics: Statistics) -> None:
        super().__init__("watch", 0.0, statistics, 0)

    def __call__(self, tensor: torch.Tensor, slot: int) -> torch.Tensor:
        """`tensor` itself."""
        assert self.statistics is not None
        self.statistics.take(tensor, slot)
        return tensor


class _Dice:
    """A generator of our own, so that no draw shifts the experiment's; a deep copy of a model shares it."""

    def __init__(self, seed: int) -> None:
        self.generator = torch.Generator().manual_seed(seed)

    def __deepcopy__(self, _memo: Any) -> "_Dice":
        return self


def is_continuous(tensor: torch.Tensor) -> bool:
    """Whether it holds values; whole numbers and truth values are indices and masks, which no removal touches."""
    return tensor.is_floating_point() or tensor.is_complex()


def site_seed(name: str, seed: int) -> int:
    """A seed for the draws at one site."""
    return zlib.crc32(f"{name}/{seed}".encode())
