"""Proposals that failed and were sent back: which came back, which were lost, and a plan with what came of them."""

import difflib
from collections.abc import Mapping

from ...components import Component
from ..plan import Ablation, Dropped, Mended, Plan
from .answers import Proposal
from .typed import Typed, name_of


def came_back(failed: Typed, again: Typed) -> list[Mended]:
    """Which failed proposals stand among the mended ones: by name, or by their place where all came back."""
    by_name = {name_of(proposal): why for proposal, why in failed.problems}
    in_place = [why for _, why in failed.problems]
    all_came = len(again.ablations) == len(in_place)
    told = [by_name.get(one.id) or (in_place[at] if all_came else None) for at, one in enumerate(again.ablations)]
    return [Mended(id=one.id, problems=[why]) for one, why in zip(again.ablations, told, strict=True) if why]


def lost(failed: Typed, again: Typed) -> list[tuple[Proposal, str]]:
    """Failed proposals that did not come back: as many as are missing, those that nothing which came back is named like."""
    names = [*(one.id for one in (*again.ablations, *again.dropped)), *(name_of(one) for one, _ in again.problems)]
    alike = {
        name_of(one): max((_likeness(name_of(one), name) for name in names), default=0.0) for one, _ in failed.problems
    }
    missing = max(0, len(failed.problems) - len(names))
    return sorted(failed.problems, key=lambda one: alike[name_of(one[0])])[:missing]


def _likeness(name: str, other: str) -> float:
    return difflib.SequenceMatcher(None, name, other).ratio()


def without(plan: Plan, reasons: Mapping[str, str]) -> Plan:
    """A plan without some ablations, and without the components that they alone brought in."""
    out = [one for one in plan.ablations if one.id in reasons]
    kept = [one for one in plan.ablations if one.id not in reasons]
    needed = {name for one in kept for name in one.components}
    dropped = [Dropped(id=one.id, reason=reasons[one.id], by=one.by, interventions=one.interventions) for one in out]
    return plan.model_copy(
        update={
            "ablations": kept,
            "dropped": [*plan.dropped, *dropped],
            "components": [one for one in plan.components if one.id in needed],
            "mended": [one for one in plan.mended if one.id not in reasons],
        }
    )


def replaced(plan: Plan, ablation: Ablation, component: Component, problem: str) -> Plan:
    """A plan with one ablation as it was mended."""
    before = next((one for one in plan.mended if one.id == ablation.id), None)
    told = Mended(id=ablation.id, problems=[*(before.problems if before else []), problem])
    return plan.model_copy(
        update={
            "ablations": [ablation if one.id == ablation.id else one for one in plan.ablations],
            "components": [component if one.id == component.id else one for one in plan.components],
            "mended": [*(one for one in plan.mended if one.id != ablation.id), told],
        }
    )
