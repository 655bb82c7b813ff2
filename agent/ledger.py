"""The ledger: one SQLite file that remembers every plan, check, trial and attempt of a study, whatever dies.

A trial's row goes planned → running → its outcome, each in a transaction of its own, so `kill -9` at any moment loses
nothing finished. One process may write at a time (a lock that dies with it); any number may read.
"""

import json
import os
import sqlite3
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, TypeAdapter
from pydantic_core import from_json

from ..executor.outcomes import RETRIED, Metrics, Outcome, Packed, ScoredBy, Seen
from .ledgerfile import connect, explained, holder, lock, nothing_yet
from .results import Mode

FINISHED = (
    "ok",
    "no-op",
    "crashed",
    "timed-out",
    "out-of-memory",
    "disk-full",
    "killed",
    "diverged",
    "invalid",
    "refused",
)


class Facts(BaseModel):
    """What a trial tells beside its metrics."""

    model_config = ConfigDict(frozen=True)

    cut: dict[str, dict[str, float]] = {}
    """The metrics right after the cut, before any fine-tuning."""
    wobble: float | None = None
    """The largest difference of a metric between two evaluations of the same weights at the same seed."""
    changed_weights: list[str] = []
    batches: dict[str, list[int]] = {}
    """Of an evaluated baseline whose batches can be scored in any order: split → examples of each."""
    seen: dict[str, Seen] = {}
    """Split → how far an arm was evaluated under the rule that stops it early."""
    family: int | None = None
    """Tests that this rule was corrected over."""
    same: bool | None = None
    replayed: float | None = None
    held_memory: int | None = None
    seconds: dict[str, float] = {}
    forwards: int | None = None
    """Training forwards: steps, where each is one."""
    peak_gpu_memory: int | None = None
    gpu_memory: int | None = None
    """Bytes that were reserved at most on one GPU, and what it has."""
    scored_by: ScoredBy | None = None
    """Whose evaluation gave the metrics of a trial with source edits."""
    own: Metrics = {}
    """The metrics that it gave itself, where the unedited evaluation came to others."""


NO_FACTS = Facts()
PARTS = TypeAdapter(dict[str, dict[str, dict[str, Packed]]])


def facts_of(outcome: Outcome) -> Facts:
    """What is kept of an outcome beside its metrics."""
    return Facts.model_validate(outcome.model_dump(include=set(Facts.model_fields)))


class TrialRow(NamedTuple):
    """One trial as the analysis needs it."""

    key: str
    arm: str
    mode: str
    seed: int
    status: str
    reason: str | None
    metrics: dict[str, dict[str, float]]
    fingerprint: str | None
    changed: bool
    wall_seconds: float | None
    peak_memory: int | None
    facts: Facts = NO_FACTS


class Trial(NamedTuple):
    """One trial to be planned."""

    key: str
    arm: str
    mode: Mode
    seed: int


LONGEST_START = 60.0
"""Seconds that the start of a trial's process counts at most."""


class Ledger:
    """The ledger of one study, in its state folder. Raises `LedgerError` for a newer file, a full disk, a read-only folder."""

    def __init__(self, folder: Path, *, write: bool) -> None:
        self.path = folder / "ledger.db"
        self._lock: int | None = None
        if not write and not self.path.exists():
            raise nothing_yet(folder)
        with explained(self.path):
            if write:
                folder.mkdir(parents=True, exist_ok=True)
                self._lock = lock(folder / "lock")
            try:
                self._database = connect(self.path, write=write)
            except BaseException:
                self._unlock()
                raise

    def driver(self) -> str | None:
        """The process that runs this study now, None where there is none."""
        return holder(self.path.parent / "lock")

    def close(self) -> None:
        """Close the file; the lock goes with the process or with this."""
        self._database.close()
        self._unlock()

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    # the study as a whole

    def remember(self, key: str, value: Any) -> None:
        """Keep one fact about the study, as JSON."""
        self._write("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, json.dumps(value)))

    def recall(self, key: str, default: Any = None) -> Any:
        """A fact that was remembered."""
        row = self._database.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return json.loads(row[0]) if row else default

    def seal(self, version: str, number: int, digest: str, document: str) -> None:
        """Keep the plan of a round for good, before anything of it runs."""
        self._write("INSERT INTO plans VALUES (?, ?, ?, ?, ?)", (version, number, digest, document, time.time()))

    def plans(self, version: str) -> list[tuple[int, str, str]]:
        """(round, hash, document) of every sealed plan."""
        query = "SELECT round, hash, document FROM plans WHERE version = ? ORDER BY round"
        return [tuple(row) for row in self._database.execute(query, (version,))]

    def plan_hashes(self) -> set[str]:
        """Hashes of every plan ever sealed here, whatever the version of the source."""
        return {row[0] for row in self._database.execute("SELECT hash FROM plans")}

    def requests(self) -> set[str]:
        """The queue's requests that plans were made from, whatever the version of the source: what was asked for once is run once."""
        rows = self._database.execute("""SELECT document FROM plans WHERE document LIKE '%"request":%'""")
        return {name for (document,) in rows if (name := from_json(document).get("request"))}

    @contextmanager
    def snapshot(self) -> Generator[None]:
        """Read as of now, whatever another process writes meanwhile; it is not held up."""
        with explained(self.path):
            self._database.execute("BEGIN")
            try:
                yield
            finally:
                self._database.execute("ROLLBACK")

    # checks

    def check(self, key: str) -> Outcome | None:
        """The outcome of a check that was made before."""
        row = self._database.execute("SELECT outcome FROM checks WHERE key = ?", (key,)).fetchone()
        return Outcome.model_validate_json(row[0]) if row else None

    def record_check(self, key: str, version: str, arm: str, outcome: Outcome) -> None:
        """Keep a check."""
        with self._transaction():
            self._database.execute(
                "INSERT OR REPLACE INTO checks VALUES (?, ?, ?, ?)", (key, version, arm, outcome.model_dump_json())
            )
            self._attempt(f"check:{key}", outcome)

    def checks(self, version: str) -> dict[str, Outcome]:
        """Arm → outcome of its check."""
        rows = self._database.execute("SELECT arm, outcome FROM checks WHERE version = ?", (version,))
        return {arm: Outcome.model_validate_json(outcome) for arm, outcome in rows}

    def check_count(self, version: str) -> int:
        """How many checks were made."""
        return self._database.execute("SELECT COUNT(*) FROM checks WHERE version = ?", (version,)).fetchone()[0]

    # trials

    def plan_trials(self, version: str, trials: Iterable[Trial]) -> None:
        """Add trials as planned; one that is known keeps what it has, one that was skipped is planned again."""
        query = """INSERT INTO trials (key, version, arm, mode, seed, status) VALUES (?, ?, ?, ?, ?, 'planned')
                   ON CONFLICT (key) DO UPDATE SET status = 'planned', reason = NULL WHERE status = 'skipped'"""
        with self._transaction():
            self._database.executemany(query, [(one.key, version, one.arm, one.mode, one.seed) for one in trials])

    def start(self, key: str, limits: str, sandbox: str) -> None:
        """Mark a trial as running."""
        self._write(
            "UPDATE trials SET status = 'running', attempts = attempts + 1, limits = ?, sandbox = ?, started_at = ? WHERE key = ?",
            (limits, sandbox, time.time(), key),
        )

    def finish(self, key: str, outcome: Outcome) -> None:
        """Write a trial's outcome."""
        examples = {
            split: {name: one.model_dump() for name, one in columns.items()}
            for split, columns in outcome.examples.items()
        }
        row = (
            outcome.status,
            outcome.message,
            time.time(),
            json.dumps(outcome.metrics),
            outcome.fingerprint,
            outcome.changed,
            outcome.wall_seconds,
            outcome.cpu_seconds,
            outcome.peak_memory,
            outcome.parameters,
            facts_of(outcome).model_dump_json(exclude_defaults=True),
            key,
        )
        proofs = json.dumps([proof.model_dump() for proof in outcome.proofs])
        with self._transaction():
            self._database.execute(
                """UPDATE trials SET status = ?, reason = ?, finished_at = ?, metrics = ?, fingerprint = ?, changed = ?,
                   wall_seconds = ?, cpu_seconds = ?, peak_memory = ?, parameters = ?, facts = ? WHERE key = ?""",
                row,
            )
            told = (json.dumps(examples), _curves(outcome), _parts(outcome))
            details = (key, outcome.traceback, outcome.output, proofs, *told)
            self._database.execute("INSERT OR REPLACE INTO details VALUES (?, ?, ?, ?, ?, ?, ?)", details)
            self._attempt(key, outcome)

    def requeue(self, version: str) -> int:
        """Put trials that a dead process left running back to planned; how many there were."""
        query = "UPDATE trials SET status = 'planned', attempts = attempts - 1 WHERE status = 'running' AND version = ?"
        return self._write(query, (version,)).rowcount

    def retry(self, key: str) -> None:
        """Plan a finished trial once more."""
        self._write("UPDATE trials SET status = 'planned' WHERE key = ?", (key,))

    def skip(self, version: str, arm: str, mode: str, reason: str) -> None:
        """Give up what is still planned of an arm in one mode."""
        self._write(
            """UPDATE trials SET status = 'skipped', reason = ?
               WHERE version = ? AND arm = ? AND mode = ? AND status = 'planned'""",
            (reason, version, arm, mode),
        )

    def skip_seed(self, version: str, seed: int, mode: str, reason: str) -> None:
        """Give up what is still planned at a seed in one mode."""
        self._write(
            """UPDATE trials SET status = 'skipped', reason = ?
               WHERE version = ? AND seed = ? AND mode = ? AND status = 'planned'""",
            (reason, version, seed, mode),
        )

    def trials(self, version: str) -> list[TrialRow]:
        """Every trial of this version of the source, in the order of planning."""
        query = """SELECT key, arm, mode, seed, status, reason, metrics, fingerprint, changed, wall_seconds, peak_memory,
                   facts FROM trials WHERE version = ? ORDER BY rowid"""
        return [_trial_row(*row) for row in self._database.execute(query, (version,))]

    def curves(self, version: str) -> list[tuple[TrialRow, dict[str, dict[str, Packed]]]]:
        """Trials that went well and left learning curves: metric → `value` and, where its rows are numbered, `step`."""
        query = """SELECT key, curves FROM details JOIN trials USING (key)
                   WHERE version = ? AND status IN ('ok', 'no-op') AND curves IS NOT NULL"""
        found = dict(self._database.execute(query, (version,)).fetchall())
        return [(row, _unpacked(found[row.key])) for row in self.trials(version) if row.key in found]

    def examples(self, key: str) -> dict[str, dict[str, Packed]]:
        """Split → column → one value an example, of a trial that gave them."""
        row = self._database.execute("SELECT examples FROM details WHERE key = ?", (key,)).fetchone()
        return _unpacked(row[0]) if row and row[0] else {}

    def parts(self, key: str) -> dict[str, dict[str, dict[str, Packed]]]:
        """Of a joint removal that measured its parts along with itself: part → split → column."""
        row = self._database.execute("SELECT parts FROM details WHERE key = ?", (key,)).fetchone()
        return PARTS.validate_json(row[0]) if row and row[0] else {}

    def last_finished(self, version: str) -> float | None:
        """When the last trial of this version ended, in seconds since the epoch; None before any has."""
        query = "SELECT MAX(finished_at) FROM trials WHERE version = ?"
        return self._database.execute(query, (version,)).fetchone()[0]

    def has_baseline(self, version: str) -> bool:
        """Whether any baseline run has finished."""
        query = "SELECT 1 FROM trials WHERE version = ? AND arm = 'baseline' AND status = 'ok' LIMIT 1"
        return self._database.execute(query, (version,)).fetchone() is not None

    def attempts(self, key: str) -> tuple[int, str | None]:
        """How often a trial was started, and under which limits last."""
        return self._database.execute("SELECT attempts, limits FROM trials WHERE key = ?", (key,)).fetchone()

    def stored_bytes(self, key: str) -> int:
        """Bytes that a trial's own words and values take here; 0 before it has ended."""
        query = """SELECT COALESCE(SUM(length(CAST(COALESCE(output, '') || COALESCE(traceback, '') || COALESCE(proofs, '')
                   || COALESCE(examples, '') || COALESCE(curves, '') || COALESCE(parts, '') AS BLOB))), 0) FROM details WHERE key = ?"""
        return self._database.execute(query, (key,)).fetchone()[0]

    def tried_again(self, version: str) -> dict[str, str]:
        """Trial → what ended its try before the last, of those that limits or the machine ended and that were started again."""
        query = """SELECT key, status FROM (
                       SELECT a.key, a.status, a.rowid, LEAD(a.rowid) OVER (PARTITION BY a.key ORDER BY a.rowid) AS later
                       FROM attempts a JOIN trials t ON t.key = a.key WHERE t.version = ?)
                   WHERE later IS NOT NULL ORDER BY rowid"""
        return {key: status for key, status in self._database.execute(query, (version,)) if status in RETRIED}

    def attempts_made(self) -> int:
        """Trials that were started and have ended, whatever the version of the source; checks are none."""
        query = "SELECT COUNT(*) FROM attempts WHERE key NOT LIKE 'check:%'"
        return self._database.execute(query).fetchone()[0]

    def traceback(self, key: str) -> str | None:
        """The user's own frames of a trial that crashed."""
        row = self._database.execute("SELECT traceback FROM details WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def run_seconds(self, version: str) -> dict[str, float]:
        """By mode: wall time of a measured trial, mean, its process's start included; evaluations share theirs.

        A start takes a minute at most: a clock that was set meanwhile must not count.
        """
        query = """SELECT mode, AVG(CASE WHEN mode = 'reevaluate' THEN wall_seconds
                   ELSE MAX(wall_seconds, MIN(finished_at - started_at, wall_seconds + ?)) END)
                   FROM trials WHERE version = ? AND status IN ('ok', 'no-op') GROUP BY mode"""
        return {mode: mean for mode, mean in self._database.execute(query, (LONGEST_START, version)) if mean}

    def compute(self, version: str) -> dict[str, Any]:
        """Seconds and memory spent, failed and repeated attempts and checks included."""
        query = """SELECT COALESCE(SUM(a.wall_seconds), 0), COALESCE(SUM(a.wall_seconds * (a.status NOT IN ('ok', 'no-op'))), 0),
                   COUNT(*), MAX(t.peak_memory), COALESCE(AVG(CASE WHEN t.status IN ('ok', 'no-op') THEN t.wall_seconds END), 0),
                   COALESCE(SUM(t.cpu_seconds), 0), COALESCE(AVG(t.cpu_seconds), 0)
                   FROM attempts a JOIN trials t ON t.key = a.key WHERE t.version = ?"""
        total, failed, attempts, peak, mean, cpu, cpu_mean = self._database.execute(query, (version,)).fetchone()
        checks = self._database.execute(
            "SELECT COALESCE(SUM(wall_seconds), 0) FROM attempts WHERE key LIKE 'check:%'"
        ).fetchone()[0]
        return {
            "seconds_total": total,
            "seconds_failed": failed,
            "seconds_per_trial": mean,
            "attempts": attempts,
            "peak_memory_bytes": peak,
            "cpu_seconds_total": cpu,
            "cpu_seconds_per_trial": cpu_mean,
            "checks_seconds": checks,
        }

    # inside

    def _attempt(self, key: str, outcome: Outcome) -> None:
        row = (key, outcome.status, outcome.message, outcome.wall_seconds, time.time())
        self._database.execute("INSERT INTO attempts VALUES (?, ?, ?, ?, ?)", row)

    def _write(self, query: str, values: tuple[Any, ...]) -> sqlite3.Cursor:
        with explained(self.path):
            return self._database.execute(query, values)

    @contextmanager
    def _transaction(self) -> Generator[None]:
        with explained(self.path):
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")


def _curves(outcome: Outcome) -> str | None:
    found = {
        metric: {part: one.model_dump() for part, one in parts.items()} for metric, parts in outcome.curves.items()
    }
    return json.dumps(found) if found else None


def _parts(outcome: Outcome) -> str | None:
    return PARTS.dump_json(outcome.parts).decode() if outcome.parts else None


def _unpacked(text: str) -> dict[str, dict[str, Packed]]:
    named: dict[str, dict[str, Any]] = from_json(text)
    return {outer: {name: Packed.model_validate(one) for name, one in inner.items()} for outer, inner in named.items()}


def _trial_row(*row: Any) -> TrialRow:
    key, arm, mode, seed, status, reason, metrics, fingerprint, changed, seconds, memory, facts = row
    values = from_json(metrics) if metrics else {}
    told = Facts.model_validate_json(facts) if facts and facts != "{}" else NO_FACTS
    ended = (status, reason, values, fingerprint, bool(changed), seconds, memory, told)
    return TrialRow(key, arm, mode, seed, *ended)
