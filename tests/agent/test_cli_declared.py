"""A study file that is changed after its plan was sealed: what was declared when is told."""

import pytest

from ..experiments import project


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    made = project(tmp_path_factory.mktemp("declared") / "project")
    made.edit("lesion.toml", '["config:use_*", "config:unused_dropout"]', '["config:use_left", "config:use_right"]')
    ended = made.lesion("run")
    assert ended.code == 0, ended.err
    return made


def noise_floor(made):
    return made.lesion("report", "--format", "md", "-o", "-").out


def test_what_was_not_changed_is_not_spoken_of(made):
    assert not [note for note in made.results()["notes"] if "sealed" in note]
    assert "δ of score was declared by the study before any ablation ran." in noise_floor(made)


def test_what_was_changed_is_told_in_the_run_and_in_the_report(made):
    made.edit("lesion.toml", "smallest_effect = 0.05", "smallest_effect = 0.9", 1)
    made.edit("lesion.toml", "max_seeds = 3", "max_seeds = 3\nalpha = 0.1")
    made.edit("lesion.toml", '"config:use_left", ', '"config:unused_*", ')
    told = [
        "δ of score was 0.05 when round 1 was sealed and is 0.9 now: verdicts by it were chosen after results were known",
        "study.alpha was 0.05 when round 1 was sealed and is 0.1 now: verdicts by it were chosen after results were known",
        "config:unused_dropout was chosen after the plan of round 1 was sealed, and is not measured: give the study another "
        "study.name, or ask for it as a further round in `lesion chat` (/plan config:unused_dropout)",
    ]
    ended = made.lesion("run")
    flat = " ".join(ended.err.split())
    assert all(" ".join(one.split()) in flat for one in told)
    assert [note for note in made.results()["notes"] if "sealed" in note] == told
    text = noise_floor(made)
    assert "declared by the study before any ablation ran" not in text
    assert "baseline runs, before any ablation ran" not in text
    assert "δ of score was declared by the study after round 1 was sealed." in text
