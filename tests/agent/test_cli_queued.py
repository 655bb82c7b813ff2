"""`lesion run --queued`: what was asked for is run once, whoever runs the study, whatever dies."""

import json
import os
import select
import signal
import subprocess
import sys

import pytest
from lesion.agent.ledger import Ledger
from lesion.agent.planning.plan import Plan
from lesion.agent.queue import Queue
from lesion.agent.workbench import IDLE

from tests.experiments import LESION, STUDY, project

from .requests import BROUGHT, DROPOUT, LEFT, RIGHT, asked, edit, removal
from .test_cli_llm_death import left_behind

SHORT = STUDY.replace("seeds = 3", "seeds = 2")
TRIALS = "SELECT arm, seed, status, attempts FROM trials ORDER BY arm, seed"
SECONDS = 60.0
DIES_ONCE_SEALED = """
import os, signal, sys
from lesion.agent.ledger import Ledger
seal = Ledger.seal
def sealed(self, *plan):
    seal(self, *plan)
    os.kill(os.getpid(), signal.SIGKILL)
Ledger.seal = sealed
sys.argv = ["lesion", "run", "--queued"]
from lesion.agent.cli.app import main
main()
"""


@pytest.fixture
def made(tmp_path):
    return project(tmp_path / "project", study=SHORT)


def plans(made):
    return [Plan.model_validate_json(one) for (one,) in made.rows("SELECT document FROM plans ORDER BY round")]


def start(made, *arguments, **more):
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("LESION", "OPENAI"))}
    more = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, **more}
    return subprocess.Popen([*LESION, *arguments], cwd=made.folder, env=clean, text=True, **more)


def until(program, told):
    """Read on until the program says so."""
    assert any(told in line for line in program.stderr)


def test_two_requests_are_two_rounds_and_the_study_is_not_complete(made):
    queue = Queue(made.state)
    assert [queue.add(asked(removal(LEFT))), queue.add(asked(removal(LEFT, RIGHT), removal(RIGHT)))] == ["0001", "0002"]
    ended = made.lesion("run", "--queued")
    assert ended.code == 0, ended.err
    first, second = plans(made)
    assert (first.request, second.request, second.round, first.planner) == ("0001", "0002", 2, "chat")
    assert [[one.role for one in plan.ablations] for plan in (first, second)] == [
        ["confirmatory"],
        ["exploratory", "exploratory"],
    ]
    assert made.rows("SELECT COUNT(*), SUM(status = 'ok') FROM trials") == [(8, 8)]
    results = made.results()
    assert not results["study"]["complete"] and results["study"]["split"] == "validation"
    assert {one["ablation"] for one in results["effects"]} == {LEFT, RIGHT, f"{LEFT} + {RIGHT}"}
    again = made.lesion("run", "--queued")
    assert again.code == 0 and made.rows("SELECT COUNT(*), MAX(attempts) FROM trials") == [(8, 1)]


def test_an_empty_queue_with_nothing_sealed_is_one_clear_error(made):
    ended = made.lesion("run", "--queued")
    assert (ended.code, ended.out) == (2, "")
    assert "nothing waits to be run" in ended.err and "Traceback" not in ended.err
    made.plan.parent.mkdir(parents=True)
    made.plan.write_text(asked(removal(LEFT)).as_yaml())
    assert made.lesion("run", "--queued").code == 0
    assert [one.planner for one in plans(made)] == ["chat"]


def test_a_request_that_comes_while_it_runs_is_taken_too(made):
    Queue(made.state).add(asked(removal(LEFT)))
    program = start(made, "run", "--queued")
    until(program, "baseline and noise floor")
    Queue(made.state).add(asked(removal(RIGHT)))
    program.communicate(timeout=SECONDS)
    assert program.returncode == 0
    assert [one.request for one in plans(made)] == ["0001", "0002"]


def test_a_run_that_plans_takes_a_request_as_its_next_round_and_goes_on_to_the_end(made):
    Queue(made.state).add(asked(removal(LEFT, RIGHT)))
    ended = made.lesion("run")
    assert ended.code == 3, ended.err  # `use_scale` crashes
    first, second = plans(made)[:2]
    assert (first.planner, first.request, second.request) == ("rules", "", "0001")
    assert made.results()["study"]["complete"]
    Queue(made.state).add(asked(removal(LEFT)))
    late = made.lesion("run", "--queued")
    assert late.code == 3 and made.results()["study"]["complete"]  # nothing was left of it: nothing has changed
    (refused,) = Queue(made.state).refused()
    assert refused.name == "0002" and "planned already, in round 1" in refused.reasons[0]


def test_what_is_asked_for_after_the_end_says_so(made):
    Queue(made.state).add(asked(removal(LEFT)))
    assert made.lesion("run", "--plan", str(written(made, asked(removal(RIGHT)))), "--interactions", "none").code == 0
    assert made.results()["study"]["complete"]
    name = Queue(made.state).add(asked(removal(LEFT, RIGHT)))
    ended = made.lesion("run", "--queued")
    assert ended.code == 0, ended.err
    last = plans(made)[-1]
    assert last.request == name and "after the results" in last.remarks[0]
    assert not any("after the results" in one for plan in plans(made)[:-1] for one in plan.remarks)
    assert not made.results()["study"]["complete"]


def written(made, plan):
    path = made.folder / "asked.yaml"
    path.write_text(plan.as_yaml())
    return path


def test_killed_once_its_round_is_sealed_it_runs_every_trial_once(made):
    Queue(made.state).add(asked(removal(LEFT)))
    Queue(made.state).add(asked(removal(RIGHT)))
    killed = subprocess.run([sys.executable, "-c", DIES_ONCE_SEALED], cwd=made.folder, check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL and [one.request for one in plans(made)] == ["0001"]
    killed = subprocess.run([sys.executable, "-c", DIES_ONCE_SEALED], cwd=made.folder, check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL and [one.request for one in plans(made)] == ["0001", "0002"]
    assert made.lesion("run", "--queued").code == 0
    expected = [(arm, seed, "ok", 1) for arm in ("baseline", LEFT, RIGHT) for seed in (0, 1)]
    assert made.rows(TRIALS) == expected
    assert left_behind(made.folder) == []


def test_an_edit_that_fails_its_check_is_dropped_and_the_rest_runs(made):
    broken, brought = edit("        optimizer = None\n")
    queue = Queue(made.state)
    queue.add(asked(broken, components=[brought]))
    queue.add(asked(broken, removal(LEFT), components=[brought]))
    ended = made.lesion("run", "--queued")
    assert ended.code == 0, ended.err
    assert "Traceback" not in ended.err and f"{BROUGHT}: dropped" in ended.err
    (refused,) = queue.refused()
    assert refused.name == "0001" and "'NoneType'" in refused.reasons[0]
    (plan,) = plans(made)
    assert (plan.request, [one.id for one in plan.ablations], plan.components) == ("0002", [LEFT], [])
    assert [one.id for one in plan.dropped] == [BROUGHT]
    idle, brought = edit()
    queue.add(asked(idle, components=[brought]))
    assert made.lesion("run", "--queued").code == 0
    assert IDLE in queue.refused()[-1].reasons[0]
    queue.add(
        asked(idle, components=[brought], mended=[{"id": BROUGHT, "problems": [IDLE]}])
    )  # it acts later: insisted on
    assert made.lesion("run", "--queued").code == 0
    assert made.rows(f"SELECT COUNT(*) FROM trials WHERE arm = '{BROUGHT}' AND status = 'ok'") == [(2,)]


@pytest.mark.parametrize(
    "text", ["ablations: [", "study: tiny\nround: 1\nplanner: chat\nablations: oh no\n", "\x00\xff"]
)
def test_a_malformed_entry_is_set_aside_with_one_error_and_the_study_goes_on(made, text):
    queue = Queue(made.state)
    queue.add(asked(removal(LEFT)))
    queue.add(asked(removal(RIGHT)))
    queue.path("0001").write_text(text)
    ended = made.lesion("run", "--queued")
    assert ended.code == 0, ended.err
    assert ended.err.count("0001.refused.yaml") == 1 and "Traceback" not in ended.err
    assert [one.request for one in plans(made)] == ["0002"]
    assert not queue.path("0001").exists() and queue.path("0001", "refused").read_text().endswith(text)
    assert queue.refused()[0].reasons


def test_failed_trials_and_budgets_have_their_exit_codes(made):
    Queue(made.state).add(asked(removal("config:use_scale")))
    assert made.lesion("run", "--queued", "--max-trials", "1").code == 4
    assert made.lesion("run", "--queued").code == 3
    assert made.lesion("run", "--queued", "--dry-run").code == 2


def closed(made, said, *arguments):
    """A run whose standard input says this and ends once the baseline is being measured."""
    with start(made, "run", "--queued", "--until-closed", *arguments, stdin=subprocess.PIPE) as program:
        until(program, "baseline and noise floor")
        program.stdin.write(said)
        program.stdin.close()
        told = program.stderr.read()
    return program.returncode, told


def test_it_stops_once_its_input_is_closed_and_loses_nothing(made):
    Queue(made.state).add(asked(removal(LEFT)))
    code, told = closed(made, "")
    assert code == 143 and "SIGTERM" in told and "Traceback" not in told
    assert left_behind(made.folder) == []
    assert made.lesion("run", "--queued").code == 0
    assert made.rows("SELECT COUNT(*) FROM trials WHERE status = 'ok'") == [(4,)]


def test_a_run_that_was_let_go_outlives_the_end_of_its_input(made):
    Queue(made.state).add(asked(removal(LEFT)))
    code, told = closed(made, "detach\n")
    assert code == 0, told


PARENT = """
import sys
from pathlib import Path
from lesion.agent.chat.runner import Runner
runner = Runner(Path("lesion.toml"), Path(sys.argv[1]))
runner.start()
print(runner.running, flush=True)
sys.stdin.read()
"""


def test_it_stops_when_the_conversation_that_started_it_is_killed(made):
    Queue(made.state).add(asked(removal(LEFT)))
    chat = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(made.state)],
        cwd=made.folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    watched = os.pidfd_open(int(chat.stdout.readline()))
    chat.kill()
    chat.communicate(timeout=SECONDS)
    ended, _, _ = select.select([watched], [], [], SECONDS)
    os.close(watched)
    assert ended and left_behind(made.folder) == []
    assert "stopped by SIGTERM" in (made.state / "chat" / "run.log").read_text()
    ledger = Ledger(made.state, write=True)  # nobody holds it any more
    ledger.close()


def test_records_say_how_it_ended(made):
    Queue(made.state).add(asked(removal(DROPOUT)))
    ended = made.lesion("run", "--queued", "--json")
    last = ended.records[-1]
    assert (ended.code, last["event"], last["complete"]) == (0, "end", False)
    assert last["reason"] == "what was asked for is measured"
    assert json.loads((made.state / "report" / "report.json").read_text())["study"]["state"].startswith("stopped")
