"""A study that is killed, again and again, ends with the numbers of one that was left alone."""

import random
import select
import signal
import sqlite3
from pathlib import Path

import pytest

from ..experiments import NO_OP_AFTER
from ..processes import left_behind
from .conftest import Project, after_trials, send

SHORT = ("--interactions", "none")


def outcomes(state: Path) -> dict[str, tuple[str, str, str, int]]:
    """Key → status, metrics and fingerprint of every finished trial, and how many attempts have ended.

    Without a no-op's third seed, which may be under way when the second ends, or not.
    """
    finished = f"status = 'ok' OR (status = 'no-op' AND seed < {NO_OP_AFTER})"
    with sqlite3.connect(state / "ledger.db") as database:
        rows = database.execute(f"SELECT key, status, metrics, fingerprint FROM trials WHERE {finished}")
        finished = {key: (status, metrics, fingerprint) for key, status, metrics, fingerprint in rows}
        ended = dict(
            database.execute("SELECT key, COUNT(*) FROM attempts WHERE status IN ('ok', 'no-op') GROUP BY key")
        )
    database.close()
    return {key: (*row, ended[key]) for key, row in finished.items()}


@pytest.fixture(scope="module")
def undisturbed(project: Project) -> Path:
    """The study, run to its end in one go."""
    state = project.folder / "undisturbed"
    run = project.run("run", "--state", str(state), "--json", *SHORT)
    assert run.returncode == 0, run.stderr
    return state


def test_killed_three_times(project: Project, undisturbed: Path) -> None:
    state = project.folder / "killed"
    moments = random.Random(7)
    for _ in range(3):
        process = project.start("run", "--state", str(state), "--json", *SHORT)
        after_trials(process, moments.randint(1, 3))
        select.select([], [], [], moments.random())  # somewhere inside what runs next
        assert send(process, signal.SIGKILL) == -signal.SIGKILL
        assert left_behind(project.folder) == []
        before = outcomes(state)
        assert before
    last = project.run("run", "--state", str(state), "--json", *SHORT)
    assert last.returncode == 0, last.stderr
    after = outcomes(state)
    assert {key: row for key, row in after.items() if key in before} == before
    assert after == outcomes(undisturbed)
    assert all(attempts == 1 for *_, attempts in after.values())


def test_interrupted_and_continued(project: Project, undisturbed: Path) -> None:
    state = project.folder / "interrupted"
    process = project.start("run", "--state", str(state), "--json", *SHORT)
    after_trials(process, 2)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said and "lesion run" in said
    assert left_behind(project.folder) == []
    ended = project.start("run", "--state", str(state), "--json", *SHORT)
    after_trials(ended, 1)
    assert send(ended, signal.SIGTERM) == 143
    assert project.run("run", "--state", str(state), *SHORT).returncode == 0
    assert outcomes(state) == outcomes(undisturbed)


def test_one_driver_at_a_time(project: Project, undisturbed: Path) -> None:
    process = project.start("run", "--state", str(project.folder / "contested"), "--json", *SHORT)
    after_trials(process, 1)
    second = project.run("run", "--state", str(project.folder / "contested"))
    assert second.returncode == 2
    assert f"pid {process.pid}" in second.stderr
    assert send(process, signal.SIGINT) == 130
