"""Study files of a night are read all at once, with all their problems."""

import os
from contextlib import ExitStack

import pytest
from lesion.agent.night.ready import names_of, read_all
from lesion.executor.errors import StudyFileError

from tests.experiments import STUDY, project

from .readied import readied


def problems(*paths, **how):
    with pytest.raises(StudyFileError) as raised:
        read_all(paths, **how)
    return str(raised.value)


def test_every_problem_of_every_file_is_named(tmp_path):
    first = project(tmp_path / "a", study=STUDY.replace("seeds = 3", 'seeds = "x"')).folder
    second = project(tmp_path / "b", study=STUDY.replace("[metrics.error]", "[metric.error]")).folder
    third = project(tmp_path / "c", config="device: [").folder
    told = problems(first, second, third, tmp_path / "none")
    assert "study.seeds" in told and "metric" in told and "config.yaml" in told and "no study file" in told
    assert str(first) in told and str(second) in told


def test_a_study_stands_once_in_a_night_and_each_writes_into_its_own_folder(tmp_path):
    first, second = (project(tmp_path / name).folder for name in "ab")
    assert "named twice" in problems(first, first / "lesion.toml")
    assert "would write into" in problems(first, second, state=tmp_path / "state")
    assert names_of(read_all([first, second])) == ["tiny (a)", "tiny (b)"]


def test_studies_of_one_name_are_told_apart_by_as_much_of_their_folder_as_it_takes(tmp_path):
    folders = [project(tmp_path / name).folder for name in ("a/deep", "b/deep", "c")]
    assert names_of(read_all(folders)) == ["tiny (a/deep)", "tiny (b/deep)", "tiny (c)"]
    assert names_of(read_all(folders[:1])) == ["tiny"]


def test_a_study_that_runs_elsewhere_is_named_with_its_process(tmp_path):
    folder = project(tmp_path).folder
    with ExitStack() as stack:
        readied(stack, folder)
        assert f"pid {os.getpid()}" in problems(folder)
    assert len(read_all([folder])) == 1
