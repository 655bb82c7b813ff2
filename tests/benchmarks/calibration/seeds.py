"""Studies over seeds, one look: family-wise error, coverage, false equivalence and power of the main table."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from lesion.agent.analysis.arrays import Floats
from lesion.agent.analysis.effects import effect_table
from lesion.agent.analysis.estimates import Estimate
from lesion.agent.analysis.looks import Look, Rules
from lesion.agent.analysis.multiplicity import holm
from lesion.agent.analysis.verdicts import EffectFacts, effect_verdict
from scipy import stats

from .rates import Rate

FOUND = ("matters", "hurts", "detected")


@dataclass(frozen=True)
class Noise:
    """How noisy the arms are: σ = 1, spread over arms, and one of them noisier still."""

    name: str
    spread: float = 0.0
    """Standard deviation of log σ over the arms."""
    arm: float = 1.0
    """Factor of one ablated arm."""
    baseline: float = 1.0
    """Factor of the baseline."""

    def sigma(self, targets: int, generator: np.random.Generator) -> Floats:
        """Noise of every arm, the baseline first; shape [targets + 1, 1]."""
        sigma = np.exp(generator.normal(0, self.spread, size=(targets + 1, 1)))
        sigma[0] *= self.baseline
        sigma[-1] *= self.arm
        return sigma


EQUAL = Noise("equal variances")
UNEQUAL = (Noise("sd(log σ) = .4", 0.4), Noise("sd(log σ) = .7", 0.7))
ONE_NOISY = Noise("one arm 10 times noisier", arm=10)
WORST = (
    Noise("one arm 3 times noisier", arm=3),
    Noise("one arm 5 times noisier", arm=5),
    Noise("baseline 3 times noisier", baseline=3),
    Noise("baseline 10 times noisier", baseline=10),
)


def one_look(seeds: int, delta: float) -> Rules:
    """Everything is looked at once."""
    return Rules(delta, (Look(seeds, 0.05),))


def estimates(y: Floats, rules: Rules) -> tuple[Estimate, ...]:
    """The main table of a finished study, shape [targets + 1, seeds]."""
    done = np.ones(y.shape, dtype=np.bool_)
    return effect_table(y[0], y[1:], baseline_finished=done[0], finished=done[1:], rules=rules).estimates


def studies(n: int, losses: Floats, seeds: int, noise: Noise, seed: int) -> Iterator[Floats]:
    """Simulated studies with the given true losses: a seed effect of 1σ is shared by all arms."""
    generator = np.random.default_rng([seed, losses.size, seeds, *noise.name.encode()])
    means = -np.concatenate([[0.0], losses])[:, None]
    for _ in range(n):
        sigma = noise.sigma(losses.size, generator)
        yield means + sigma * generator.normal(size=(losses.size + 1, seeds)) + generator.normal(size=seeds)


def something_found(estimate: Estimate, rules: Rules) -> bool:
    """Whether a difference is claimed, under whatever name."""
    finding = effect_verdict(estimate, EffectFacts(), rules)
    return finding.verdict in FOUND or finding.nonzero


def family_wise_error(n: int, targets: int, seeds: int, noise: Noise) -> Rate:
    """Share of studies without any effect in which one is found."""
    rules = one_look(seeds, 0.5)
    drawn = studies(n, np.zeros(targets), seeds, noise, 1)
    wrong = sum(any(something_found(one, rules) for one in estimates(y, rules)) for y in drawn)
    return Rate(wrong / n, n)


def coverage(n: int, targets: int, seeds: int, noise: Noise) -> Rate:
    """Share of studies in which every interval holds its true loss: a tenth of them large, a tenth small."""
    losses = np.zeros(targets)
    losses[::10], losses[1::10] = 4.0, -0.7
    rules = one_look(seeds, 0.5)
    held = 0
    for y in studies(n, losses, seeds, noise, 2):
        ends = np.array([one.interval for one in estimates(y, rules)])
        held += bool(np.all((ends[:, 0] <= losses) & (losses <= ends[:, 1])))
    return Rate(held / n, n)


def false_negligible(n: int, targets: int, seeds: int, noise: Noise, delta: float = 3.0) -> Rate:
    """Share of studies with true losses of exactly ±δ, all of them, in which one is called negligible."""
    losses = delta * np.where(np.arange(targets) % 2, 1.0, -1.0)
    rules = one_look(seeds, delta)
    wrong = 0
    for y in studies(n, losses, seeds, noise, 3):
        found = (effect_verdict(one, EffectFacts(), rules).verdict for one in estimates(y, rules))
        wrong += "negligible" in found
    return Rate(wrong / n, n)


def power(n: int, targets: int, seeds: int, real: int, loss: float = 3.0) -> tuple[Rate, Rate]:
    """Share of `real` true losses of 3σ that are found: by the main table, and by paired t tests with Holm."""
    losses = np.where(np.arange(targets) < real, loss, 0.0)
    rules = one_look(seeds, 0.5)
    pooled = paired = 0
    for y in studies(n, losses, seeds, EQUAL, 4):
        pooled += sum(something_found(one, rules) for one in estimates(y, rules)[:real])
        p = holm(stats.ttest_rel(y[:1], y[1:], axis=1).pvalue)
        paired += int((p[:real] <= rules.alpha).sum())
    return Rate(pooled / (n * real), n * real), Rate(paired / (n * real), n * real)
