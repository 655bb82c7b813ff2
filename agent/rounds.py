"""One round of a study: its tables on the data so far, and what its planned looks decide to run next."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from .analysis.arrays import Bools, Floats
from .analysis.contrasts import single_removals
from .analysis.effects import effect_table
from .analysis.estimates import Estimate, Table
from .analysis.interactions import InteractionTable, interaction_table
from .analysis.joint import BASELINE as NOTHING_REMOVED
from .analysis.joint import Arm as Values
from .analysis.joint import Components
from .analysis.looks import Look, Rules
from .analysis.settling import chance_to_detect, chance_to_settle
from .analysis.verdicts import FEWEST_UNITS, EffectFacts, effect_verdict, is_negligible
from .crossing import crossing_of
from .evidence import Evidence, sign_of
from .noisefloor import noise_floor, smallest_effect
from .overexamples import JointValues, arms_table
from .planning.factorial import FACTORIAL
from .planning.plan import BASELINE, DEFAULTS, Ablation, Plan
from .records.base import OPEN

WORTHWHILE = 0.05
"""Seeds are bought only where some remaining look settles the verdict with at least this chance."""


@dataclass(frozen=True)
class Round:
    """The tables of one round on one metric."""

    plan: Plan
    family: list[Ablation]
    effects: Table
    interactions: InteractionTable | None
    caps: dict[str, int]
    """Ablation → seeds that its looks have asked for."""
    rules: Rules
    """What its tests went by."""

    @cached_property
    def joint(self) -> list[str]:
        """Its joint removals: the family of the interactions."""
        return [one.id for one in self.family if len(one.components) > 1]

    @cached_property
    def _estimates(self) -> dict[str, Estimate]:
        found = dict(zip((one.id for one in self.family), self.effects.estimates, strict=True))
        if self.interactions is not None:
            found |= zip(self.joint, self.interactions.joint_losses.estimates, strict=True)
        return found

    @cached_property
    def _contrasts(self) -> dict[str, Estimate]:
        if self.interactions is None:
            return {}
        return dict(zip(self.joint, (one.contrast for one in self.interactions.interactions), strict=True))

    def estimate(self, ablation: Ablation) -> Estimate:
        """The loss of one ablation; of a joint removal, as a member of the family of joint losses."""
        return self._estimates.get(ablation.id, Estimate(loss=None, n=0))

    def contrast(self, ablation: Ablation) -> Estimate | None:
        """The interaction of a joint removal; None for a single."""
        return self._contrasts.get(ablation.id)


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
        for one in _worth_more(seen, current, at_look, seen.looks[index + 1 :]):
            caps[one.id] = seen.looks[index + 1].seeds
    return tables(seen, plan, primary, caps)


def _worth_more(
    evidence: Evidence, current: Round, at_look: list[Ablation], remaining: Sequence[Look]
) -> list[Ablation]:
    """Arms that a further look may settle. A factorial is valid only where it is balanced: its cells go on together."""
    cells = [one.id for one in at_look if one.why == FACTORIAL]
    together = _factorial_is_open(evidence, current, current.caps[cells[0]], remaining) if cells else None
    wished = {name for plan in evidence.plans for name in plan.more_seeds}
    return [
        one
        for one in at_look
        if (goes_on(evidence, current, one, remaining, wished) if together is None or one.id not in cells else together)
    ]


def goes_on(
    evidence: Evidence, current: Round, one: Ablation, remaining: Sequence[Look], wished: Collection[str]
) -> bool:
    """Whether an arm gets a further look: for its chance, or because a plan asked for it while it was open.

    Going on where the chance is small is always valid: α is spent by the looks that are planned, not by those that are taken.
    """
    arm = evidence.arm(one.id)
    if arm.broken or arm.hopeless or arm.idle:
        return False
    chance = settling_chance(current, one, remaining)
    return chance > 0 if one.id in wished else chance >= WORTHWHILE


def _factorial_is_open(evidence: Evidence, current: Round, cap: int, remaining: Sequence[Look]) -> bool | None:
    """Whether a look may settle a main effect or an interaction of two; None where a cell is missing for good."""
    crossing, primary = crossing_of(evidence, current.plan), evidence.spec.primary
    if crossing is None or crossing.missing(evidence):
        return None
    rules = rules_of(evidence, primary)
    effects = crossing.table(evidence, primary, cap, rules).effects
    asked = [one.estimate for one in effects if len(one.components) <= 2]
    return any(_chance(one, remaining, len(effects), rules) >= WORTHWHILE for one in asked)


def settling_chance(current: Round, ablation: Ablation, looks: Sequence[Look]) -> float:
    """The best chance among `looks` to settle what an ablation asks: a pair's interaction, else the loss.

    A larger group asks whether all of it can go: its contrast has the noise of every single added up.
    """
    rules = current.rules
    contrast = current.contrast(ablation) if len(ablation.components) == 2 else None
    estimate = contrast or current.estimate(ablation)
    family = len(current.joint if contrast else current.family)
    return _chance(estimate, looks, family, rules)


def _chance(estimate: Estimate, looks: Sequence[Look], family: int, rules: Rules) -> float:
    verdict = effect_verdict(estimate, EffectFacts(), rules).verdict
    if 0 < estimate.n < FEWEST_UNITS:
        return 1.0  # runs have failed, and too few are left to be judged at all
    if verdict not in OPEN:
        return 0.0
    settled = max(chance_to_settle(estimate, look, delta=rules.delta, m=family) for look in looks)
    if verdict != "undecided":
        return settled
    return max(settled, *(chance_to_detect(estimate, look, m=family) for look in looks))


def rules_of(evidence: Evidence, name: str) -> Rules:
    """δ, looks and α of a metric's tests."""
    return evidence.rules_for(smallest_effect(evidence, name))


def caps_of(evidence: Evidence, plan: Plan) -> dict[str, int]:
    """Ablation → seeds that the looks of a round have asked for."""
    known: dict[int, dict[str, int]] = evidence.looked_at.memory
    if plan.round not in known:
        known[plan.round] = settle(evidence, plan).caps
    return known[plan.round]


def tables(evidence: Evidence, plan: Plan, name: str, caps: dict[str, int]) -> Round:
    """The round's tables on the metric `name`: over examples where there are any, else over each arm's seeds up to its cap."""
    family, rules = evidence.family(plan), rules_of(evidence, name)._replace(screen=plan.is_screen)
    if evidence.by_examples(name):
        arms = [_alone(evidence, one.id) for one in family]
        effects = arms_table(evidence, name, arms, single_removals(len(family)), rules)
    else:
        effects = _over_seeds(evidence, plan, name, caps, rules)
    return Round(plan, family, effects, _interactions(evidence, plan, name, caps, rules), caps, rules)


def _alone(evidence: Evidence, name: str) -> str:
    """An arm whose removal did nothing has no values of its own."""
    return "" if evidence.arm(name).idle else name


def _over_seeds(evidence: Evidence, plan: Plan, name: str, caps: dict[str, int], rules: Rules) -> Table:
    """A later round's noise is pooled with that of the earlier ones' arms, so that its tests are as sharp as theirs."""
    family, baseline = evidence.family(plan), evidence.values(BASELINE, name)
    arms = [evidence.values(one.id, name, caps.get(one.id)) for one in family]
    own = {evidence.canonical[one.id] for one in family}
    earlier = {
        evidence.canonical[each]: cap
        for one in evidence.plans
        if one.round < plan.round
        for each, cap in caps_of(evidence, one).items()
    }
    context = [evidence.values(each, name, cap) for each, cap in earlier.items() if each not in own]
    return effect_table(
        baseline.values,
        _rows(evidence, arms),
        baseline_finished=baseline.finished,
        finished=_rows_finished(evidence, arms),
        rules=rules,
        context=_rows(evidence, context),
        context_finished=_rows_finished(evidence, context),
    )


def _rows(evidence: Evidence, arms: Sequence[Values]) -> Floats:
    return np.stack([one.values for one in arms]) if arms else np.empty((0, evidence.columns))


def _rows_finished(evidence: Evidence, arms: Sequence[Values]) -> Bools:
    return np.stack([one.finished for one in arms]) if arms else np.empty((0, evidence.columns), dtype=np.bool_)


def shown_negligible(evidence: Evidence, name: str, before: int) -> list[Components]:
    """What rounds before number `before` have shown negligible on a metric: singles of round 1, and joint removals."""
    rules, quiet = rules_of(evidence, name), list[Components]()
    for plan in (one for one in evidence.plans if one.round < before):
        current = tables(evidence, plan, name, caps_of(evidence, plan))
        singles = [one for one in current.family if one.role == "confirmatory" and len(one.components) == 1]
        idle = [one for one in singles if evidence.arm(one.id).idle]
        shown = [one for one in singles if is_negligible(current.estimate(one), rules)]
        quiet += [frozenset(one.components) for one in (*idle, *shown)]
        if current.interactions:
            quiet += [one.components for one in current.interactions.interactions if one.negligible_together]
    return quiet


def _interactions(
    evidence: Evidence, plan: Plan, name: str, caps: dict[str, int], rules: Rules
) -> InteractionTable | None:
    joint = [one for one in evidence.family(plan) if len(one.components) > 1]
    if not joint:
        return None
    metric = evidence.spec.metrics[name]
    idle = [frozenset(one.components) for one in joint if evidence.arm(one.id).idle]
    table = partial(
        interaction_table,
        tested=[frozenset(one.components) for one in joint],
        rules=rules,
        negligible=[*shown_negligible(evidence, name, plan.round), *idle],
        floor=None if metric.floor is None else sign_of(metric.goal) * metric.floor,
    )
    if not evidence.by_examples(name):
        return table(_arms_over_seeds(evidence, plan, name, caps, joint))
    noise, removed = noise_floor(evidence, name), reversed(_defaults(evidence, plan))
    values = JointValues(evidence, name, plan.round, {frozenset(one.components): one for one in removed})
    return table(values.arms, estimate=values.estimate, noise=noise.of_the_mean if noise else None)


def _arms_over_seeds(
    evidence: Evidence, plan: Plan, name: str, caps: dict[str, int], joint: list[Ablation]
) -> dict[Components, Values]:
    """A later round, and the seeds that it buys for arms of this one, never change an earlier p."""
    earlier = [one for one in evidence.plans if one.round < plan.round]
    asked = {name: cap for one in earlier for name, cap in caps_of(evidence, one).items()} | caps
    for one in joint:
        asked |= {part: max(asked.get(part, 0), caps[one.id]) for part in one.components}
    most_seeds_first = sorted(_defaults(evidence, plan), key=lambda one: -asked.get(one.id, 0))
    arms = {
        frozenset(one.components): evidence.values_in_joint(one.id, name, asked[one.id])
        for one in reversed(most_seeds_first)
        if one.id in asked
    }
    return {NOTHING_REMOVED: evidence.values(BASELINE, name, max(caps.values())), **arms}


def _defaults(evidence: Evidence, plan: Plan) -> list[Ablation]:
    """What interactions are made of: the default removals of this round and the earlier ones, no checks and controls."""
    known = [each for one in evidence.plans if one.round <= plan.round for each in evidence.asked(one)]
    return [one for one in known if one.role in DEFAULTS]
