"""A throw-away layer over the project: the code inside may write beside itself, and nothing of it reaches the disk."""

import subprocess
from functools import cache
from pathlib import Path


def layered(project: Path) -> list[str]:
    """Arguments of bwrap: the project below a layer in memory, and what is mounted below it, read-only, on top.

    An overlay shows one file system alone: mounts below the project, such as data on a disk of its own, are bound anew.
    """
    words = ["--overlay-src", str(project), "--tmp-overlay", str(project)]
    return [*words, *(word for path in mounts_below(project) for word in ("--ro-bind", str(path), str(path)))]


def mounts_below(folder: Path, table: str | None = None) -> list[Path]:
    """Where something is mounted below `folder`, outermost first; `table` in the format of `/proc/self/mountinfo`."""
    lines = (Path("/proc/self/mountinfo").read_text() if table is None else table).splitlines()
    points = {Path(_plain(line.split()[4])) for line in lines if len(line.split()) > 4}
    below = [path for path in points if path != folder and path.is_relative_to(folder)]
    return sorted(below, key=lambda path: (len(path.parts), path))


@cache
def can_layer(executable: Path) -> bool:
    """Whether this bwrap, on this kernel, can: tried once, on a folder of the system's."""
    command = [
        executable,
        "--ro-bind",
        "/usr",
        "/usr",
        "--symlink",
        "usr/lib",
        "/lib",
        "--symlink",
        "usr/lib64",
        "/lib64",
    ]
    over = ["--overlay-src", "/usr/bin", "--tmp-overlay", "/usr/bin", "--unshare-user", "--"]
    try:
        return not subprocess.run(
            [*command, *over, "/usr/bin/touch", "/usr/bin/lesion-was-here"],
            env={},
            capture_output=True,
            timeout=30,
            check=False,
        ).returncode
    except (OSError, subprocess.TimeoutExpired):
        return False


def _plain(path: str) -> str:
    """A path of the table, in which blanks are written as octal numbers."""
    return path.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")
