"""From what a draft could not say to the plan of the runs that would: default removals, alone or together."""

from collections.abc import Sequence
from itertools import combinations

from ..components import Component, overlap
from ..planning.followups import joint
from ..planning.llm.typed import modes_of, problem_in_modes
from ..planning.plan import Ablation, Plan, nearest, signature
from ..planning.rules import single
from ..results import Mode


def plan_wanted(
    study: str,
    wanted: Sequence[str],
    known: dict[str, Component],
    sealed: Sequence[Plan],
    modes: Sequence[Mode],
    by: str,
) -> tuple[Plan | None, list[str]]:
    """The plan that would measure it, and why some of it cannot be planned.

    Args:
        study: its name.
        wanted: ids; those that are to be removed together are joined by `+`.
        known: the study's components.
        sealed: its plans so far.
        modes: that it asks for.
        by: who wants it.
    """
    taken = {signature(one.interventions) for plan in sealed for one in plan.ablations}
    made: dict[str, Ablation] = {}
    problems: list[str] = []
    for names in (one.split("+") for one in wanted):
        if problem := _problem(names, known, modes):
            problems.append(problem)
            continue
        members = sorted((known[name] for name in names), key=lambda one: one.id)
        fit: list[Mode] = [
            mode for mode in modes if all(mode in modes_of(one.interventions[0], modes) for one in members)
        ]
        alone = [single(one, fit) for one in members]
        for one in [*alone, *([joint(members, fit)] if len(members) > 1 else [])]:
            if signature(one.interventions) not in taken:
                made[one.id] = one.model_copy(update={"by": by, "role": "exploratory"})
    plan = Plan(study=study, round=1, planner=by, ablations=list(made.values())) if made else None
    return plan, problems


def _problem(names: Sequence[str], known: dict[str, Component], modes: Sequence[Mode]) -> str | None:
    for name in names:
        if name not in known:
            return f"there is no component {name}{nearest(name, list(known))}"
        if not known[name].interventions:
            return f"{name} cannot be removed"
        if problem := problem_in_modes(known[name].interventions[0], modes):
            return f"{name}: {problem}"
    for first, second in combinations((known[name] for name in names), 2):
        if overlap(first, second):
            return f"{first.id} and {second.id} overlap: one holds the other"
    fit = [mode for mode in modes if all(mode in modes_of(known[name].interventions[0], modes) for name in names)]
    return None if fit else f"no mode of the study can ask for {' and '.join(names)} at once"
