"""Which Python runs a project, and which packages it lacks there."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ...executor.errors import ExperimentError
from ...executor.experiments.imports import local_module
from ...executor.interpreter import examine
from ..reading.script.source import Source

FOLDERS = (".venv", "venv", "env", ".env")
PROJECT_OF = {
    "cv2": "opencv-python", "sklearn": "scikit-learn", "PIL": "pillow", "yaml": "pyyaml", "skimage": "scikit-image",
    "hydra": "hydra-core", "dateutil": "python-dateutil", "pytorch_lightning": "pytorch-lightning", "attr": "attrs",
    "dotenv": "python-dotenv", "git": "gitpython", "Bio": "biopython", "wandb": "wandb",
}  # fmt: skip
"""Distributions whose name is not that of their module."""
QUESTION = """
import importlib.util, json, sys
def there(name):
    try: return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError): return False
print(json.dumps([name for name in json.load(sys.stdin) if not there(name)]))
"""


class Chosen(NamedTuple):
    """The interpreter of a study."""

    path: Path
    given: str | None
    """As the study file names it; None for the one that runs this."""
    why: str


def interpreter_of(root: Path, asked: str | None) -> Chosen:
    """The one that was asked for, else a virtual environment of the project that has torch, else the current one.

    Raises:
        ExperimentError: the one that was asked for does not run, or has no torch.
    """
    if asked is not None:
        given = asked if "/" not in asked or Path(asked).expanduser().is_absolute() else str(Path(asked).absolute())
        examine(Path(given).expanduser() if "/" in given else _named(given))
        return Chosen(Path(given).expanduser(), given, "it was given")
    rejected = ""
    for folder in FOLDERS:
        path = root / folder / "bin" / "python"
        if not (root / folder / "pyvenv.cfg").is_file() or not path.exists():
            continue
        try:
            found = examine(path)
        except ExperimentError as error:
            rejected = f"; {folder} was passed over: {error.what}"
            continue
        return Chosen(path, f"{folder}/bin/python", f"the project's own environment, with torch {found.torch}")
    return Chosen(Path(sys.executable), None, f"the current one{rejected}")


def missing(root: Path, files: Sequence[Source], interpreter: Path) -> list[tuple[str, str]]:
    """Packages that the source imports without a way around and that are not there: name for pip, and `file:line`."""
    wanted: dict[str, str] = {}
    for file in files:
        for name, line in _needed(file.tree.body):
            if name not in sys.stdlib_module_names and not local_module(name, (file.file.parent, root)):
                wanted.setdefault(name, f"{file.name}:{line}")
    if not wanted:
        return []
    asked = subprocess.run(
        [interpreter, "-c", QUESTION], input=json.dumps([*wanted]), capture_output=True, text=True, timeout=60, check=False, cwd="/"
    )  # fmt: skip
    absent: list[str] = json.loads(asked.stdout) if asked.returncode == 0 else []
    local = {path.name for pattern in ("*", "*/*") for path in root.glob(pattern) if path.is_dir()}
    required = _required(root)
    return [(_project(name, required), wanted[name]) for name in absent if name not in local]


def _named(name: str) -> Path:
    from shutil import which

    found = which(name)
    if found is None:
        raise ExperimentError(f"there is no Python named {name}", to_do="give --interpreter the path of one")
    return Path(found)


def _needed(body: Sequence[ast.stmt]) -> Iterator[tuple[str, int]]:
    """Top-level imports; those in a `try` or a function may have a way around."""
    for node in body:
        if isinstance(node, ast.Import):
            yield from ((alias.name.split(".")[0], node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0], node.lineno


def _required(root: Path) -> dict[str, str]:
    """Requirements of the project by their names in small letters with underscores, as they are written."""
    found: dict[str, str] = {}
    for path in sorted(root.glob("requirements*.txt")):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if match := re.match(r"\s*([A-Za-z][\w.-]*)[^#;]*", line):
                found[match[1].lower().replace("-", "_")] = match[0].strip().replace(" ", "")
    return found


def _project(module: str, required: dict[str, str]) -> str:
    """What pip is to install."""
    name = PROJECT_OF.get(module, module)
    return required.get(name.lower().replace("-", "_"), name)
