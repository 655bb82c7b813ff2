"""Whole studies of a script that nobody wrote for this, through the command line."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.agent.scripts import SCRIPT, STUDY, script, tree
from tests.experiments import LESION

SHORT = re.sub(r"components = .*", 'components = ["config:no_left"]', STUDY)
REST = STUDY[STUDY.index("command =") : STUDY.index("[metrics.score]")]
EXPECTED = {
    "config:no_left": "matters",
    "config:USE_RIGHT": "matters",
    "config:jitter": "no-op",
    "config:UNUSED_DROPOUT": "no-op",
    "module:scale": "matters",
}
TRAINED = STUDY.replace('name = "script"', 'name = "script"\nmodes = ["reevaluate"]').replace(
    'command = "python train.py"',
    'command = "python train.py --save {out}/model.pt"\ncheckpoint = "{out}/model.pt"\n'
    'evaluate_command = "python train.py --load {checkpoint}"',
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A script's study, run to the end, and the tree's hash before."""
    made = script(tmp_path_factory.mktemp("whole"))
    before = tree(made.folder)
    return made, before, made.lesion("run", "--interactions", "none")


def test_it_finds_the_planted_truth(whole):
    made, _, ended = whole
    assert ended.code == 0, ended.err
    assert "Traceback" not in ended.err
    effects = {one["ablation"]: one for one in made.results()["effects"]}
    assert {name: effects[name]["verdict"] for name in EXPECTED} == EXPECTED
    assert effects["config:no_left"]["delta"] < -0.4
    assert effects["config:no_left"]["n"] == 3


def test_not_a_byte_of_the_project_changes(whole):
    made, before, _ = whole
    assert tree(made.folder) == before
    assert {path.name for path in made.folder.iterdir()} == {"train.py", "lesion.toml", ".lesion"}


def test_seed_0_is_the_scripts_own_run(whole, tmp_path):
    made, *_ = whole
    plain = script(tmp_path / "plain")
    ran = subprocess.run(
        [LESION[0], "train.py", "--device", "cpu", "--steps", "60"],
        cwd=plain.folder,
        env={"OMP_NUM_THREADS": "1", "PATH": os.defpath},
        capture_output=True,
        text=True,
        check=True,
    )
    ((metrics,),) = made.rows("SELECT metrics FROM trials WHERE arm = 'baseline' AND seed = 0")
    assert json.loads(metrics)["evaluation"]["score"] == float(ran.stdout.split()[-1])


def test_what_it_measured_on_its_way_is_kept_and_drawn(whole):
    made, *_ = whole
    (baseline, *arms) = made.results()["curves"]
    assert (baseline["ablation"], baseline["metric"], baseline["n"]) == ("baseline", "score", 3)
    assert len(baseline["mean"]) == 7
    assert baseline["mean"][0] < baseline["mean"][-1]
    assert {one["ablation"] for one in arms} >= {"config:no_left", "module:scale"}
    report = made.state / "report"
    assert (report / "figures" / "curves.png").stat().st_size > 5000
    assert "curves.svg" in (report / "report.md").read_text()


def test_settings_and_modules_are_listed_with_file_and_line(whole):
    made, *_ = whole
    listed = json.loads(made.lesion("inspect", "--json").out)["components"]
    where = {one["id"]: one["where"] for one in listed}
    assert where["config:no_left"] == "train.py:13"
    assert where["config:USE_RIGHT"] == "train.py:7"
    assert {"module:scale", "module:out"} <= set(where)


def test_a_trained_script_is_evaluated_with_its_model_cut(tmp_path):
    made = script(tmp_path, study=re.sub(r"components = .*", 'components = ["module:scale"]', TRAINED))
    before = tree(made.folder)
    ended = made.lesion("run", "--interactions", "none")
    assert ended.code == 0, ended.err
    effects = {one["ablation"]: one for one in made.results()["effects"]}
    assert (effects["module:scale"]["mode"], effects["module:scale"]["verdict"]) == ("reevaluate", "matters")
    assert tree(made.folder) == before


def test_killed_at_any_moment_nothing_is_lost_and_nothing_is_touched(tmp_path):
    made = script(tmp_path, study=SHORT)
    before = tree(made.folder)
    started = subprocess.Popen(
        [*LESION, "run", "--json"], cwd=made.folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert started.stdout is not None
    for line in started.stdout:
        if json.loads(line)["event"] == "trial":
            break
    started.send_signal(signal.SIGKILL)
    started.wait()
    started.stdout.close()
    finished = made.rows("SELECT key, metrics FROM trials WHERE status = 'ok'")
    assert finished
    assert tree(made.folder) == before
    deadline = time.monotonic() + 30
    while alive(made.folder) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert alive(made.folder) == []
    ended = made.lesion("run", "--interactions", "none")
    assert ended.code == 0, ended.err
    assert set(finished) <= set(made.rows("SELECT key, metrics FROM trials WHERE status = 'ok'"))
    assert tree(made.folder) == before


def alive(folder: Path) -> list[int]:
    """Processes whose command line names the folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                words = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if str(folder).encode() in words:
                found.append(int(entry.name))
    return found


def test_a_script_whose_every_seed_is_the_same_is_refused(tmp_path):
    text = SCRIPT.replace(
        "torch.manual_seed(7)", "torch.manual_seed(7)\nown = torch.Generator().manual_seed(5)"
    ).replace("torch.randint(0, 256, (32,))", "torch.randint(0, 256, (32,), generator=own)")
    text = text.replace(
        "model = Net().to(args.device)", "model = Net()\nfor one in model.parameters():\n    one.data.fill_(0.1)"
    )
    made = script(tmp_path, script=text, study=SHORT)
    refused = made.lesion("run", "--interactions", "none")
    assert refused.code == 2
    assert "equal bit for bit" in refused.err and 'seeding = "everything"' in refused.err
    (made.folder / "lesion.toml").write_text(
        SHORT.replace("[experiment.set]", 'seeding = "everything"\n[experiment.set]')
    )
    ended = made.lesion("run", "--interactions", "none")
    assert ended.code == 0, ended.err


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("python train.py", "python other.py", "there is no file"),
        (REST, 'command = "nothing-of-this-name"\nmetrics_pattern = "(?P<score>.*)"\n', "nothing-of-this-name"),
        ("score (?P<score>", "nothing (?P<score>", "score"),
    ],
)
def test_a_study_that_cannot_run_says_why(tmp_path, old, new, told):
    made = script(tmp_path, study=STUDY.replace(old, new))
    ended = made.lesion("run", "--interactions", "none")
    assert ended.code == 2
    assert told in ended.err.lower()
    assert "Traceback (most recent call last)" not in ended.err or "train.py" in ended.err


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('command = "python train.py {sed}"', "nothing fills {sed}"),
        ('command = "python train.py \'x"', "cannot be taken apart"),
        ('command = "python train.py --config {config}"', "no file is named"),
        ('command = "python train.py"\nevaluate_command = "python train.py"', "has no {checkpoint}"),
        ('command = "python train.py"\ncheckpoint = "{out}/x.pt"', "nothing evaluates it"),
    ],
)
def test_a_wrong_study_file_is_refused_with_line_and_remedy(tmp_path, line, problem):
    made = script(tmp_path, study=STUDY.replace('command = "python train.py"', line))
    refused = made.lesion("run")
    assert refused.code == 2
    assert problem in refused.err
    assert "lesion.toml:" in refused.err


def test_settings_in_files_that_are_not_shown_are_not_sent(tmp_path):
    study = STUDY.replace("[experiment]\n", '[project]\nexclude = ["kept_config.py"]\n\n[experiment]\n')
    study = study.replace('"config:no_left", ', '"config:*", ')
    made = script(
        tmp_path, script=SCRIPT.replace("import torch\n", "import torch\nimport kept_config\n", 1), study=study
    )
    (made.folder / "kept_config.py").write_text("KEPT_WEIGHT = 0.625\n")
    told = made.lesion("inspect", "--json")
    assert "KEPT_WEIGHT" in told.out, told.err
    shown = made.lesion(
        "plan", "--planner", "llm", "--show-prompt", LESION_MODEL="any", OPENAI_BASE_URL="http://localhost:9/v1"
    )
    assert shown.code == 0, shown.err
    assert "- USE_RIGHT = true" in shown.out
    assert "- KEPT_WEIGHT" not in shown.out and "0.625" not in shown.out
