"""What evaluations of a trained model were told when the study ran, told again: then they end at the same examples."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import cache

from ...executor.interventions import live_interventions
from ..evidence import Evidence
from ..planning.plan import Ablation, Plan
from ..records.bundle import Told
from ..stopping import AskedAt, Asking, Part, asking

Deltas = Mapping[str, Mapping[str, Mapping[str, float]]]
"""Trained model → split → metric → δ."""


def asked_again(
    evidence: Evidence, offers: Collection[str], plan: Plan, trials: Sequence[Told], deltas: Deltas
) -> AskedAt | None:
    """As `asking`, by what the study's own trials were told: how many tests each was corrected over depended on what had run.

    Args:
        evidence: of what runs here.
        offers: the optional functions of the experiment.
        plan: the row's round.
        trials: those of the study.
        deltas: δ as the study's own baseline gave it.
    """
    usual = asking(evidence, offers, plan)
    if usual is None:
        return None
    removed = {one.id: one for each in evidence.plans for one in each.ablations}
    return cache(_at(usual, removed, [one for one in trials if one.mode == evidence.mode], deltas))


def _at(
    usual: AskedAt, removed: Mapping[str, Ablation], trials: Sequence[Told], deltas: Deltas
) -> Callable[[int], Asking]:
    def at(seed: int) -> Asking:
        found, here = usual(seed), [one for one in trials if one.seed == seed]
        known = {one.arm: one.family for one in here if one.family is not None}
        if not known and any(one.seen for one in here):
            return found  # measured before families were kept: as this program would ask
        rule = (
            {**found.stopping, "deltas": deltas[str(seed)]}
            if found.stopping and str(seed) in deltas
            else found.stopping
        )
        parts = {one.arm: [_part(removed[name]) for name in one.parts if name in removed] for one in here if one.parts}
        return replace(found, families=known, parts=parts, stopping=rule)

    return at


def _part(single: Ablation) -> Part:
    return Part(single.id, [one.model_dump() for one in live_interventions(single.interventions)])
