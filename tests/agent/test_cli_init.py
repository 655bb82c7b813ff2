"""`lesion init` on small projects: what it finds, what it writes, and what it says it could not find out."""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pytest
from lesion.agent.studyfile import load_study
from lesion.executor.errors import StudyFileError

from tests.experiments import CONFIG, EXPERIMENT, LESION, Ended, Project

MODEL = """\
import torch
from torch import nn

generator = torch.Generator().manual_seed(0)
x = torch.randn(240, 6, generator=generator)
y = (x[:, :3].sum(1) > 0).long()
"""
LOOP = """\
for epoch in range({epochs}):
    model.train()
    for start in range(0, 160, 40):
        loss = nn.functional.cross_entropy(model(x[start : start + 40]), y[start : start + 40])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        accuracy = (model(x[160:]).argmax(1) == y[160:]).float().mean().item()
    {report}
"""
PRINTS = 'print(f"epoch {epoch}: train loss {loss.item():.4f}, val accuracy {accuracy:.4f}", flush=True)'
BUILT = """\
model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Dropout({dropout}), nn.Linear(8, 2))
optimizer = torch.optim.SGD(model.parameters(), lr={lr}, weight_decay={decay})
"""
ARGPARSE = f"""\
import argparse

{MODEL}
parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=6)
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--dropout", type=float, default=0.2)
parser.add_argument("--wd", type=float, default=1e-3)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--device", default="cuda")
args = parser.parse_args()
torch.manual_seed(args.seed)
{BUILT.format(dropout="args.dropout", lr="args.lr", decay="args.wd")}
model.to(args.device)
{LOOP.format(epochs="args.epochs", report=PRINTS)}"""
PLAIN = f"""\
{MODEL}
EPOCHS = 3
compile = True
{BUILT.format(dropout="0.1", lr="0.1", decay="0")}
if compile:
    model = torch.compile(model)
{LOOP.format(epochs="EPOCHS", report=PRINTS)}"""


def project(folder: Path, others: dict[str, str] | None = None, **files: str) -> Project:
    """A folder with these files; the last underscore of a keyword stands for a dot."""
    named = {".".join(name.rsplit("_", 1)): text for name, text in files.items()}
    for name, text in {**named, **(others or {})}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Project(folder)


def init(made: Project, *arguments: str) -> Ended:
    ended = made.lesion("init", *arguments)
    assert "Traceback" not in ended.err.replace("| Traceback", ""), ended.err
    return ended


def record(made: Project, *arguments: str, code: int = 0) -> dict:
    """The record of `--json`; one line on stdout and nothing else."""
    ended = init(made, "--json", *arguments)
    assert ended.code == code, ended.err
    assert len(ended.records) == 1
    return ended.records[0]


def text(made: Project) -> str:
    return (made.folder / "lesion.toml").read_text()


@pytest.fixture(scope="module")
def flags(tmp_path_factory):
    """A script with flags, and what the first look at it said."""
    made = project(
        tmp_path_factory.mktemp("flags") / "fits",
        train_py=ARGPARSE,
        sample_py=ARGPARSE,
        README_md="# Fits\n\n```\n$ python train.py --epochs 4 --seed 7   # a minute\n```\n",
    )
    before = {path.name: path.read_bytes() for path in made.folder.iterdir()}
    ended = init(made)
    assert ended.code == 0, ended.out + ended.err
    assert {path.name: path.read_bytes() for path in made.folder.iterdir() if path.name != "lesion.toml"} == before
    return made, ended


def test_a_script_with_flags_comes_out_as_a_study_that_loads(flags):
    made, ended = flags
    spec = load_study(made.folder)
    assert spec.study.name == "fits"
    assert spec.experiment.command == "{python} train.py --epochs 4 --seed {seed}"
    assert spec.experiment.set == {"device": "cpu"}
    assert spec.primary == "val_accuracy"
    assert {name: one.goal for name, one in spec.metrics.items()} == {
        "val_accuracy": "maximize",
        "train_loss": "minimize",
    }
    assert "there is no GPU here, and it asks for cuda" in text(made)
    for part in ("README.md:4 runs it", "train.py:15", "val_accuracy (train.py:", "Next: lesion inspect", "epochs = 1"):
        assert part in ended.out + ended.err


def test_its_study_is_inspected_and_run(flags):
    made, _ = flags
    inspected = made.lesion("inspect", "--json")
    assert inspected.code == 0, inspected.err
    ids = {one["id"] for one in json.loads(inspected.out)["components"]}
    assert {"config:dropout", "config:wd"} <= ids and any(one.startswith("module:") for one in ids)
    ran = made.lesion("run", "--max-trials", "2", "--planner", "rules")
    assert ran.code == 4, ran.err
    made = Project(made.folder, "fits")
    assert made.rows("SELECT status, COUNT(*) FROM trials WHERE attempts > 0 GROUP BY status") == [("ok", 2)]


def test_a_study_file_that_is_there_is_never_overwritten(flags):
    made, _ = flags
    path = made.folder / "lesion.toml"
    before = path.read_bytes()
    ended = init(made)
    assert (ended.code, ended.out) == (2, "")
    assert "there is a study file already" in ended.err and "--force" in ended.err
    assert path.read_bytes() == before


# scripts that train nothing and show how training scripts are written: they start at once

SIGN = "\n\ndef step(loss):\n    loss.backward()\n"
REPORTS = 'for epoch in range(3):\n    print(f"epoch {epoch} val loss {1 / (epoch + 2):.3f}", flush=True)\n'


def test_constants_are_set_where_there_is_no_flag(tmp_path):
    source = f'device = "cuda"\nuse_compile = True\nSEED = 3\nepochs = 40\nwandb_log = True\n{REPORTS}{SIGN}'
    made = project(tmp_path, fit_py=source)
    found = record(made)
    assert found["ready"] is True
    assert found["set"] == {"device": "cpu", "use_compile": False, "wandb_log": False}
    assert found["run"]["settings"] == {"epochs": 1}
    assert found["experiment"] == {"command": "{python} fit.py"}
    assert "from outside" in text(made)
    assert [(one["name"], one["goal"], one["seen"], one["where"]) for one in found["metrics"]] == [
        ("val_loss", "minimize", 0.25, "fit.py:7")
    ]
    assert load_study(tmp_path).experiment.set == found["set"]


def test_a_yaml_file_and_rows_of_metrics_in_a_folder_of_results(tmp_path):
    source = (
        "import json, os, yaml\ncfg = yaml.safe_load(open('config.yaml'))\nos.makedirs(cfg['out_dir'], exist_ok=True)\n"
        "for epoch in range(cfg['epochs']):\n"
        "    with open(os.path.join(cfg['out_dir'], 'history.jsonl'), 'a') as file:\n"
        "        file.write(json.dumps({'epoch': epoch, 'train_loss': 0.5, 'val_mse': 0.25}) + '\\n')\n" + SIGN
    )
    source = source.replace("import json, os, yaml", "import json, os\nfrom ruamel import yaml as ruamel").replace(
        "yaml.safe_load(open('config.yaml'))", "ruamel.YAML(typ='safe').load(open('config.yaml'))"
    )
    made = project(tmp_path, main_py=source, config_yaml="seed: 1\nepochs: 9\nout_dir: results\ncompile: true\n")
    found = record(made)
    assert [(one["name"], one["goal"], one["primary"]) for one in found["metrics"]] == [
        ("val_mse", "minimize", True),
        ("train_loss", "minimize", False),
    ]
    assert found["set"] == {"compile": False}
    assert found["run"]["settings"] == {"epochs": 1}
    assert load_study(tmp_path).experiment.metrics_file == "results/**/history.jsonl"
    assert not (tmp_path / "results").exists()


def test_a_package_with_its_metrics_where_the_output_flag_says(tmp_path):
    source = (
        "import argparse, json, os\nfrom . import data\nparser = argparse.ArgumentParser()\n"
        "parser.add_argument('--out-dir', default='runs')\nparser.add_argument('--manual-seed', type=int, default=0)\n"
        "parser.add_argument('--steps', type=int, default=500)\nargs = parser.parse_args()\n"
        "json.dump({'accuracy': args.steps / 1000, 'steps': args.steps}, open(os.path.join(args.out_dir, 'metrics.json'), 'w'))\n"
    )
    made = project(tmp_path, {"mine/__init__.py": "", "mine/data.py": "", "mine/__main__.py": source + SIGN})
    found = record(made)
    assert found["experiment"]["command"] == "{python} -m mine --manual-seed {seed} --out-dir {out}"
    assert [(one["name"], one["seen"]) for one in found["metrics"]] == [("accuracy", 0.02)]
    assert load_study(tmp_path).experiment.metrics_file == "{out}/**/metrics.json"


def test_right_answers_are_counted_where_the_share_is_rounded(tmp_path):
    source = "num_classes = 10\nprint('Test set: Average loss: 0.41, Accuracy: 151/200 (76%)')\n" + SIGN
    found = record(project(tmp_path, train_py=source))
    assert [(one["name"], one["seen"], one["floor"]) for one in found["metrics"]] == [
        ("test_correct", 151, 20.0),
        ("test_loss", 0.41, None),
    ]
    assert load_study(tmp_path).metrics["test_correct"].floor == 20


def test_functions_of_an_experiment_in_python(tmp_path):
    made = project(tmp_path, experiment_py=EXPERIMENT, config_yaml=CONFIG, helper_py=REPORTS)
    ended = init(made, "--metric", "error", "--name", "tiny")
    assert ended.code == 0, ended.out
    spec = load_study(tmp_path)
    assert (spec.experiment.python, spec.experiment.config, spec.primary) == ("experiment.py", "config.yaml", "error")
    assert {name: one.goal for name, one in spec.metrics.items()} == {"error": "minimize", "score": "maximize"}
    ran = made.lesion("run", "--max-trials", "2", "--planner", "rules")
    assert ran.code == 4, ran.err
    assert made.rows("SELECT status, COUNT(*) FROM trials WHERE attempts > 0 GROUP BY status") == [("ok", 2)]


def test_data_outside_the_project_is_shown_to_trials_by_name(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x.bin").write_bytes(b"123")
    (tmp_path / "elsewhere").mkdir()
    source = f"print('val loss', len(open('../data/x.bin').read()))\nopen('inside.dat').read()\n{SIGN}"
    made = project(tmp_path / "project", train_py=source, inside_dat="7")
    (made.folder / "linked").symlink_to(tmp_path / "elsewhere")
    found = record(made)
    assert [one["seen"] for one in found["metrics"]] == [3]
    spec = load_study(made.folder)
    assert [str(one) for one in spec.sandbox.read] == [str(tmp_path / "data" / "x.bin"), str(tmp_path / "elsewhere")]
    assert [one.name for one in spec.inputs] == ["inside.dat"]


# what could not be found out


def problems(found: dict) -> str:
    return "\n".join(f"{one['what']} → {one['to_do']}" for one in found["problems"])


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("raise RuntimeError('no such shape')\n", "ended as crashed: RuntimeError: no such shape"),
        ("input('which one? ')\n", "it asks for input"),
        ("import urllib.request\nurllib.request.urlopen('http://example.com')\n", "needs the network"),
        (
            "import argparse\np = argparse.ArgumentParser()\np.add_argument('--data', required=True)\np.parse_args()\n",
            "--data",
        ),
        ("open('data.bin')\n", "it does not find data.bin"),
        ("import importlib\nimportlib.import_module('nowhere_at_all')\n", "the package nowhere_at_all is missing"),
    ],
)
def test_a_script_that_fails_is_written_down_with_what_happened(tmp_path, source, told):
    made = project(tmp_path, train_py=source + REPORTS + SIGN)
    found = record(made, code=3)
    assert found["ready"] is False
    assert told in problems(found)
    assert told in text(made)
    assert [(one["name"], one["seen"]) for one in found["metrics"]] == [("val_loss", None)]
    load_study(tmp_path)


def test_a_script_that_prints_no_metric_leaves_its_place_open(tmp_path):
    made = project(tmp_path, train_py="epochs = 5\nprint('done')\n" + SIGN)
    found = record(made, code=3)
    assert "printed no number that looks like a metric" in problems(found)
    assert "# metrics_pattern = " in text(made) and "# [metrics.val_loss]" in text(made)
    with pytest.raises(StudyFileError):
        load_study(tmp_path)
    found = record(made, "--force", "--metric", "margin", "--goal", "maximize", code=3)
    assert "margin was not seen in the brief run" in problems(found)
    assert load_study(tmp_path).primary == "margin"


def test_a_metric_whose_name_does_not_say_which_way_is_better(tmp_path):
    made = project(tmp_path, train_py="print('gap: 0.25')\n" + SIGN)
    found = record(made, code=3)
    assert "whether more or less of gap is better" in problems(found) and "--goal" in problems(found)
    assert '# goal = "minimize"' in text(made)
    assert record(made, "--force", "--goal", "minimize")["ready"] is True
    assert load_study(tmp_path).metrics["gap"].goal == "minimize"


def test_a_script_that_hangs_keeps_what_it_printed(tmp_path):
    made = project(tmp_path, train_py=f"{REPORTS}import time\ntime.sleep(600)\n{SIGN}")
    found = record(made, "--time", "3s", code=3)
    assert "it was not done after 3 s" in problems(found) and "--time" in problems(found)
    assert [(one["name"], one["seen"]) for one in found["metrics"]] == [("val_loss", 0.25)]
    load_study(tmp_path)


def test_missing_packages_are_named_as_pip_knows_them(tmp_path):
    source = f"import cv2\nimport nowhere_at_all\ntry:\n    import also_nowhere\nexcept ImportError:\n    pass\n{REPORTS}{SIGN}"
    made = project(tmp_path, train_py=source, requirements_txt="opencv-python>=4\n")
    found = record(made, code=3)
    assert "-m pip install 'opencv-python>=4' nowhere_at_all" in problems(found)
    assert "also_nowhere" not in problems(found)
    assert found["run"] is None


def test_several_scripts_are_not_chosen_between_unless_that_is_asked_for(tmp_path):
    made = project(tmp_path, train_a_py=REPORTS + SIGN, train_b_py=REPORTS + SIGN)
    for arguments in ([], ["--json"]):
        ended = init(made, *arguments)
        assert (ended.code, ended.out) == (2, "")
        assert "{python} train_a.py" in ended.err and "{python} train_b.py" in ended.err and "--command" in ended.err
    assert not (tmp_path / "lesion.toml").exists()
    assert record(made, "--yes")["experiment"]["command"] == "{python} train_a.py"
    found = record(made, "--force", "--command", "python train_b.py")
    assert found["experiment"]["command"] == "{python} train_b.py"


@pytest.mark.parametrize(
    ("files", "arguments", "told"),
    [
        ({}, [], "there is no Python file in this folder"),
        ({"tools_py": "print(1)\n"}, [], "none of the 1 Python files here shows a sign of training"),
        ({"train_py": SIGN}, ["--command", "{python} other.py"], "there is no other.py"),
        ({"train_py": SIGN}, ["--command", '{python} "train.py'], "not a command"),
        ({"train_py": REPORTS + SIGN}, ["--config", "nowhere.yaml"], "nowhere.yaml"),
        ({"train_py": REPORTS + SIGN}, ["--interpreter", "/nowhere/python"], "/nowhere/python"),
        ({"train_py": REPORTS + SIGN}, ["--time", "soon"], "--time"),
        ({"train_py": REPORTS + SIGN}, ["--name", "no name"], "--name"),
        ({"train_py": REPORTS + SIGN}, ["-o", "nowhere/lesion.toml"], "there is no such folder"),
    ],
)
def test_what_cannot_be_begun_writes_nothing(tmp_path, files, arguments, told):
    made = project(tmp_path, **files)
    ended = init(made, *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".py"] * len(files)


# at a terminal

WAIT = 60


@contextmanager
def at_terminal(made: Project, *arguments: str) -> Iterator[pexpect.spawn]:
    """The program as a person sees it."""
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "200"}
    child = pexpect.spawn(
        LESION[0],
        [*LESION[1:], "init", *arguments],
        cwd=str(made.folder),
        env=environment,
        timeout=WAIT,
        encoding="utf-8",
    )
    try:
        yield child
    finally:
        child.close(force=True)


def test_a_person_is_asked_with_what_was_found_as_the_default(tmp_path):
    reports = "print('val loss 0.5, val accuracy 0.75, gap 0.1')\n"
    made = project(tmp_path, train_a_py=reports + SIGN, train_b_py=reports + SIGN)
    with at_terminal(made) as child:
        child.expect("What is to be run")
        child.expect(re.escape("2  {python} train_b.py"))
        child.sendline("2")
        child.expect("Which metric")
        child.expect("1  val_accuracy")
        child.sendline("gap")
        child.expect("Which way is val_gap better")
        child.sendline("2")
        child.expect("Next: lesion inspect")
        child.expect(pexpect.EOF)
        child.wait()
    assert child.exitstatus == 0
    spec = load_study(tmp_path)
    assert spec.experiment.command == "{python} train_b.py"
    assert (spec.primary, spec.metrics["val_gap"].goal) == ("val_gap", "minimize")
    with at_terminal(made) as child:
        child.expect("is there already. Replace it")
        child.sendline("")
        child.expect("there is a study file already, and it stays as it is")
        child.expect(pexpect.EOF)
        child.wait()
    assert child.exitstatus == 2


def test_nothing_but_enter_takes_what_was_found_and_yes_asks_nothing(tmp_path):
    made = project(tmp_path, train_py=REPORTS + SIGN, main_py=REPORTS + SIGN)
    with at_terminal(made) as child:
        for question in ("What is to be run", "Which metric"):
            child.expect(question)
            child.sendline("")
        child.expect("Next: lesion inspect")
    first = text(made)
    with at_terminal(made, "--yes", "--force") as child:
        child.expect("Next: lesion inspect")
        assert "What is to be run" not in child.before
    assert load_study(tmp_path).experiment.command == "{python} train.py"
    assert re.sub(r"#.*", "", text(made)) == re.sub(r"#.*", "", first)


def test_ctrl_c_leaves_nothing_half_written(tmp_path):
    made = project(tmp_path, train_py=f"import time\ntime.sleep(600)\n{REPORTS}{SIGN}")
    with at_terminal(made, "--yes") as child:
        child.expect("Running it once in the sandbox")
        child.sendintr()
        child.expect("stopped by SIGINT")
        child.expect(pexpect.EOF)
        child.wait()
    assert child.exitstatus == 130
    assert [path.name for path in tmp_path.iterdir()] == ["train.py"]
