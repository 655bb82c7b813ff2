"""What a board knows of a run, told by an observer that hides nothing from whoever watched before."""

import io

import pytest
from lesion.agent.arms import Arm
from lesion.agent.cli.watching import Lines
from lesion.agent.dispatch import OutOfBudget
from lesion.agent.ledger import Trial
from lesion.agent.night import board as board_module
from lesion.agent.night.board import ATTENTION, LEARNT, Board
from lesion.agent.night.control import Control
from lesion.agent.records.planning import Planning
from lesion.executor.outcomes import Outcome

HOSTILE = "\x1b[2J\x1b]0;title\x07 \u202ereversed \r over"
FIRST, SECOND = Trial("a", "config:dropout", "retrain", 0), Trial("b", "config:dropout", "retrain", 1)
ARMS = Arm("config:dropout"), Arm("baseline")


@pytest.fixture
def control():
    return Control()


@pytest.fixture
def board(control):
    return Board(control, [("digits", "/digits/lesion.toml")])


@pytest.fixture
def log():
    return io.StringIO()


@pytest.fixture
def watch(board, log):
    return board.observer("digits", Lines("accuracy", log))


def test_a_trial_comes_runs_and_ends(board, watch):
    watch.stage("round 1")
    watch.planned(2)
    watch.coming([FIRST, SECOND])
    assert board.snapshot().next == ["config:dropout (seed 0)", "config:dropout (seed 1)"]
    watch.started(FIRST)
    watch.coming([SECOND])
    now = board.snapshot()
    assert (now.phase, now.studies[0].stage, now.studies[0].total) == ("running", "round 1", 2)
    assert [(one.study, one.arm, one.seed) for one in now.running] == [("digits", "config:dropout", 0)]
    watch.finished(FIRST, Outcome(status="ok"), *ARMS)
    now = board.snapshot()
    assert (now.running, now.studies[0].done, now.attention) == ([], 1, [])


def test_what_goes_wrong_is_kept_and_said_as_before(board, watch, log):
    watch.started(FIRST)
    watch.started(FIRST)
    watch.finished(FIRST, Outcome(status="crashed", message="no\ntraceback"), *ARMS)
    watch.waiting("the server is busy: asked again in 2s")
    again, failed, waits = board.snapshot().attention
    assert "tried again" in again
    assert failed == "config:dropout seed 0: crashed: no"
    assert waits == "the server is busy: asked again in 2s"
    assert "crashed: no" in log.getvalue()
    assert waits in log.getvalue()


def test_only_the_last_lines_are_kept_without_commands_for_a_terminal(board, watch):
    watch.learnt([f"line {number}" for number in range(30)])
    for number in range(30):
        watch.waiting(f"{HOSTILE} {number} {'x' * 1000}")
    now = board.snapshot()
    assert now.learnt == [f"line {number}" for number in range(30 - LEARNT, 30)]
    assert len(now.attention) == ATTENTION
    assert all(line.isprintable() and len(line) <= 300 for line in now.attention)
    assert len(now.model_dump_json()) < 1 << 16


def test_it_is_busy_while_a_trial_runs_or_is_about_to_and_while_it_reports(board, control, watch):
    assert not control.busy()
    watch.coming([FIRST])
    assert control.busy()
    watch.coming([])
    assert not control.busy()
    watch.started(FIRST)
    assert control.busy()
    watch.finished(FIRST, Outcome(status="ok"), *ARMS)
    board.phase = "reporting"
    assert control.busy()


def test_what_ran_when_a_study_ended_runs_no_more(board, watch):
    watch.started(FIRST)
    watch.coming([SECOND])
    board.study("digits", state="stopped", reason="the deadline is 07:00:00")
    now = board.snapshot()
    assert (now.running, now.next, now.studies[0].reason) == ([], [], "the deadline is 07:00:00")


def test_pausing_and_stopping_show(board, control, watch):
    watch.started(FIRST)
    control.pause()
    assert board.phase == "paused"
    control.stop("enough")
    assert board.phase == "stopping"


def test_no_model_is_asked_once_the_end_is_wanted(control, watch):
    watch.asking("first")
    control.stop("enough")
    with pytest.raises(OutOfBudget, match="enough"):
        watch.asking("second")


def test_money_of_all_studies_is_added_and_unknown_is_not_zero(board, watch):
    assert (board.snapshot().tokens, board.snapshot().cost) == (None, None)
    watch.bill = lambda: Planning(model="m", tokens_sent=10, tokens_received=5, cost=0.5)
    watch.stage("planned")
    board.spent(100, 0.25)
    assert (board.snapshot().tokens, board.snapshot().cost) == (115, 0.75)
    board.spent(100, None)
    assert (board.snapshot().tokens, board.snapshot().cost) == (115, None)
    assert [one.name for one in board.snapshot().studies] == ["digits"]


def test_a_pause_is_no_part_of_the_pace(board, control, watch, monkeypatch):
    now = {"s": 100.0}
    monkeypatch.setattr(board_module.time, "monotonic", lambda: now["s"])
    watch.stage("round 1")
    watch.planned(4)
    for one in (FIRST, SECOND):
        watch.started(one)
        now["s"] += 10
        watch.finished(one, Outcome(status="ok"), *ARMS)
    assert board.snapshot().eta_seconds == 20
    control.pause()
    watch.tick()
    now["s"] += 3600
    assert board.snapshot().eta_seconds is None
    now["s"] += 3600
    watch.tick()
    control.resume()
    assert board.snapshot().eta_seconds == 20
    third = Trial("c", "config:dropout", "retrain", 2)
    watch.started(third)
    control.pause()
    watch.tick()
    now["s"] += 40
    watch.finished(third, Outcome(status="ok"), *ARMS)
    now["s"] += 3600
    watch.tick()
    control.resume()
    assert board.snapshot().eta_seconds == 20, "what ran on in a pause took its time"
