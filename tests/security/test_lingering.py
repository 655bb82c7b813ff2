import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from lesion.executor.limits import Limits
from lesion.executor.pool import Pool

from ..executor.laboratory import collect, job, marked, marker, poll, project, run, station
from .backends import BACKENDS, backend

SOURCE = Path(__file__).with_name("lingering.py").read_text()
SHORT = Limits(seconds=3)


@pytest.fixture
def folder(tmp_path):
    return project(tmp_path / "project", lingering=SOURCE)


@pytest.fixture
def daemon():
    """A marker for a daemon; whatever bears it is ended afterwards."""
    word = marker()
    yield word
    for pid in marked(word):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def another_daemon(daemon):
    yield f"{daemon}-2"
    for pid in marked(f"{daemon}-2"):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def is_gone_or_was_free(word, name):
    """Inside a sandbox it must go, however long that takes; outside it stays, which shows that it could."""
    if name == "sandbox":
        poll(lambda: not marked(word))
    else:
        assert marked(word)


@pytest.mark.parametrize("name", BACKENDS)
def test_nothing_outlives_its_trials_end_or_timeout(folder, daemon, another_daemon, name):
    jobs = {
        "ends": job(folder / "lingering.py", daemon=daemon),
        "endless": job(folder / "lingering.py", daemon=another_daemon, then="go_on_for_ever"),
    }
    outcomes = run(station(folder, SHORT, within=backend(name, folder)), jobs)
    assert (outcomes["ends"].status, outcomes["ends"].metrics) == ("ok", {"evaluation": {"loss": 0.5}})
    assert outcomes["ends"].output == "ended\n"
    assert outcomes["endless"].status == "timed-out"
    is_gone_or_was_free(daemon, name)
    is_gone_or_was_free(another_daemon, name)


def test_nothing_outlives_its_pool(folder, daemon):
    outcomes = {}
    with Pool(station(folder), 1) as pool:
        pool.submit(job(folder / "lingering.py", daemon=daemon, then="go_on_for_ever"))
        collect(pool, outcomes, until=lambda: marked(daemon))
    assert not outcomes
    is_gone_or_was_free(daemon, "sandbox")


@pytest.mark.parametrize("name", BACKENDS)
def test_nothing_outlives_its_driver(folder, daemon, name):
    command = [sys.executable, "-m", "tests.security.driver", str(folder), name]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2], env={**os.environ, "DAEMON": daemon}) as driver:
        poll(lambda: marked(daemon) or driver.poll() is not None)
        driver.kill()
    assert driver.returncode == -signal.SIGKILL
    is_gone_or_was_free(daemon, name)
    if name == "sandbox":
        poll(lambda: not marked(str(folder)))


@pytest.mark.parametrize(("name", "loss"), [("sandbox", 0.5), ("plain", 0.0)])
def test_no_trial_writes_anothers_result(folder, daemon, name, loss):
    outcomes, file = {}, folder / "lingering.py"
    attack, end = folder / "attack", folder / "end"
    with Pool(station(folder, within=backend(name, folder)), 2) as pool:
        pool.submit(job(file, tag="victim", daemon=daemon, then="wait_for_a_file", until=str(end)))
        pool.submit(job(file, tag="forger", then="forge", until=str(attack), folder=str(folder)))
        collect(pool, outcomes, until=lambda: marked(daemon))
        attack.touch()
        collect(pool, outcomes, until=lambda: "forger" in outcomes)
        end.touch()
        collect(pool, outcomes, until=lambda: "victim" in outcomes)
    assert outcomes["victim"].status == "ok"
    assert outcomes["victim"].metrics == {"evaluation": {"loss": loss}}
    assert outcomes["forger"].status == "ok", outcomes["forger"]
    assert outcomes["forger"].metrics == {"evaluation": {"loss": 0.0}}, "its own result it can always forge"


@pytest.fixture(scope="module")
def mutinies(tmp_path_factory):
    """Trials that turn against the process that reports their end."""
    folder = project(tmp_path_factory.mktemp("mutinies"), lingering=SOURCE)
    names = ["kill_the_supervisor", "terminate_the_supervisor", "stop_the_supervisor", "answer_and_kill_the_supervisor"]
    return run(station(folder, SHORT), {name: job(folder / "lingering.py", then=name) for name in names})


@pytest.mark.parametrize(
    ("name", "status", "message"),
    [
        ("kill_the_supervisor", "killed", "the sandbox ended"),
        ("answer_and_kill_the_supervisor", "killed", "the sandbox ended"),
        ("terminate_the_supervisor", "killed", "ended by signal SIGKILL"),
        ("stop_the_supervisor", "invalid", "gave an answer and did not end"),
    ],
)
def test_turning_against_the_supervisor_is_named_and_never_ok(mutinies, name, status, message):
    assert mutinies[name].status == status
    assert message in mutinies[name].message
    assert not mutinies[name].metrics
