"""What came in since last time, from the ledger alone, whoever runs the study; and how far it is, in a line."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from ...executor.errors import LedgerError
from ...executor.units import format_duration
from ...prompts import phrases
from ..arms import arms_of
from ..collect import gather
from ..foresight import pace
from ..ledger import FINISHED, Ledger
from ..ledgerfile import NOTHING_YET
from ..queue import Queue
from ..spec import StudySpec
from .news import WORDS, Arrival, ModeNews, check_news, failed_trials, note

SETTLED_NS = 50_000_000
"""A file that changed so short a time ago may change again without its time telling."""
Stamp = tuple[tuple[str, int, int, int], ...]


class Arrivals:
    """Tells everything once. `told` is what was told before, also by a conversation that has ended since."""

    def __init__(self, spec: StudySpec, state: Path, told: Mapping[str, int]) -> None:
        self.spec, self.state = spec, state
        self.told = dict(told)
        """Key → count, of all that `poll` has given."""
        self._stamp: Stamp | None = None

    def poll(self) -> list[Arrival]:
        """What is new; next to nothing where no file has changed. Never raises for what another process writes meanwhile."""
        stamp = _stamp(self.state)
        if stamp == self._stamp:
            return []
        young = time.time_ns() - max((one[2] for one in stamp), default=0) < SETTLED_NS
        found = [one for one in self._all() if one.count > self.told.get(one.key, 0)]
        self.told |= {one.key: one.count for one in found}
        self._stamp = None if young else stamp
        return found

    def _all(self) -> Iterator[Arrival]:
        words = phrases(WORDS)
        try:
            yield from self._of_the_ledger()
            for one in Queue(self.state).refused():
                yield Arrival(f"refused:{one.name}", 1, note(words.refused(one.name, one.reasons), "error"))
        except LedgerError as error:
            yield Arrival(f"error:{error.what}", 1, note(str(error), "error"))

    def _of_the_ledger(self) -> list[Arrival]:
        ledger = _reading(self.state)
        if ledger is None:
            return []
        try:
            with ledger.snapshot():
                return list(self._told_by(ledger))
        finally:
            ledger.close()

    def _told_by(self, ledger: Ledger) -> Iterator[Arrival]:
        version: str | None = ledger.recall("version")
        if version is None:
            return
        prefix, words = f"{version[:12]}/", phrases(WORDS)
        rows = ledger.trials(version)
        seen = [gather(self.spec, ledger, rows, mode) for mode in self.spec.study.modes]
        yield from failed_trials(arms_of(rows), prefix)
        for evidence in seen:
            yield from check_news(evidence, prefix)
            yield from ModeNews(evidence, self.told, prefix).arrivals()
        if ledger.recall("state") == "complete":
            yield Arrival(f"{prefix}complete", len(seen[0].plans), note(words.complete(seen[0].split), "good"))


def progress_line(spec: StudySpec, state: Path, *, short: bool = False) -> str:
    """How far the study is, e.g. `12 of 40 trials, 2 running, about 3m left; pid 123`; `short`: `12/40 trials, 2 running`."""
    ledger = _reading(state)
    if ledger is None:
        words = phrases(WORDS)
        return (
            words.short_progress(0, 0, 0)
            if short
            else words.progress(0, 0, 0, "", None, len(Queue(state).names_waiting(())))
        )
    try:
        driver, version = ledger.driver(), ledger.recall("version", "")
        rows = [row for row in ledger.trials(version) if row.status != "skipped"]
        done = sum(row.status in FINISHED for row in rows)
        running = sum(row.status == "running" for row in rows) if driver else 0
        seconds = _seconds_a_trial(spec, ledger, version) if driver else None
        left = format_duration(round(seconds * (len(rows) - done))) if seconds and done < len(rows) else ""
        waiting = len(Queue(state).names_waiting(ledger.requests()))
    finally:
        ledger.close()
    if short:
        return phrases(WORDS).short_progress(done, len(rows), running)
    return phrases(WORDS).progress(done, len(rows), running, left, driver, waiting)


def _seconds_a_trial(spec: StudySpec, ledger: Ledger, version: str) -> float | None:
    """From one trial's end to the next."""
    spent, workers = ledger.compute(version), ledger.recall("workers") or spec.limits.workers
    found = pace(spent["seconds_per_trial"], spent["cpu_seconds_per_trial"], workers)
    return None if found is None else found / workers


def _reading(state: Path) -> Ledger | None:
    """The ledger as it can be read beside whoever writes it; None before it is made."""
    try:
        return Ledger(state, write=False)
    except LedgerError as error:
        if error.what == NOTHING_YET:
            return None
        raise


def _stamp(state: Path) -> Stamp:
    """What tells that something was written."""
    files = [state / "ledger.db", state / "ledger.db-wal", state / "queue"]
    found: list[tuple[str, int, int, int]] = []
    for path in files:
        try:
            status = path.stat()
        except OSError:
            continue
        found.append((path.name, status.st_ino, status.st_mtime_ns, status.st_size))
    return tuple(found)
