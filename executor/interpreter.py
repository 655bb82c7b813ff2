"""The Python that runs the user's experiment: asked once, from outside, what it is and which folders it needs."""

import json
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from .errors import ExperimentError

QUESTION = """
import importlib.metadata as metadata
import json, os, site, sys
def version(name):
    try: return metadata.version(name)
    except metadata.PackageNotFoundError: return None
home = os.path.dirname(os.path.realpath(sys.executable))
print(json.dumps({
    "executable": sys.executable,
    "version": sys.version.split()[0],
    "torch": version("torch"),
    "paths": [path for path in (*sys.path, sys.prefix, sys.base_prefix, home) if path and os.path.exists(path)],
    "user_base": site.getuserbase(),
}))
"""


@dataclass(frozen=True)
class Interpreter:
    """One Python installation, as a sandbox must show it."""

    executable: Path
    version: str
    torch: str | None
    paths: tuple[Path, ...]
    """Folders to bind read-only: prefixes and everything on `sys.path`, none below another, none under `/usr`."""
    environment: dict[str, str]


@cache
def examine(executable: Path) -> Interpreter:
    """Start `executable` once and ask. `ExperimentError` where it does not run or has no torch."""
    try:
        run = subprocess.run(
            [executable, "-c", QUESTION], capture_output=True, text=True, timeout=60, check=False, cwd="/"
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ExperimentError(f"the interpreter does not run: {error}", where=str(executable), to_do=_TO_DO) from None
    if run.returncode:
        raise ExperimentError(
            f"the interpreter does not run: {run.stderr.strip()[-500:]}", where=str(executable), to_do=_TO_DO
        )
    answer: dict[str, Any] = json.loads(run.stdout)
    if answer["torch"] is None:
        raise ExperimentError(
            "this interpreter has no torch", where=str(executable), to_do=f"run `{executable} -m pip install torch`"
        )
    user_site = any(path.startswith(answer["user_base"]) for path in answer["paths"])
    return Interpreter(
        executable=Path(answer["executable"]),
        version=answer["version"],
        torch=answer["torch"],
        paths=outermost([Path(path) for path in answer["paths"]]),
        environment={"PYTHONUSERBASE": answer["user_base"]} if user_site else {},
    )


def outermost(paths: list[Path]) -> tuple[Path, ...]:
    """`paths` without what lies below another of them or below `/usr`, which every sandbox shows."""
    covers = [Path("/usr")]
    for path in sorted({path.absolute() for path in paths}, key=lambda path: len(path.parts)):
        if not any(path.is_relative_to(cover) for cover in covers):
            covers.append(path)
    return tuple(covers[1:])


_TO_DO = "set experiment.interpreter to a Python that has torch"
