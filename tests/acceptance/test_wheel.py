"""The wheel holds everything that git holds, and works outside the checkout."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = {
    "agent": "lesion/agent",
    "executor": "lesion/executor",
    "prompts": "lesion/prompts",
    "examples/digits": "lesion/examples/digits",
    "examples/induction": "lesion/examples/induction",
    "examples/unmodified": "lesion/examples/unmodified",
}


def tracked() -> list[str]:
    """Files that git knows or would add, of the folders that are shipped."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *FOLDERS]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    return [name for name in names if name and (ROOT / name).exists()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a copy of what git holds."""
    copy, out = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("wheel")
    for name in [*tracked(), "pyproject.toml", "README.md", "LICENSE"]:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, copy / name)
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(out),
        str(copy),
    ]
    subprocess.run(build, check=True, capture_output=True)
    return next(out.glob("lesion-*.whl"))


def test_nothing_is_forgotten(wheel: Path) -> None:
    shipped = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    expected = {
        f"{FOLDERS[folder]}{name.removeprefix(folder)}"
        for folder in FOLDERS
        for name in tracked()
        if name.startswith(f"{folder}/")
    }
    assert shipped == expected


def test_it_works_outside_the_checkout(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    program = f"""
import sys
sys.path.insert(0, {str(site)!r})
import lesion.agent, lesion.executor, lesion.prompts
assert all({str(site)!r} in module.__file__ for module in (lesion.agent, lesion.executor, lesion.prompts)), lesion.agent.__file__
from lesion.prompts import render
assert "noise" in render("rules/hypothesis.j2", kind="other", label="noise", nested=False)
from lesion.agent.cli.demo import Example, _files
assert sorted(path.name for path in _files(Example.DIGITS)) == ["config.yaml", "experiment.py", "lesion.toml"]
assert sorted(path.name for path in _files(Example.UNMODIFIED)) == ["lesion.toml", "train.py"]
sys.argv = ["lesion", "--version"]
from lesion.agent.cli import main
main()
"""
    run = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("lesion ")
