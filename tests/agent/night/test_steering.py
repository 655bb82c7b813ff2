"""A real run, paused, gone on with and stopped from outside."""

import json

import pytest

from tests.agent.chat.program import HELD, hold
from tests.experiments import STUDY, lesion, project
from tests.llm.server import ModelServer, hangs

from .steered import Steered

SMALL = STUDY.replace('["config:use_*", "config:unused_dropout"]', '["config:use_left"]').replace("= 3", "= 2")
STARTED = "SELECT count(*) FROM trials WHERE started_at IS NOT NULL"


@pytest.fixture
def made(tmp_path):
    """Its trials wait while there is a file `hold`."""
    return project(tmp_path / "tiny", experiment=HELD, study=SMALL.replace("workers = 2", "workers = 1"))


def test_a_pause_lets_trials_end_and_starts_none_until_it_goes_on(made):
    held = hold(made)
    with Steered(made, "--planner", "rules") as run:
        run.until(lambda now: bool(now.running))
        paused = made.lesion("pause")
        assert (paused.code, paused.err) == (0, "")
        assert paused.out.startswith("paused: 1 running trial goes on, nothing new starts")
        held.unlink()
        now = run.until(lambda now: not now.running)
        assert (now.phase, now.next[0], now.studies[0].done) == ("paused", "baseline (seed 1)", 1)
        status = made.lesion("status")
        assert (status.code, status.out.splitlines()[0]) == (0, "lesion run: paused")
        assert json.loads(made.lesion("status", "--json").out)["live"]["phase"] == "paused"
        assert made.rows(STARTED) == [(1,)]
        assert made.lesion("resume").out == "it goes on\n"
        assert run.ends() == 0, run.log.read_text()
    assert made.rows(STARTED) == [(4,)]
    assert json.loads(made.lesion("status", "--json").out)["live"] is None
    assert not (made.state / "socket").exists()


def test_a_stop_waits_for_the_trial_and_ends_like_a_budget(made):
    held = hold(made)
    with Steered(made, "--planner", "rules") as run:
        run.until(lambda now: bool(now.running))
        assert "1 running trial ends first" in made.lesion("stop").out
        held.unlink()
        assert run.ends() == 4
        assert "stopped: asked to by `lesion stop`" in run.log.read_text()
    assert made.rows("SELECT status FROM trials WHERE started_at IS NOT NULL") == [("ok",)]


def test_a_stop_now_waits_for_nothing(made):
    hold(made)
    with Steered(made, "--planner", "rules") as run:
        run.until(lambda now: bool(now.running))
        assert "stopping at once" in made.lesion("stop", "--now").out
        assert run.ends() == 4
    assert made.lesion("stop").code == 2


def test_planning_is_not_waited_for(made):
    with ModelServer(hangs()) as server, Steered(made, OPENAI_BASE_URL=server.url, LESION_MODEL="scripted") as run:
        now = run.until(lambda now: now.phase == "planning" and "asking scripted" in now.studies[0].stage)
        assert now.running == []
        assert made.lesion("stop").code == 0
        assert run.ends() == 4


@pytest.mark.parametrize("command", ["pause", "stop", "watch"])
def test_where_nothing_runs_it_is_a_usage_error_that_says_what_to_do(made, command):
    ended = lesion(command, cwd=made.folder)
    assert (ended.code, ended.out) == (2, "")
    assert "nothing runs here" in ended.err
    assert "lesion overnight" in ended.err
