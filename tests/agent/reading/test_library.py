"""A study's project as its planner reads it."""

import pytest
from lesion.agent.reading.digest.library import Library
from lesion.agent.reading.digest.lookup import Lookup
from lesion.agent.reading.digest.secrets import MARKER
from lesion.agent.studyfile import load_study
from lesion.executor.errors import ModelError

STUDY = """
[study]
name = "s"
[project]
exclude = ["hidden/"]
[experiment]
python = "code/e.py"
config = "c.yaml"
[experiment.env]
SERVICE_TOKEN = "plain-words"
[metrics.accuracy]
goal = "maximize"
"""
EXPERIMENT = "# plain-words, other-words\ndef build_model(config): ...\n"


@pytest.fixture
def library(tmp_path):
    def make(**files):
        root = tmp_path / "root"
        for name, text in {"code/e.py": EXPERIMENT, "c.yaml": "width: 4\n", "hidden/x.py": "x = 1\n", **files}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        (root / "lesion.toml").write_text(STUDY)
        return Library(load_study(root / "lesion.toml"), lambda text: len(text) // 4, {"MY_API_KEY": "other-words"})

    return make


def test_it_holds_the_experiment_and_its_configuration(library):
    text = library().digest(2000)
    assert "code/e.py, lines 1-2, the experiment" in text
    assert "c.yaml, lines 1-1, its configuration\nwidth: 4\n" in text
    assert "hidden" not in text


def test_values_of_either_environment_are_gone(library):
    library = library()
    shown = library.digest(2000) + library.look_up(Lookup(kind="file", path="code/e.py"), 2000)
    assert "plain-words" not in shown and "other-words" not in shown
    assert library.clean("a plain-words b") == f"a {MARKER} b"


def test_a_context_that_is_too_small_is_said_with_figures(library):
    with pytest.raises(ModelError, match=r"about \d+ tokens, and 10 are left"):
        library().digest(10)


def test_an_experiment_that_is_kept_back_is_said(library):
    with pytest.raises(ModelError, match="not shown to a language model: ignored by") as caught:
        library(**{".gitignore": "code/\n"}).digest(2000)
    assert "code/e.py" in str(caught.value) and "--planner rules" in str(caught.value)


def test_what_errors_tell_holds_no_secret_of_the_project(library):
    source = EXPERIMENT + 'PASSWORD = "hunter2xyz"\nWIDTHS = "hunters-of-widths"\n'
    library = library(**{".env": "PIN=4711-4711-4711\n", "code/e.py": source})
    said = library.told("ValueError: invalid literal: 'hunter2xyz', 4711-4711-4711, hunters-of-widths")
    assert said == f"ValueError: invalid literal: '{MARKER}', {MARKER}, hunters-of-widths"
