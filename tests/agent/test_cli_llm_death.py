"""A driver that dies while a language model plans: nothing that finished is run again, and no answer is paid for twice."""

import signal
import threading

import pytest

from tests.llm.models import NOTHING, asked_for, scripted, upon
from tests.llm.server import hangs
from tests.processes import left_behind

from .llm.answers import follow_up
from .planning_desk import GOOD, SHORT, Desk, project

ALONE = ("--interactions", "none")
PAIR = upon(follow_up("together", "config:use_left", "config:unused_dropout"))
SECONDS = 60.0


@pytest.fixture
def desk(tmp_path):
    made = project(tmp_path / "project", study=SHORT)
    return Desk(made, made.state)


class Hanging:
    """An answer that does not come, once; `arrived` when it was asked for. Afterwards `then`."""

    def __init__(self, then):
        self.arrived, self._then = threading.Event(), then

    def __call__(self, _):
        if self.arrived.is_set():
            return self._then
        self.arrived.set()
        return hangs()


def killed(program, number=signal.SIGKILL):
    program.send_signal(number)
    _, said = program.communicate(timeout=SECONDS)
    return said


def attempts(desk):
    """Finished trial → how many attempts have ended."""
    return dict(
        desk.project.rows(
            "SELECT key, COUNT(*) FROM attempts WHERE status = 'ok' AND key NOT LIKE 'check:%' GROUP BY key"
        )
    )


def questions(server):
    return [asked_for(request) for request in server.asked]


def test_killed_while_it_waits_for_the_model_it_goes_on_where_it_was(desk):
    review, more = Hanging(NOTHING["Review"]), Hanging(PAIR)
    with scripted({"FirstPlan": [GOOD], "Review": review, "NextRound": more}) as server:
        program = desk.start(server, "run", "--planner", "llm", *ALONE)
        assert review.arrived.wait(SECONDS)
        killed(program)
        assert left_behind(desk.project.folder) == []
        assert desk.project.rows("SELECT * FROM plans") == []
        program = desk.start(server, "run", "--planner", "llm", *ALONE)
        assert more.arrived.wait(SECONDS)
        killed(program)
        assert left_behind(desk.project.folder) == []
        assert questions(server) == ["FirstPlan", "Review", "Review", "NextRound"]
        before = attempts(desk)
        assert len(before) == 4  # the baseline and one removal at two seeds; the other changes nothing
        ended = desk.run(server, *ALONE)
        assert ended.code == 0, ended.err
        assert questions(server)[4:6] == ["NextRound", "NextRound"] and "FirstPlan" not in questions(server)[1:]
    after = attempts(desk)
    assert before.items() <= after.items() and set(after.values()) == {1}
    assert "config:unused_dropout + config:use_left" in {one["ablation"] for one in desk.report()["planned"]}


def test_killed_right_after_round_1_is_sealed_it_asks_nothing_again(desk):
    with scripted({"FirstPlan": [GOOD]}) as server:
        program = desk.start(server, "run", "--planner", "llm", *ALONE)
        assert any("round 1: " in line for line in program.stderr)
        killed(program)
        sealed = desk.hashes
        assert len(sealed) == 1 and left_behind(desk.project.folder) == []
        ended = desk.run(server, *ALONE)
        assert ended.code == 0, ended.err
        assert questions(server) == ["FirstPlan", "Review", "NextRound"]
    assert desk.hashes[:1] == sealed and set(attempts(desk).values()) == {1}
    assert desk.report()["planning"]["exchanges"] == 3


def test_a_planned_study_runs_on_while_the_server_is_away(desk):
    with scripted({"FirstPlan": [GOOD]}) as server:
        stopped = desk.run(server, "--max-trials", "2", *ALONE)
        assert stopped.code == 4, stopped.err
    ended = desk.run(server, *ALONE)
    assert ended.code == 0, ended.err
    found = desk.report()
    assert found["accounting"]["ok"] >= 6 and found["accounting"]["pending"] == 0
    assert "no answer" in found["planning"]["ended"]


@pytest.mark.parametrize("command", ["run", "plan"])
def test_ctrl_c_while_it_waits_for_the_model(desk, command):
    waiting = Hanging(GOOD)
    with scripted({"FirstPlan": waiting}) as server:
        program = desk.start(server, command, "--planner", "llm")
        assert waiting.arrived.wait(SECONDS)
        said = killed(program, signal.SIGINT)
        assert program.returncode == 130 and "Traceback" not in said and "SIGINT" in said
        assert left_behind(desk.project.folder) == []
        assert desk.exchanges[0]["outcome"] == "broken"
        ended = desk.plan(server)
        assert ended.code == 0, ended.err
