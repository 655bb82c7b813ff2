"""Edited source in a trial's private view: seen by all that reads it there, by nothing else, and gone afterwards."""

import hashlib
import json
import os
import py_compile
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from lesion.executor.errors import SandboxError
from lesion.executor.interventions import Block, ModuleIntervention, SourceEdit
from lesion.executor.pool import Pool
from lesion.executor.sandbox.unsandboxed import Unsandboxed
from lesion.executor.worker import PLAIN

from .laboratory import collect, job, marked, marker, poll, project, run, station

WORD = "def word():\n    return 'as it stands'\n"
EXPERIMENT = """
import inspect
import json
import subprocess
import sys
from pathlib import Path

from torch import nn
from torch.utils.data import DataLoader

from package import words

FILE = Path(__file__).with_name("package") / "words.py"


class Words:
    def __len__(self):
        return 2

    def __getitem__(self, at):
        return words.word()


def build_model(config):
    return nn.Sequential(nn.Linear(2, 1))


def train(model, config, seed):
    executed = {}
    exec(FILE.read_text(), executed)
    child = "from package.words import word; print(word())"
    print(json.dumps({
        "import": words.word(),
        "exec": executed["word"](),
        "open": FILE.read_text(),
        "inspect": inspect.getsource(words),
        "child": subprocess.run(
            [sys.executable, "-c", child], cwd=FILE.parent.parent, capture_output=True, text=True
        ).stdout.strip(),
        "loader": [one for (one,) in DataLoader(Words(), num_workers=1)],
        "mode": oct(FILE.stat().st_mode & 0o777),
        "root": sorted(path.name for path in Path("/").iterdir()),
        "beside": sorted(path.name for path in FILE.parent.iterdir()),
        "bytecode": [str(path) for path in FILE.parent.glob("__pycache__/*")],
    }))


def evaluate(model, config):
    return {"loss": 0.5}
"""
EDIT = SourceEdit(blocks=[Block(file="package/words.py", search="'as it stands'", replace="'edited'")])


def digest(folder: Path) -> dict[str, tuple[str, int]]:
    """Every file's bytes and time."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(one): (hashlib.sha256(one.read_bytes()).hexdigest(), one.stat().st_mtime_ns) for one in files}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A project whose module has a stale bytecode file that Python would run without a look at the source."""
    made = project(
        tmp_path_factory.mktemp("words"),
        {"package/__init__.py": "", "package/words.py": WORD, "package/other.py": "x = 1\n"},
        experiment=EXPERIMENT,
    )
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(str(made / "package" / "words.py"), invalidation_mode=unchecked, doraise=True)
    (made / "package" / "words.py").chmod(0o755)
    return made


@pytest.fixture(scope="module")
def seen(folder):
    """What the plain and the edited trial saw, side by side on one pool; and the files before and afterwards."""
    before = digest(folder)
    jobs = {"plain": job(folder / "experiment.py"), "edited": job(folder / "experiment.py", interventions=(EDIT,))}
    outcomes = run(station(folder), jobs)
    assert {one.status for one in outcomes.values()} == {"ok"}, outcomes
    return {**{name: json.loads(one.output) for name, one in outcomes.items()}, "files": (before, digest(folder))}


def test_whoever_reads_an_edited_file_reads_the_edit(seen):
    edited = seen["edited"]
    assert (edited["import"], edited["exec"], edited["child"], edited["loader"]) == (
        "edited",
        "edited",
        "edited",
        ["edited"] * 2,
    )
    assert edited["open"] == edited["inspect"] == WORD.replace("as it stands", "edited")


def test_a_trial_beside_it_sees_the_project_as_it_is(seen):
    plain = seen["plain"]
    assert (plain["import"], plain["exec"], plain["child"]) == ("as it stands", "as it stands", "as it stands")
    assert plain["open"] == plain["inspect"] == WORD


def test_stale_bytecode_is_there_and_never_wins(seen):
    assert len(seen["plain"]["bytecode"]) == 1
    assert seen["edited"]["bytecode"] == []


def test_an_edited_file_keeps_its_mode_and_nothing_else_shows(seen):
    assert (seen["plain"]["mode"], seen["edited"]["mode"]) == ("0o755", "0o555")
    assert seen["edited"]["root"] == seen["plain"]["root"]
    assert seen["edited"]["beside"] == seen["plain"]["beside"]


def test_on_disk_every_file_is_what_it_was(seen):
    before, after = seen["files"]
    assert before == after


WRITES = EXPERIMENT.replace("executed = {}", "FILE.write_text('x')")


def test_an_edited_file_is_read_only(tmp_path):
    file = project(tmp_path, {"package/words.py": WORD}, experiment=WRITES) / "experiment.py"
    outcome = run(station(tmp_path), {"writes": job(file, interventions=(EDIT,))})["writes"]
    assert outcome.status == "crashed"
    assert "Read-only file system" in outcome.message
    assert (tmp_path / "package" / "words.py").read_text() == WORD


def test_a_project_that_is_bound_once_more_is_edited_all_the_same(folder):
    """As where the project is installed for editing, and on the interpreter's own path."""
    outcome = run(
        station(folder, readable=(folder.parent,)), {"e": job(folder / "experiment.py", interventions=(EDIT,))}
    )
    assert json.loads(outcome["e"].output)["import"] == "edited"


def test_what_a_view_hides_stays_hidden(folder):
    secret = SourceEdit(blocks=[Block(file="package/other.py", search="x = 1", replace="x = 2")])
    made = job(folder / "experiment.py", interventions=(secret,))
    hiding = station(folder, hidden=(folder / "package",))
    outcome = run(hiding, {"e": made})["e"]
    assert (
        outcome.status,
        "No module named 'package.words'" in outcome.message or "cannot import" in outcome.message,
    ) == (
        "crashed",
        True,
    )


def test_edits_and_cuts_go_together(folder):
    cut = ModuleIntervention(path="0", removal="zero")
    outcome = run(station(folder), {"both": job(folder / "experiment.py", interventions=(EDIT, cut))})["both"]
    assert json.loads(outcome.output)["import"] == "edited"
    assert [one.target for one in outcome.proofs] == ["0"]


def test_what_does_not_apply_is_refused_and_nothing_runs(folder):
    wrong = SourceEdit(blocks=[Block(file="package/words.py", search="no such text", replace="")])
    outcomes = run(
        station(folder),
        {"wrong": job(folder / "experiment.py", interventions=(wrong,)), "right": job(folder / "experiment.py")},
    )
    assert (outcomes["wrong"].status, outcomes["right"].status) == ("refused", "ok")
    assert outcomes["wrong"].message.startswith("package/words.py: the search text is not there")
    assert outcomes["wrong"].wall_seconds == 0


def test_without_a_sandbox_edits_are_refused_and_never_run(folder, tmp_path):
    plain = Unsandboxed(tmp_path / "workspace")
    with Pool(station(folder, within=plain), 1) as pool:
        outcomes = dict(pool.run([job(folder / "experiment.py", interventions=(EDIT,))]))
        assert pool.warm == 0
    assert outcomes["only"].status == "refused"
    assert "only in a sandbox" in outcomes["only"].message
    view = station(folder).view
    with pytest.raises(SandboxError):
        plain.launch(type(view)(project=folder, edits={folder / "package" / "words.py": "x"}), ["true"])


def test_a_pool_prepares_the_views_that_come_next_and_ends_those_that_do_not(folder):
    edited = job(folder / "experiment.py", interventions=(EDIT,), tag="edited")
    outcomes = {}
    with Pool(station(folder), 2) as pool:
        pool.expect(2)
        collect(pool, outcomes, lambda: pool.warm == 2)
        pool.submit(edited, still_to_come=1, ahead=[edited.overlay])
        collect(pool, outcomes, lambda: "edited" in outcomes)
        collect(pool, outcomes, lambda: pool.warm == 1)
        assert [worker.overlay for worker in pool._warm] == [edited.overlay]
        pool.expect(1, ahead=[PLAIN])
        collect(pool, outcomes, lambda: any(one.ready and one.overlay == PLAIN for one in pool._warm))
    assert json.loads(outcomes["edited"].output)["import"] == "edited"


def test_what_is_edited_is_not_imported_before_its_trial(folder):
    """A project that can be imported from everywhere looks like any other package to whoever warms a worker up."""
    shown = """
import sys
from torch import nn
EARLY = "package" in sys.modules

def build_model(config): return nn.Linear(1, 1)
def train(model, config, seed): print(EARLY)
def evaluate(model, config): return {"loss": 0.5}
"""
    from dataclasses import replace

    file = folder / "early.py"
    file.write_text(shown)
    try:
        one = station(folder, environment={"PYTHONPATH": str(folder)})
        one = replace(one, modules=("torch", "package", "package.words"))
        outcomes = run(one, {"plain": job(file), "edited": job(file, interventions=(EDIT,))})
    finally:
        file.unlink()
    assert (outcomes["plain"].output, outcomes["edited"].output) == ("True\n", "False\n")


DRIVER = """
import sys
from pathlib import Path
from lesion.executor.interventions import Block, SourceEdit
from lesion.executor.pool import Pool
from tests.executor.laboratory import job, station

folder = Path(sys.argv[1])
edit = SourceEdit(blocks=[Block(file="experiment.py", search="pass  # here", replace=sys.argv[2])])
with Pool(station(folder), 1) as pool:
    pool.submit(job(folder / "experiment.py", interventions=(edit,)))
    while pool.busy:
        pool.wait(60)
"""
WAITS = """
import signal, subprocess, sys
from torch import nn

def build_model(config): return nn.Linear(1, 1)
def train(model, config, seed):
    pass  # here
def evaluate(model, config): return {"loss": 0.5}
"""


def test_kill_9_leaves_every_file_as_it_was(tmp_path):
    word = marker()
    folder = project(tmp_path / "project", experiment=WAITS)
    before = digest(folder)
    lingers = f"subprocess.run([sys.executable, '-c', 'import signal; signal.pause()', {word!r}])"
    driver = subprocess.Popen([sys.executable, "-c", DRIVER, str(folder), lingers], cwd=Path(__file__).parents[2])
    try:
        poll(lambda: len(marked(word)) >= 1 and driver.poll() is None)
        os.kill(driver.pid, signal.SIGKILL)
    finally:
        driver.kill()
        driver.wait()
    poll(lambda: not marked(word))
    assert digest(folder) == before
    assert not list(tmp_path.rglob("*.pt"))
