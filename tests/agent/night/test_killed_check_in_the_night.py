"""A worker that dies while an ablation is tried on one step says nothing about the ablation: it is tried once more."""

import pytest

from tests.agent.chat.program import hold
from tests.experiments import EXPERIMENT, STUDY, project
from tests.faults.night import QUICK, Night
from tests.processes import kill_a_worker

WAITS = EXPERIMENT.replace("import torch\n", "import time\nfrom pathlib import Path\n\nimport torch\n", 1).replace(
    "    for step in range(60):\n",
    '    while not config["use_left"] and Path(__file__).with_name("hold").exists():\n'
    "        time.sleep(0.01)\n    for step in range(60):\n",
)
"""The one ablation waits while there is a file `hold`."""
SMALL = (
    STUDY.replace('["config:use_*", "config:unused_dropout"]', '["config:use_left"]')
    .replace("= 3", "= 2")
    .replace("workers = 2", "workers = 1")
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The worker of its one check is killed."""
    made = project(tmp_path_factory.mktemp("night"), experiment=WAITS, study=SMALL)
    held = hold(made)
    with Night(made.folder, [made.folder / "lesion.toml"], made.state, {}) as night:
        night.begin(*QUICK, "--planner", "rules")
        night.until(lambda: any("checking" in one["stage"] for one in night.live().get("studies", [])))
        night.until(lambda: kill_a_worker(night.pid))
        held.unlink()
        assert night.ends() == 0, night.log.read_text()
    return made


def test_its_trials_run_all_the_same(made):
    accounting = made.results()["accounting"]
    assert (accounting["planned"], accounting["ok"]) == (4, 4)
