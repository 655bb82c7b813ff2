"""A claim held against everything that it is said of: all must back it, and one that contradicts it is enough."""

import re
from collections.abc import Sequence
from dataclasses import replace

from ...results import Effect
from .clauses import Clause, Subject, is_apart
from .ground import Found, Ground
from .held import found_of
from .verdicts import JOINT, Claim, Judgement, judged

_INTERACTION = re.compile(r"\b(?:interaction|contrast)\b", re.IGNORECASE)


def judge_all(
    ground: Ground,
    clause: Clause,
    claim: Claim,
    subjects: Sequence[Subject],
    *,
    numbered: bool = False,
    hedged: bool = False,
) -> Judgement:
    """Hold a claim against every subject: all must back it; one that contradicts it is enough."""
    if (
        claim in ("significant", "important", "large", "beyond δ")
        and _INTERACTION.search(clause.words)
        and any(len(s.components) > 1 for s in subjects)
    ):
        claim = "interact"
    if claim in JOINT:
        return _judge_joint(ground, clause, claim, subjects)
    results = [_judge_one(ground, clause, claim, subject, numbered=numbered, hedged=hedged) for subject in subjects]
    worst = next((r for r in results if r.outcome == "contradicted"), None) or next(
        (r for r in results if r.outcome == "unbacked"), None
    )
    if worst is None:
        return results[0]
    everything = tuple(sorted({c for s in subjects for c in s.components}))
    if (
        len(subjects) > 1
        and subjects[0].removed
        and not is_apart(clause.words)
        and (ground.joints(everything, clause.scope) or ground.joint_effects(everything, clause.scope))
    ):
        joint = _judge_one(
            ground, clause, claim, Subject(everything, True, True, 0, 0), numbered=numbered, hedged=hedged
        )
        return joint if joint.outcome == "backed" else worst
    return worst


def _judge_one(
    ground: Ground, clause: Clause, claim: Claim, subject: Subject, *, numbered: bool, hedged: bool
) -> Judgement:
    found = found_of(ground, clause, subject)
    if len(subject.components) > 1 and ground.joints(subject.components, clause.scope):
        found = list(ground.joints(subject.components, clause.scope))
    missing_modes = [m for m in clause.scope.modes if m not in {one.mode for one in found}]
    if not found or missing_modes:
        name, where = " + ".join(subject.components), " and ".join(missing_modes)
        missing = "were not removed together" if len(subject.components) > 1 else "was not measured"
        return Judgement("unbacked", f"{name} {missing}{f' in {where}' if where else ''}")
    results = [
        _hedged(ground, claim, one, judged(ground, claim, one, numbered=numbered), hedged and numbered) for one in found
    ]
    outcomes = {r.outcome for r in results}
    if outcomes == {"backed"}:
        return results[0]
    if len(outcomes) > 1 and len({one.mode for one in found}) > 1:
        return Judgement(
            "unbacked", f"{' and '.join(dict.fromkeys(r.why for r in results))}: say in which mode", results[0].found
        )
    return next((r for r in results if r.outcome == "contradicted"), None) or next(
        r for r in results if r.outcome != "backed"
    )


def _hedged(ground: Ground, claim: Claim, found: Found, judgement: Judgement, hedged: bool) -> Judgement:
    """The estimate of what is undecided may be told where the sentence says that it is undecided."""
    if not hedged or judgement.outcome == "backed" or not isinstance(found, Effect):
        return judgement
    open_ = found.verdict in ("undecided", "negligible")
    if open_ and claim in ("worse", "better"):
        right = ((ground.loss(found) or 0) > 0) == (claim == "worse")
        return Judgement("backed" if right else "contradicted", judgement.why, found)
    floor = ground.floor(found)
    little = claim == "small" and floor is not None and abs(found.delta or 0) <= floor.smallest_effect
    if (open_ and claim == "changed") or (found.verdict == "detected" and little):
        return Judgement("backed", judgement.why, found)
    return judgement


def _judge_joint(ground: Ground, clause: Clause, claim: Claim, subjects: Sequence[Subject]) -> Judgement:
    if len(subjects) > 1 and all(len(s.components) > 1 for s in subjects):
        each = [_judge_joint(ground, replace(clause, groups=()), claim, [s]) for s in subjects]
        return next((r for r in each if r.outcome != "backed"), each[0])
    named = {c for group in clause.groups for s in group for c in s.components}
    everything = (
        named
        if len(named) > 1
        else named
        | {c for s in (*subjects, *(() if len(subjects[0].components) > 1 else clause.carried)) for c in s.components}
    )
    joints = ground.joints(everything, clause.scope)
    if joints:
        results = [judged(ground, claim, joint) for joint in joints]
        return next((r for r in results if r.outcome != "backed"), results[0])
    around = [j for j in ground.pairs(clause.scope) if everything <= set(j.components)]
    results = [judged(ground, claim, joint) for joint in around]
    if len(everything) == 1 and results and claim not in ("no interaction",):
        return next((r for r in results if r.outcome == "backed"), results[0])
    return Judgement("unbacked", f"{' + '.join(sorted(everything))} were not removed together")
