"""What to try once the singles are known: joint removals, other kinds of removal, and the controls beside what matters."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from ... import prompts
from ...executor.interventions import SWITCHES, Intervention, needs_reference, removal_name
from ..components import Component, apart, overlap
from ..results import Effect, Mode, Prediction, Role
from .controls import placebo, random_groups
from .plan import SEARCH, Ablation, joint_id
from .planner import Learnt

STRONGEST = {"reevaluate": 8, "recover": 2, "retrain": 3}
"""How many of what matters most are removed in pairs: evaluations are cheap, trainings are not."""
MOST_QUIET_PAIRS = {"reevaluate": 12, "recover": 2, "retrain": 4}
MOST_IDLE_PAIRS = 2
MOST_PAIRS_INSIDE = 15
MOST_IN_TRIPLES = 8
"""Groups of up to so many members are searched for triples, once their pairs are known."""
MOST_SENSITIVE = {"reevaluate": 12, "recover": 1, "retrain": 2}
"""How many of what matters most are removed in a second way where the study names no kinds."""
ASKED = "asked"
"""`why` of what a person wanted to see."""
TESTABLE = ("matters", "hurts", "negligible", "detected", "undecided")


@dataclass(frozen=True)
class Proposal:
    """Components to be removed together in one mode, and why."""

    parts: tuple[str, ...]
    why: str
    kind: str | None = None
    """Another kind of removal than the default one."""


def follow_up(learnt: Learnt, interactions: str, kinds: Sequence[str], modes: Sequence[Mode]) -> list[Ablation]:
    """The next round's ablations; empty where nothing is left that is worth its cost."""
    known = {one.id: one for one in learnt.components}
    planned = {ablation.id for plan in learnt.plans for ablation in plan.ablations}
    proposed: dict[str, Ablation] = {}
    for mode in modes:
        for one in _in_mode(learnt, mode, interactions, kinds, known):
            before = proposed.get(one.id)
            proposed[one.id] = one.model_copy(update={"modes": [*before.modes, mode] if before else [mode]})
    return [one for one in proposed.values() if one.id not in planned]


def joint(members: Sequence[Component], modes: Sequence[Mode]) -> Ablation:
    """The default removals of these at once, because somebody asked."""
    defaults = [one.interventions[0] for one in members]
    name = joint_id([one.id for one in members])
    made = _ablation(name, list(members), defaults, ASKED, 1.0, role="exploratory")
    return made.model_copy(update={"modes": list(modes)})


def confirm_searches(learnt: Learnt) -> list[Ablation]:
    """The groups that searches have found, to be measured on fresh units; of larger ones every subset of two or more."""
    known = {one.id: one for one in learnt.components}
    planned = {ablation.id for plan in learnt.plans for ablation in plan.ablations}
    modes: dict[tuple[str, ...], list[Mode]] = {}
    for one in learnt.searches:
        for group in one.groups:
            for size in range(2, len(group) + 1):
                for parts in combinations(sorted(group), size):
                    asked = modes.setdefault(parts, [])
                    asked += [one.mode] if one.mode not in asked else []
    proposed = [
        _joint(Proposal(parts, SEARCH), known).model_copy(update={"modes": asked}) for parts, asked in modes.items()
    ]
    return [one for one in proposed if one.id not in planned]


def _in_mode(
    learnt: Learnt, mode: Mode, interactions: str, kinds: Sequence[str], known: dict[str, Component]
) -> Iterator[Ablation]:
    singles = [
        one
        for one in learnt.effects
        if one.mode == mode
        and one.role == "confirmatory"
        and one.same_as is None
        and (one.verdict in TESTABLE or _is_idle(one))
    ]
    if any(plan.round > 1 and not plan.is_screen for plan in learnt.plans):
        proposals = [] if interactions in ("none", "factorial") else list(_inside_groups(learnt, mode))
        yield from (_joint(one, known) for one in proposals)
        return
    if interactions not in ("none", "factorial"):
        yield from (_joint(one, known) for one in _twins(learnt, mode, known))
    searched = any(one.mode == mode for one in learnt.searches)
    chosen = {
        "none": lambda: (),
        "factorial": lambda: (),
        "search": lambda: () if searched else _quiet_pairs(singles, known),
        "pairs": lambda: _all_pairs(singles, known),
    }
    joint = chosen.get(interactions, lambda: _by_judgement(singles, known, mode, searched=searched))()
    yield from (_joint(one, known) for one in joint)
    strong = _strongest(singles)
    yield from _other_kinds(strong, known, kinds, mode)
    if strong:
        yield from placebo([*(known[one.components[0]] for one in strong), *learnt.components])
        yield from random_groups(strong, learnt.components, mode, random.Random(learnt.plans[0].study))


def _twins(learnt: Learnt, mode: Mode, known: dict[str, Component]) -> Iterator[Proposal]:
    """What is quiet and equals another removal bit for bit, together with that one: parts that back each other up may."""
    quiet = [one for one in learnt.effects if one.mode == mode and one.role == "confirmatory" and _is_quiet(one)]
    pairs = [(one.same_as, one.ablation) for one in quiet if one.same_as in known and one.ablation in known]
    distinct = [pair for pair in pairs if not _nested(pair, known)]
    yield from (Proposal(pair, "quiet") for pair in distinct[: MOST_QUIET_PAIRS[mode]])


def _all_pairs(singles: list[Effect], known: dict[str, Component]) -> Iterator[Proposal]:
    for pair in combinations([one.ablation for one in singles], 2):
        if not _nested(pair, known):
            yield Proposal(pair, "pairs")


def _quiet_pairs(singles: list[Effect], known: dict[str, Component]) -> Iterator[Proposal]:
    """Every pair of what was not seen to cost anything alone: a pool too small to be searched."""
    quiet = [one for one in singles if one.verdict in ("negligible", "undecided") or one.masked or _is_idle(one)]
    return (Proposal(one.parts, "quiet") for one in _all_pairs(quiet, known))


def _by_judgement(
    singles: list[Effect], known: dict[str, Component], mode: Mode, *, searched: bool
) -> Iterator[Proposal]:
    """All that is quiet at once, its likeliest pairs where they were not searched, and the strongest with each other."""
    quiet = [one for one in singles if _is_quiet(one)]
    idle = [one for one in singles if _is_idle(one)]
    negligible = apart([one.ablation for one in (*quiet, *idle) if one.verdict in ("negligible", "no-op")], known)
    if len(negligible) >= 3:
        yield Proposal(tuple(negligible), "quiet")
    likely = _likeliest(quiet, known)[: MOST_QUIET_PAIRS[mode]], _likeliest(idle, known)[:MOST_IDLE_PAIRS]
    for first, second in [] if searched else [*likely[0], *likely[1]]:
        yield Proposal((first.ablation, second.ablation), "quiet")
    for first, second in combinations(_strongest(singles)[: STRONGEST[mode]], 2):
        if not _nested((first.ablation, second.ablation), known):
            yield Proposal((first.ablation, second.ablation), "strong")


def _strongest(singles: list[Effect]) -> list[Effect]:
    """What matters or hurts, the largest effect first."""
    strong = [one for one in singles if one.verdict in ("matters", "hurts")]
    return sorted(strong, key=lambda one: -abs(one.delta or 0.0))


def _likeliest(effects: list[Effect], known: dict[str, Component]) -> list[tuple[Effect, Effect]]:
    """Pairs that may back each other up, those of one kind first."""
    pairs = [pair for pair in combinations(effects, 2) if not _nested((pair[0].ablation, pair[1].ablation), known)]
    return sorted(
        pairs, key=lambda pair: (pair[0].component_kind != pair[1].component_kind, pair[0].verdict != "negligible")
    )


def _is_idle(effect: Effect) -> bool:
    """A switch that changed nothing alone: a perfect backup looks exactly like that."""
    return effect.verdict == "no-op" and effect.intervention_kind in SWITCHES


def _inside_groups(learnt: Learnt, mode: Mode) -> Iterator[Proposal]:
    """Pairs inside a group that costs more together than alone; then the triples whose pairs were all shown negligible."""
    tested = {frozenset(one.components): one for one in learnt.interactions if one.mode == mode}
    for group in list(tested.values()):
        if len(group.components) < 3 or group.verdict not in ("irreducible", "redundancy", "compensation", "synergy"):
            continue
        pairs = list(combinations(group.components, 2))[:MOST_PAIRS_INSIDE]
        yield from (Proposal(parts, "inside") for parts in pairs)
        if 3 < len(group.components) <= MOST_IN_TRIPLES and all(frozenset(pair) in tested for pair in pairs):
            quiet = {parts for parts, one in tested.items() if one.negligible_together}
            for parts in combinations(group.components, 3):
                if all(frozenset(pair) in quiet for pair in combinations(parts, 2)):
                    yield Proposal(parts, "inside")


def _other_kinds(
    strong: list[Effect], known: dict[str, Component], kinds: Sequence[str], mode: Mode
) -> Iterator[Ablation]:
    """The kinds that the study names, of all that matters; else a second kind of what matters most."""
    for effect in strong if kinds else strong[: MOST_SENSITIVE[mode]]:
        component = known[effect.components[0]]
        others = [one for one in component.interventions[1:] if mode != "retrain" or not needs_reference(one)]
        named = [one for one in others if removal_name(one) in kinds] if kinds else others[:1]
        yield from (_sensitivity(component, other) for other in named)


def _is_quiet(effect: Effect) -> bool:
    return effect.verdict == "negligible" or effect.masked or _looks_quiet(effect)


def _looks_quiet(effect: Effect) -> bool:
    """Undecided so far, with nothing that points to an effect."""
    return effect.verdict == "undecided" and effect.p_adjusted is not None and effect.p_adjusted > 0.5


def _nested(pair: tuple[str, ...], known: dict[str, Component]) -> bool:
    return overlap(known[pair[0]], known[pair[1]])


def _sensitivity(component: Component, other: Intervention) -> Ablation:
    return _ablation(
        f"{component.id}@{removal_name(other)}", [component], [other], "sensitivity", 2.0, role="sensitivity"
    )


def _joint(one: Proposal, known: dict[str, Component]) -> Ablation:
    members = [known[part] for part in sorted(one.parts)]
    size = {"quiet": 0.5, "strong": 4.0}.get(one.why, 1.0)
    defaults = [member.interventions[0] for member in members]
    return _ablation(joint_id(list(one.parts)), members, defaults, one.why, size, role="exploratory")


def _ablation(
    name: str, members: list[Component], interventions: list[Intervention], why: str, size: float, *, role: Role
) -> Ablation:
    return Ablation(
        id=name,
        components=[one.id for one in members],
        interventions=interventions,
        hypothesis=prompts.render("rules/joint.j2", why=why, labels=[one.label for one in members]),
        prediction=Prediction(direction="worse" if size >= 1 else "none", size=size),
        role=role,
        why=why,
    )
