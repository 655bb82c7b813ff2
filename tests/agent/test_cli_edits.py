"""Source that is edited while a study runs: nothing that ran meanwhile is kept, and the run says why it stopped."""

import pytest

from ..experiments import project
from .chat.program import HELD, hold
from .test_cli_queued import start, until

WHY = "experiment.py was edited while it ran: what ran meanwhile is not kept"
GOOD, WORSE = "(1 - error).item()", "(0.5 - error).item()"
KEPT = "SELECT arm, seed, metrics FROM trials WHERE status = 'ok'"


@pytest.fixture
def made(tmp_path):
    made = project(tmp_path / "project", experiment=HELD)
    made.edit("lesion.toml", '["config:use_*", "config:unused_dropout"]', '["config:use_left"]')
    return made


def test_trials_that_ran_on_an_edited_source_are_planned_again(made):
    assert made.lesion("run", "--max-trials", "3").code == 4
    before = made.rows(KEPT)
    assert [(arm, seed) for arm, seed, _ in before] == [("baseline", 0), ("baseline", 1), ("baseline", 2)]
    waits = hold(made)
    with start(made, "run") as program:
        until(program, "up to 3 seeds")
        while not made.rows("SELECT 1 FROM trials WHERE status = 'running'"):
            pass
        made.edit("experiment.py", GOOD, WORSE)
        waits.unlink()
        told = program.stderr.read()
    assert program.returncode == 4
    assert WHY in " ".join(told.split())
    assert made.rows(KEPT) == before
    assert made.rows("SELECT DISTINCT status, attempts FROM trials WHERE arm != 'baseline'") == [("planned", 0)]
    made.edit("experiment.py", WORSE, GOOD)
    ended = made.lesion("run")
    assert ended.code == 0, ended.err
    effects = {one["ablation"]: one for one in made.results()["effects"] if one["metric"] == "score"}
    assert effects["config:use_left"]["verdict"] == "matters"
    assert effects["config:use_left"]["delta"] > -0.8  # the edit alone would take half a point more


def test_a_check_that_ran_on_an_edited_source_decides_nothing(tmp_path):
    made = project(tmp_path / "project", experiment=HELD.replace("step == 5", "step == 0"))
    assert made.lesion("plan").code == 0
    waits = hold(made)
    with start(made, "run") as program:
        until(program, "checking")
        made.edit("experiment.py", GOOD, "1 / 0")
        waits.unlink()
        told = program.stderr.read()
    assert program.returncode == 4
    assert WHY in " ".join(told.split())
    assert made.rows("SELECT arm FROM checks") == [("baseline",)]
