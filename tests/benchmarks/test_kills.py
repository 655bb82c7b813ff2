"""A hundred kills at random moments: no finished trial is lost or run twice, nobody is left behind, the ledger is intact."""

import os
import random
import sqlite3
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.experiments import LESION, STUDY, project
from tests.processes import descendants, kill, kill_a_worker, naming

KILLS = 100
ROUNDS = ("driver", "worker", "ledger", "report")
LONGER = STUDY.replace("seeds = 3\nmax_seeds = 3", "seeds = 10\nmax_seeds = 20")
PATIENCE = 30.0


def finished(state: Path) -> dict[str, tuple[str, str, int]]:
    """Key → status, metrics, and how many attempts went well, of every trial that is finished."""
    with sqlite3.connect(f"file:{state / 'ledger.db'}?mode=ro", uri=True) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = database.execute("SELECT key, status, metrics FROM trials WHERE status IN ('ok', 'no-op')").fetchall()
        well = database.execute("SELECT key, COUNT(*) FROM attempts WHERE status IN ('ok', 'no-op') GROUP BY key")
        counts = dict(well.fetchall())
    database.close()
    return {key: (status, metrics, counts[key]) for key, status, metrics in rows}


def wait_for(what: str, state: Path, process: "subprocess.Popen[bytes]", moments: random.Random) -> None:
    """Until the moment at which it is to be killed, or its end."""
    begun = time.monotonic()
    if what in ("driver", "worker"):
        until = begun + moments.uniform(0.5, 6.0)
        while time.monotonic() < until and process.poll() is None:
            time.sleep(0.05)
        return
    watched = state / ("ledger.db-wal" if what == "ledger" else "report")
    skipped = moments.randint(0, 12)
    before = _changed(watched)
    while process.poll() is None and time.monotonic() < begun + 12:
        if (now := _changed(watched)) != before:
            before, skipped = now, skipped - 1
            if skipped < 0:
                return
        time.sleep(0.0005)


def _changed(path: Path) -> tuple[int, ...]:
    try:
        entries = [path, *path.iterdir()] if path.is_dir() else [path]
        return tuple(one.stat().st_mtime_ns for one in entries)
    except OSError:
        return ()


@pytest.mark.benchmark
def test_a_hundred_kills(tmp_path: Path) -> None:
    made, moments = project(tmp_path / "project", study=LONGER), random.Random(1)
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("LESION", "OPENAI"))}
    command = [*LESION, "overnight", "lesion.toml", "--for", "3h", "--planner", "rules", "--keep-free", "1MB"]
    hit: Counter[str] = Counter()
    known: dict[str, tuple[str, str, int]] = {}
    codes: Counter[int] = Counter()
    made.lesion("run", "--max-trials", "1")
    while sum(hit.values()) < KILLS:
        what = ROUNDS[sum(hit.values()) % len(ROUNDS)]
        with (tmp_path / "log").open("ab") as log:
            process = subprocess.Popen(command, cwd=made.folder, env=clean, stdout=log, stderr=log)
        wait_for(what, made.state, process, moments)
        below = descendants(process.pid)
        if process.poll() is None:
            if what == "worker" and kill_a_worker(process.pid):
                hit["worker"] += 1
                time.sleep(moments.uniform(0.0, 1.0))
            if process.poll() is None and kill(process.pid):
                hit[what if what != "worker" else "driver after a worker"] += 1
        codes[process.wait(60)] += 1
        end = time.monotonic() + PATIENCE
        while (left := [pid for pid in below if Path(f"/proc/{pid}/exe").exists()]) and time.monotonic() < end:
            time.sleep(0.05)
        assert (left, naming(made.folder)) == ([], [])
        now = finished(made.state)
        assert {key: now.get(key) for key in known} == known
        assert all(count == 1 for *_, count in now.values())
        known = now
        if codes[0] or codes[3]:
            made = made.__class__(made.folder)
            codes[0] = codes[3] = 0
            (made.folder / "config.yaml").write_text(
                (made.folder / "config.yaml").read_text() + f"more_{sum(hit.values())}: 0\n"
            )  # complete: another version of the study begins
    ended = subprocess.run(command, cwd=made.folder, env=clean, capture_output=True, text=True, check=False)
    assert ended.returncode in (0, 3), ended.stderr
    assert {key: finished(made.state).get(key) for key in known} == known
    print(f"\n{sum(hit.values())} kills: {dict(hit)}; {len(known)} finished trials kept, exit codes {dict(codes)}")
