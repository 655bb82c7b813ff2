"""From a request of the queue to the next round of a study: its number, its roles, and what of it can be run at all."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..prompts import phrases
from .components import Component
from .dispatch import Observer
from .places import Places
from .planfiles import PlanFiles
from .planning.factorial import FACTORIAL
from .planning.plan import BASELINE, SEARCH, Ablation, Dropped, Plan, mode_problems, nearest, signature
from .queue import Queue, Request
from .results import Mode, Role
from .workbench import Workbench

COMPLETED = "completed"
"""Under what name the ledger remembers the version of the source whose study was complete once."""
WORDS = "chat/requests.j2"
EARLIER = "planned already, in round {}"
SAME = "removes the same as {}, which round {} has"
TAKEN = "{}: the project has another component of this name already"
FALLEN = "{} cannot be removed: see there"
NO_ABLATION = "there is no ablation of this name to give more seeds"


@dataclass(frozen=True)
class Ground:
    """What a request is held against."""

    study: str
    known: Mapping[str, Component]
    """Every component, those of earlier plans too."""
    earlier: Sequence[Plan]
    places: Places
    modes: Sequence[Mode]
    complete_before: bool = False
    """Whether the study was complete before this was asked for."""

    @property
    def round(self) -> int:
        """The number of the next round."""
        return len(self.earlier) + 1


def next_request(ground: Ground, files: PlanFiles, bench: Workbench, observer: Observer) -> Plan | None:
    """The oldest request of which anything can be run, as the next round, sealed; None where none waits.

    What cannot be run is dropped with the reason; a request of which nothing is left is set aside.
    """
    queue, words = Queue(files.state), phrases(WORDS)
    for request in queue.waiting(files.ledger.requests()):
        aside = queue.path(request.name, "refused").name
        if request.plan is None:
            if _refused(queue, request, [request.problem]):
                observer.learnt([words.unreadable(request.name, request.problem, aside)])
            continue
        plan = _tried(fitted(request.plan, request.name, ground), bench)
        observer.learnt([f"{one.id}: dropped, {one.reason.splitlines()[0]}" for one in _newly(plan, request.plan)])
        if not plan.ablations and not plan.more_seeds:
            reasons = [f"{one.id}: {one.reason}" for one in plan.dropped] or ["it asks for nothing"]
            if _refused(queue, request, reasons):
                observer.learnt([words.nothing_left(request.name, aside)])
            continue
        with queue.held():
            if queue.is_waiting(request.name):
                files.seal(plan)
                return plan
    return None


def _refused(queue: Queue, request: Request, reasons: Sequence[str]) -> bool:
    """Set aside; False where it was withdrawn meanwhile."""
    waits = queue.is_waiting(request.name)
    if waits:
        queue.refuse(request.name, reasons)
    return waits


def _newly(plan: Plan, request: Plan) -> list[Dropped]:
    return plan.dropped[len(request.dropped) :]


def fitted(request: Plan, name: str, ground: Ground) -> Plan:
    """A request as the next round: what earlier rounds have, and what this project has no place for, is dropped with the reason."""
    brought = {one.id: one for one in request.components if ground.known.get(one.id) != one}
    clashing = {key for key in brought if key in ground.known}
    kept: list[Ablation] = []
    dropped = list(request.dropped)
    for ablation in request.ablations:
        reason = _why_not(ablation, kept, brought, clashing, ground)
        if reason:
            dropped.append(_dropped(ablation, reason, request))
        else:
            kept.append(_in_its_role(ablation, {**brought, **ground.known}, ground.round))
    planned = {one.id for plan in ground.earlier for one in plan.ablations}
    more = list(dict.fromkeys(one for one in request.more_seeds if one in planned))
    dropped += [Dropped(id=one, reason=NO_ABLATION) for one in request.more_seeds if one not in planned]
    remarks = [*request.remarks, *([phrases(WORDS).asked_late] if ground.complete_before else [])]
    return request.model_copy(
        update={
            "study": ground.study,
            "round": ground.round,
            "ablations": kept,
            "dropped": dropped,
            "components": _needed(brought.values(), kept),
            "more_seeds": more,
            "remarks": list(dict.fromkeys(remarks)),
            "request": name,
        }
    )


def _tried(plan: Plan, bench: Workbench) -> Plan:
    """Without what fails on one step of what it brings in, and without what is made of that."""
    problems = bench.problems(plan) if plan.components else {}
    brought = {one.id for one in plan.components}
    fallen = {part for one in plan.ablations if one.id in problems for part in one.components} & brought
    for one in plan.ablations:
        if one.id not in problems and (parts := fallen & set(one.components)) and len(one.components) > 1:
            problems[one.id] = FALLEN.format(", ".join(sorted(parts)))
    kept = [one for one in plan.ablations if one.id not in problems]
    gone = [_dropped(one, problems[one.id], plan) for one in plan.ablations if one.id in problems]
    found = {"ablations": kept, "dropped": [*plan.dropped, *gone], "components": _needed(plan.components, kept)}
    return plan.model_copy(update=found)


def _why_not(
    ablation: Ablation, kept: Sequence[Ablation], brought: Mapping[str, Component], clashing: set[str], ground: Ground
) -> str | None:
    """Why an ablation cannot be part of the next round; None where it can."""
    if ablation.id == BASELINE or any(one.id == ablation.id for one in kept):
        return "this id appears twice or is reserved"
    mine = signature(ablation.interventions)
    for plan in ground.earlier:
        for one in plan.ablations:
            if one.id == ablation.id:
                return EARLIER.format(plan.round)
            if signature(one.interventions) == mine:
                return SAME.format(one.id, plan.round)
    if same := next((one.id for one in kept if signature(one.interventions) == mine), None):
        return SAME.format(same, ground.round)
    known = [*brought, *ground.known]
    problems = [f"no component {one!r}{nearest(one, known)}" for one in ablation.components if one not in known]
    problems += [TAKEN.format(one) for one in ablation.components if one in clashing]
    proposed = bool(set(ablation.components) & set(brought))
    problems += [
        found for one in ablation.interventions if (found := ground.places.problem(one, proposed=proposed)) is not None
    ]
    return "; ".join([*problems, *mode_problems(ablation, ground.modes)]) or None


def _in_its_role(ablation: Ablation, known: Mapping[str, Component], number: int) -> Ablation:
    """Roles are ours to give; a `why` that stands for a search or a factorial would put it into a family of another kind."""
    why = "" if ablation.why in (SEARCH, FACTORIAL) else ablation.why
    return ablation.model_copy(update={"role": _role(ablation, known, number), "why": why})


def _role(ablation: Ablation, known: Mapping[str, Component], number: int) -> Role:
    if ablation.role == "control":
        return "control"
    if len(ablation.components) > 1:
        return "exploratory"
    if known[ablation.components[0]].interventions[:1] != ablation.interventions:
        return "sensitivity"
    return "confirmatory" if number == 1 else "exploratory"


def _needed(components: Iterable[Component], kept: Sequence[Ablation]) -> list[Component]:
    used = {name for one in kept for name in one.components}
    return [one for one in components if one.id in used]


def _dropped(ablation: Ablation, reason: str, plan: Plan) -> Dropped:
    return Dropped(
        id=ablation.id, reason=reason, by=ablation.by or plan.planner, interventions=list(ablation.interventions)
    )
