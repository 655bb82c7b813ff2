"""What became of the trials: counts that add up."""

from collections import Counter
from collections.abc import Sequence

from .arms import MEASURED
from .firstline import first_line
from .ledger import FINISHED, Ledger, TrialRow
from .results import Accounting, Failure


def accounting(ledger: Ledger, rows: Sequence[TrialRow], version: str, workers: int) -> Accounting:
    """Trials by their end: planned = ok + failed + skipped."""
    statuses = Counter(row.status for row in rows)
    ok = statuses.pop("ok", 0) + statuses.pop("no-op", 0)
    pending = statuses.pop("planned", 0) + statuses.pop("running", 0)
    paces = ledger.run_seconds(version)
    waiting = [paces.get(row.mode, 0.0) for row in rows if row.status in ("planned", "running")]
    skipped = statuses.pop("skipped", 0) + pending
    return Accounting(
        planned=len(rows),
        ok=ok,
        failed=dict(statuses),
        failures=_failures(rows),
        retried=dict(Counter(ledger.tried_again(version).values())),
        skipped=skipped,
        skipped_why=dict(Counter(row.reason or "never started" for row in rows if row.status == "skipped")),
        pending=pending,
        checks=ledger.check_count(version),
        run_seconds=paces,
        pending_seconds=sum(waiting) / workers if waiting and all(waiting) else None,
    )


def _failures(rows: Sequence[TrialRow]) -> list[Failure]:
    found: dict[tuple[str, str, str], list[TrialRow]] = {}
    for row in rows:
        if row.status in FINISHED and row.status not in MEASURED:
            found.setdefault((row.arm, row.mode, row.status), []).append(row)
    told = [
        Failure(arm=arm, mode=mode, status=status, reason=first_line(same[0].reason or ""), trials=len(same))  # type: ignore[arg-type]
        for (arm, mode, status), same in found.items()
    ]
    return sorted(told, key=lambda one: -one.trials)
