"""The last night in the report, in the JSON and in `lesion status`: told where there was one, and nothing else changed by it."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from lesion.agent.cli.status import status
from lesion.agent.collect import collect
from lesion.agent.ledger import Ledger
from lesion.agent.ledgerfile import lock
from lesion.agent.night.records import Ended, Launched, note
from lesion.agent.night.told import past_lines, with_night
from lesion.agent.report.html.page import html_report
from lesion.agent.report.latex.standalone import draft_of, latex_files
from lesion.agent.report.markdown import markdown_report
from lesion.agent.report.write import write_report
from lesion.agent.results import Results
from lesion.agent.staleness import is_stale
from rich.cells import cell_len

from tests.agent.report.simulated_results import results
from tests.agent.report.traced import traced_study

BEFORE = {"retrain config:first": "undecided", "retrain config:second": "negligible"}
LAUNCH = Launched(
    pid=4711,
    at=1_790_000_000.0,
    deadline=1_790_032_400.0,
    studies=["/a.toml", "/b.toml"],
    command=["overnight", "/a.toml", "/b.toml", "--until", "07:00"],
    folder="/",
    before=BEFORE,
)
END = Ended(
    at=1_790_032_000.0, code=3, reason="complete", told=["the <model's> endpoint was *down*: the rules planned"]
)


@pytest.fixture
def made(tmp_path):
    return traced_study(tmp_path)


def known(made):
    spec, state = made
    ledger = Ledger(state, write=False)
    try:
        found = collect(spec, ledger)
    finally:
        ledger.close()
    return found.model_copy(update={"study": found.study.model_copy(update={"generated": "2026-01-01T00:00:00"})})


def shown(made, capsys, *, json=False):
    """What `lesion status` prints."""
    spec, state = made
    status(spec.path, json=json, state=state)
    return capsys.readouterr().out


def after_a_night(state, end=END):
    note(state, LAUNCH)
    if end:
        note(state, end)


def test_the_report_starts_with_the_night(made):
    after_a_night(made[1])
    lines = [line for line in markdown_report(known(made)).splitlines() if line]
    assert lines[0] == "# Ablation study: traced"
    assert lines[1].startswith("> **The last night**, shared by 2 studies: 2026-09-")
    assert "ended with exit code 3: complete." in lines[1]
    assert "Trials: 25 planned = 25 ok + 0 failed + 0 skipped." in lines[1]
    assert lines[2] == r"> **Gone on from:** the \<model's\> endpoint was \*down\*: the rules planned."
    assert lines[3] == "> **Verdicts that changed:** first: undecided → matters."
    assert lines[4].startswith("> **First verdicts:** ")
    assert lines[5].startswith("> **Surprises:** third: expected to cost, negligible; second: ")
    assert lines.index(next(line for line in lines if line.startswith("Primary metric"))) > 5


def test_it_stands_in_every_format(made, tmp_path):
    after_a_night(made[1])
    found = known(made)
    html = html_report(found, {})
    assert html.index("The last night") < html.index("Primary metric")
    assert "the &lt;model's&gt; endpoint" in html.replace("&#x27;", "'").replace("&#39;", "'")
    assert "The last night" in latex_files(found, {}, draft_of(found))["appendix.tex"].decode()
    write_report(found, ["json"], tmp_path / "report.json")
    told = json.loads((tmp_path / "report.json").read_text())["night"]
    assert (told["died"], told["code"], told["reason"], told["studies"]) == (False, 3, "complete", 2)
    assert told["changed"][0] == {
        "ablation": "config:first",
        "mode": "retrain",
        "before": "undecided",
        "now": "matters",
        "interaction": False,
    }
    assert Results.model_validate_json((tmp_path / "report.json").read_text()) == found


def test_without_a_night_nothing_is_added(made):
    before = known(made)
    texts = markdown_report(before), html_report(before, {}), before.model_dump_json()
    assert before.night is None
    assert "night" not in json.loads(texts[2])
    after_a_night(made[1])
    after = known(made)
    assert after.night is not None
    again = after.model_copy(update={"night": None})
    assert (markdown_report(again), html_report(again, {}), again.model_dump_json()) == texts
    with_it, without = json.loads(after.model_dump_json()), json.loads(texts[2])
    assert with_it.pop("night")
    assert with_it == without
    block = [line for line in markdown_report(after).splitlines() if line not in texts[0].splitlines()]
    assert block
    assert all(line.startswith("> **") for line in block)


def test_a_study_that_failed_in_places_says_what_did_not_run(tmp_path):
    after_a_night(tmp_path, END.model_copy(update={"told": []}))
    lines = markdown_report(with_night(results(), tmp_path)).splitlines()
    assert "> **Not run:** 4 trials failed: 3 crashed, 1 timed-out; 2 skipped." in lines


def test_the_last_report_tells_of_an_end_that_is_not_written_yet(tmp_path):
    after_a_night(tmp_path, None)
    held = lock(tmp_path / "lock")
    try:
        running = with_night(results(), tmp_path).night
        ending = with_night(results(), tmp_path, END).night
    finally:
        os.close(held)
    assert (running.ended, running.died, running.code) == (None, False, None)
    assert (ending.died, ending.code, ending.problems) == (False, 3, END.told)
    assert ending.ended


def test_past_lines_are_silent_without_a_night_and_while_one_runs(tmp_path):
    assert past_lines(tmp_path, "digits", results()) == []
    after_a_night(tmp_path, None)
    held = lock(tmp_path / "lock")
    try:
        assert past_lines(tmp_path, "digits", results()) == []
    finally:
        os.close(held)
    assert past_lines(tmp_path, "digits", results())[0].startswith("The last night DIED: launched ")


def test_status_begins_with_the_fate_and_the_summary(made, capsys):
    before = shown(made, capsys)
    after_a_night(made[1])
    told = shown(made, capsys)
    assert told.endswith(before)
    lines = told.removesuffix(before).splitlines()
    assert "with exit code 3; this study: complete" in lines[0]
    assert lines[2] == "traced: complete (score, test)"
    assert "CHANGED   first: undecided → matters" in lines
    assert all(len(line) <= 80 for line in lines)


def test_status_says_that_a_night_died_and_what_goes_on(made, capsys):
    after_a_night(made[1], None)
    lines = shown(made, capsys).splitlines()
    assert lines[0].startswith("The last night DIED: launched ")
    assert lines[0].endswith(" (pid 4711), it wrote no end.")
    assert lines[1].startswith("`lesion resume` goes on")


def test_status_as_json_has_the_night(made, capsys):
    assert not json.loads(shown(made, capsys, json=True)).get("night")
    after_a_night(made[1])
    told = json.loads(shown(made, capsys, json=True))["night"]
    assert (told["code"], told["died"], told["changed"][0]["now"]) == (3, False, "matters")


def test_status_tells_of_a_night_that_died_before_anything_was_measured(made, tmp_path):
    spec, _ = made
    state = tmp_path / "fresh"
    Ledger(state, write=True).close()
    after_a_night(state, None)
    command = [sys.executable, "-m", "lesion.agent", "status", str(spec.path), "--state", str(state)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert ended.stdout.startswith("The last night DIED")
    assert "nothing was measured" in ended.stdout
    assert "no finished baseline run" in ended.stderr


def test_an_edited_source_and_another_split_are_told(tmp_path):
    note(tmp_path, LAUNCH.model_copy(update={"before_version": "1a2b3c4d5e6f", "before_split": "validation"}))
    note(tmp_path, END)
    found = with_night(results(), tmp_path)
    assert (found.night.edited_from, found.night.split_from) == ("1a2b3c4d5e6f", "validation")
    lines = markdown_report(found).splitlines()
    (edited,) = [line for line in lines if "were edited" in line]
    assert "(version 1a2b3c4d) is of another version" in edited
    same = LAUNCH.model_copy(update={"before_version": found.study.version, "before_split": found.study.split})
    note(tmp_path, same)
    note(tmp_path, END)
    again = with_night(results(), tmp_path)
    assert (again.night.edited_from, again.night.split_from) == (None, None)
    assert "were edited" not in markdown_report(again)


def test_a_long_reason_is_told_whole_on_several_lines(tmp_path):
    reason = "stopped since " + "注意力 " * 20 + "x" * 100 + " at last\nwith details"
    after_a_night(tmp_path, END.model_copy(update={"reason": reason, "code": 4}))
    lines = past_lines(tmp_path, "digits", None)
    end = next(at for at, line in enumerate(lines) if line.startswith("(launched"))
    told = "".join("".join(lines[:end]).split())
    assert told.endswith("withexitcode4;thisstudy:" + "".join(reason.partition("\n")[0].split()))
    assert all(line.startswith("  ") for line in lines[1:end])
    assert all(cell_len(line) <= 80 for line in lines)
    after_a_night(tmp_path, END.model_copy(update={"reason": "word " * 1000}))
    assert len(past_lines(tmp_path, "digits", None)) < 15


def test_results_of_files_that_were_edited_since_are_said_to_be(made, capsys):
    spec, state = made
    assert json.loads(shown(made, capsys, json=True))["stale"] is False
    assert "edited since" not in shown(made, capsys)
    source = spec.root / "experiment.py"
    source.write_text(source.read_text() + "EDITED = True\n")
    assert json.loads(shown(made, capsys, json=True))["stale"] is True
    assert "that were edited since:" in shown(made, capsys)
    command = [sys.executable, "-m", "lesion.agent", "report", str(spec.path), "--state", str(state), "-o", "-"]
    ended = subprocess.run([*command, "--format", "json"], capture_output=True, text=True, timeout=60, check=True)
    assert "edited since" in ended.stderr
    assert json.loads(ended.stdout)["study"]["name"] == "traced"
    with closing(Ledger(state, write=False)) as ledger:
        assert is_stale(spec, ledger.recall("version")) is True
        project = spec.project.model_copy(update={"inputs": ["gone.bin"]})
        missing = spec.model_copy(update={"project": project})
        assert is_stale(missing, ledger.recall("version")) is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("", "interrupted"),
        (
            "UPDATE trials SET status = 'planned' WHERE arm = 'config:first' AND seed = 4",
            "interrupted; 1 planned trial is",
        ),
        ("DELETE FROM plans", "interrupted; no ablation was planned yet"),
    ],
)
def test_an_unfinished_study_says_what_is_left_and_nothing_of_what_is_not(made, change, said):
    with closing(Ledger(made[1], write=True)) as ledger:
        ledger.remember("state", "running")
    with closing(sqlite3.connect(made[1] / "ledger.db")) as database, database:
        database.executescript(change)
    state = known(made).study.state
    assert state.startswith(said)
    assert " 0 " not in state
