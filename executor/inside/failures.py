"""Why a command failed, by name, and what to do about it."""

import errno
import os
import re
import signal
import sys
from typing import Any, Dict, List, Optional, Tuple

from .running import COLOURS, LINES_KEPT, Ended

Answer = Dict[str, Any]
NETWORK = re.compile(
    r"ConnectionError|ConnectError|URLError|gaierror|MaxRetryError|LocalEntryNotFoundError|OfflineModeIsEnabled"
    r"|Temporary failure in name resolution|Name or service not known|Network is unreachable|offline mode is enabled"
    r"|couldn't connect to|Could not resolve host"
)
NO_CUDA = re.compile(
    r"Torch not compiled with CUDA|Found no NVIDIA driver|No CUDA GPUs are available|CUDA driver version is insufficient"
    r"|torch\.cuda\.is_available\(\) is False|CUDA is not available|No CUDA runtime is found"
)
NO_MEMORY = re.compile(r"MemoryError|can't allocate memory|OutOfMemoryError|CUDA out of memory|Cannot allocate memory")
NO_SPACE = re.compile(r"No space left on device|PytorchStreamWriter failed|File too large|Disk quota exceeded")
NO_TERMINAL = re.compile(r"Inappropriate ioctl for device|\bnot a (?:tty|typewriter)\b", re.I)
NO_PACKAGE = re.compile(r"No module named '?([\w.]+)'?")
FULL = "it wrote more than it may (limits.trial_disk); what a trial writes lies in memory and is thrown away at its end"
Hint = Tuple[str, str]
"""Status, and what to do."""


def failure(ended: Ended, reports: "List[Dict[str, Any]]", cwd: str) -> "Optional[Answer]":
    """The answer for a command that did not end well; None for one that did."""
    if ended.problem is not None:
        return {"status": "crashed", "message": ended.problem}
    if ended.full:
        return {"status": "disk-full", "message": FULL}
    if ended.status == 0:
        return None
    error = _error_of(reports)
    if error is not None:
        return _raised(error, cwd, ended.last(LINES_KEPT))
    assert ended.status is not None
    text = ended.last()
    number = -ended.status if ended.status < 0 else ended.status - 128
    if number > 0 and ended.status != 255:
        return {"status": _status_of_signal(number), "message": _with_lines(f"ended by signal {_name(number)}", text)}
    status, hint = _hint(text, None, cwd)
    message = f"ended with exit code {ended.status}{hint}"
    return {"status": status, "message": _with_lines(message, text)}


def _error_of(reports: "List[Dict[str, Any]]") -> "Optional[Dict[str, Any]]":
    """The exception that came first: of several processes, the others only tell that one of them has failed."""
    raised = [
        one
        for one in reports
        if one["error"] and one["error"]["type"] not in ("ChildFailedError", "CalledProcessError")
    ]
    return min(raised, key=lambda one: one["ended_at"])["error"] if raised else None


def _raised(error: "Dict[str, Any]", cwd: str, lines: str) -> Answer:
    said = COLOURS.sub("", f"{error['type']}: {error['message']}")
    if error["type"] == "Refused":
        return {"status": "refused", "message": error["message"]}
    status, hint = _hint(f"{' '.join(error['kinds'])} {error['message']}", error, cwd)
    if not hint and NO_TERMINAL.search(f"{said} {lines}"):
        hint = " (it asks for a terminal, and a trial has none: `script -qec '…' /dev/null` around the command gives it one)"
    return {"status": status, "message": (said[:1500] + hint)[:2000], "traceback": error["traceback"]}


def _hint(text: str, error: "Optional[Dict[str, Any]]", cwd: str) -> Hint:
    number = (error or {}).get("errno")
    if NO_MEMORY.search(text) or number == errno.ENOMEM:
        return "out-of-memory", ""
    if NO_SPACE.search(text) or number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "disk-full", f": {FULL}"
    package = NO_PACKAGE.search(text)
    if package and (error is None or "ImportError" in error["kinds"]):
        return "crashed", _missing_package(package[1], cwd)
    if "EOFError" in text and "reading a line" in text:
        return "crashed", " (it asks for input, and nobody answers in a trial: give the answer as a flag or a setting)"
    if NETWORK.search(text):
        return "crashed", (
            " (it needs the network: set `network = true` in [sandbox], or bring the data and name its folder there in `read`)"
        )
    if NO_CUDA.search(text):
        return "crashed", ' (it asks for CUDA, and there is none: say so in [experiment.set], such as `device = "cpu"`)'
    if number == errno.EROFS or "Read-only file system" in text:
        return "crashed", " (that place is read-only inside a trial: write to {out}, or below HOME or TMPDIR)"
    if number == errno.ENOENT and "FileNotFoundError" in text:
        return "crashed", " (a trial sees the project, the interpreter, and what `read` in [sandbox] names)"
    return "crashed", ""


def _missing_package(name: str, cwd: str) -> str:
    top = name.partition(".")[0]
    if os.path.exists(os.path.join(cwd, top)) or os.path.exists(os.path.join(cwd, top + ".py")):
        return f' (it stands in {cwd}: set PYTHONPATH = "." in [experiment.env])'
    return f" (it needs a package that experiment.interpreter does not have: `{sys.executable} -m pip install {top}`)"


def _status_of_signal(number: int) -> str:
    return {signal.SIGKILL: "killed", signal.SIGXCPU: "timed-out", signal.SIGXFSZ: "disk-full"}.get(number, "crashed")  # type: ignore[call-overload]


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


def _with_lines(message: str, lines: str) -> str:
    return f"{message}\nits last lines:\n{lines}"[:2000] if lines else f"{message}, and printed nothing"
