"""Every proposal of every round: who made it, what it said, what its checks said, and what became of it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from ..executor.interventions import Intervention, SourceEdit, described, source_edits
from .blockdiff import edit_diff
from .evidence import Evidence
from .firstline import first_line
from .planning.plan import Ablation, Dropped, Plan, signature
from .records.planning import RULES, Planning, RoundPlanned
from .results import Mode, Planned


def planned_fates(seen: Sequence[Evidence], complete: bool) -> list[Planned]:
    """Every proposal of every plan, and what became of it; `seen`: one a mode."""
    found: list[Planned] = []
    alone = _alone(seen[0].plans)
    for plan in seen[0].plans:
        problems = {one.id: one.problems for one in plan.mended}
        found += [_dropped(one, plan, problems, alone) for one in plan.dropped]
        for one in plan.ablations:
            fates: dict[Mode, tuple[str, str | None]] = {
                evidence.mode: _fate(evidence, one.id, complete) for evidence in seen if one.asks(evidence.mode)
            }
            found.append(_proposed(one, plan, problems, alone, *_fate_in_all(fates)))
    return found


def rounds_planned(plans: Sequence[Plan]) -> list[RoundPlanned]:
    """Who planned each round."""
    return [
        RoundPlanned(
            round=plan.round,
            planner=plan.planner,
            ablations=len(plan.ablations),
            dropped=sum(not one.left_out for one in plan.dropped),
            remarks=plan.remarks,
        )
        for plan in plans
    ]


def planning_of(remembered: Mapping[str, Any] | None) -> Planning | None:
    """What asking the language model took, from what the study remembers of it; None where none was asked."""
    if not remembered:
        return None
    known = {key: value for key, value in remembered.items() if key in Planning.model_fields}
    return Planning.model_validate({**known, "server": _host(str(known.get("server", "")))})


def _host(server: str) -> str:
    """The host and port of an address, and nothing that could be a secret."""
    place = server.partition("://")[2] or server
    return urlsplit(f"//{place}").netloc.rpartition("@")[2]


def _alone(plans: Sequence[Plan]) -> dict[str, str]:
    """What is done to one thing → the proposal that does just this."""
    found: dict[str, str] = {}
    for one in (one for plan in plans for one in plan.ablations):
        if len(one.interventions) == 1:
            found.setdefault(signature(one.interventions), one.id)
    return found


def _acts(interventions: Sequence[Intervention], alone: Mapping[str, str]) -> dict[str, Any]:
    """The fields that say what a proposal does."""
    edits = source_edits(interventions)
    joint = len(interventions) > 1 and bool(edits) and all(signature([one]) in alone for one in edits)
    return {
        "diff": edit_diff(interventions),
        "members": [alone.get(signature([one]), described([one])) for one in interventions] if joint else [],
        "interventions": [one.describe() for one in interventions if not isinstance(one, SourceEdit)],
    }


def _dropped(one: Dropped, plan: Plan, problems: Mapping[str, list[str]], alone: Mapping[str, str]) -> Planned:
    return Planned(
        ablation=one.id,
        round=plan.round,
        fate="left out" if one.left_out else "dropped",
        reason=one.reason,
        by=one.by or plan.planner,
        problems=problems.get(one.id, []),
        **_acts(one.interventions, alone),
    )


def _proposed(
    one: Ablation,
    plan: Plan,
    problems: Mapping[str, list[str]],
    alone: Mapping[str, str],
    fate: str,
    reason: str | None,
) -> Planned:
    by = one.by or plan.planner
    return Planned(
        ablation=one.id,
        round=plan.round,
        fate=fate,
        reason=reason,
        by=by,
        role=one.role,
        hypothesis=one.hypothesis or None,
        why=(one.why or None) if by != RULES else None,
        change_of_mind=one.change_of_mind or None,
        problems=problems.get(one.id, []),
        **_acts(one.interventions, alone),
    )


def _fate_in_all(fates: Mapping[Mode, tuple[str, str | None]]) -> tuple[str, str | None]:
    """One fate where the modes agree, else the first that is no plain run, with each mode's in words."""
    kinds = list(dict.fromkeys(fate for fate, _ in fates.values()))
    fate = next((kind for kind in kinds if kind != "ran"), "ran" if kinds else "pending")
    told = [f"{mode}: {kind}{f' ({first_line(why)})' if why else ''}" for mode, (kind, why) in fates.items()]
    reasons = [why for _, why in fates.values() if why]
    reason = "; ".join(told) if len(kinds) > 1 or len(set(reasons)) > 1 else next(iter(reasons), None)
    return fate, reason


def _fate(evidence: Evidence, name: str, complete: bool) -> tuple[str, str | None]:
    arm = evidence.arm(name)
    if name in evidence.dropped:
        return "dropped", evidence.dropped[name]
    if name in evidence.stopped:
        return evidence.stopped[name]
    if arm.broken:
        return "structural", arm.failed[0].reason
    if arm.idle:
        return "no-op", arm.measured[0].reason
    if arm.failed:
        statuses = Counter(one.status for one in arm.failed)
        shown = ", ".join(f"{count} {status}" for status, count in statuses.items())
        return (
            "ran" if arm.measured else "failed",
            f"{shown} of {len(arm.failed) + len(arm.measured)} seeds: {arm.failed[0].reason}",
        )
    if arm.measured:
        return "ran", None
    return ("skipped", "never started") if complete else ("pending", "not started yet")
