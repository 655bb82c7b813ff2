"""The processes of a run that was started here, and what they may come to."""

import os
import signal
from pathlib import Path


def descendants(root: int) -> list[int]:
    """Every process below one, the deepest last."""
    found = [root]
    for parent in found:
        try:
            children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        except OSError:
            continue
        found += [int(child) for child in children]
    return found[1:]


def naming(folder: Path) -> list[int]:
    """Processes that name a folder in their command line, this one aside."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if str(folder).encode() in command:
                found.append(int(entry.name))
    return found


def kill(pid: int) -> bool:
    """Whether there was anything to kill."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def kill_a_worker(driver: int) -> bool:
    """The deepest process that runs below a driver: a trial, where one runs."""
    below = descendants(driver)
    return bool(below) and kill(below[-1])
