"""Keys: what makes two trials the same. Documentation, state, device, workers and limits are no part of it."""

import hashlib
import json
import os
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from ..executor.interventions import Intervention
from .spec import StudySpec

SOURCE = frozenset(".py .pyx .pxd .c .cc .cpp .cu .cuh .h .hpp .sh .jl .lua .r .R".split())
SKIPPED = frozenset("__pycache__ node_modules site-packages venv env build dist".split())
DEVICE = "device"


def study_version(spec: StudySpec, config: dict[str, Any]) -> str:
    """Hash of all that every trial of the study shares: sources, resolved configuration, inputs, how it is run."""
    config = {key: value for key, value in config.items() if key != DEVICE}
    experiment = spec.experiment
    parts = {
        "sources": [(str(path.relative_to(spec.root)), _digest(path)) for path in source_files(spec)],
        "config": config,
        "inputs": [_stamp(path) for path in input_files(spec)],
        "experiment": [experiment.python, experiment.command, experiment.env, experiment.threads, *_of_command(spec)],
        "metrics": [experiment.metrics_file, experiment.metrics_pattern, experiment.metrics_reduce],
    }
    return _hash(parts)


def _of_command(spec: StudySpec) -> list[Any]:
    """What else decides how a command runs; nothing for functions, whose keys are older."""
    one = spec.experiment
    if one.command is None:
        return []
    return [one.cwd, one.evaluate_command, one.finetune_command, one.checkpoint, one.weights, one.seeding]


def trial_key(version: str, interventions: list[Intervention], mode: str, seed: int) -> str:
    """Hash of one trial: what the study shares, what is removed, in which mode, at which seed."""
    removed = sorted(json.dumps(one.model_dump(), sort_keys=True) for one in interventions)
    return _hash([version, removed, mode, seed])


def source_files(spec: StudySpec) -> Iterator[Path]:
    """The source files below the project's root, sorted, without its configuration file and what is excluded."""
    for here, files in _walked(spec):
        for name in sorted(files):
            path = here / name
            if path.suffix in SOURCE and path != spec.config_file and not _excluded(path, spec) and path.is_file():
                yield path


def input_files(spec: StudySpec) -> Iterator[Path]:
    """The declared data files, and the files below declared folders."""
    for given in spec.inputs:
        yield from _files(given)


def folders_of(spec: StudySpec) -> Iterator[Path]:
    """The folders that sources and inputs lie in: one of them changes where a file comes, goes or is renamed."""
    yield from (here for here, _ in _walked(spec))
    for given in spec.inputs:
        if given.is_dir():
            yield given
            yield from (path for path in given.rglob("*") if path.is_dir())


def _walked(spec: StudySpec) -> Iterator[tuple[Path, list[str]]]:
    for folder, folders, files in os.walk(spec.root):
        here = Path(folder)
        folders[:] = sorted(name for name in folders if entered(here / name) and not _excluded(here / name, spec))
        yield here, files


def entered(folder: Path) -> bool:
    """Whether a folder may hold the project's own files: not hidden, not built, no environment."""
    name = folder.name
    return not (
        name.startswith(".") or name in SKIPPED or name.endswith(".egg-info") or (folder / "pyvenv.cfg").exists()
    )


def _excluded(path: Path, spec: StudySpec) -> bool:
    relative = str(path.relative_to(spec.root))
    return any(fnmatchcase(relative, glob.rstrip("/")) for glob in spec.project.exclude)


def _files(given: Path) -> Iterator[Path]:
    if given.is_dir():
        yield from sorted(path for path in given.rglob("*") if path.is_file())
    else:
        yield given


def _stamp(path: Path) -> tuple[str, int, int]:
    status = path.stat()
    return str(path), status.st_size, status.st_mtime_ns


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _hash(parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]
