from pathlib import Path

import pytest
from lesion.executor.errors import SandboxError
from lesion.executor.sandbox.bubblewrap import Bubblewrap, candidates
from lesion.executor.sandbox.choice import choose, self_test
from lesion.executor.sandbox.unsandboxed import Unsandboxed

from .laboratory import interpreter, job, project, run, station

PLAIN = """
import os
from torch import nn

def build_model(config):
    return nn.Linear(2, 1)

def train(model, config, seed):
    print(os.environ["HOME"], os.getcwd(), sorted(os.environ))

def evaluate(model, config):
    return {"loss": 1.0}
"""


@pytest.fixture
def fake(tmp_path):
    """Write a program that calls itself bwrap."""

    def write(script: str) -> Bubblewrap:
        path = tmp_path / "bwrap"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return Bubblewrap(path, "fake")

    return write


PASSES_ON = 'while [ "$1" != "--" ]; do shift; done; shift; exec "$@"'


def test_the_sandbox_of_this_machine_passes_its_own_test():
    chosen = choose(interpreter())
    assert self_test(chosen, interpreter()) is None
    assert chosen.isolates
    assert chosen.name.startswith("bubblewrap ")
    assert "seccomp" in chosen.name


def test_a_program_that_only_passes_on_is_found_out(fake):
    problem = self_test(fake(PASSES_ON), interpreter())
    assert problem.startswith("it does not hold back: reading files outside the project")
    assert "connecting to the host" in problem


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (
            "echo 'bwrap: No permissions to create a new namespace' >&2; exit 1",
            "No permissions to create a new namespace",
        ),
        ("exit 7", "exit code 7"),
        ("echo all is well", "exit code 0"),
    ],
)
def test_one_that_fails_is_rejected_with_its_own_words(fake, script, reason):
    assert reason in self_test(fake(script), interpreter())


def test_one_that_does_not_exist_is_rejected():
    assert "No such file" in self_test(Bubblewrap(Path("/nowhere/bwrap"), "system"), interpreter())


def test_the_first_that_passes_is_chosen(fake):
    assert choose(interpreter(), among=[fake(PASSES_ON), *candidates()]) in candidates()


def test_where_nothing_works_the_error_gives_every_reason_and_says_what_to_do(fake):
    with pytest.raises(SandboxError) as caught:
        choose(interpreter(), among=[fake(PASSES_ON), Bubblewrap(Path("/nowhere/bwrap"), "system")])
    shown = str(caught.value)
    assert "no sandbox works here" in shown
    assert "it does not hold back: reading files outside the project" in shown
    assert "/nowhere/bwrap: " in shown
    assert "apt install bubblewrap" in shown
    assert "--unsafe-no-sandbox" in shown
    assert caught.value.exit_code == 2


def test_where_there_is_no_candidate_the_error_says_so():
    with pytest.raises(SandboxError, match="no bwrap found"):
        choose(interpreter(), among=[])


def test_without_a_sandbox_trials_run_and_are_labelled(tmp_path):
    workspace = tmp_path / "workspace"
    chosen = choose(interpreter(), unsafe_workspace=workspace)
    assert (chosen, chosen.isolates) == (Unsandboxed(workspace), False)
    assert chosen.name == "none (--unsafe-no-sandbox)"
    file = project(tmp_path / "project", experiment=PLAIN) / "experiment.py"
    outcome = run(station(file.parent, within=chosen), {"plain": job(file)})["plain"]
    assert (outcome.status, outcome.metrics) == ("ok", {"evaluation": {"loss": 1.0}})
    assert outcome.output.startswith(f"{workspace} {file.parent} ")
    assert "PYTEST_CURRENT_TEST" not in outcome.output
