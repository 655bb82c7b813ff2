"""From the follow-ups that a model asks for to ablations of the next round, and to ablations that deserve more seeds."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from ....executor.interventions import Intervention, removal_name
from ...components import Component, overlap
from ...records.base import OPEN
from ...results import Mode, Role
from ..controls import random_groups
from ..plan import Ablation, Dropped, joint_id
from ..planner import Learnt
from .answers import FollowUp
from .typed import Ground, modes_of, one_line, prediction_of, problem_in_modes, removal, supports


@dataclass
class Followed:
    """What follow-ups came to."""

    ablations: list[Ablation] = field(default_factory=list[Ablation])
    more_seeds: list[str] = field(default_factory=list[str])
    dropped: list[Dropped] = field(default_factory=list[Dropped])


def followed(asked: Sequence[FollowUp], learnt: Learnt, ground: Ground) -> Followed:
    """Every follow-up as ablations, or as dropped with its reason."""
    found, planned = Followed(), {one.id: one for plan in learnt.plans for one in plan.ablations}
    for one in asked:
        if one.what == "more-seeds":
            _more_seeds(one, learnt, planned, found, ground)
            continue
        made = _made(one, learnt, ground)
        if isinstance(made, str):
            found.dropped.append(_dropped(one, made, ground))
            continue
        for ablation in made:
            if ablation.id in planned or any(ablation.id == each.id for each in found.ablations):
                found.dropped.append(Dropped(id=ablation.id, reason="planned already", by=ground.by))
            else:
                found.ablations.append(ablation)
    return found


def _made(one: FollowUp, learnt: Learnt, ground: Ground) -> list[Ablation] | str:
    targets = list(dict.fromkeys(one.targets))
    unknown = [name for name in targets if name not in ground.known]
    if unknown:
        return f"there is no component {', '.join(unknown)}"
    members = [ground.known[name] for name in targets]
    modes: list[Mode] = list(ground.modes) if one.mode == "all" else [one.mode]
    if one.mode != "all" and one.mode not in ground.modes:
        return f"study.modes does not ask for {one.mode}"
    if one.what == "random-control":
        return _controls(members, learnt, modes) or "only heads and units that were removed have others of their kind"
    if one.what == "together":
        return _together(one, members, modes, ground)
    found: list[Ablation] = []
    for member in members:
        made = _alone(one, member, modes, ground)
        if isinstance(made, str):
            return made
        found.append(made)
    return found


def _together(
    one: FollowUp, members: Sequence[Component], modes: Sequence[Mode], ground: Ground
) -> list[Ablation] | str:
    if len(members) < 2:
        return "what is removed together needs two components at least"
    for first, second in combinations(members, 2):
        if overlap(first, second):
            return f"{first.id} and {second.id} overlap: one holds the other"
    members = sorted(members, key=lambda member: member.id)
    if fixed := [member.id for member in members if not member.interventions]:
        return f"{', '.join(fixed)}: never removed"
    interventions = [member.interventions[0] for member in members]
    fitting: list[Mode] = [
        mode for mode in modes if all(mode in modes_of(each, ground.modes) for each in interventions)
    ]
    if not fitting:
        return "no mode can ask for all of these at once"
    name = joint_id([member.id for member in members])
    return [_ablation(name, one, members, interventions, "exploratory", fitting, ground)]


def _alone(one: FollowUp, member: Component, modes: Sequence[Mode], ground: Ground) -> Ablation | str:
    found = removal(member, one.how)
    if isinstance(found, str):
        return found
    fitting: list[Mode] = [mode for mode in modes if mode in modes_of(found, ground.modes)]
    if not fitting:
        return problem_in_modes(found, modes) or f"{member.id} cannot be asked in {', '.join(modes)}"
    default = found == member.interventions[0]
    name, role = (member.id, "exploratory") if default else (f"{member.id}@{removal_name(found)}", "sensitivity")
    return _ablation(name, one, [member], [found], role, fitting, ground)


def _controls(members: Sequence[Component], learnt: Learnt, modes: Sequence[Mode]) -> list[Ablation]:
    dice = random.Random(learnt.plans[0].study)
    names = {member.id for member in members}
    found: list[Ablation] = []
    for mode in modes:
        effects = [one for one in learnt.effects if one.mode == mode and one.ablation in names]
        for one in random_groups(effects, learnt.components, mode, dice):
            found.append(one.model_copy(update={"modes": [mode]}))
    return found


def _ablation(
    name: str,
    one: FollowUp,
    members: Sequence[Component],
    interventions: list[Intervention],
    role: Role,
    modes: list[Mode],
    ground: Ground,
) -> Ablation:
    return Ablation(
        id=name,
        components=[member.id for member in members],
        interventions=interventions,
        hypothesis=one_line(one.hypothesis),
        prediction=prediction_of(one.direction, one.size, one.confidence),
        role=role,
        modes=modes,
        by=ground.by,
        claims=supports(one.claims, ground),
        priority=one.priority,
        change_of_mind=one_line(one.change_of_mind),
        why=one_line(one.why),
    )


def _more_seeds(
    one: FollowUp, learnt: Learnt, planned: Mapping[str, Ablation], found: Followed, ground: Ground
) -> None:
    """Ablations that are still open go on to their next look, whatever its chance to settle them."""
    open_ones = {each.ablation for each in (*learnt.effects, *learnt.interactions) if each.verdict in OPEN}
    for name in _names(one, planned):
        if name not in planned:
            found.dropped.append(_dropped(one, f"there is no ablation {name}", ground))
        elif name not in open_ones:
            found.dropped.append(_dropped(one, f"{name} is settled, or was never measured", ground))
        elif name not in found.more_seeds:
            found.more_seeds.append(name)


def _names(one: FollowUp, planned: Mapping[str, Ablation]) -> Iterator[str]:
    joint = joint_id(list(one.targets))
    yield from [joint] if joint in planned else one.targets


def _dropped(one: FollowUp, reason: str, ground: Ground) -> Dropped:
    return Dropped(id=f"{one.what}: {joint_id(list(one.targets))}"[:300], reason=reason, by=ground.by)
