"""Commands taken apart: which script they start, and where further arguments go."""

import pytest
from lesion.executor.experiments.commandline import command_line


@pytest.mark.parametrize(
    ("text", "script", "module", "arguments"),
    [
        ("python train.py --lr 0.1", "train.py", None, ("--lr", "0.1")),
        ("{python} -u src/train.py --seed {seed}", "src/train.py", None, ("--seed", "{seed}")),
        ("python3.11 -m package.train task=a", None, "package.train", ("task=a",)),
        ("/opt/env/bin/python 'my script.py' -v", "my script.py", None, ("-v",)),
        ("torchrun --nproc_per_node 2 train.py --epochs 1", "train.py", None, ("--epochs", "1")),
        ("accelerate launch --cpu train.py", "train.py", None, ()),
        ("./train.py --epochs 1", "./train.py", None, ("--epochs", "1")),
        ("bash run.sh 1", None, None, ()),
    ],
)
def test_the_script_is_found(text, script, module, arguments):
    line = command_line(text)
    assert (line.script, line.module, line.arguments) == (script, module, arguments)
    assert not line.needs_shell
    assert line.takes_flags == (script is not None or module is not None)


@pytest.mark.parametrize(
    "text", ["cd src && python train.py", "A=1 python train.py", "python train.py > log", "python train.py $HOME"]
)
def test_what_only_a_shell_understands_goes_to_one(text):
    line = command_line(text)
    assert line.needs_shell
    assert line.script == "train.py"
    assert not line.takes_flags
    assert command_line(f"{text} {{overrides}}").takes_flags


def test_placeholders_are_no_shell():
    assert not command_line("{python} train.py --config {config} --out {out}").needs_shell


@pytest.mark.parametrize("text", ["", "   ", "python 'train.py"])
def test_what_cannot_be_taken_apart(text):
    with pytest.raises(ValueError):
        command_line(text)


def test_the_entry_is_a_file_of_the_project(tmp_path):
    (tmp_path / "package").mkdir()
    for name in ("train.py", "run.sh", "package/train.py", "package/__main__.py"):
        (tmp_path / name).write_text("")
    entries = {
        "python train.py": "train.py",
        "python -m package.train": "package/train.py",
        "python -m package": "package/__main__.py",
        "bash run.sh": "run.sh",
    }
    for text, name in entries.items():
        assert command_line(text).entry(tmp_path) == (tmp_path / name).resolve()
    assert command_line("python missing.py").entry(tmp_path) is None
    assert command_line("make train").entry(tmp_path) is None
