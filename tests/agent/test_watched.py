"""What counts as an edit while a study runs."""

import os

import pytest
from lesion.agent.configuration import resolve
from lesion.agent.keys import study_version
from lesion.agent.setting import Setting, configuration_of
from lesion.agent.studyfile import load_study
from lesion.agent.watched import Watched

from .test_keys import STUDY


@pytest.fixture
def folder(tmp_path):
    files = {
        "lesion.toml": STUDY,
        "config.py": "dropout = 0.1",
        "pkg/experiment.py": "def train(): ...",
        "pkg/parts.py": "size = 1",
        "data/train.bin": "0101",
        "README.md": "# Read me",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def setting(folder):
    spec = load_study(folder)
    watched = Watched(spec)
    config = resolve(configuration_of(spec).values, {}, {})
    return Setting(spec, None, config, study_version(spec, config), None, None, watched)


def rewrite(path, text):
    """Another inode, as editors write, so that no clock is too coarse for it."""
    new = path.with_name("new")
    new.write_text(text)
    new.replace(path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pkg/experiment.py", "def train(): pass"),
        ("pkg/parts.py", "size = 2"),
        ("pkg/new.py", ""),
        ("config.py", "dropout = 0.2"),
        ("config.py", "dropout ="),
        ("data/train.bin", "0110"),
        ("data/more.bin", "1"),
    ],
)
def test_an_edit_names_its_file(folder, setting, name, text):
    assert setting.edit() is None
    rewrite(folder / name, text)
    for _ in range(2):
        assert setting.edit().startswith(f"{name} was edited while it ran: ")


def test_a_source_that_is_gone_is_an_edit(folder, setting):
    (folder / "pkg/parts.py").unlink()
    assert setting.edit().startswith("pkg/parts.py was edited")


def test_several_are_told_together(folder, setting):
    for name in ("a", "b", "c", "d", "e"):
        rewrite(folder / f"pkg/{name}.py", "")
    assert setting.edit().startswith("pkg/a.py, pkg/b.py, pkg/c.py and 2 more were edited")


def test_what_the_version_is_not_made_of_is_no_edit(folder, setting):
    rewrite(folder / "pkg/experiment.py", "def train(): ...")
    rewrite(folder / "config.py", "# more\ndropout = 0.1")
    os.utime(folder / "pkg/parts.py", (1, 1))
    rewrite(folder / "README.md", "# Read on")
    (folder / ".lesion").mkdir()
    assert setting.edit() is None
    assert setting.watched.touched() == []
