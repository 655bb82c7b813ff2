"""Seeds from outside, from a flag, and of a script that sets its own; at seed 0 its own numbers are left as they are."""

import pytest

from ..laboratory import project, run
from .bench import asked, experiment, workplace

UNSEEDED = """
import random
import numpy as np, torch
print("loss", random.random() + np.random.rand() + torch.rand(()).item())
"""
OWN = """
import random
import numpy as np, torch
random.seed(7)
np.random.seed(seed=7)
torch.manual_seed(7)
print("loss", random.random() + np.random.rand() + torch.rand(()).item())
"""
GENERATORS = """
import random
import numpy as np, torch
from torch import nn
g = torch.Generator().manual_seed(7)
x = torch.rand(8, 4, generator=g)
rest = np.random.default_rng(7).random() + np.random.RandomState(7).rand() + random.Random(7).random()
model = nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
nn.init.zeros_(model.weight), nn.init.zeros_(model.bias)
for step in range(3):
    loss = (model(x) + rest).square().mean()
    optimizer.zero_grad(); loss.backward(); optimizer.step()
print("loss", loss.item())
"""
FLAG = """
import sys, torch
torch.manual_seed(int(sys.argv[1]))
print("loss", torch.rand(()).item(), "seed", sys.argv[1])
"""
PATTERNS = (r"loss (?P<loss>\S+)",)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return project(
        tmp_path_factory.mktemp("seeds") / "project", unseeded=UNSEEDED, own=OWN, generators=GENERATORS, flag=FLAG
    )


@pytest.fixture(scope="module")
def losses(folder):
    """The metric of each script at each seed."""
    commands = {
        "unseeded": ("python unseeded.py", {}),
        "own": ("python own.py", {}),
        "left alone": ("python own.py", {"seeding": "own"}),
        "generators": ("python generators.py", {}),
        "everything": ("python generators.py", {"seeding": "everything"}),
        "flag": ("python flag.py {seed}", {}),
    }
    jobs = {
        f"{name} {seed}": asked(experiment(folder, command, **how), seed=seed)
        for name, (command, how) in commands.items()
        for seed in (0, 1)
    }
    jobs["unseeded again"] = asked(experiment(folder, "python unseeded.py"), seed=1)
    jobs["survey"] = asked(experiment(folder, "python generators.py"), "anatomy")
    found = run(workplace(folder), jobs)
    assert {one.status for one in found.values()} == {"ok"}, found
    measured = {name: one.metrics["evaluation"]["loss"] for name, one in found.items() if name != "survey"}
    return measured, found["survey"]


def test_a_script_without_seeds_is_given_some(losses):
    found = losses[0]
    assert found["unseeded 1"] == found["unseeded again"] != found["unseeded 0"]


def test_a_number_of_its_own_is_kept_at_seed_0_and_shifted_at_others(losses):
    found = losses[0]
    assert found["own 0"] == found["left alone 0"] == found["left alone 1"] != found["own 1"]


def test_its_own_generators_are_shifted_where_everything_is_asked_for(losses):
    found = losses[0]
    assert found["generators 0"] == found["generators 1"] == found["everything 0"] != found["everything 1"]


def test_a_flag_takes_the_seed_and_nothing_is_shifted(losses):
    import torch

    found = losses[0]
    for seed in (0, 1):
        assert found[f"flag {seed}"] == torch.rand((), generator=torch.Generator().manual_seed(seed)).item()


def test_a_survey_tells_that_the_seed_changes_nothing(losses):
    assert (losses[1].repeatable, losses[1].seeded) == (True, False)


HALF = """
import sys
import numpy as np, torch
from torch import nn
np.random.seed(1)
torch.manual_seed(int(sys.argv[1]))
model = nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(3):
    loss = model(torch.rand(8, 4)).square().mean()
    optimizer.zero_grad(); loss.backward(); optimizer.step()
print("loss", loss.item())
"""


def test_a_survey_names_the_seeds_that_a_script_fixes_itself(tmp_path):
    folder = project(tmp_path / "project", half=HALF)
    jobs = {
        "told": asked(experiment(folder, "python half.py {seed}"), "anatomy"),
        "shifted": asked(experiment(folder, "python half.py 5", seeding="outside"), "anatomy"),
    }
    found = {name: one.remarks for name, one in run(workplace(folder), jobs).items()}
    assert found["told"] == ["half.py:5 seeds numpy with 1"]
    numpy, torch = found["shifted"]
    assert numpy.startswith("half.py:5 seeds numpy with 1; that becomes") and "half.py:6 seeds torch with 5" in torch
