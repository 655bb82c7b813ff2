"""Studies over examples whose arms stop once their verdicts are settled, beside the same studies evaluated whole."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
from lesion.agent.analysis.arrays import Floats
from lesion.agent.analysis.contrasts import single_removals
from lesion.agent.analysis.examples import estimate_examples
from lesion.agent.analysis.looks import Look, Rules
from lesion.agent.analysis.stopping import Stopping as Watched
from lesion.agent.analysis.verdicts import EffectFacts, effect_verdict
from lesion.executor.inside.stopping import Stopping

from .rates import Rate

ALPHA, SHARE = 0.05, 0.2
METRIC = "loss"
Draw = Callable[[np.random.Generator, tuple[int, int]], Floats]


@dataclass(frozen=True)
class Shape:
    """How differences are distributed: mean 0, standard deviation 1."""

    name: str
    draw: Draw


def normal(generator: np.random.Generator, size: tuple[int, int]) -> Floats:
    """As the t takes them to be."""
    return generator.normal(size=size)


def skewed(generator: np.random.Generator, size: tuple[int, int]) -> Floats:
    """Lognormal with σ = 1: skewness 6.2."""
    return (np.exp(generator.normal(size=size)) - np.exp(0.5)) / np.sqrt((np.e - 1) * np.e)


def heavy(generator: np.random.Generator, size: tuple[int, int]) -> Floats:
    """Student's t with 3 degrees of freedom: no fourth moment."""
    return generator.standard_t(3, size=size) / np.sqrt(3)


def spikes(often: float) -> Draw:
    """Nearly all examples hardly change, and a share of them by much."""

    def draw(generator: np.random.Generator, size: tuple[int, int]) -> Floats:
        mixed = 0.05 * generator.normal(size=size) + (generator.random(size) < often) - often
        return mixed / np.sqrt(0.05**2 + often * (1 - often))

    return draw


def sorted_batches(share: float, size: int) -> Draw:
    """Normal, of which a share of the variance is common to all examples of one batch."""

    def draw(generator: np.random.Generator, shape: tuple[int, int]) -> Floats:
        common = np.repeat(generator.normal(size=(shape[0], -(-shape[1] // size))), size, axis=1)[:, : shape[1]]
        return np.sqrt(share) * common + np.sqrt(1 - share) * generator.normal(size=shape)

    return draw


@dataclass(frozen=True)
class Study:
    """One kind of study: many targets with the same true loss, half of them turned."""

    shape: Shape
    loss: float
    """True loss of every target, in δ; signs alternate."""
    targets: int = 20
    examples: int = 512
    batch: int = 16
    delta: float = 1.0
    spreads: tuple[float, ...] = (6.0, 3.0, 1.5, 0.75, 0.3)
    """Standard deviations of the differences, in δ, one target after another; at 6, a fixed-size test of 20 targets needs
    these 512 examples for 80% power at δ."""

    def draw(self, generator: np.random.Generator) -> Floats:
        """A baseline and its arms, shape [targets + 1, examples]."""
        sd = np.resize(self.spreads, self.targets)[:, None]
        found = self.loss * turns(self.targets) + sd * self.shape.draw(generator, (self.targets, self.examples))
        return np.concatenate([np.zeros((1, self.examples)), -found * self.delta])


@dataclass(frozen=True)
class Triggered(Study):
    """The whole loss comes from few examples: a share of them, the same in every arm."""

    often: float = 0.05

    def draw(self, generator: np.random.Generator) -> Floats:
        """A baseline and its arms, shape [targets + 1, examples]."""
        size = self.targets, self.examples
        found = 0.1 * generator.normal(size=size) + self.loss / self.often * (generator.random(size) < self.often)
        return np.concatenate([np.zeros((1, self.examples)), -found * turns(self.targets)])


@dataclass(frozen=True)
class Answers(Study):
    """Right or wrong; `changing` tells in what further share of the examples an arm answers otherwise, half of them better."""

    delta: float = 0.1
    changing: tuple[float, ...] = (0.3, 0.1, 0.03, 0.0)

    def draw(self, generator: np.random.Generator) -> Floats:
        """A baseline and its arms, shape [targets + 1, examples]."""
        loss = self.loss * self.delta * turns(self.targets)
        share = np.abs(loss) + np.resize(self.changing, self.targets)[:, None]
        right = generator.random(self.examples) < 0.5
        changed = generator.random((self.targets, self.examples)) < np.where(right, share + loss, share - loss)
        return np.concatenate([right[None], right ^ changed]).astype(np.float64)


def turns(targets: int) -> Floats:
    """Signs of the targets' losses, shape [targets, 1]."""
    return np.where(np.arange(targets) % 2, 1.0, -1.0)[:, None]


def stopped(y: Floats, batch: int, delta: float) -> Floats:
    """The same values, NaN from where each arm was settled."""
    seen = y.copy()
    for row in seen[1:]:
        rule = Stopping(ALPHA, SHARE, len(y) - 1, {METRIC: delta})
        for start in range(0, y.shape[1], batch):
            if rule.settled:
                row[start:] = np.nan
                break
            part = slice(start, start + batch)
            rule.take({METRIC: y[0, part].tolist()}, {METRIC: row[part].tolist()})
    return seen


def verdicts(y: Floats, delta: float, *, early: bool) -> list[str]:
    """Of every target; "nonzero" where it is negligible and not 0."""
    rules = Rules(delta, (Look(1, ALPHA),), ALPHA)
    watched = Watched(SHARE, np.arange(len(y)) > 0) if early else None
    found = estimate_examples(y, single_removals(len(y) - 1), rules, stopping=watched).estimates
    told = (effect_verdict(one, EffectFacts(), rules) for one in found)
    return ["nonzero" if one.nonzero else one.verdict for one in told]


@dataclass(frozen=True)
class Errors:
    """Shares of studies with a false verdict among their targets."""

    beyond: Rate
    """Something is said to differ though the loss is 0, or to be beyond δ though it is at most δ."""
    within: Rate
    """Something is said to be negligible though its loss is δ."""
    used: float
    """Mean share of the examples that an arm was evaluated on."""

    @classmethod
    def of(cls, loss: float, told: Sequence[Collection[str]], used: float) -> "Errors":
        """Of the verdicts of studies whose losses are all `loss` times ±δ."""
        false = {"matters", "hurts", *(("detected", "nonzero") if loss == 0 else ())}
        beyond = sum(not false.isdisjoint(one) for one in told) / len(told)
        within = sum(abs(loss) >= 1 and not {"negligible", "nonzero"}.isdisjoint(one) for one in told) / len(told)
        return cls(Rate(beyond, len(told)), Rate(within, len(told)), used)


def errors(study: Study, studies: int) -> tuple[Errors, Errors]:
    """With stopping early, and of the same studies evaluated whole."""
    generator = np.random.default_rng([studies, *study.shape.name.encode()])
    early, whole, used = list[Collection[str]](), list[Collection[str]](), list[float]()
    for _ in range(studies):
        y = study.draw(generator)
        seen = stopped(y, study.batch, study.delta)
        early.append(verdicts(seen, study.delta, early=True))
        whole.append(verdicts(y, study.delta, early=False))
        used.append(float(np.isfinite(seen[1:]).mean()))
    return Errors.of(study.loss, early, float(np.mean(used))), Errors.of(study.loss, whole, 1.0)
