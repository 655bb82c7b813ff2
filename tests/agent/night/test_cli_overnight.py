"""`lesion overnight` as people use it: alone, two at once, without a terminal, killed and gone on with."""

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from lesion.agent.night.client import live

from tests.agent.chat.program import HELD as HELD_BY_A_FILE
from tests.agent.chat.program import hold
from tests.experiments import EXPERIMENT, LESION, STUDY, Project, project

SHORT = STUDY.replace("seeds = 3\nmax_seeds = 3", "seeds = 2\nmax_seeds = 2").replace(
    '["config:use_*", "config:unused_dropout"]', '["config:use_left", "config:unused_dropout"]'
)
SLOW = EXPERIMENT.replace(
    "    for step in range(60):\n", "    import time; time.sleep(600)\n    for step in range(60):\n"
)
HELD = EXPERIMENT.replace(
    "    for step in range(60):\n", '    import time; time.sleep(config["wait"])\n    for step in range(60):\n'
)
ALONE = ("--interactions", "none", "--planner", "rules", "--keep-free", "1MB")
PATIENCE = 60.0


def records(made):
    return [json.loads(line) for line in (made.state / "night.jsonl").read_text().splitlines()]


def wait_until(holds):
    end = time.monotonic() + PATIENCE
    while not (found := holds()) and time.monotonic() < end:
        time.sleep(0.05)
    assert found
    return found


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    """Two studies, one of which cannot be measured at all, and what the night said."""
    folder = tmp_path_factory.mktemp("night")
    good = project(folder / "good", study=SHORT.replace('"tiny"', '"good"'), name="good")
    told = folder / "told"
    words = ("overnight", "lesion.toml", "--for", "20m", *ALONE, "--notify", f"cat > {told}")
    return good, good.lesion(*words), told


def test_a_night_that_completes(night):
    good, ended, _ = night
    assert ended.code == 0, ended.err
    evening, launched, last = records(good)
    assert (evening["event"], evening["before"]) == ("evening", {})
    assert (
        launched["began"] == evening["at"]
        and launched["event"] == "launched"
        and launched["studies"] == [str(good.folder / "lesion.toml")]
    )
    assert (last["event"], last["code"], last["reason"]) == ("ended", 0, "complete")
    accounting = good.results()["accounting"]
    assert accounting["planned"] == accounting["ok"] + sum(accounting["failed"].values()) + accounting["skipped"]
    assert not (good.state / "socket").exists()


def test_its_baseline_of_the_preflight_is_run_once(night):
    good, _, _ = night
    assert (
        good.rows("SELECT COUNT(*) FROM attempts WHERE key NOT LIKE 'check:%' GROUP BY key HAVING COUNT(*) > 1") == []
    )


def test_the_summary_is_sent_kept_and_printed_by_status(night):
    good, ended, told = night
    summary = told.read_text()
    assert summary in ended.out
    assert (good.state / "report" / "summary.txt").read_text() == summary
    assert len(summary.splitlines()) <= 24 and all(len(line) <= 80 for line in summary.splitlines())
    assert summary.splitlines()[-1] in good.lesion("status").out


def test_the_same_night_again_has_nothing_left_to_do(night):
    good, _, _ = night
    before = good.rows("SELECT * FROM attempts")
    assert good.lesion("resume").code == 0
    ended = good.lesion("overnight", "lesion.toml", "--for", "20m", *ALONE)
    assert ended.code == 0 and good.rows("SELECT * FROM attempts") == before


def test_after_an_edit_the_evening_still_knows_what_was_measured_before(night, tmp_path):
    copy = Project(Path(shutil.copytree(night[0].folder, tmp_path / "copy")), "good")
    known = copy.results()
    copy.edit("config.yaml", "unused_dropout: 0.3", "unused_dropout: 0.4")
    assert copy.lesion("overnight", "lesion.toml", "--for", "1s", *ALONE).code == 2
    evening = records(copy)[-1]
    assert (evening["event"], evening["before_version"]) == ("evening", known["study"]["version"])
    assert evening["before"]["retrain config:unused_dropout"] == "no-op"


def test_a_study_that_breaks_ends_alone(tmp_path):
    broken = EXPERIMENT.replace(
        "    for step in range(60):\n", "    if seed == 1: raise ValueError('no')\n    for step in range(60):\n"
    )
    bad = project(tmp_path / "bad", study=SHORT.replace('"tiny"', '"bad"'), experiment=broken, name="bad")
    good = project(tmp_path / "good", study=SHORT.replace('"tiny"', '"good"'), name="good")
    ended = good.lesion("overnight", str(bad.folder), str(good.folder), "--for", "20m", *ALONE)
    assert records(good)[-1]["event"] == "ended" and records(bad)[-1]["event"] == "ended"
    assert good.results()["accounting"]["ok"] == 6
    assert ended.code == 2 and "bad" in ended.out


def test_nothing_begins_without_a_deadline_or_with_one_that_is_too_near(tmp_path):
    made = project(tmp_path, study=SHORT, experiment=SLOW)
    ended = made.lesion("overnight")
    assert ended.code == 2 and "--until" in ended.err
    ended = made.lesion("overnight", "--for", "nonsense")
    assert ended.code == 2 and "--for" in ended.err
    assert not (made.state / "night.jsonl").exists()


def test_detached_it_outlives_its_terminal_and_is_stopped_from_elsewhere(tmp_path):
    made = project(
        tmp_path,
        study=SHORT,
        experiment=HELD,
        config=project(tmp_path).folder.joinpath("config.yaml").read_text() + "wait: 0\n",
    )
    assert made.lesion("run", "--max-trials", "1", *ALONE[:4]).code == 4
    made.edit("config.yaml", "wait: 0", "wait: 3")
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("LESION", "OPENAI"))}
    parent = subprocess.Popen(
        [*LESION, "overnight", "--for", "20m", "--detach", "--json", *ALONE],
        cwd=made.folder, env=clean, stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    out, _ = parent.communicate(timeout=PATIENCE)
    assert parent.returncode == 0
    record = json.loads(out.splitlines()[-1])
    assert record["event"] == "launched" and record["pid"] != parent.pid
    assert Path(f"/proc/{record['pid']}").exists() and os.getsid(record["pid"]) != parent.pid
    os.kill(record["pid"], signal.SIGHUP)
    second = made.lesion("overnight", "--for", "20m", *ALONE)
    assert second.code == 2 and str(record["pid"]) in second.err + second.out
    live = json.loads(made.lesion("status", "--json").out)["live"]
    assert live["pid"] == record["pid"]
    assert made.lesion("stop", "--now").code == 0
    wait_until(lambda: records(made)[-1]["event"] == "ended")
    assert records(made)[-1]["code"] == 4 and "stop" in records(made)[-1]["reason"]


def test_during_the_preflight_it_answers_and_a_stop_begins_no_night(tmp_path):
    made = project(tmp_path, study=SHORT, experiment=HELD_BY_A_FILE)
    hold(made)
    process = begun(made)
    wait_until(lambda: (now := live(made.state)) and now.running)
    assert json.loads(made.lesion("status", "--json").out)["live"]["command"] == "overnight"
    assert made.lesion("stop", "--now").code == 0
    assert process.wait(PATIENCE) == 4
    assert "not begun: asked to by `lesion stop`" in made.folder.joinpath("night.log").read_text()
    assert [one["event"] for one in records(made)] == ["evening"]


def test_ctrl_c_ends_a_night_with_its_report_and_tells_of_it(tmp_path):
    made = project(tmp_path, study=SHORT, experiment=HELD_BY_A_FILE)
    assert made.lesion("run", "--max-trials", "1", *ALONE[:4]).code == 4
    hold(made)
    told = made.folder / "told"
    process = begun(made, "--notify", f"cat > {told}")
    wait_until(lambda: (now := live(made.state)) and now.running)
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 130
    last = records(made)[-1]
    assert (last["event"], last["code"]) == ("ended", 130) and "SIGINT" in last["reason"]
    assert "SIGINT" in told.read_text() and (made.state / "report" / "summary.txt").read_text() == told.read_text()
    assert made.results()["accounting"]["pending"] == 5, "all that round 1 asked for is counted"
    assert not (made.state / "reserve").exists()


def test_a_second_ctrl_c_ends_it_at_once_and_that_is_noted(tmp_path):
    made = project(tmp_path, study=SHORT, experiment=HELD_BY_A_FILE)
    assert made.lesion("run", "--max-trials", "1", *ALONE[:4]).code == 4
    hold(made)
    process = begun(made, "--notify", f"touch {made.folder / 'told'}; sleep 30")
    wait_until(lambda: (now := live(made.state)) and now.running)
    process.send_signal(signal.SIGINT)
    wait_until((made.folder / "told").exists)
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 130
    assert (records(made)[-1]["event"], records(made)[-1]["code"]) == ("ended", 130)
    assert "DIED" not in made.lesion("status").out


def test_a_night_that_was_never_begun_is_told_by_status(night, tmp_path):
    copy = Project(Path(shutil.copytree(night[0].folder, tmp_path / "copy")), "good")
    assert copy.lesion("overnight", "--for", "20m", *ALONE[:-1], "100TiB").code == 2
    told = copy.lesion("status").out.splitlines()
    assert told[0].startswith("A night was asked for") and told[1].startswith("The last night ended")


def test_what_was_complete_stays_complete_in_a_night_that_is_too_short(night, tmp_path):
    copy = Project(Path(shutil.copytree(night[0].folder, tmp_path / "copy")), "good")
    assert copy.lesion("resume").code == 0
    assert copy.lesion("overnight", "--for", "3s", *ALONE).code in (0, 2)
    assert copy.rows("SELECT value FROM meta WHERE key = 'state'") == [('"complete"',)]


def begun(made, *more):
    """A night in a process of its own, its log in `night.log`."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("LESION", "OPENAI"))}
    with made.folder.joinpath("night.log").open("wb") as log:
        return subprocess.Popen(
            [*LESION, "overnight", "--for", "20m", *ALONE, *more], cwd=made.folder, env=clean, stdout=log, stderr=log
        )


def test_killed_it_is_known_to_have_died_and_goes_on(tmp_path):
    made = project(tmp_path, study=SHORT)
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("LESION", "OPENAI"))}
    process = subprocess.Popen(
        [*LESION, "overnight", "--for", "20m", *ALONE], cwd=made.folder, env=clean,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    wait_until(lambda: (made.state / "night.jsonl").exists() and len(made.rows("SELECT 1 FROM attempts")) > 3)
    process.kill()
    process.wait()
    ended = made.lesion("status")
    assert "DIED" in ended.out and f"pid {process.pid}" in ended.out and "lesion resume" in ended.out
    assert made.lesion("resume").code == 0
    assert records(made)[-1]["reason"] == "complete"
    doubled = "SELECT key FROM attempts WHERE status IN ('ok', 'no-op') GROUP BY key HAVING COUNT(*) > 1"
    assert made.rows(doubled) == []
