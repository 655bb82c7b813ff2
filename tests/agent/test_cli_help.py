import subprocess
import sys

import pytest

from tests.experiments import lesion

COMMANDS = ("init", "run", "plan", "inspect", "status", "watch", "pause", "resume", "stop", "report", "doctor", "demo")
SLOW = "torch matplotlib openai sklearn".split()


def test_help_names_every_command(tmp_path):
    ended = lesion("--help", cwd=tmp_path)
    assert (ended.code, ended.err) == (0, "")
    assert all(command in ended.out for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(tmp_path, command):
    ended = lesion(command, "--help", cwd=tmp_path)
    assert (ended.code, ended.err) == (0, "")
    assert "Usage:" in ended.out
    assert list(tmp_path.iterdir()) == []


def test_the_version_is_that_of_the_package(tmp_path):
    ended = lesion("--version", cwd=tmp_path)
    assert (ended.code, ended.out) == (0, "lesion 0.1.0\n")


@pytest.mark.parametrize("arguments", [["frobnicate"], ["run", "--frobnicate"], ["run", "--workers", "0"]])
def test_what_it_does_not_know_is_a_usage_error(tmp_path, arguments):
    ended = lesion(*arguments, cwd=tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert "Usage:" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("arguments", "absent"),
    [(["--help"], [*SLOW, "scipy", "numpy"]), (["run", "--help"], [*SLOW, "scipy", "numpy"]), (["status"], SLOW)],
)
def test_it_starts_without_what_is_slow_to_import(tmp_path, arguments, absent):
    program = (
        "import sys\n"
        "from lesion.agent.cli import main\n"
        f"sys.argv[1:] = {arguments!r}\n"
        "try:\n    main()\nfinally:\n"
        f"    print([name for name in {absent!r} if name in sys.modules], file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.stderr.splitlines()[-1] == "[]"
