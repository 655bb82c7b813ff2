"""Everything that stops a study early: one clear message, exit 2, nothing lost."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from lesion.agent.ledger import Ledger

from tests.experiments import EXPERIMENT, LESION, STUDY, Project, project

OURS = Path(__file__).resolve().parents[2]
ONE_SWITCH = STUDY.replace('["config:use_*", "config:unused_dropout"]', '["config:use_left"]')
TWO_SEEDS = ONE_SWITCH.replace("seeds = 3\nmax_seeds = 3", "seeds = 2\nmax_seeds = 2")


@pytest.fixture
def made(tmp_path):
    return project(tmp_path)


@pytest.fixture(scope="module")
def planned_once(tmp_path_factory):
    """A project whose first plan is written, and its copy for every test that spoils something."""
    first = project(tmp_path_factory.mktemp("planned") / "project", study=ONE_SWITCH)
    ended = first.lesion("plan", "--json")
    assert [one["id"] for one in json.loads(ended.out.splitlines()[-1])["ablations"]] == ["config:use_left"]
    return first


@pytest.fixture
def planned(planned_once, tmp_path):
    return Project(Path(shutil.copytree(planned_once.folder, tmp_path / "copy")))


def refused(ended, *told, progress=False):
    """One message on stderr, after at most some progress, and no frame of ours."""
    assert (ended.code, ended.out) == (2, ""), ended.err
    _, found, message = ended.err.rpartition("lesion: ")
    assert found
    assert ended.err.count("lesion: ") == 1
    assert progress or ended.err.startswith("lesion: ")
    for part in told:
        assert part in message
    assert "Traceback" not in ended.err
    assert not any(f"{OURS}/{folder}/" in ended.err for folder in ("agent", "executor"))


def test_a_missing_study_file(made):
    (made.folder / "lesion.toml").unlink()
    for command in ("run", "plan", "status", "report", "inspect"):
        refused(
            made.lesion(command), f"{made.folder}/lesion.toml: there is no study file", "→ write one with `lesion init`"
        )
    refused(made.lesion("run", "elsewhere.toml"), "elsewhere.toml")


def test_a_malformed_study_file(made):
    made.edit("lesion.toml", 'python = "experiment.py"', "python = experiment.py")
    refused(made.lesion("run"), "lesion.toml:8: not valid TOML")


def test_all_problems_of_a_study_file_at_once_with_their_lines(made):
    made.edit("lesion.toml", "max_seeds = 3", 'max_sedes = 3\nmodes = ["retain"]')
    made.edit("lesion.toml", 'goal = "maximize"', 'goal = "up"')
    made.edit("lesion.toml", 'python = "experiment.py"', 'python = "nowhere.py"')
    refused(
        made.lesion("run"),
        "lesion.toml:5: study.max_sedes: unknown key (did you mean max_seeds?)",
        "lesion.toml:6: study.modes",
        "lesion.toml:9: experiment.python: there is no file",
        'lesion.toml:13: metrics.score.goal: must be "maximize" or "minimize", not "up"',
    )
    assert not made.state.exists()


def test_a_setting_that_the_configuration_does_not_have(made):
    made.edit("lesion.toml", "[metrics.score]", "[experiment.set]\nwieght_decay = 0.1\n\n[metrics.score]")
    refused(made.lesion("run"), "[experiment.set]: there is no key 'wieght_decay'", "did you mean weight_decay?")


def test_a_configuration_that_cannot_be_read(made):
    made.edit("config.yaml", "use_left: true", "use_left: [true")
    refused(made.lesion("run"), "config.yaml:", "not valid YAML")


def test_what_this_version_does_not_offer(made):
    made.edit("lesion.toml", 'python = "experiment.py"', 'command = "{python} x.py"\nmetrics_pattern = "(?P<score>.*)"')
    refused(made.lesion("run"), "does not offer", "command exper")


def test_switches_of_the_recipe_are_no_question_to_a_trained_model(made):
    made.edit("lesion.toml", "seeds = 3\n", 'seeds = 3\nmodes = ["reevaluate"]\n', 1)
    refused(made.lesion("run"), "there is nothing to remove", "a question of retraining", progress=True)


def test_an_interpreter_that_is_not_there_or_has_no_torch(made, tmp_path):
    made.edit("lesion.toml", "[metrics.score]", 'interpreter = "/nowhere/python"\n\n[metrics.score]')
    refused(made.lesion("run"), "experiment.interpreter: there is no Python at /nowhere/python")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    made.edit("lesion.toml", "/nowhere/python", str(tmp_path / "bare/bin/python"))
    refused(made.lesion("run"), "this interpreter has no torch", "pip install torch")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--until", "nonsense"], "07:00"),
        (["--for", "nonsense"], "1h30m"),
        (["--interactions", "all"], "'none'"),
        (["--max-trials", "-1"], "--max-trials"),
    ],
)
def test_flags_that_make_no_sense(made, arguments, told):
    ended = made.lesion("run", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err
    assert "Traceback" not in ended.err
    assert not made.state.exists()


def test_a_language_model_that_is_not_there(made):
    missing = ("no model is named", "LESION_MODEL", "no key", "OPENAI_API_KEY", "--planner rules")
    refused(made.lesion("run", "--planner", "llm"), *missing)
    refused(made.lesion("plan", "--planner", "llm"), *missing)
    made.edit("lesion.toml", "[limits]", '[planner]\nkind = "llm"\n\n[limits]')
    refused(made.lesion("run"), *missing)
    assert not made.state.exists()


def test_nothing_to_report_yet(made, planned):
    for command in (["status"], ["status", "--json"], ["report"]):
        refused(made.lesion(*command), "no results yet", "→ start it with `lesion run`")
        refused(planned.lesion(*command), "no finished baseline run yet", "→ start it with `lesion run`")
    assert not made.state.exists()


# the experiment


def test_an_experiment_that_cannot_be_imported_shows_its_own_traceback(tmp_path):
    made = project(
        tmp_path, experiment=EXPERIMENT.replace("import torch\n", "import torch\nimport nowhere_at_all\n", 1)
    )
    place = f'File "{tmp_path}/experiment.py", line 4'
    refused(
        made.lesion("run"), "does not get through one step", place, "No module named 'nowhere_at_all'", progress=True
    )


def test_a_baseline_that_crashes_at_once_shows_its_own_traceback(tmp_path):
    made = project(tmp_path, experiment=EXPERIMENT.replace('(config, "train")', '(config, "trian")'))
    place = f'File "{tmp_path}/experiment.py", line 20, in train'
    refused(made.lesion("run"), "KeyError: 'trian'", place, "in examples", "→ make it run by itself", progress=True)


def test_a_baseline_that_crashes_later_shows_its_own_traceback(tmp_path):
    made = project(tmp_path, experiment=EXPERIMENT.replace('not config["use_scale"]', "seed >= 0"), study=TWO_SEEDS)
    ended = made.lesion("run")
    refused(
        ended, "2 of 2 baseline runs failed (crashed)", "there is no scale", 'experiment.py", line 29', progress=True
    )
    assert made.rows("SELECT DISTINCT status FROM trials WHERE arm = 'baseline'") == [("crashed",)]
    assert made.rows("SELECT COUNT(*) FROM trials WHERE arm != 'baseline' AND attempts > 0") == [(0,)]


def test_a_baseline_that_is_not_a_number(tmp_path):
    made = project(tmp_path, experiment=EXPERIMENT.replace("(1 - error).item()", 'float("nan")'))
    refused(made.lesion("run"), "not a finite number: score on validation", "mend the baseline", progress=True)


def test_a_baseline_within_noise_of_chance(tmp_path):
    made = project(tmp_path, study=TWO_SEEDS.replace("floor = 0.0", "floor = 0.9432"))
    refused(made.lesion("run"), "within noise of its floor 0.9432", "correct metrics.floor", progress=True)
    made.edit("lesion.toml", "floor = 0.9432", "floor = 0.0")
    assert made.lesion("run", "--max-trials", "0").code == 4
    assert made.rows("SELECT COUNT(*), SUM(attempts) FROM trials WHERE arm = 'baseline'") == [(2, 2)]


def test_training_that_ignores_its_seed(tmp_path):
    fixed = "    torch.manual_seed(0)\n    nn.init.zeros_(model[0].weight)\n    nn.init.zeros_(model[0].bias)\n"
    experiment = EXPERIMENT.replace("    torch.manual_seed(seed)\n", fixed)
    made = project(tmp_path, experiment=experiment, study=TWO_SEEDS)
    told = ("2 baseline seeds gave results that are equal bit for bit", "→ let train use its seed")
    refused(made.lesion("run"), *told, progress=True)


def test_a_metric_that_evaluate_never_returns(planned):
    planned.edit("lesion.toml", "[metrics.score]", "[metrics.accuracy]")
    told = ("evaluate never returns 'accuracy'", "it returns 'score', 'error'", "lesion.toml")
    refused(planned.lesion("run"), *told, progress=True)


# plans


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("- config:use_left", "- config:use_lefft", "no component 'config:use_lefft' (did you mean config:use_left"),
        ("key: use_left", "key: use_lefft", "there is no configuration key 'use_lefft' (did you mean use_left"),
        ("direction: none", "direction: sideways", "ablations.0.prediction.direction"),
        ("id: config:use_left", "id: baseline", "baseline: this id appears twice or is reserved"),
        ("ablations:", "ablations: {", "not YAML"),
    ],
)
def test_a_plan_that_was_edited_into_nonsense(planned, old, new, told):
    text = planned.plan.read_text()
    assert old in text
    planned.plan.write_text(text.replace(old, new))
    refused(planned.lesion("run"), str(planned.plan), told, "→ mend the file", progress=True)
    assert planned.plan.read_text() == text.replace(old, new)
    assert planned.rows("SELECT COUNT(*) FROM plans") == [(0,)]


def test_a_plan_that_is_not_there(planned):
    refused(planned.lesion("run", "--plan", "nowhere.yaml"), "nowhere.yaml: cannot read the plan", progress=True)


# the state folder


def test_a_state_folder_of_a_newer_version(made):
    made.state.mkdir(parents=True)
    database = sqlite3.connect(made.state / "ledger.db")
    database.execute("PRAGMA user_version = 99")
    database.commit()
    database.close()
    for command in ("run", "plan", "status", "report"):
        refused(
            made.lesion(command), str(made.state), "newer version", "format 99", "→ upgrade lesion, or name another"
        )
    assert made.rows("PRAGMA user_version") == [(99,)]


def test_two_processes_on_one_study(made):
    ledger = Ledger(made.state, write=True)
    try:
        for command in ("run", "plan"):
            refused(made.lesion(command), f"another process is running this study (pid {os.getpid()})", "→ wait for it")
    finally:
        ledger.close()


@pytest.mark.parametrize("state", ["experiment.py", "experiment.py/state"])
def test_a_state_folder_that_cannot_be_made(made, state):
    refused(made.lesion("run", "--state", state), state, "--state DIR")


def test_a_ledger_that_is_none(made):
    made.state.mkdir(parents=True)
    (made.state / "ledger.db").write_text("notes" * 1000)
    for command in ("run", "status"):
        refused(made.lesion(command), "ledger.db: the ledger cannot be used: file is not a database")
    assert (made.state / "ledger.db").read_text() == "notes" * 1000


def mounted(made, script):
    """Run shell lines in a mount namespace of their own; `$S` is the state folder, `$L` the program."""
    lines = 'set -e; S="$1"; shift; run() { set +e; "$@" >> out 2> err; echo "code $?" >> err; set -e; cat err; }\n'
    namespace = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
    command = [*namespace, "sh", "-c", lines + script, "sh", str(made.state), *LESION]
    ended = subprocess.run(command, cwd=made.folder, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout


def test_a_full_disk_loses_nothing(made):
    made.edit("lesion.toml", '"config:use_*", "config:unused_dropout"', '"config:use_left"')
    told = mounted(
        made,
        """
        mkdir -p "$S"; mount -t tmpfs -o size=2m tmpfs "$S"
        run "$@" plan
        dd if=/dev/zero of="$S/filler" bs=4k 2> /dev/null || true
        run "$@" run --max-trials 0
        rm "$S/filler"
        run "$@" run --max-trials 0
        """,
    )
    assert "Traceback" not in told
    codes = [line for line in told.splitlines() if line.startswith("code ")]
    assert codes == ["code 0", "code 2", "code 4"]
    message = told.split("code 2")[0].partition("lesion: ")[2]
    assert "→ free some" in message


def test_a_conversation_on_a_full_disk_keeps_what_was_said(made):
    told = mounted(
        made,
        """
        mkdir -p "$S"; mount -t tmpfs -o size=1m tmpfs "$S"
        run "$@" chat --message "/plan config:use_left"
        dd if=/dev/zero of="$S/filler" bs=1k 2> /dev/null || true
        run "$@" chat --message "$(head -c 9000 /dev/zero | tr '\\0' x)"
        rm "$S/filler"
        run "$@" chat --message /status
        """,
    )
    assert "Traceback" not in told
    assert "the conversation cannot be written down: No space left on device" in told
    assert "free some disk space" in told
    assert "draft: 1 ablation" in told.rpartition("code 2")[2]
    assert told.strip().endswith("code 0")


def test_a_read_only_folder(made):
    made.state.mkdir(parents=True)
    script = 'mount --bind "$S" "$S"; mount -o remount,bind,ro "$S"; run "$@" run; run "$@" status'
    told = mounted(made, script)
    assert "Read-only file system" in told
    assert "→ make the folder writable, or name another one with --state DIR" in told
    assert told.count("code 2") == 2
    assert "Traceback" not in told


def test_a_ledger_in_a_read_only_folder_can_still_be_read_or_says_why_not(planned):
    script = 'mount --bind "$S" "$S"; mount -o remount,bind,ro "$S"; run "$@" status'
    told = mounted(planned, script)
    assert "no finished baseline run yet" in told or "make the folder writable" in told
    assert "code 2" in told
    assert "Traceback" not in told


def test_a_machine_without_a_sandbox(made):
    script = 'echo 0 > /proc/sys/user/max_user_namespaces; exec "$@" run'
    command = ["unshare", "-rUm", "sh", "-c", script, "sh", *LESION]
    ended = subprocess.run(command, cwd=made.folder, capture_output=True, text=True, check=False)
    assert ended.returncode == 2, ended.stderr
    assert "no sandbox works here" in ended.stderr
    assert "--unsafe-no-sandbox" in ended.stderr
    assert "Traceback" not in ended.stderr
