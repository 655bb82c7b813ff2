"""What was planned and what became of it: the fate of every proposal, and the trials that add up."""

from collections import Counter
from collections.abc import Sequence

from .evidence import Evidence
from .ledger import Ledger, TrialRow
from .results import Accounting, Mode, Planned


def planned_fates(seen: Sequence[Evidence], complete: bool) -> list[Planned]:
    """Every proposal of every plan, and what became of it; `seen`: one a mode."""
    found: list[Planned] = []
    for plan in seen[0].plans:
        found += [Planned(ablation=one.id, round=plan.round, fate="dropped", reason=one.reason) for one in plan.dropped]
        for one in plan.ablations:
            fates: dict[Mode, tuple[str, str | None]] = {
                evidence.mode: _fate(evidence, one.id, complete) for evidence in seen if one.asks(evidence.mode)
            }
            found.append(_fate_in_all(one.id, plan.round, fates))
    return found


def _fate_in_all(name: str, number: int, fates: dict[Mode, tuple[str, str | None]]) -> Planned:
    """One fate where the modes agree, else the first that is no plain run, with each mode's in words."""
    kinds = list(dict.fromkeys(fate for fate, _ in fates.values()))
    fate = next((kind for kind in kinds if kind != "ran"), "ran" if kinds else "pending")
    told = [f"{mode}: {kind}{f' ({why})' if why else ''}" for mode, (kind, why) in fates.items()]
    reasons = [why for _, why in fates.values() if why]
    reason = "; ".join(told) if len(kinds) > 1 or len(set(reasons)) > 1 else next(iter(reasons), None)
    return Planned(ablation=name, round=number, fate=fate, reason=reason)


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


def accounting(ledger: Ledger, rows: Sequence[TrialRow], version: str) -> Accounting:
    """Trials by their end: planned = ok + failed + skipped."""
    statuses = Counter(row.status for row in rows)
    ok = statuses.pop("ok", 0) + statuses.pop("no-op", 0)
    pending = statuses.pop("planned", 0) + statuses.pop("running", 0)
    skipped = statuses.pop("skipped", 0) + pending
    return Accounting(
        planned=len(rows),
        ok=ok,
        failed=dict(statuses),
        skipped=skipped,
        skipped_why=dict(Counter(row.reason or "never started" for row in rows if row.status == "skipped")),
        pending=pending,
        checks=ledger.check_count(version),
    )
