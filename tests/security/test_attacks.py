import json
import os
import socket
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from ..executor.laboratory import job, project, run, station
from .attacks import ATTACKS

SOURCE = Path(__file__).with_name("attacks.py").read_text()
EXPERIMENT = """
import json
import attacks
from torch import nn

def build_model(config):
    return nn.Linear(2, 1)

def train(model, config, seed):
    print(json.dumps({
        "attacks": attacks.attack_everything(config.world),
        "capabilities": attacks.capabilities(),
        "settings": attacks.settings_that_open_for_writing(),
    }))

def evaluate(model, config):
    return {"done": 1.0}
"""
NAMES = [attack.__name__ for attack in ATTACKS]
WRITES = {
    "write_into_neighbour": "neighbour/written",
    "write_into_project": "project/written",
    "hard_link_into_project": "project/hard-link",
    "symlink_into_project": "project/symbolic-link",
    "write_through_a_symlink": "neighbour/through",
}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """What there is to attack, all of it below one temporary folder or on loopback."""
    folder, secret, abstract = tmp_path_factory.mktemp("world"), uuid.uuid4().hex, f"lesion-{uuid.uuid4().hex}"
    project(
        folder,
        {
            "home/.ssh/id_rsa": secret,
            "neighbour/notes": "untouched",
            "writable/nothing": "",
            "project/data": "untouched",
            "project/removable": "",
            "project/attacks.py": SOURCE,
            "project/experiment.py": EXPERIMENT,
            "project/.lesion/study/ledger.db": secret,
        },
    )
    with socket.socket() as tcp, socket.socket(socket.AF_UNIX) as hidden, socket.socket(socket.AF_UNIX) as named:
        tcp.bind(("127.0.0.1", 0))
        hidden.bind(f"\0{abstract}")
        os.chdir(folder)  # a socket's path may be 108 bytes long
        named.bind("named")
        for one in (tcp, hidden, named):
            one.listen()
        yield {
            "folder": str(folder),
            "secret": secret,
            "home": str(folder / "home"),
            "neighbour": str(folder / "neighbour"),
            "project": str(folder / "project"),
            "state": str(folder / "project" / ".lesion" / "study"),
            "writable": str(folder / "writable"),
            "port": tcp.getsockname()[1],
            "abstract": abstract,
            "socket": str(folder / "named"),
            "driver": os.getpid(),
            "command": Path("/proc/self/cmdline").read_bytes().hex(),
        }


@pytest.fixture(scope="module")
def inside(world):
    """What became of every attack from inside, and what the folders looked like afterwards."""
    folder = Path(world["folder"])
    os.environ.update(HOME=world["home"], LESION_TEST_SECRET=world["secret"])
    attacked = station(folder / "project", hidden=(folder / "project" / ".lesion",))
    outcome = run(
        attacked, {"attack": job(folder / "project" / "experiment.py", world={**world, "writable": "/trial"})}
    )
    assert outcome["attack"].status == "ok", outcome["attack"]
    left = {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}
    return {**json.loads(outcome["attack"].output), "files": left}


@pytest.fixture(scope="module")
def outside(world, inside, layered):
    """What became of every attack from a plain process, after those from inside."""
    environment = {"LESION_TEST_SECRET": world["secret"], "HOME": world["home"]}
    script = Path(world["project"], "attacks.py")
    tried = subprocess.run(
        [sys.executable, script, json.dumps(world)], env=environment, capture_output=True, text=True, check=True
    )
    return json.loads(tried.stdout)


@pytest.fixture(scope="module", autouse=True)
def restored():
    """The environment and the working directory as they were."""
    environment, folder = dict(os.environ), Path.cwd()
    yield
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)


@pytest.mark.parametrize("name", NAMES)
def test_an_attack_that_works_outside_fails_inside(inside, outside, name):
    assert inside["attacks"][name] != "succeeded"
    assert outside[name] == "succeeded"


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["read_ssh_key", "list_home", "read_state", "read_neighbour"], "FileNotFoundError"),
        (["connect_to_path_socket", "write_into_neighbour"], "FileNotFoundError"),
        (["write_into_project", "change_a_project_file", "remove_a_project_file"], "Read-only file system"),
        (["hard_link_into_project", "symlink_into_project"], "Read-only file system"),
        (["connect_over_tcp", "connect_to_abstract_socket"], "ConnectionRefusedError"),
        (["hard_link_out_of_project"], "Invalid cross-device link"),
        (["open_parents_descriptors", "read_parents_memory", "open_parents_memory_for_writing"], "PermissionError"),
        (["trace_parent", "trace_a_child"], "PermissionError"),
    ],
)
def test_it_fails_for_the_reason_that_it_should(inside, names, reason):
    for name in names:
        assert reason in inside["attacks"][name]


@pytest.mark.parametrize(("name", "file"), WRITES.items())
def test_nothing_was_written_outside_the_workspace(inside, outside, world, name, file):
    assert file not in inside["files"]
    assert os.path.lexists(Path(world["folder"], file)), f"{name} does not work outside either"


def test_the_projects_files_are_as_they_were(inside):
    assert inside["files"]["project/data"] == inside["files"]["neighbour/notes"] == "untouched"
    assert "project/removable" in inside["files"]
    assert not [file for file in inside["files"] if "__pycache__" in file]


def test_a_trial_has_no_capabilities_and_can_gain_none(inside):
    assert inside["capabilities"] == {"CapEff": 0, "NoNewPrivs": 1, "Seccomp": 2}


def test_no_kernel_setting_can_be_written(inside):
    assert inside["settings"] == []
    if os.geteuid() == 0:
        assert os.access("/proc/sys/kernel/core_pattern", os.W_OK), "root may write it outside, or this shows nothing"


@pytest.fixture(scope="module")
def layered(world, inside):
    """The same attacks from inside a project that may be written to, and what the folders looked like afterwards."""
    folder = Path(world["folder"])
    attacked = station(folder / "project", hidden=(folder / "project" / ".lesion",), layered=True)
    outcome = run(
        attacked, {"attack": job(folder / "project" / "experiment.py", world={**world, "writable": "/trial"})}
    )
    assert outcome["attack"].status == "ok", outcome["attack"]
    left = {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}
    return {**json.loads(outcome["attack"].output), "files": left}


LAYERED = {
    "hard_link_into_project",
    "write_into_project",
    "change_a_project_file",
    "remove_a_project_file",
    "symlink_into_project",
}
"""What succeeds there, in the layer."""


@pytest.mark.parametrize("name", NAMES)
def test_a_layer_opens_nothing_but_itself(layered, name):
    assert (layered["attacks"][name] == "succeeded") == (name in LAYERED)


def test_nothing_that_was_written_into_the_layer_reaches_the_disk(layered, inside):
    assert layered["files"] == inside["files"]
