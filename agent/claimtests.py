"""Each claim of a study held against the verdicts of the ablations that put it to the test."""

from collections import Counter
from collections.abc import Iterator, Sequence

from .analysis.claims import claim_status, claim_test_status
from .planning.plan import Ablation, Plan
from .records.claims import ClaimStatus, ClaimTest, ClaimTested, ShownBy
from .results import Direction, Effect, Mode, Planned

_OPEN = {
    "structural": "the program needs it to run, which does not show that it is important",
    "no-op": "the intervention did nothing, so nothing was learnt",
    "detected": "a difference was shown; whether it exceeds δ is uncertain",
    "undecided": "could not be settled with the runs there are",
    "untestable": "could not be tested",
}


def claims_tested(
    claims: Sequence[str], plans: Sequence[Plan], effects: Sequence[Effect], planned: Sequence[Planned], sign: int
) -> list[ClaimTested]:
    """Every claim with its tests, in the order of the plans.

    Args:
        claims: texts; the first is c1.
        plans: the sealed ones, which say what would support which claim.
        effects: on the primary metric, joint removals with their joint loss among them.
        planned: what became of proposals, for those that have no effect.
        sign: +1 where a larger metric is better, −1 where a smaller one is.
    """
    found: dict[str, list[ClaimTest]] = {f"c{number}": [] for number in range(1, len(claims) + 1)}
    fates = {(one.round, one.ablation): one for one in planned}
    for plan in plans:
        for ablation in plan.ablations:
            for one in ablation.claims:
                if one.claim in found:
                    tests = _tests(plan.round, ablation, one.outcome, effects, fates, sign)
                    found[one.claim] += [test.model_copy(update={"by": ablation.by or plan.planner}) for test in tests]
    return [_claim(name, text, found[name]) for name, text in zip(found, claims, strict=True)]


def shown_by(status: ClaimStatus, tests: Sequence[ClaimTest]) -> ShownBy | None:
    """What a claim's status rests on: the strongest of the tests that say so; None where none does."""
    said = {"contradicted": "contradicts", "supported": "supports"}.get(status)
    deciding = [one for one in tests if one.status == said]
    if not deciding:
        return None
    if any(one.role == "confirmatory" for one in deciding):
        return "sealed"
    return "follow-up" if all(one.round > 1 for one in deciding) else "exploratory"


def _tests(
    number: int,
    ablation: Ablation,
    wanted: Direction,
    effects: Sequence[Effect],
    fates: dict[tuple[int, str], Planned],
    sign: int,
) -> Iterator[ClaimTest]:
    mine = [one for one in effects if (one.round, one.ablation) == (number, ablation.id)]
    asked = ClaimTest(
        ablation=ablation.id,
        components=ablation.components,
        mode=None,
        role=ablation.role,
        round=number,
        wanted=wanted,
        verdict=None,
        delta=None,
        status="open",
    )
    for effect in mine:
        yield _judged(asked, effect, sign)
    if not mine:
        fate = fates.get((number, ablation.id))
        told = ": ".join(part for part in (fate.fate, fate.reason) if part) if fate else "not run"
        yield asked.model_copy(update={"reason": told})


def _judged(asked: ClaimTest, effect: Effect, sign: int) -> ClaimTest:
    loss = None if effect.delta is None else -sign * effect.delta
    status = claim_test_status(asked.wanted, effect.verdict, loss)
    reason = (effect.reason or _OPEN.get(effect.verdict)) if status == "open" else None
    if status == "open" and effect.verdict in ("structural", "no-op"):
        reason = _OPEN[effect.verdict]
    told = {"mode": effect.mode, "verdict": effect.verdict, "delta": effect.delta, "interval": effect.interval}
    return asked.model_copy(update={**told, "status": status, "reason": reason})


def _claim(name: str, text: str, tests: list[ClaimTest]) -> ClaimTested:
    modes: list[Mode] = list(dict.fromkeys(one.mode for one in tests if one.mode))
    status = claim_status([one.status for one in tests])
    return ClaimTested(
        id=name,
        text=text,
        status=status,
        shown_by=shown_by(status, tests),
        by_mode={mode: claim_status([one.status for one in tests if one.mode == mode]) for mode in modes},
        reason=_reason(tests),
        tests=tests,
    )


def _reason(tests: Sequence[ClaimTest]) -> str | None:
    """Why it is untested, or how its tests differ."""
    said = Counter(one.status for one in tests)
    if not tests:
        return "no ablation was planned that puts it to the test"
    if said["supports"] and said["contradicts"]:
        return f"its tests differ: {said['contradicts']} of {len(tests)} contradict it, {said['supports']} support it"
    if said["open"] == len(tests):
        ends = Counter(one.verdict or "not measured" for one in tests)
        return "its tests are open: " + ", ".join(f"{count} {end}" for end, count in ends.items())
    return None
