"""Projects that look unlike ours: names that collide, packages, other interpreters."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from lesion.executor.errors import ExperimentError
from lesion.executor.interpreter import examine, outermost

from .laboratory import job, project, run, station

PARTS = {
    "agent/model.py": "from torch import nn\n\ndef build():\n    return nn.Linear(2, 1)\n",
    "executor/__init__.py": "from executor.steps import steps\n",
    "executor/steps.py": "steps = 3\n",
    "prompts/__init__.py": "greeting = 'hello from the user'\n",
    "worker.py": "def work(): return 'worked'\n",
    "inside/wire.py": "def send(): return 'sent'\n",
    "lesion/__init__.py": "wound = 1.5\n",
}
COLLIDING = """
from agent.model import build
import executor
import inside.wire
import lesion
import prompts
import worker

def build_model(config):
    return build()

def train(model, config, seed):
    print(prompts.greeting, worker.work(), inside.wire.send())

def evaluate(model, config):
    return {"steps": executor.steps, "wound": lesion.wound}
"""
PLAIN = """
import torch

def build_model(config):
    return torch.nn.Linear(2, 1)

def train(model, config, seed):
    torch.optim.SGD(model.parameters(), lr=0.1).step()

def evaluate(model, config):
    return {"weights": model.weight.numel(), "examples": {"weights": model.weight[0]}}
"""
PACKAGED = """
from .layers import build
from ..common import METRIC

def build_model(config):
    return build(config.width)

def train(model, config, seed):
    return build(config.width + 1)

def evaluate(model, config):
    return {METRIC: sum(one.numel() for one in model.parameters())}
"""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("projects")
    packages = {
        "study/__init__.py": "",
        "study/common.py": "METRIC = 'parameters'\n",
        "study/first/__init__.py": "",
        "study/first/layers.py": "from torch import nn\n\ndef build(width):\n    return nn.Linear(width, 1)\n",
        "study/first/experiment.py": PACKAGED,
    }
    colliding = project(folder / "colliding", PARTS, experiment=COLLIDING)
    packaged = project(folder / "packaged", packages)
    broken = project(folder / "broken", experiment="import helper\n", helper="1 / 0\n")
    jobs = {
        "colliding": job(colliding / "experiment.py"),
        "packaged": job(packaged / "study" / "first" / "experiment.py", width=4),
        "broken": job(broken / "experiment.py"),
    }
    return run(station(folder), jobs)


def test_a_project_may_use_every_name_that_we_use(outcomes):
    assert outcomes["colliding"].status == "ok", outcomes["colliding"].traceback
    assert outcomes["colliding"].metrics == {"evaluation": {"steps": 3.0, "wound": 1.5}}
    assert outcomes["colliding"].output == "hello from the user worked sent\n"


def test_an_experiment_in_a_package_may_import_relatively_and_return_another_model(outcomes):
    assert outcomes["packaged"].status == "ok", outcomes["packaged"].traceback
    assert outcomes["packaged"].metrics == {"evaluation": {"parameters": 6.0}}


def test_an_experiment_that_cannot_be_imported_shows_its_own_lines_only(outcomes):
    broken = outcomes["broken"]
    assert (broken.status, broken.message) == ("crashed", "ZeroDivisionError: division by zero")
    files = [line.split('"')[1] for line in broken.traceback.splitlines() if line.startswith("  File")]
    assert [Path(file).name for file in files] == ["experiment.py", "helper.py"]


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A Python with torch and what torch needs; without pydantic, and without this package."""
    home = tmp_path_factory.mktemp("bare")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
    installed = Path(torch.__file__).parent.parent
    own = next(home.glob("lib/python*/site-packages"))
    needed = ("torch*", "functorch", "typing_extensions*", "sympy*", "mpmath*", "networkx*", "jinja2*", "markupsafe*")
    for one in {
        path for name in (*needed, "filelock*", "fsspec*", "nvidia*", "triton*") for path in installed.glob(name)
    }:
        (own / one.name).symlink_to(one)
    return home / "bin" / "python"


def test_an_interpreter_needs_nothing_but_torch(bare, tmp_path):
    for missing in ("pydantic", "lesion", "numpy"):
        tried = subprocess.run([bare, "-c", f"import {missing}"], capture_output=True, text=True, check=False, cwd="/")
        assert f"No module named '{missing}'" in tried.stderr
    file = project(tmp_path, experiment=PLAIN) / "experiment.py"
    python = examine(bare)
    usual = station(tmp_path, readable=(*python.paths, Path(torch.__file__).parent.parent))
    outcome = run(replace(usual, interpreter=python), {"bare": job(file)})["bare"]
    assert outcome.status == "ok", (outcome.message, outcome.output)
    assert outcome.metrics == {"evaluation": {"weights": 2.0}}
    assert python.executable == bare


def test_an_interpreter_without_torch_says_how_to_get_it(tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path], check=True)
    with pytest.raises(ExperimentError, match=r"has no torch\n  → run `.*/bin/python -m pip install torch`"):
        examine(tmp_path / "bin" / "python")


@pytest.mark.parametrize("name", ["nothing-here", "/dev/null"])
def test_what_is_no_interpreter_is_named(tmp_path, name):
    with pytest.raises(ExperimentError, match="the interpreter does not run"):
        examine(tmp_path / name)


def test_folders_below_others_are_shown_once():
    paths = [Path(one) for one in ("/opt/env/lib/site", "/opt/env", "/usr/lib/python3", "/home/a/src", "/opt/env")]
    assert outermost(paths) == (Path("/opt/env"), Path("/home/a/src"))


def test_a_module_that_hangs_while_a_worker_warms_up_ends_the_job_that_waits_for_it(tmp_path):
    folder = project(tmp_path, experiment="", more={"modules/endless.py": "while True:\n    pass\n"})
    usual = station(folder, environment={"PYTHONPATH": str(folder / "modules")})
    hanging = replace(usual, modules=("endless",), warm_up_seconds=1.0)
    outcome = run(hanging, {"first": job(folder / "experiment.py", "ping")})["first"]
    assert (outcome.status, outcome.message) == ("timed-out", "importing took longer than 1 s")


def test_a_worker_that_dies_while_it_warms_up_takes_the_job_along_and_shows_why(tmp_path):
    folder = project(tmp_path, experiment="", more={"modules/torch.py": "raise RuntimeError('this torch is broken')\n"})
    broken = station(folder, environment={"PYTHONPATH": str(folder / "modules")})
    outcome = run(broken, {"first": job(folder / "experiment.py", "ping")})["first"]
    assert outcome.status == "crashed"
    assert "this torch is broken" in outcome.output
