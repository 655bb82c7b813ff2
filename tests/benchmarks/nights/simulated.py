"""Simulated studies of simulated nights: costs, effects and noise are made up, δ is 1.

What an arm comes to at each planned look is known beforehand, so that all policies meet the same truth. Inside a night an arm
is judged with the true σ and by Bonferroni (normal approximation of the main table: pooled σ, Holm), which makes it
independent of the order of the others; what counts in the morning is judged by the real analysis.
"""

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from lesion.agent.analysis.arrays import Floats
from lesion.agent.analysis.effects import effect_table
from lesion.agent.analysis.estimates import Estimate
from lesion.agent.analysis.forecast import Design, chances
from lesion.agent.analysis.inference import equivalence_p, interval, two_sided_p
from lesion.agent.analysis.looks import Look, Rules, planned_looks
from lesion.agent.analysis.noise import seeds_to_settle
from lesion.agent.analysis.verdicts import EffectFacts, effect_verdict
from lesion.agent.foresight import EFFECT
from lesion.agent.records.base import OPEN, EffectVerdict
from lesion.agent.records.power import LookAhead
from lesion.agent.rounds import WORTHWHILE, _chance  # pyright: ignore[reportPrivateUsage]

SEEDS = 20
DELTA = 1.0
KINDS = (0.0, 0.5, 1.5, 4.0)
"""Typical size of a null, a small, a middling and a large effect, in δ."""
SHARES = (0.45, 0.2, 0.2, 0.15)
"""How often each of them is drawn."""
SIGMAS = (0.2, 0.3, 0.45, 0.65, 0.9, 1.2)


@dataclass(frozen=True)
class SimulatedStudy:
    """A study whose every trial is known before it runs."""

    effects: Floats
    """True losses, shape [A]."""
    sigma: float
    costs: Floats
    """Seconds of a trial, shape [1 + A], row 0 the baseline."""
    values: Floats
    """Shape [1 + A, SEEDS], larger is better."""
    looks: tuple[Look, ...]

    @property
    def arms(self) -> int:
        return len(self.effects)

    @property
    def rules(self) -> Rules:
        return Rules(DELTA, self.looks)

    @cached_property
    def estimates(self) -> list[list[Estimate]]:
        """Look → arm → what is known of it then, with the true σ."""
        found: list[list[Estimate]] = []
        least, least_equivalence = np.ones(self.arms), np.ones(self.arms)
        for look in self.looks:
            n = look.seeds
            loss = (self.values[0, :n] - self.values[1:, :n]).mean(axis=1)
            se, df = np.full(self.arms, self.sigma * np.sqrt(2 / n)), np.full(self.arms, float(self.arms * (n - 1)))
            times = self.arms * self.rules.alpha / look.alpha
            least = np.minimum(least, two_sided_p(loss, se, df) * times)
            least_equivalence = np.minimum(least_equivalence, np.maximum(*equivalence_p(loss, se, df, DELTA)) * times)
            lower, upper = interval(loss, se, df, look.alpha / self.arms)
            found.append(
                [
                    Estimate(
                        loss=float(loss[i]),
                        n=n,
                        look=look,
                        se=float(se[i]),
                        df=float(df[i]),
                        p_adjusted=float(least[i]),
                        p_equivalence=float(least_equivalence[i]),
                        interval=(float(lower[i]), float(upper[i])),
                    )
                    for i in range(self.arms)
                ]
            )
        return found

    def chance(self, arm: int, done: int, to: int) -> float:
        """To settle at look `to` with `done` looks completed, as the study itself reckons it."""
        if done == 0:
            return 1.0
        return _chance(self.estimates[done - 1][arm], [self.looks[to]], self.arms, self.rules)

    @cached_property
    def seeds_to_settle(self) -> list[list[int | None]]:
        """Look → arm → seeds in all that its present loss asks for; None where the last look has fewer."""
        alpha, most = self.looks[-1].alpha, self.looks[-1].seeds
        return [
            [seeds_to_settle(one, delta=DELTA, alpha=alpha, m=self.arms, limit=most) for one in row]
            for row in self.estimates
        ]

    @property
    def ahead(self) -> list[LookAhead]:
        """What was foretold of the looks."""
        return _foretold(self.sigma, self.arms, self.looks)

    @cached_property
    def wanted(self) -> list[int]:
        """Arm → looks that it takes until it is settled or not worth another."""
        return [self._wanted(arm) for arm in range(self.arms)]

    def is_settled_at(self, arm: int, done: int) -> bool:
        """Whether the arm is settled once so many of its looks are completed."""
        return is_settled(self.judged_at(arm, done))

    def _wanted(self, arm: int) -> int:
        for done in range(1, len(self.looks)):
            if self.is_settled_at(arm, done):
                return done
            remaining = self.looks[done:]
            if _chance(self.estimates[done - 1][arm], remaining, self.arms, self.rules) < WORTHWHILE:
                return done
        return len(self.looks)

    @property
    def work(self) -> float:
        """Seconds that an endless night takes for all."""
        seeds = [self.looks[one - 1].seeds for one in self.wanted]
        return float(max(seeds) * self.costs[0] + sum(n * cost for n, cost in zip(seeds, self.costs[1:], strict=True)))

    def judged_at(self, arm: int, done: int) -> EffectVerdict:
        """The night's own verdict on an arm once so many of its looks are completed."""
        return effect_verdict(self.estimates[done - 1][arm], EffectFacts(), self.rules).verdict

    def verdicts(self, finished: list[int]) -> list[EffectVerdict]:
        """What the real analysis says of arms with so many finished seeds; row 0 of `finished` is the baseline."""
        done = np.arange(SEEDS) < np.array(finished)[:, None]
        y = np.where(done, self.values, np.nan)
        table = effect_table(y[0], y[1:], baseline_finished=done[0], finished=done[1:], rules=self.rules)
        return [effect_verdict(one, EffectFacts(), self.rules).verdict for one in table.estimates]

    def is_right(self, arm: int, verdict: EffectVerdict) -> bool:
        """Whether a settled verdict is the truth."""
        effect = self.effects[arm]
        return {"matters": effect > DELTA, "hurts": effect < -DELTA, "negligible": abs(effect) < DELTA}[verdict]


@cache
def _foretold(sigma: float, arms: int, looks: tuple[Look, ...]) -> list[LookAhead]:
    found = chances(Design(sigma, DELTA, arms), looks, EFFECT * DELTA)
    return [
        LookAhead(n=look.seeds, minimum_detectable_effect=None, negligible=one.negligible, matters=one.matters)
        for look, one in zip(looks, found, strict=True)
    ]


def is_settled(verdict: EffectVerdict) -> bool:
    """Whether more seeds would add nothing."""
    return verdict not in (*OPEN, "untestable")


@dataclass(frozen=True)
class SimulatedNight:
    """Studies and the seconds there are for them."""

    studies: list[SimulatedStudy]
    seconds: float


def simulated_study(rng: np.random.Generator) -> SimulatedStudy:
    """8 to 40 arms; σ/δ one of `SIGMAS`; costs log-normal between studies (σ 1) and arms (σ .5)."""
    arms = int(rng.integers(8, 41))
    sizes = rng.choice(KINDS, size=arms, p=SHARES) * rng.lognormal(0, 0.25, arms)
    effects = sizes * rng.choice([1.0, -1.0], size=arms, p=[0.85, 0.15])
    sigma = float(rng.choice(SIGMAS))
    costs = 60 * rng.lognormal(0, 1) * np.concatenate([[1.0], rng.lognormal(0, 0.5, arms)])
    truth = 10 - np.concatenate([[0.0], effects])
    values = truth[:, None] + sigma * rng.standard_normal((1 + arms, SEEDS))
    return SimulatedStudy(effects, sigma, costs, values, planned_looks(3, SEEDS, 0.05))


def simulated_night(seed: int, share: float | None = None) -> SimulatedNight:
    """1 to 3 studies; time for between 20 % and 80 % of the work, or for the given share of it."""
    rng = np.random.default_rng(seed)
    studies = [simulated_study(rng) for _ in range(int(rng.integers(1, 4)))]
    part = rng.uniform(0.2, 0.8)
    return SimulatedNight(studies, (part if share is None else share) * sum(one.work for one in studies))
