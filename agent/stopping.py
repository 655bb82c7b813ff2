"""What jobs on fixed weights are told beside what they remove: whether batches may stand outside, and when a removal may stop."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any, NamedTuple

from ..executor.interventions import acts_on_program, live_interventions
from .analysis.stopping import SHARE
from .arms import MEASURED, Arm, splits_of
from .evidence import Evidence
from .noisefloor import smallest_effect
from .planning.factorial import FACTORIAL
from .planning.plan import DEFAULTS, SEARCH, Ablation, Plan
from .spec import LimitsSection
from .stoppable import why_whole

ORDER = 0
"""Seed of the order in which batches are gone through: one for every arm and job."""
REPLAYED = 4
"""Where the study does not say how much is held for replay, no more than this part of what a trial may hold."""


class Part(NamedTuple):
    """A member of a joint removal that is measured along with it."""

    arm: str
    removed: list[dict[str, Any]]


@dataclass(frozen=True)
class Asking:
    """What the jobs of one round are told at one trained model."""

    stream: Mapping[str, list[int]] = field(default_factory=lambda: dict[str, list[int]]())
    """Split → examples of each batch, where batches may stand outside and arms inside."""
    memory: int = 0
    splits: tuple[str, ...] = ()
    """The only splits that are evaluated batch by batch; none: all of them."""
    stopping: dict[str, Any] | None = None
    families: Mapping[str, int] = field(default_factory=lambda: dict[str, int]())
    """Arm → how many tests it is corrected over; an arm without one sees the whole set."""
    parts: Mapping[str, list[Part]] = field(default_factory=lambda: dict[str, list[Part]]())
    """Joint removal → the single removals that its interaction is held against."""

    def message(self, *, edited: bool) -> dict[str, Any]:
        """What a job is told; one whose source is edited has another baseline, and streams nothing."""
        stream = {} if edited else dict(self.stream)
        splits = list(self.splits) or None
        return {
            "stream": stream,
            "memory": self.memory,
            "splits": splits,
            "stopping": self.stopping if stream else None,
        }

    def of(self, arm: str) -> dict[str, Any]:
        """What it is told of one arm."""
        parts = {one.arm: one.removed for one in self.parts.get(arm, [])}
        return {"family": self.families.get(arm), "parts": parts}


AskedAt = Callable[[int], Asking]
"""Seed of a trained model → what the jobs on it are told."""


def asking(evidence: Evidence, offers: Collection[str] = (), plan: Plan | None = None) -> AskedAt | None:
    """What jobs are told, model by model; None where nothing is evaluated on fixed weights.

    Args:
        evidence: of the mode, with its baselines.
        offers: the optional functions of the experiment.
        plan: the round that is run. None: sets of components of a search, which are judged on all that it may see.
    """
    if evidence.mode != "reevaluate":
        return None
    stops = plan is not None and why_whole(evidence, offers) is None

    @cache
    def at(seed: int) -> Asking:
        seen = evidence.at(seed)
        row = seen.baseline.trials.get(seed)
        batches = row.facts.batches if row is not None else {}
        memory = replay_memory(seen.spec.limits)
        if plan is None:
            return Asking(batches, memory, (seen.planning_split,))
        if not batches or not stops:
            return Asking(batches, memory)
        told = _Told(seen, plan)
        return Asking(batches, memory, (), rule_of(seen), told.families, told.parts)

    return at


def replay_memory(limits: LimitsSection) -> int:
    """Bytes for the results of one batch."""
    if "replay_memory" in limits.model_fields_set:
        return limits.replay_memory
    return min(limits.replay_memory, limits.trial_memory // REPLAYED)


def rule_of(seen: Evidence) -> dict[str, Any]:
    """When a removal is settled at one trained model: α, the share of it that stopping spends, and δ by split and metric."""
    deltas = {
        split: {name: smallest_effect(replace(seen, split=split), name) for name in seen.spec.metrics}
        for split in splits_of(seen.baseline)
    }
    return {"alpha": seen.spec.study.alpha, "share": SHARE, "deltas": deltas, "order": ORDER}


@dataclass(frozen=True)
class _Told:
    """A round at one trained model, as its arms are told of it."""

    seen: Evidence
    plan: Plan

    @cached_property
    def families(self) -> dict[str, int]:
        """As the tables of the round count them: singles among all of it, joint removals among each other."""
        family, arm_of = self.seen.family(self.plan), self.seen.canonical
        joint = sum(_is_joint(one) for one in family)
        sizes = {arm_of[one.id]: joint if _is_joint(one) else len(family) for one in family}
        whole = {arm_of[one.id] for one in family if _is_program(one) or one.why in (SEARCH, FACTORIAL)}
        return {arm: size for arm, size in sizes.items() if arm not in whole}

    @cached_property
    def parts(self) -> dict[str, list[Part]]:
        """The members of every joint removal that decide when it stops, or may be known less far than itself."""
        joint = [one for one in self.seen.family(self.plan) if _is_joint(one) and one.role in DEFAULTS]
        found = {self.seen.canonical[one.id]: self._members(one) for one in joint if not _is_program(one)}
        return {arm: [self._part(one) for one in members] for arm, members in found.items() if members}

    @cached_property
    def _singles(self) -> dict[str, Ablation]:
        """Component → its default removal alone, the first there is."""
        earlier = [one for one in self.seen.plans if one.round <= self.plan.round]
        known = [one for plan in earlier for one in self.seen.asked(plan) if one.role in DEFAULTS]
        return {one.components[0]: one for one in reversed(known) if not _is_joint(one)}

    def _members(self, joint: Ablation) -> list[Ablation]:
        """None where one of them is nowhere removed alone, or its removal failed: then there is no contrast to settle."""
        members = [self._singles[one] for one in joint.components if one in self._singles]
        arms = [self.seen.arm(one.id) for one in members]
        if len(members) < len(joint.components) or any(one.broken or one.hopeless for one in arms):
            return []
        stops = self.seen.canonical[joint.id] in self.families
        return [
            one for one, arm in zip(members, arms, strict=True) if not arm.idle and (stops or self._may_stop(one, arm))
        ]

    def _may_stop(self, single: Ablation, arm: Arm) -> bool:
        """Whether a single's own trial has ended early, or may."""
        row = arm.trials.get(self.seen.seed) if self.seen.seed is not None else None
        if row is None or row.status not in MEASURED:
            return self.seen.canonical[single.id] in self.families
        return any(one.examples < one.of for one in row.facts.seen.values())

    def _part(self, single: Ablation) -> Part:
        removed = [one.model_dump() for one in live_interventions(single.interventions)]
        return Part(self.seen.canonical[single.id], removed)


def _is_joint(one: Ablation) -> bool:
    return len(one.components) > 1


def _is_program(one: Ablation) -> bool:
    return any(acts_on_program(each) for each in one.interventions)
