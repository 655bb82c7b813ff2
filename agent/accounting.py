"""What became of the trials: counts that add up."""

from collections import Counter
from collections.abc import Sequence

from .ledger import Ledger, TrialRow
from .results import Accounting


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
        skipped=skipped,
        skipped_why=dict(Counter(row.reason or "never started" for row in rows if row.status == "skipped")),
        pending=pending,
        checks=ledger.check_count(version),
        run_seconds=paces,
        pending_seconds=sum(waiting) / workers if waiting and all(waiting) else None,
    )
