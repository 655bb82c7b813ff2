import itertools
import os

import pytest
from lesion.agent.keys import source_files, study_version, trial_key
from lesion.agent.studyfile import load_study
from lesion.executor.interventions import ConfigOverride, ModuleIntervention

STUDY = """
[study]
name = "s"
[project]
inputs = ["data"]
exclude = ["notes/*", "scratch.py"]
[experiment]
python = "pkg/experiment.py"
config = "config.py"
threads = 1
[experiment.env]
MODE = "fast"
[metrics.score]
goal = "maximize"
[limits]
workers = 1
trial_time = "1m"
"""
CONFIG = {"dropout": 0.1, "device": "cpu", "model": {"width": 8}}
DROPOUT = ConfigOverride(key="dropout", value=0.0)
BYPASS = ModuleIntervention(path="block", removal="bypass")


@pytest.fixture
def folder(tmp_path):
    for name in ("pkg", "notes", "data", ".hidden", "venv", "build"):
        (tmp_path / name).mkdir()
    files = {
        "lesion.toml": STUDY,
        "config.py": "dropout = 0.1",
        "pkg/experiment.py": "def train(): ...",
        "pkg/fast.cu": "__global__",
        "README.md": "# Read me",
        "scratch.py": "1",
        "notes/idea.py": "2",
        ".hidden/cache.py": "3",
        "venv/site.py": "4",
        "build/old.py": "5",
        "data/train.bin": "0101",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def version(folder, config=CONFIG):
    return study_version(load_study(folder), config)


def test_the_sources_are_what_may_run(folder):
    names = [str(path.relative_to(folder)) for path in source_files(load_study(folder))]
    assert names == ["pkg/experiment.py", "pkg/fast.cu"]


@pytest.mark.parametrize(
    "name", ["README.md", "scratch.py", "notes/idea.py", ".hidden/cache.py", "venv/site.py", "build/old.py", "new.txt"]
)
def test_what_no_trial_runs_is_no_part_of_it(folder, name):
    before = version(folder)
    (folder / name).write_text("changed")
    assert version(folder) == before


def test_state_and_byte_code_are_no_part_of_it(folder):
    before = version(folder)
    for name in (".lesion/s/plans/x.py", "pkg/__pycache__/experiment.py"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text("changed")
    assert version(folder) == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("workers = 1", "workers = 7"),
        ("workers = 1", 'workers = 1\nreplay_memory = "2GiB"'),
        ('name = "s"', 'name = "s"\nstop_early = false'),
        ('trial_time = "1m"', 'trial_time = "2m"'),
        ('name = "s"', 'name = "other"\nseeds = 3\nquestion = "why?"'),
        ('goal = "maximize"', 'goal = "maximize"\nfloor = 0.1\nsmallest_effect = 0.5'),
        ("[limits]", '[planner]\nkind = "rules"\n[limits]'),
        ("threads = 1", "threads = 1  # a comment"),
    ],
)
def test_how_a_study_is_judged_limited_and_planned_is_no_part_of_it(folder, old, new):
    before = version(folder)
    (folder / "lesion.toml").write_text(STUDY.replace(old, new))
    assert version(folder) == before


@pytest.mark.parametrize(
    ("old", "new"), [("threads = 1", "threads = 2"), ('"fast"', '"slow"'), ("MODE", "MOOD"), ("pkg/e", "pkg/../pkg/e")]
)
def test_how_a_trial_is_run_is_part_of_it(folder, old, new):
    before = version(folder)
    (folder / "lesion.toml").write_text(STUDY.replace(old, new))
    assert version(folder) != before


@pytest.mark.parametrize("name", ["pkg/experiment.py", "pkg/fast.cu", "pkg/helper.py", "data/train.bin", "data/new"])
def test_sources_and_inputs_are_part_of_it(folder, name):
    before = version(folder)
    (folder / name).write_text("something else")
    assert version(folder) != before


def test_a_renamed_source_is_another_source(folder):
    before = version(folder)
    (folder / "pkg/fast.cu").rename(folder / "pkg/slow.cu")
    assert version(folder) != before


def test_an_input_is_known_by_its_size_and_time(folder):
    before = version(folder)
    os.utime(folder / "data/train.bin", ns=(1, 1))
    touched = version(folder)
    assert touched != before
    (folder / "data/train.bin").write_text("1010")
    os.utime(folder / "data/train.bin", ns=(1, 1))
    assert version(folder) == touched


def test_the_resolved_configuration_counts_and_the_device_does_not(folder):
    before = version(folder)
    (folder / "config.py").write_text("dropout = 0.1  # a comment")
    assert version(folder, {"device": "cuda", "model": {"width": 8}, "dropout": 0.1}) == before
    for changed in ({"dropout": 0.2}, {"model": {"width": 9}}, {"new": None}, {"dropout": "0.1"}):
        assert version(folder, CONFIG | changed) != before


def test_a_trial_is_known_by_what_is_removed_in_which_mode_at_which_seed():
    arms = [
        *([], [DROPOUT], [BYPASS], [DROPOUT, BYPASS]),
        [ConfigOverride(key="dropout", value=False)],
        [ConfigOverride(key="dropout", value=None)],
        [ModuleIntervention(path="block", removal="zero")],
        [ModuleIntervention(path="block.1", removal="bypass")],
    ]
    keys = {
        trial_key(study, arm, mode, seed)
        for study, arm, mode, seed in itertools.product(("v1", "v2"), arms, ("retrain", "reevaluate"), range(3))
    }
    assert len(keys) == 2 * len(arms) * 2 * 3


def test_the_order_of_removals_does_not_matter():
    assert trial_key("v", [DROPOUT, BYPASS], "retrain", 0) == trial_key("v", [BYPASS, DROPOUT], "retrain", 0)
