import os
import signal
import sqlite3
import subprocess
import sys

import pytest
from lesion.agent.accounting import accounting
from lesion.agent.ledger import FINISHED, NO_FACTS, Ledger, Trial
from lesion.executor.errors import LedgerError
from lesion.executor.outcomes import Outcome

VERSION = "v1"
FINISHER = """
import sys
from pathlib import Path
from lesion.agent.ledger import Ledger, Trial
from lesion.executor.outcomes import Outcome
ledger = Ledger(Path(sys.argv[1]), write=True)
ledger.plan_trials("v1", [Trial(f"k{i}", "arm", "retrain", i) for i in range(5000)])
for i in range(5000):
    ledger.start(f"k{i}", "limits", "none")
    ledger.finish(f"k{i}", Outcome(status="ok", metrics={"validation": {"score": float(i)}}, output="x" * 5000, wall_seconds=1))
    print(i, flush=True)
"""


@pytest.fixture
def opened(tmp_path):
    """Open a ledger in one folder, again and again; each is closed at the end."""
    ledgers = []

    def open_it(*, write=True, folder=tmp_path):
        ledgers.append(Ledger(folder, write=write))
        return ledgers[-1]

    yield open_it
    for ledger in ledgers:
        ledger.close()


def planned(ledger, *seeds, arm="arm", version=VERSION):
    trials = [Trial(f"{version}/{arm}/{seed}", arm, "retrain", seed) for seed in seeds]
    ledger.plan_trials(version, trials)
    return [one.key for one in trials]


def statuses(ledger, version=VERSION):
    return [row.status for row in ledger.trials(version)]


def ok(value=0.5):
    return Outcome(status="ok", metrics={"validation": {"score": value}}, fingerprint="f", wall_seconds=2.0)


def test_a_trial_goes_from_planned_to_running_to_its_outcome(opened):
    ledger = opened()
    key, other = planned(ledger, 0, 1)
    assert statuses(ledger) == ["planned", "planned"]
    ledger.start(key, "10 s", "bubblewrap")
    assert statuses(ledger) == ["running", "planned"]
    ledger.finish(key, Outcome(status="crashed", message="KeyError: 'x'", traceback="File user.py", wall_seconds=1))
    ledger.start(other, "10 s", "bubblewrap")
    ledger.finish(other, ok(0.25))
    failed, finished = ledger.trials(VERSION)
    assert (failed.status, failed.reason, failed.metrics) == ("crashed", "KeyError: 'x'", {})
    assert ledger.traceback(key) == "File user.py"
    assert (finished.status, finished.metrics, finished.fingerprint) == ("ok", {"validation": {"score": 0.25}}, "f")
    assert {"crashed", "ok"} <= set(FINISHED)
    assert ledger.compute(VERSION) | {"seconds_total": 3.0, "seconds_failed": 1.0} == ledger.compute(VERSION)


def test_what_a_dead_process_left_running_is_planned_again_and_its_attempt_is_not_counted(opened):
    ledger = opened()
    running, finished, waiting = planned(ledger, 0, 1, 2)
    (elsewhere,) = planned(ledger, 0, version="v2")
    for key in (running, finished, elsewhere):
        ledger.start(key, "10 s", "none")
    ledger.finish(finished, ok())
    ledger.close()
    ledger = opened()
    assert ledger.requeue(VERSION) == 1
    assert statuses(ledger) == ["planned", "ok", "planned"]
    assert statuses(ledger, "v2") == ["running"]
    assert (ledger.attempts(running)[0], ledger.attempts(finished)[0]) == (0, 1)
    assert ledger.attempts(waiting) == (0, None)
    assert ledger.requeue(VERSION) == 0


def test_attempts_and_their_costs_add_up_over_retries(opened):
    ledger = opened()
    (key,) = planned(ledger, 0)
    for count, status in enumerate(("killed", "timed-out", "ok"), start=1):
        ledger.start(key, f"{count} s", "none")
        ledger.finish(key, Outcome(status=status, wall_seconds=10.0))
        assert ledger.attempts(key) == (count, f"{count} s")
        if status != "ok":
            ledger.retry(key)
            assert statuses(ledger) == ["planned"]
    compute = ledger.compute(VERSION)
    assert (compute["attempts"], compute["seconds_total"], compute["seconds_failed"]) == (3, 30.0, 20.0)
    assert statuses(ledger) == ["ok"]


def test_skipped_trials_say_why_and_come_back_when_they_are_planned_again(opened):
    ledger = opened()
    first, *_ = planned(ledger, 0, 1, 2)
    planned(ledger, 0, arm="other")
    ledger.start(first, "10 s", "none")
    ledger.finish(first, ok())
    ledger.skip(VERSION, "arm", "retrain", "no use")
    assert [(row.status, row.reason) for row in ledger.trials(VERSION)] == [
        *(("ok", None), ("skipped", "no use"), ("skipped", "no use"), ("planned", None))
    ]
    planned(ledger, 0, 1)
    assert [(row.status, row.reason) for row in ledger.trials(VERSION)] == [
        *(("ok", None), ("planned", None), ("skipped", "no use"), ("planned", None))
    ]
    assert ledger.trials(VERSION)[0].metrics == {"validation": {"score": 0.5}}


def test_one_process_writes_and_any_number_reads(opened):
    ledger = opened()
    planned(ledger, 0)
    with pytest.raises(LedgerError, match=rf"another process is running this study \(pid {os.getpid()}\)") as refused:
        opened()
    assert "lesion status" in (refused.value.to_do or "")
    assert statuses(opened(write=False)) == ["planned"]
    ledger.close()
    assert statuses(opened()) == ["planned"]


def test_a_plan_is_sealed_once(opened):
    ledger = opened()
    ledger.seal(VERSION, 1, "abc", "{}")
    with pytest.raises(LedgerError):
        ledger.seal(VERSION, 1, "def", "{}")
    ledger.seal(VERSION, 2, "ghi", "{}")
    ledger.seal("v2", 1, "jkl", "{}")
    assert ledger.plans(VERSION) == [(1, "abc", "{}"), (2, "ghi", "{}")]
    assert ledger.plan_hashes() == {"abc", "ghi", "jkl"}


def test_checks_are_kept_whole(opened):
    ledger = opened()
    check = Outcome(status="ok", stages={"train": "a", "weights": "b"}, wall_seconds=1.5)
    assert ledger.check("key") is None
    ledger.record_check("key", VERSION, "config:dropout", check)
    assert ledger.check("key") == check
    assert ledger.checks(VERSION) == {"config:dropout": check}
    assert (ledger.check_count(VERSION), ledger.check_count("v2")) == (1, 0)
    assert ledger.compute(VERSION)["checks_seconds"] == 1.5


@pytest.mark.parametrize("write", [True, False])
def test_a_newer_format_is_refused_and_left_as_it_is(opened, tmp_path, write):
    opened().close()
    database = sqlite3.connect(tmp_path / "ledger.db")
    database.execute("PRAGMA user_version = 99")
    database.commit()
    database.close()
    before = (tmp_path / "ledger.db").read_bytes()
    for _ in range(2):  # the first refusal holds no lock
        with pytest.raises(LedgerError, match=r"newer version of lesion \(format 99, this one knows 4\)") as refused:
            opened(write=write)
        assert "--state" in (refused.value.to_do or "")
    assert (tmp_path / "ledger.db").read_bytes() == before


def test_there_is_nothing_to_read_before_anything_ran(opened, tmp_path):
    with pytest.raises(LedgerError, match="no results yet"):
        opened(write=False)
    (tmp_path / "ledger.db").touch()
    with pytest.raises(LedgerError, match="no results yet"):
        opened(write=False)
    assert opened().trials(VERSION) == []


def test_what_is_no_database_is_refused(opened, tmp_path):
    (tmp_path / "ledger.db").write_text("my notes" * 1000)
    for write in (True, False):
        with pytest.raises(LedgerError, match="not a database"):
            opened(write=write)
    assert (tmp_path / "ledger.db").read_text() == "my notes" * 1000


def test_a_folder_that_cannot_be_made_is_named(opened, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(LedgerError) as refused:
        opened(folder=tmp_path / "file" / "state")
    assert str(tmp_path / "file" / "state") in str(refused.value)
    assert "--state" in str(refused.value)


def test_ten_thousand_trials_are_planned_at_once_and_stay_in_order(opened):
    ledger = opened()
    trials = [Trial(f"k{i}", f"arm {i // 20}", "retrain", i % 20) for i in range(10_000)]
    ledger.plan_trials(VERSION, trials)
    ledger.plan_trials(VERSION, reversed(trials))
    assert [row.key for row in ledger.trials(VERSION)] == [one.key for one in trials]


def test_an_interrupted_transaction_leaves_nothing(opened):
    ledger = opened()

    def half():
        yield Trial("a", "arm", "retrain", 0)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ledger.plan_trials(VERSION, half())
    assert statuses(ledger) == []
    planned(ledger, 0)
    assert statuses(ledger) == ["planned"]


@pytest.mark.parametrize("after", [1, 25, 60])
def test_a_process_killed_while_writing_leaves_every_row_whole(opened, tmp_path, after):
    with subprocess.Popen([sys.executable, "-c", FINISHER, tmp_path], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(after):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    ledger = opened()
    database = sqlite3.connect(tmp_path / "ledger.db")
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    detailed = dict(database.execute("SELECT key, LENGTH(output) FROM details"))
    attempted = [key for (key,) in database.execute("SELECT key FROM attempts")]
    database.close()
    rows = ledger.trials(VERSION)
    finished = [row for row in rows if row.status == "ok"]
    assert len(rows) == 5000
    assert len(finished) >= after
    assert {row.status for row in rows} - {"running"} == {"ok", "planned"}
    assert [row.metrics["validation"]["score"] for row in finished] == [row.seed for row in finished]
    assert attempted == [row.key for row in finished]
    assert detailed == dict.fromkeys(attempted, 5000)
    assert ledger.requeue(VERSION) <= 1


def test_a_ledger_of_the_first_format_is_taken_over_with_all_it_holds(opened, tmp_path):
    ledger = opened()
    (key,) = planned(ledger, 0)
    ledger.start(key, "10 s", "none")
    ledger.finish(key, ok())
    before = ledger.trials(VERSION)
    ledger.close()
    database = sqlite3.connect(tmp_path / "ledger.db")
    database.executescript(
        "ALTER TABLE trials DROP COLUMN facts; ALTER TABLE details DROP COLUMN curves;"
        "ALTER TABLE details DROP COLUMN parts; PRAGMA user_version = 1;"
    )
    database.close()
    again = opened(write=False)
    assert again.trials(VERSION) == [one._replace(facts=NO_FACTS) for one in before]
    again.close()
    assert opened().trials(VERSION)[0].status == "ok"


def test_the_pace_of_trials_is_wall_time_from_start_to_end(opened, monkeypatch):
    """Half a second inside of a trial is no measure of a study whose processes take four more to start."""
    ledger = opened()
    first, second, third = planned(ledger, 0, 1, 2)
    for key, status in ((first, "ok"), (second, "crashed"), (third, "ok")):
        monkeypatch.setattr("lesion.agent.ledger.time.time", lambda: 100.0)
        ledger.start(key, "limits", "none")
        took = {"ok": 104.5, "crashed": 190.0}[status]
        monkeypatch.setattr("lesion.agent.ledger.time.time", lambda took=took: took)
        ledger.finish(key, Outcome(status=status, wall_seconds=0.5))
    assert ledger.run_seconds(VERSION) == {"retrain": pytest.approx(4.5)}
    ledger.plan_trials(VERSION, [Trial(f"more/{i}", "arm", "retrain", 3 + i) for i in range(6)])
    rows = ledger.trials(VERSION)
    assert accounting(ledger, rows, VERSION, 2).pending_seconds == pytest.approx(6 * 4.5 / 2)
    ledger.plan_trials(VERSION, [Trial("other", "arm", "recover", 0)])
    assert accounting(ledger, ledger.trials(VERSION), VERSION, 2).pending_seconds is None


def test_what_failed_and_what_was_tried_again_is_counted_by_arm(opened):
    ledger = opened()
    first, second, third, fourth = planned(ledger, 0, 1, 2, 3)

    def ends(key, status, message=""):
        ledger.start(key, "10 s", "bubblewrap")
        ledger.finish(key, Outcome(status=status, message=message))

    for key, came_of_it in ((first, "ok"), (second, "killed")):
        ends(key, "killed", "by signal 9\nmore")
        ledger.retry(key)
        ends(key, came_of_it, "by signal 9\nmore")
    ends(third, "timed-out")
    ends(fourth, "ok")
    ledger.retry(fourth)
    ends(fourth, "ok")
    told = accounting(ledger, ledger.trials(VERSION), VERSION, 1)
    assert told.retried == {"killed": 2}
    assert [(one.arm, one.status, one.reason, one.trials) for one in told.failures] == [
        ("arm", "killed", "by signal 9", 1),
        ("arm", "timed-out", "", 1),
    ]
    assert sum(one.trials for one in told.failures) == sum(told.failed.values())
    assert accounting(ledger, [], "another", 1).retried == {}
