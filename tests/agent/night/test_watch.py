"""`lesion watch` before a real terminal, a pipe and a program."""

import json
import os
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest
from lesion.agent.arms import Arm
from lesion.agent.cli.watching import Lines
from lesion.agent.ledger import Trial
from lesion.agent.night.board import Board
from lesion.agent.night.control import Control
from lesion.agent.night.server import listening
from lesion.agent.night.shown import fresh
from lesion.executor.outcomes import Outcome

from tests.agent.chat.watched import CTRL_C, Seen
from tests.experiments import LESION, project

LONG = "config:" + "a_very_long_name." * 12
HOSTILE = "\x1b[2J\x1b]0;title\x07 hostile"
ARMS = Arm(LONG), Arm("baseline")


@pytest.fixture
def made(tmp_path):
    made = project(tmp_path / "tiny")
    made.state.mkdir(parents=True)
    return made


@pytest.fixture
def running(made):
    """A run as others tell of it: the board, and what ends it."""
    control = Control()
    board = Board(control, [("tiny", str(made.folder / "lesion.toml"))], command="run")
    with Path(os.devnull).open("w") as nowhere, ExitStack() as stack:
        watch = board.observer("tiny", Lines("score", nowhere))
        stack.enter_context(listening([made.state], board, control))
        watch.stage("round 1, retrain: " + "up to many seeds " * 10)
        watch.planned(40)
        watch.started(Trial("a", LONG, "retrain", 3))
        watch.coming([Trial("b", LONG, "retrain", 4), Trial("c", LONG, "retrain", 5)])
        watch.learnt([HOSTILE, "learnt " * 40])
        watch.finished(Trial("z", LONG, "retrain", 0), Outcome(status="crashed", message="wrong " * 50), *ARMS)
        board.study("tiny", settled=3, undecided=5)
        yield board, stack


@pytest.mark.parametrize("columns", [80, 200, 48])
def test_no_line_of_the_table_wraps(made, running, columns):
    board, stack = running
    with Seen(*LESION, "watch", columns=columns, rows=24, cwd=made.folder) as seen:
        seen.until("attention")
        seen.until("  config:")
        shown = [line for line in seen.lines if line]
        starts = ["lesion run: running", "s", "t", "running", "config:", "next: ", "learnt", "  ", "  learnt"]
        assert len(shown) == len([*starts, "attention", "  config:"]), seen.text
        assert all(line.startswith(start) for line, start in zip(shown, starts, strict=False)), seen.text
        assert b"\x1b[?1049h" not in seen.raw
        assert b"\x1b[2J" not in seen.raw
        board.study("tiny", state="complete", reason="complete")
        stack.close()
        seen.until("the run has ended")
        seen.child.wait()
        assert seen.child.exitstatus == 0


def test_ctrl_c_leaves_and_the_run_goes_on(made, running):
    board, _ = running
    with Seen(*LESION, "watch", cwd=made.folder) as seen:
        seen.until("attention")
        seen.send(CTRL_C)
        seen.child.wait()
        assert seen.child.exitstatus == 130
    assert board.phase == "running"


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_a_pipe_gets_lines_and_a_program_records(made, running, flags):
    board, stack = running
    with subprocess.Popen([*LESION, "watch", *flags], cwd=made.folder, stdout=subprocess.PIPE, text=True) as process:
        first = process.stdout.readline()
        board.study("tiny", state="stopped", reason="asked to")
        stack.close()
        rest = process.stdout.read()
    assert process.returncode == 0
    assert "\x1b" not in first + rest
    if flags:
        last = json.loads(rest.splitlines()[-1])
        assert (json.loads(first)["phase"], last["studies"][0]["state"]) == ("running", "stopped")
    else:
        assert first == "lesion run: running\n"
        assert "hostile" in rest
        assert "the run has ended: tiny stopped (asked to)" in rest


def test_lines_that_are_new_are_told_once():
    assert fresh([], ["a", "b"]) == ["a", "b"]
    assert fresh(["a", "b"], ["b", "c"]) == ["c"]
    assert fresh(["a", "b"], ["a", "b"]) == []
    assert fresh(["a", "b"], ["x", "y"]) == ["x", "y"]
