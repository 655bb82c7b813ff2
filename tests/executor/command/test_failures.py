"""Every way in which a command can end badly has a name, and a message that says what to do."""

from dataclasses import replace

import pytest
from lesion.executor.limits import Limits

from ..laboratory import marked, marker, project, run
from .bench import asked, experiment, workplace

MARK = marker()
FINE = "print('loss: 0.5')\n"
SCRIPTS = {
    "fine": FINE,
    "nothing printed": "",
    "another metric": "print('accuracy: 0.5')\nprint('the end')\n",
    "not a number": "print('loss: unknown')\n",
    "nan": "print('loss: nan')\n",
    "raises": "def inner():\n    raise KeyError('no such key')\ninner()\n",
    "exit 3": "import sys\nprint('before the end')\nsys.exit(3)\n",
    "dies of a signal": "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n",
    "asks": "input('which device? ')\n",
    "terminal": "import os\n_, width = os.popen('stty size', 'r').read().split()\n",
    "network": "import urllib.request\nurllib.request.urlopen('http://example.org/data.tar', timeout=5)\n",
    "package": "import surely_not_installed.layers\n",
    "cuda": "raise AssertionError('Torch not compiled with CUDA enabled')\n",
    "memory": "held = b'x' * (1 << 44)\n",
    "writes beside itself": """
import os
for number in range(64):
    with open(f"part-{number}", "wb") as file:
        file.write(b"x" * (8 << 20))
time.sleep(30)
""",
    "one huge file": "with open('huge', 'wb') as file:\n    for _ in range(64):\n        file.write(b'x' * (8 << 20))\n",
    "fills out": """
import os, sys
for number in range(64):
    with open(os.path.join(sys.argv[1], f"part-{number}"), "wb") as file:
        file.write(b"x" * (8 << 20))
""",
    "hangs": "while True: pass\n",
    "leaves children": f"""
import os, subprocess, sys
hold = [sys.executable, "-c", "import time; time.sleep(600)", "{MARK}"]
subprocess.Popen(hold)
subprocess.Popen(hold, start_new_session=True)
print("loss: 0.25", flush=True)
""",
    "changes its own source": "with open(__file__, 'w') as file:\n    file.write('gone')\nprint('loss:', len(open(__file__).read()))\n",
    "replaces the hook": "import sys\nsys.excepthook = lambda *_: print('sorry')\nraise ValueError('seen all the same')\n",
    "swallows its end": "import os\nprint('loss: 0.125', flush=True)\nos._exit(0)\n",
}
LIMITS = Limits(seconds=20, disk=128 << 20)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """What each of the scripts came to, all in one project; and what the project then was."""
    folder = tmp_path_factory.mktemp("failures") / "project"
    project(folder, {f"{name}.py": text for name, text in SCRIPTS.items()})
    jobs = {
        name: asked(experiment(folder, f"python '{name}.py' {{out}}"), seed=index) for index, name in enumerate(SCRIPTS)
    }
    jobs["no command"] = asked(experiment(folder, "surely-no-command --fast"))
    jobs["no script"] = asked(experiment(folder, "python missing.py"))
    jobs["no folder"] = asked(replace(experiment(folder), cwd=folder / "missing"))
    jobs["through a shell"] = asked(experiment(folder, "echo loss: 0.75 && exit 7"))
    place = workplace(folder, LIMITS)
    hung = {"hangs": jobs.pop("hangs")}
    found = {**run(place, jobs), **run(workplace(folder, replace(LIMITS, seconds=3)), hung)}
    return found, {path.name: path.read_text() for path in folder.iterdir()}


EXPECTED = {
    "nothing printed": (
        "invalid",
        ["exit code 0, but no loss was found", "1 pattern over its output", "it printed nothing"],
    ),
    "another metric": ("invalid", ["its last lines:\naccuracy: 0.5\nthe end"]),
    "not a number": ("invalid", ["loss was 'unknown', which is no number"]),
    "nan": ("diverged", ["loss is nan"]),
    "raises": ("crashed", ["KeyError: 'no such key'"]),
    "exit 3": ("crashed", ["ended with exit code 3", "before the end"]),
    "dies of a signal": ("crashed", ["ended by signal SIGSEGV"]),
    "asks": ("crashed", ["EOFError", "asks for input", "as a flag or a setting"]),
    "terminal": ("crashed", ["ValueError", "asks for a terminal", "script -qec"]),
    "network": ("crashed", ["URLError", "`network = true` in [sandbox]"]),
    "package": ("crashed", ["No module named 'surely_not_installed'", "-m pip install surely_not_installed`"]),
    "cuda": ("crashed", ["asks for CUDA", '`device = "cpu"`']),
    "memory": ("out-of-memory", ["MemoryError"]),
    "writes beside itself": ("disk-full", ["limits.trial_disk"]),
    "one huge file": ("disk-full", ["File too large", "limits.trial_disk"]),
    "fills out": ("disk-full", ["No space left on device"]),
    "hangs": ("timed-out", ["ran longer than 3 s"]),
    "no command": ("crashed", ["there is no command 'surely-no-command' inside the sandbox; looked in "]),
    "no script": ("crashed", ["ended with exit code 2", "can't open file"]),
    "no folder": ("crashed", ["there is no folder ", "experiment.cwd"]),
    "through a shell": ("crashed", ["ended with exit code 7", "loss: 0.75"]),
    "replaces the hook": ("crashed", ["ValueError: seen all the same"]),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_it_ends_in_a_named_outcome_that_says_what_to_do(outcomes, name):
    status, words = EXPECTED[name]
    found = outcomes[0][name]
    assert found.status == status, found
    for one in words:
        assert one in found.message


def test_the_traceback_holds_the_users_own_frames_alone(outcomes):
    found = outcomes[0]["raises"].traceback
    assert "in inner" in found
    assert "sitecustomize" not in found
    assert "attaching" not in found


def test_what_prints_its_metric_and_ends_well_is_a_result(outcomes):
    found = outcomes[0]
    assert found["fine"].metrics == {"evaluation": {"loss": 0.5}}
    assert found["swallows its end"].metrics == {"evaluation": {"loss": 0.125}}


def test_children_that_it_leaves_die_and_its_result_stands(outcomes):
    found = outcomes[0]["leaves children"]
    assert (found.status, found.metrics) == ("ok", {"evaluation": {"loss": 0.25}})
    assert marked(MARK) == []


def test_the_project_is_on_disk_what_it_was(outcomes):
    found, files = outcomes
    assert found["changes its own source"].metrics == {"evaluation": {"loss": 4.0}}
    assert files == {f"{name}.py": text for name, text in SCRIPTS.items()}
