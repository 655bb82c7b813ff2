"""A conversation beside the study that it asked for: what it costs, what comes in, and the process that runs it."""

import os
import select

import pytest
from lesion.agent.chat.arrivals import Arrivals, progress_line
from lesion.agent.chat.price import price_of, whole_study_price
from lesion.agent.chat.runner import PlannerFlags, Runner
from lesion.agent.cli.options import opened
from lesion.agent.ledger import Ledger
from lesion.agent.queue import Queue
from lesion.executor.errors import LedgerError
from lesion.executor.interventions import ConfigOverride

from tests.experiments import STUDY, project

from ..requests import LEFT, RIGHT, SCALE, asked, removal

SHORT = STUDY.replace("[limits]", "[limits]\nprice_hour = 36.0")
TOGETHER = f"{LEFT} + {RIGHT}"


@pytest.fixture
def made(tmp_path):
    return project(tmp_path / "project", study=SHORT)


def setting_of(made):
    return opened(made.folder / "lesion.toml")


def priced(made, plan, number):
    ledger = Ledger(made.state, write=False) if (made.state / "ledger.db").exists() else None
    try:
        return price_of(setting_of(made), ledger, plan, number, loads=False)
    finally:
        if ledger:
            ledger.close()


def trials(made):
    return made.rows("SELECT COUNT(*) FROM trials WHERE status NOT IN ('planned', 'skipped')")[0][0]


def keys(arrivals):
    return [one.key.partition("/")[2] or one.key for one in arrivals]


def run_by(runner, watch):
    """What came in while it ran, and how it ended."""
    found, watched = [], os.pidfd_open(runner.running)
    try:
        while not select.select([watched], [], [], 0.1)[0]:
            found += watch.poll()
    finally:
        os.close(watched)
    return found, runner.ended()


def test_what_comes_in_while_it_runs_is_told_once_and_never_within_a_look(made):
    spec = setting_of(made).spec
    queue, runner = Queue(made.state), Runner(made.folder / "lesion.toml", made.state)
    assert Arrivals(spec, made.state, {}).poll() == []
    assert progress_line(spec, made.state).startswith("no trial planned yet")
    plan = asked(removal(LEFT), removal(RIGHT), removal(SCALE))
    price = priced(made, plan, 1)
    assert (price.first_look, price.most, price.seconds, price.dollars) == (12, 12, None, None)

    queue.add(plan)
    runner.start(max_trials=4)
    watch = Arrivals(spec, made.state, {})
    found, ended = run_by(runner, watch)
    assert ended.code == 4 and any("--max-trials" in line for line in ended.last) and runner.ended() is None
    found += watch.poll()
    assert keys(found) == ["baseline:retrain:"]  # one trial of an arm is no look
    assert "detect" not in found[0].shown.text and "80% power" in found[0].shown.text
    assert progress_line(spec, made.state) == "4 of 12 trials; nothing runs it now"
    assert progress_line(spec, made.state, short=True) == "4/12 trials"

    runner.start()
    watch = Arrivals(spec, made.state, watch.told)
    found, ended = run_by(runner, watch)
    found += watch.poll()
    assert ended.code == 3 and trials(made) == price.first_look
    told = {key: one.shown for key, one in zip(keys(found), found, strict=True)}
    assert sorted(told) == sorted(
        [f"failed:retrain:{SCALE}", *(f"look:retrain:{one}" for one in (LEFT, RIGHT, SCALE)), "round:retrain:1"]
    )
    assert "matters" in told[f"look:retrain:{LEFT}"].text and "as predicted" in told[f"look:retrain:{LEFT}"].text
    assert {one.name for one in told["round:retrain:1"].rows} == {LEFT, RIGHT}
    assert Arrivals(spec, made.state, watch.told).poll() == watch.poll() == []

    joint = asked(removal(LEFT), removal(LEFT, RIGHT))
    price = priced(made, joint, 2)
    assert (price.first_look, price.most) == (3, 3)
    assert price.seconds > 0 and price.dollars == pytest.approx(price.seconds / 100)
    queue.add(joint)
    queue.add(asked(removal(LEFT)))
    assert progress_line(spec, made.state) == "12 of 12 trials, 2 requests wait; nothing runs it now"
    before = trials(made)
    runner.start()
    found, ended = run_by(runner, watch)
    found += watch.poll()
    assert ended.code == 3 and trials(made) - before == price.first_look
    assert sorted(keys(found)) == sorted(
        [f"dropped:2:{LEFT}", f"look:retrain:{TOGETHER}", "refused:0003", "round:retrain:2"]
    )


def test_the_price_of_the_whole_study_is_that_of_its_plan(made):
    plan = asked(removal(LEFT), removal(RIGHT))
    made.edit("lesion.toml", "max_seeds = 3", "max_seeds = 5")
    price = whole_study_price(setting_of(made), None, plan, loads=False)
    assert (price.first_look, price.most) == (9, 15)  # the planned looks are those at 3 and at 5 seeds
    assert priced(made, plan, 1).first_look == 9 and priced(made, plan, 2).first_look == 9


def test_more_seeds_cost_what_the_next_look_then_takes(made):
    made.edit("lesion.toml", "max_seeds = 3", "max_seeds = 5")
    made.edit("lesion.toml", "smallest_effect = 0.05", "smallest_effect = 1e-6")
    made.edit("lesion.toml", '"config:unused_dropout"', '"config:weight_decay"')
    decay = removal(LEFT).model_copy(
        update={
            "id": "config:weight_decay",
            "components": ["config:weight_decay"],
            "interventions": [ConfigOverride(key="weight_decay", value=0.0)],
        }
    )
    Queue(made.state).add(asked(decay))
    first = made.lesion("run", "--queued")
    assert first.code == 0, first.err
    more = asked(more_seeds=["config:weight_decay"])
    price, before = priced(made, more, 2), trials(made)
    Queue(made.state).add(more)
    assert made.lesion("run", "--queued").code == 0
    assert (price.first_look, price.most, trials(made) - before) == (4, 4, 4)


def test_a_run_is_stopped_and_told_why(made):
    runner = Runner(made.folder / "lesion.toml", made.state)
    Queue(made.state).add(asked(removal(LEFT)))
    runner.start()
    assert runner.running and runner.ended() is None
    with pytest.raises(RuntimeError):
        runner.start()
    runner.stop()
    ended = runner.ended()
    assert ended.code in (143, -15) and runner.running is None  # -15: before it could listen
    made.edit("lesion.toml", "[metrics.score]", "[metrics.score]\nwrong = 1")
    runner.start()
    _, ended = run_by(runner, Arrivals(setting_of(project(made.folder / "same", study=SHORT)).spec, made.state, {}))
    assert ended.code == 2 and ended.last[0].startswith("lesion: ") and "wrong" in "".join(ended.last)
    for _ in range(2):  # the next one starts although nobody has asked how this one ended
        select.select([os.pidfd_open(runner.start())], [], [])
    assert runner.ended().code == 2 and runner.ended().code == 2 and runner.ended() is None


def test_the_whole_study_is_run_by_the_planner_that_was_chosen(made):
    runner = Runner(made.folder / "lesion.toml", made.state)
    command = runner.command(whole=PlannerFlags("llm", "some-model", "http://localhost:1"), max_trials=7, seconds=90.4)
    assert "--queued" not in command and "--until-closed" in command
    for option, value in (("--planner", "llm"), ("--model", "some-model"), ("--max-trials", "7"), ("--for", "90s")):
        assert command[command.index(option) + 1] == value


def test_a_state_folder_that_cannot_be_used_is_one_clear_error(made):
    made.state.parent.mkdir(parents=True)
    made.state.write_text("in the way")
    for act in (lambda: Queue(made.state).add(asked(removal(LEFT))), Runner(made.folder, made.state).start):
        with pytest.raises(LedgerError, match="cannot be used"):
            act()
