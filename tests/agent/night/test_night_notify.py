"""A command that is told the summary: whatever it does, the night goes on."""

import os
import signal
from pathlib import Path

from lesion.agent.night.notify import notify

SCREEN = "Zeile äöü Δ\n" * 24


def ended(pid):
    """Whether a process is gone, or dead and not yet collected by whoever inherited it."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state in ("Z", "X")


def test_it_has_the_text_on_its_standard_input(tmp_path):
    assert notify(f"cat > {tmp_path / 'told'}", SCREEN) is None
    assert (tmp_path / "told").read_text() == SCREEN


def test_it_runs_in_a_session_of_its_own(tmp_path):
    assert notify(f"cut -d' ' -f6 /proc/$$/stat > {tmp_path / 'told'}", "x") is None
    assert int((tmp_path / "told").read_text()) != os.getsid(0)


def test_a_failure_is_told_in_one_line_with_the_last_it_said():
    said = notify("echo first; printf 'no \\033[31mroute\\n\\n' >&2; exit 7", SCREEN)
    assert said == "--notify ended with exit code 7: no [31mroute"


def test_what_cannot_be_started_is_told():
    assert "not found" in (notify("no-such-command-anywhere", SCREEN) or "")
    assert "could not be started" in (notify("a\0b", SCREEN) or "")


def test_one_that_hangs_is_ended_with_all_that_it_started(tmp_path):
    command = f"sleep 600 & echo $! $$ > {tmp_path / 'pids'}; sleep 600"
    assert notify(command, SCREEN, seconds=0.5) == "--notify took longer than 0.5 s, and was ended"
    child, shell = map(int, (tmp_path / "pids").read_text().split())
    assert ended(shell)
    assert _is_dying(child)


def _is_dying(pid):
    """A signal that nothing survives was sent to it: it is dead, or its death is pending."""
    if ended(pid):
        return True
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    pending = [int(line.split()[1], 16) for line in status.splitlines() if line.startswith(("SigPnd", "ShdPnd"))]
    return ended(pid) or any(mask >> (signal.SIGKILL - 1) & 1 for mask in pending)


def test_one_that_ignores_signals_is_ended():
    assert "was ended" in (notify("trap '' TERM INT HUP; while :; do sleep 1; done", SCREEN, seconds=0.2) or "")


def test_one_that_floods_is_cut_short():
    said = notify("yes flooding | head -n 2000000; exit 1", SCREEN) or ""
    assert said.startswith("--notify ended with exit code 1: flooding")
    assert len(said) < 300
    assert "\n" not in said


def test_one_that_never_reads_is_no_failure():
    assert notify("exec <&-; exit 0", "x" * 10_000_000) is None
    assert notify("exit 0", "x" * 10_000_000) is None


def test_what_it_leaves_in_the_background_is_not_waited_for(tmp_path):
    assert notify(f"sleep 600 & echo $! > {tmp_path / 'pid'}", SCREEN, seconds=30.0) is None
    pid = int((tmp_path / "pid").read_text())
    assert not ended(pid)
    os.kill(pid, signal.SIGKILL)


def test_text_that_no_encoding_has_is_told_all_the_same(tmp_path):
    assert notify(f"cat > {tmp_path / 'told'}", "a\udcffb") is None
    assert (tmp_path / "told").read_text() == "a?b"
