"""One round of a study: its tables on the data so far, and what its planned looks decide to run next."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from .analysis.effects import effect_table
from .analysis.estimates import Estimate, Table
from .analysis.interactions import InteractionTable, interaction_table
from .analysis.joint import BASELINE as NOTHING_REMOVED
from .analysis.joint import Arm as Values
from .analysis.looks import Look, Rules, planned_looks
from .analysis.noise import (
    Family,
    RunNoise,
    is_at_floor,
    minimum_detectable_effect,
    proposed_delta,
    run_noise,
    seeds_for_equivalence,
)
from .analysis.settling import chance_to_detect, chance_to_settle
from .analysis.verdicts import EffectFacts, effect_verdict, is_negligible
from .arms import Arm, splits_of
from .components import Component
from .planning.plan import BASELINE, Ablation, Plan
from .results import BaselineMetric, EffectVerdict, Mode
from .spec import StudySpec

WORTHWHILE = 0.05
"""Seeds are bought only where some remaining look settles the verdict with at least this chance."""
OPEN = ("undecided", "detected")


@dataclass(frozen=True)
class Evidence:
    """Everything that findings are drawn from."""

    spec: StudySpec
    mode: Mode
    plans: Sequence[Plan]
    components: dict[str, Component]
    arms: dict[str, Arm]
    stopped: dict[str, tuple[EffectVerdict, str]]
    """Ablation → verdict and reason of those that never got past their check."""
    dropped: dict[str, str]
    """Ablation → why it was not run at all."""
    split: str
    """Which split the figures are computed on; looks are always decided on `planning_split`."""

    @cached_property
    def planning_split(self) -> str:
        """What planning and the looks may see: `validation` where there are two splits."""
        splits = splits_of(self.baseline)
        return "validation" if "validation" in splits or not splits else splits[0]

    @cached_property
    def looked_at(self) -> "Evidence":
        """The same evidence on the planning split."""
        return self if self.split == self.planning_split else replace(self, split=self.planning_split)

    @cached_property
    def _caps(self) -> dict[int, dict[str, int]]:
        return {}

    def caps(self, plan: Plan) -> dict[str, int]:
        """Ablation → seeds that the looks of a round have asked for."""
        known = self.looked_at._caps
        if plan.round not in known:
            known[plan.round] = settle(self, plan).caps
        return known[plan.round]

    @cached_property
    def looks(self) -> tuple[Look, ...]:
        """The planned looks."""
        return planned_looks(self.spec.study.seeds, self.spec.study.max_seeds, self.spec.study.alpha)

    @property
    def columns(self) -> int:
        """Seeds that a table has room for."""
        return max(self.spec.study.max_seeds, self.spec.study.seeds)

    @property
    def baseline(self) -> Arm:
        """The arm with nothing removed."""
        return self.arms.get(BASELINE, Arm(BASELINE))

    def arm(self, name: str) -> Arm:
        """The trials of an ablation; empty before any ran."""
        return self.arms.get(name, Arm(name))

    def values(self, name: str, metric: str, cap: int | None = None) -> Values:
        """An arm's values on this split, turned so that larger is better.

        An arm whose removal did nothing has none: its runs are the baseline's again, and would count twice in a pool.
        """
        sign, arm = sign_of(self.spec.metrics[metric].goal), self.arm(name)
        return (Arm(name) if arm.idle else arm).values(self.split, metric, sign, self.columns, cap)

    def values_in_joint(self, name: str, metric: str, cap: int) -> Values:
        """Likewise for a member of a joint removal, where one that did nothing alone stands as the baseline itself."""
        return self.values(BASELINE if self.arm(name).idle else name, metric, cap)

    def rules(self, name: str) -> Rules:
        """δ, looks and α of a metric's tests."""
        noise = noise_floor(self, name)
        return Rules(noise.smallest_effect if noise else 0.0, self.looks, self.spec.study.alpha)

    def shown_negligible(self, name: str) -> list[frozenset[str]]:
        """The singles of round 1 that are shown negligible on a metric."""
        first = tables(self, self.plans[0], name, self.caps(self.plans[0]))
        rules = self.rules(name)
        quiet = [one for one in first.family if self.arm(one.id).idle or is_negligible(first.estimate(one), rules)]
        return [frozenset(one.components) for one in quiet]

    def family(self, plan: Plan) -> list[Ablation]:
        """A round's ablations that passed their check: the family that is corrected together."""
        return [one for one in plan.ablations if one.id not in self.stopped and one.id not in self.dropped]


@dataclass(frozen=True)
class Round:
    """The tables of one round on one metric."""

    plan: Plan
    family: list[Ablation]
    effects: Table
    interactions: InteractionTable | None
    caps: dict[str, int]
    """Ablation → seeds that its looks have asked for."""

    @cached_property
    def _estimates(self) -> dict[str, Estimate]:
        found = dict(zip((one.id for one in self.family), self.effects.estimates, strict=True))
        if self.interactions is not None:
            joint = (one.id for one in self.family if len(one.components) > 1)
            found |= zip(joint, self.interactions.joint_losses.estimates, strict=True)
        return found

    def estimate(self, ablation: Ablation) -> Estimate:
        """The loss of one ablation; of a joint removal, as a member of the family of joint losses."""
        return self._estimates.get(ablation.id, Estimate(loss=None, n=0))

    def contrast(self, ablation: Ablation) -> Estimate | None:
        """The interaction of a joint removal; None for a single."""
        joint = [one.id for one in self.family if len(one.components) > 1]
        if self.interactions is None or ablation.id not in joint:
            return None
        return self.interactions.interactions[joint.index(ablation.id)].contrast


def settle(evidence: Evidence, plan: Plan) -> Round:
    """Follow the planned looks through a round on the primary metric: each arm gets the seeds that its verdicts ask for.

    A pure function of the ledger: a study that was killed and resumed asks for the same trials.
    """
    seen, primary = evidence.looked_at, evidence.spec.primary
    caps = {one.id: seen.looks[0].seeds for one in seen.family(plan)}
    for index, look in enumerate(seen.looks):
        current = tables(seen, plan, primary, caps)
        at_look = [one for one in current.family if caps[one.id] == look.seeds]
        if index + 1 == len(seen.looks) or any(not seen.arm(one.id).over(look.seeds) for one in at_look):
            return current
        for one in at_look:
            if worth_seeds(seen, current, one, seen.looks[index + 1 :]):
                caps[one.id] = seen.looks[index + 1].seeds
    return tables(seen, plan, primary, caps)


def worth_seeds(evidence: Evidence, current: Round, ablation: Ablation, remaining: Sequence[Look]) -> bool:
    """Whether an arm is open and one of the remaining looks may settle it."""
    arm = evidence.arm(ablation.id)
    if arm.broken or arm.hopeless or arm.idle:
        return False
    return settling_chance(evidence, current, ablation, remaining) >= WORTHWHILE


def settling_chance(evidence: Evidence, current: Round, ablation: Ablation, looks: Sequence[Look]) -> float:
    """The best chance among `looks` to settle what an ablation asks: a pair's interaction, else the loss.

    A larger group asks whether all of it can go: its contrast has the noise of every single added up.
    """
    rules = evidence.rules(evidence.spec.primary)
    contrast = current.contrast(ablation) if len(ablation.components) == 2 else None
    estimate = contrast or current.estimate(ablation)
    family = sum(len(one.components) > 1 for one in current.family) if contrast else len(current.family)
    verdict = effect_verdict(estimate, EffectFacts(), rules).verdict
    if verdict not in OPEN:
        return 0.0
    settled = max(chance_to_settle(estimate, look, delta=rules.delta, m=family) for look in looks)
    if verdict != "undecided":
        return settled
    return max(settled, *(chance_to_detect(estimate, look, m=family) for look in looks))


def tables(evidence: Evidence, plan: Plan, name: str, caps: dict[str, int]) -> Round:
    """The round's tables on the metric `name`, with each arm's seeds up to its cap."""
    family = evidence.family(plan)
    values = [evidence.values(one.id, name, caps.get(one.id)) for one in family]
    baseline = evidence.values(BASELINE, name)
    empty = (0, evidence.columns)
    effects = effect_table(
        baseline.values,
        np.stack([one.values for one in values]) if values else np.empty(empty),
        baseline_finished=baseline.finished,
        finished=np.stack([one.finished for one in values]) if values else np.empty(empty, dtype=np.bool_),
        rules=evidence.rules(name),
    )
    return Round(plan, family, effects, _interactions(evidence, plan, name, caps), caps)


def _interactions(evidence: Evidence, plan: Plan, name: str, caps: dict[str, int]) -> InteractionTable | None:
    """A later round, and the seeds that it buys for arms of this one, never change an earlier p."""
    joint = [one for one in evidence.family(plan) if len(one.components) > 1]
    if not joint:
        return None
    earlier = [one for one in evidence.plans if one.round < plan.round]
    asked = {name: cap for one in earlier for name, cap in evidence.caps(one).items()} | caps
    for one in joint:
        asked |= {part: max(asked.get(part, 0), caps[one.id]) for part in one.components}
    defaults = [one for each in (*earlier, plan) for one in each.ablations if one.role != "sensitivity"]
    arms = {
        frozenset(one.components): evidence.values_in_joint(one.id, name, asked[one.id])
        for one in reversed(defaults)
        if one.id in asked
    }
    metric = evidence.spec.metrics[name]
    return interaction_table(
        {NOTHING_REMOVED: evidence.values(BASELINE, name, max(caps.values())), **arms},
        [frozenset(one.components) for one in joint],
        rules=evidence.rules(name),
        negligible=evidence.shown_negligible(name) if plan.round > 1 else (),
        floor=None if metric.floor is None else sign_of(metric.goal) * metric.floor,
    )


def noise_floor(evidence: Evidence, name: str) -> BaselineMetric | None:
    """The baseline's mean and run-to-run noise, and what can be settled with it; None before a baseline run is done."""
    metric, study = evidence.spec.metrics[name], evidence.spec.study
    values = evidence.baseline.values(evidence.split, name, 1, evidence.columns).values
    proposing = evidence.baseline.values(evidence.planning_split, name, 1, evidence.looks[0].seeds).values
    noise = run_noise(values)
    if noise is None:
        return None
    delta = metric.smallest_effect or proposed_delta(proposing) or 0.0
    family = len(evidence.family(evidence.plans[0])) if evidence.plans else 1
    return BaselineMetric(
        mean=noise.mean,
        sd=noise.sd or 0.0,
        n=noise.n,
        minimum_detectable_effect=_detectable(noise, evidence.looks[0], max(1, family)),
        goal=metric.goal,
        floor=metric.floor,
        smallest_effect=delta,
        smallest_effect_proposed=metric.smallest_effect is None,
        seeds_for_negligible=_for_negligible(noise, delta, study.alpha, max(1, family)),
        max_seeds=study.max_seeds,
    )


def at_floor(noise: BaselineMetric) -> bool:
    """Whether the baseline is within noise of chance, where nothing can be lost."""
    sign = sign_of(noise.goal)
    return noise.floor is not None and is_at_floor(sign * noise.mean, noise.sd, sign * noise.floor)


def _detectable(noise: RunNoise, look: Look, family: int) -> float | None:
    if noise.sd is None:
        return None
    return minimum_detectable_effect(noise.sd, look.seeds, Family(look.alpha, family, family))


def _for_negligible(noise: RunNoise, delta: float, alpha: float, family: int) -> int | None:
    return None if noise.sd is None else seeds_for_equivalence(noise.sd, delta, Family(alpha, family, family))


def sign_of(goal: str) -> int:
    """+1 where larger is better, −1 where smaller is."""
    return 1 if goal == "maximize" else -1
