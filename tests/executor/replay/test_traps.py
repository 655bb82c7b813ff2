"""Models that a record of module calls could get wrong without a sound: each against a plain loop, bit for bit."""

import copy
import random
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

from .bench import module, run_of, same_as_plain, streamed, weight

WIDTH = 6


class Layers(nn.Module):
    """Some layers with names; what happens between them is each trap's own."""

    def __init__(self, **more):
        super().__init__()
        self.first, self.second, self.third = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)
        for name, one in more.items():
            self.add_module(name, one)

    def forward(self, x):
        return self.through(x).sum(-1)


class InPlace(Layers):
    """Outputs that are edited after they were given: by a module, by an addition, and by a module that nobody listens to."""

    def __init__(self):
        super().__init__(relu=nn.ReLU(inplace=True))

    def through(self, x):
        y = self.relu(self.first(x))
        z = self.second(y)
        self.relu(z)
        z += y
        y.mul_(2)
        return self.third(z + y)


class PreActivation(nn.Module):
    """A block that edits its own input, as ResNets with activations first do."""

    def __init__(self):
        super().__init__()
        self.relu, self.linear = nn.ReLU(inplace=True), nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        return self.linear(self.relu(x)) + x


class EditsItsInput(Layers):
    def __init__(self):
        super().__init__(a=PreActivation(), b=PreActivation(), c=PreActivation())

    def through(self, x):
        return self.third(self.c(self.b(self.a(self.first(x)))))


class Repeated(Layers):
    """One module called three times, and two names for one module."""

    def __init__(self):
        super().__init__(loop=nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.Tanh()))
        self.alias = self.second

    def through(self, x):
        for _ in range(3):
            x = self.loop(x)
        return self.third(self.alias(self.second(self.first(x))) + self.loop(x))


class Noisy(nn.Module):
    def forward(self, x):
        return x + torch.randn_like(x)


class Random(Layers):
    """Numbers are drawn before, at and behind what is removed."""

    def __init__(self):
        super().__init__(noise=Noisy(), late=Noisy())

    def through(self, x):
        x = self.second(self.noise(self.first(x)))
        return self.third(self.late(x) + torch.rand(1))


@dataclass
class Found:
    hidden: torch.Tensor
    rest: tuple


class Wrapping(nn.Module):
    """Gives whatever a program may give: tuples in dictionaries in dataclasses, with things that are no tensors."""

    def __init__(self, shape):
        super().__init__()
        self.linear, self.shape = nn.Linear(WIDTH, WIDTH), shape

    def forward(self, x):
        y = self.linear(x)
        return {"tuple": (y, None, 3), "list": [y, "text"], "dataclass": Found(y, (y, x))}[self.shape]


class Containers(Layers):
    def __init__(self):
        super().__init__(a=Wrapping("tuple"), b=Wrapping("list"), c=Wrapping("dataclass"))

    def through(self, x):
        x = self.a(self.first(x))[0]
        given = self.b(x)
        x = given.pop(0)
        found = self.c(self.second(x))
        found.rest[0].mul_(0.5)
        return self.third(found.hidden)


class Stash(nn.Module):
    """Leaves something on itself for others to find."""

    def __init__(self):
        super().__init__()
        self.linear, self.seen = nn.Linear(WIDTH, WIDTH), None

    def forward(self, x):
        self.seen = self.linear(x)
        return self.seen


class LeavesOnItself(Layers):
    def __init__(self):
        super().__init__(stash=Stash(), other=Stash())

    def through(self, x):
        x = self.second(self.stash(self.first(x)))
        x = self.other(x)
        return self.third(x) + self.stash.seen + self.other.seen


class Cached(Layers):
    """An object that is handed from layer to layer and filled on the way."""

    def __init__(self):
        super().__init__(a=Filling(), b=Filling(), c=Filling())

    def through(self, x):
        cache = Cache()
        x = self.c(self.second(self.b(self.a(self.first(x), cache), cache)), cache)
        return self.third(x) + torch.stack(cache.kept).mean(0)


class Cache:
    def __init__(self):
        self.kept = []


class Filling(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(WIDTH, WIDTH)

    def forward(self, x, cache):
        cache.kept.append(self.linear(x))
        return cache.kept[-1]


class Hooked(Layers):
    """A hook of the user's own takes features out of the model."""

    def __init__(self):
        super().__init__()
        self.features = {}
        self.first.register_forward_hook(lambda _module, _args, output: self.features.update(first=output))

    def through(self, x):
        return self.third(self.second(self.first(x))) + self.features["first"]


class Buffered(Layers):
    """A buffer that every batch sets anew."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(WIDTH))

    def through(self, x):
        y = self.third(self.second(self.first(x)))
        self.mean = y.mean(0)
        return y - self.mean


class Weighted(Layers):
    """Weights that are used without a call of the module that holds them."""

    def __init__(self):
        super().__init__(attention=nn.MultiheadAttention(WIDTH, 2, batch_first=True))

    def through(self, x):
        x = nn.functional.linear(self.first(x), self.second.weight)
        sequence = x.unsqueeze(1).expand(-1, 3, -1)
        return self.third(self.attention(sequence, sequence, sequence, need_weights=False)[0].mean(1))


class Experts(Layers):
    """Which module is called depends on the data."""

    def __init__(self):
        super().__init__(before=nn.Linear(WIDTH, WIDTH), after=nn.Linear(WIDTH, WIDTH))

    def through(self, x):
        x = self.before(x)
        x = (self.second if x.sum() > 0 else self.first)(x)
        return self.after(self.third(x) if x[0, 0] > 0 else x)


class Inferring(Layers):
    @torch.inference_mode()
    def through(self, x):
        y = self.second(self.first(x))
        y += 1
        return self.third(y)


def loss(model, batch):
    return {"loss": model(batch).square()}


def editing(model, batch):
    batch -= batch.mean()
    return loss(model, batch)


def editing_unseen(model, batch):
    batch.data.mul_(2)
    batch.numpy()[:, 0] = 3
    return loss(model, batch)


def of_arrays(model, batch):
    batch["x"] *= 0.5
    return loss(model, torch.from_numpy(batch["x"]))


def popping(model, batch):
    return loss(model, batch.pop("x"))


def twice(model, batch):
    return {"loss": model(batch).square() + model(batch * 2).square()}


def in_parts(model, batch):
    """Calls modules from outside, without the model."""
    return {"loss": model.third(model.second(model.first(batch))).sum(-1).square()}


def rows(count=3, size=5, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(size, WIDTH, generator=generator) for _ in range(count)]


def run_on(model, batches=None, score=loss):
    torch.manual_seed(7)
    return run_of(model().eval(), batches or rows(), score, reference=rows(seed=2))


def removals(model, *kinds):
    """Every module but the root by every kind, and every weight."""
    modules = [name for name, one in model.named_modules() if name]
    weights = [name for name, one in model.named_parameters() if one.dim() > 1]
    found = {f"{kind} {name}": [module(name, kind)] for name in modules for kind in kinds}
    return {**found, **{f"without {name}": [weight(name)] for name in weights}}


MODELS = {
    InPlace: 0.15,
    EditsItsInput: 0.15,
    Repeated: 0.25,
    Random: 0.25,
    Containers: 0.2,
    LeavesOnItself: 0.1,
    Cached: 0.1,
    Hooked: 0.05,
    Weighted: 0.1,
    Experts: 0.1,
    Inferring: 0.2,
}
"""The least share of calls that is spared, over all removals: it is replay that is tested."""


@pytest.mark.parametrize("model", MODELS, ids=lambda one: one.__name__)
def test_it_is_the_plain_loop_bit_for_bit(model):
    run = run_on(model)
    found = same_as_plain(run, removals(run.model, "zero", "constant"))
    assert not {remark for one in found.values() for remark in one["remarks"]}
    assert sum(one["replayed"] for one in found.values()) / len(found) > MODELS[model]


@pytest.mark.parametrize("model", [InPlace, Repeated, Random, EditsItsInput], ids=lambda one: one.__name__)
@pytest.mark.parametrize("kind", ["mean", "resample", "bypass"])
def test_other_kinds_and_pairs_of_them_too(model, kind):
    run = run_on(model)
    singles = {name: [module(name, kind)] for name in ("first", "second", "third")}
    pairs = {"1+2": [*singles["first"], *singles["second"]], "2+3": [*singles["third"], *singles["second"]]}
    same_as_plain(run, {**singles, **pairs, "all": [*pairs["2+3"], *singles["first"]]})


@pytest.mark.parametrize(
    ("score", "batches"),
    [
        (editing, rows()),
        (editing_unseen, rows()),
        (of_arrays, [{"x": one.numpy().copy()} for one in rows()]),
        (popping, [{"x": one} for one in rows()]),
        (twice, rows()),
        (in_parts, rows()),
    ],
    ids=[
        "edits its batch",
        "edits it unseen",
        "edits its arrays",
        "takes its batch apart",
        "calls the model twice",
        "calls its parts",
    ],
)
def test_however_a_batch_is_scored(score, batches):
    torch.manual_seed(7)
    anew = lambda: iter(copy.deepcopy(batches))  # noqa: E731
    run = run_of(Repeated().eval() if score is not in_parts else Straight().eval(), anew, score)
    found = same_as_plain(run, removals(run.model, "zero"))
    assert not {remark for one in found.values() for remark in one["remarks"]}
    assert any(one["replayed"] for one in found.values())


class Straight(Layers):
    def through(self, x):
        return self.third(self.second(self.first(x)))


def test_batches_of_other_sizes_and_orders():
    batches = [*rows(2, 5), *rows(1, 1), *rows(2, 7)]
    run = run_on(Repeated, batches)
    arms = removals(run.model, "zero")
    given = same_as_plain(run, arms)
    other = same_as_plain(run, arms, stopping={"alpha": 0.05, "share": 0.2, "deltas": {}, "order": 5})
    assert {name: one["examples"] for name, one in given.items()} == {
        name: one["examples"] for name, one in other.items()
    }


@pytest.mark.parametrize("draw", [random.random, np.random.rand], ids=["random", "numpy"])
def test_other_random_numbers_are_not_replayed_and_that_is_said(draw):
    class Draws(Layers):
        def through(self, x):
            return self.third(self.second(self.first(x) + draw()))

    found = same_as_plain(run_on(Draws), {"second": [module("second")], "third": [module("third")]})
    assert all("draws from Python's or numpy's random numbers" in one["remarks"][0] for one in found.values())
    assert all(one["replayed"] is None for one in found.values())


class Secret(Layers):
    """Something goes past all modules, in a place that nobody can look into."""

    def __init__(self):
        box = {}

        class Hidden(nn.Linear):
            def forward(self, x):
                box["seen"] = super().forward(x)
                return x

        super().__init__(hidden=Hidden(WIDTH, WIDTH))
        self.box = lambda: box["seen"]

    def through(self, x):
        return self.third(self.second(self.hidden(self.first(x)))) + self.box()


@pytest.mark.parametrize(
    ("model", "said"),
    [(Secret, "third came to another result"), (Buffered, "scoring changes weights unseen")],
    ids=["a secret", "a buffer set anew"],
)
def test_what_no_record_can_know_is_found_and_measured_plainly(model, said):
    found = same_as_plain(run_on(model), {name: [module(name)] for name in ("first", "second", "third")})
    assert {remark for one in found.values() for remark in one["remarks"]} == {
        f"replaying was given up for the plain way: {said}"
    }
    assert all(one["replayed"] is None for one in found.values())


def test_a_removal_that_fails_does_so_alone():
    class Choosy(Layers):
        def through(self, x):
            y = self.first(x)
            if not y.any():
                raise ValueError("all zero")
            return self.third(self.second(y))

    run = run_on(Choosy)
    found = streamed(run, {"first": [module("first")], "second": [module("second")], "nowhere": [module("fourth")]})
    assert repr(found["first"]) == "ValueError('all zero')"
    assert "no module 'fourth'" in str(found["nowhere"])
    assert not isinstance(found["second"], Exception)
    same_as_plain(run, {"second": [module("second")], "third": [module("third")]})


def test_the_model_is_given_back_as_it_was():
    run = run_on(Repeated)
    before = {name: one.clone() for name, one in run.model.state_dict().items()}
    call = nn.Module.__call__
    streamed(run, removals(run.model, "zero", "bypass"))
    assert nn.Module.__call__ is call
    assert all(torch.equal(one, before[name]) for name, one in run.model.state_dict().items())
    assert not any("forward" in vars(one) or one._forward_hooks for one in run.model.modules())
