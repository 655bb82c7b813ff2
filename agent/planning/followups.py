"""What to remove together, once the singles are known."""

from collections.abc import Iterator, Sequence
from itertools import combinations

from ... import prompts
from ...executor.interventions import ModuleIntervention, removal_name
from ..components import Component
from ..results import Effect, Prediction
from .plan import Ablation, joint_id
from .planner import Learnt

MOST_QUIET_PAIRS = 4
MOST_IDLE_PAIRS = 2
STRONGEST = 3
MOST_PAIRS_INSIDE = 15
TESTABLE = ("matters", "hurts", "negligible", "detected", "undecided")


def follow_up(learnt: Learnt, interactions: str, kinds: Sequence[str]) -> list[Ablation]:
    """The next round's ablations; empty where nothing is left that is worth its cost."""
    known = {one.id: one for one in learnt.components}
    planned = {ablation.id for plan in learnt.plans for ablation in plan.ablations}
    singles = [
        one
        for one in learnt.effects
        if one.role == "confirmatory" and one.same_as is None and (one.verdict in TESTABLE or _is_idle(one))
    ]
    if len(learnt.plans) > 1:
        proposals = [] if interactions == "none" else list(_inside_groups(learnt))
    else:
        joint = {"none": [], "pairs": list(_all_pairs(singles)), "auto": list(_by_judgement(singles))}[interactions]
        proposals = [*joint, *_other_kinds(singles, known, kinds)]
    ablations = [_ablation(parts, why, known, kind) for parts, why, kind in proposals]
    return [one for one in {one.id: one for one in ablations}.values() if one.id not in planned]


Proposal = tuple[tuple[str, ...], str, str | None]


def _all_pairs(singles: list[Effect]) -> Iterator[Proposal]:
    for pair in combinations([one.ablation for one in singles], 2):
        if not _nested(pair):
            yield pair, "pairs", None


def _by_judgement(singles: list[Effect]) -> Iterator[Proposal]:
    """All that is quiet at once, its likeliest pairs, and the strongest with each other."""
    quiet = [one for one in singles if one.verdict == "negligible" or one.masked or _looks_quiet(one)]
    idle = [one for one in singles if _is_idle(one)]
    negligible = _apart([one.ablation for one in (*quiet, *idle) if one.verdict in ("negligible", "no-op")])
    if len(negligible) >= 3:
        yield tuple(negligible), "quiet", None
    for first, second in [*_likeliest(quiet)[:MOST_QUIET_PAIRS], *_likeliest(idle)[:MOST_IDLE_PAIRS]]:
        yield (first.ablation, second.ablation), "quiet", None
    strong = sorted(
        (one for one in singles if one.verdict in ("matters", "hurts")), key=lambda one: -abs(one.delta or 0.0)
    )
    for first, second in combinations(strong[:STRONGEST], 2):
        if not _nested((first.ablation, second.ablation)):
            yield (first.ablation, second.ablation), "strong", None


def _likeliest(effects: list[Effect]) -> list[tuple[Effect, Effect]]:
    """Pairs that may back each other up, those of one kind first."""
    pairs = [pair for pair in combinations(effects, 2) if not _nested((pair[0].ablation, pair[1].ablation))]
    return sorted(
        pairs, key=lambda pair: (pair[0].component_kind != pair[1].component_kind, pair[0].verdict != "negligible")
    )


def _is_idle(effect: Effect) -> bool:
    """A switch that changed nothing alone: a perfect backup looks exactly like that."""
    return effect.verdict == "no-op" and effect.intervention_kind == "override"


def _inside_groups(learnt: Learnt) -> Iterator[Proposal]:
    """Pairs inside a group that matters together, or whose joint loss is not shown negligible."""
    for group in learnt.interactions:
        if len(group.components) > 2 and group.verdict in ("irreducible", "redundancy", "compensation", "synergy"):
            for pair in list(combinations(group.components, 2))[:MOST_PAIRS_INSIDE]:
                yield pair, "inside", None


def _other_kinds(singles: list[Effect], known: dict[str, Component], kinds: Sequence[str]) -> Iterator[Proposal]:
    for effect in singles:
        if effect.verdict in ("matters", "hurts"):
            for intervention in known[effect.components[0]].interventions[1:]:
                if removal_name(intervention) in kinds:
                    yield (effect.components[0],), "sensitivity", removal_name(intervention)


def _looks_quiet(effect: Effect) -> bool:
    """Undecided so far, with nothing that points to an effect."""
    return effect.verdict == "undecided" and effect.p_adjusted is not None and effect.p_adjusted > 0.5


def _apart(ids: list[str]) -> list[str]:
    """`ids` without those that lie inside another of them."""
    return [one for one in ids if not any(one.startswith(other + ".") for other in ids)]


def _nested(pair: tuple[str, ...]) -> bool:
    return len(_apart(list(pair))) < len(pair)


def _ablation(parts: tuple[str, ...], why: str, known: dict[str, Component], kind: str | None) -> Ablation:
    members = [known[part] for part in sorted(parts)]
    hypothesis = prompts.render("rules/joint.j2", why=why, labels=[one.label for one in members])
    if kind is not None:
        other = next(one for one in members[0].interventions if removal_name(one) == kind)
        assert isinstance(other, ModuleIntervention)
        return Ablation(
            id=f"{parts[0]}@{kind}",
            components=list(parts),
            interventions=[other],
            hypothesis=hypothesis,
            prediction=Prediction(direction="worse", size=2.0),
            role="sensitivity",
            why=why,
        )
    size = {"quiet": 0.5, "strong": 4.0}.get(why, 1.0)
    return Ablation(
        id=joint_id(list(parts)),
        components=[one.id for one in members],
        interventions=[one.interventions[0] for one in members],
        hypothesis=hypothesis,
        prediction=Prediction(direction="worse" if size >= 1 else "none", size=size),
        role="exploratory",
        why=why,
    )
