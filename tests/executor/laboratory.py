"""Stations, projects and jobs for tests: tiny experiments in folders of their own, run by real workers."""

import select
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from lesion.executor.experiments.python import PythonExperiment
from lesion.executor.interpreter import Interpreter, examine
from lesion.executor.limits import Limits
from lesion.executor.outcomes import Outcome
from lesion.executor.pool import Pool
from lesion.executor.sandbox.choice import choose
from lesion.executor.sandbox.view import Sandbox, View
from lesion.executor.worker import INSIDE, Station

DEADLINE = 60.0
"""Seconds after which what never happens is a failure; nothing ever waits that long where all is well."""


def interpreter() -> Interpreter:
    """The Python that runs the tests."""
    return examine(Path(sys.executable))


@cache
def sandbox() -> Sandbox:
    """The sandbox of this machine."""
    return choose(interpreter())


def project(folder: Path, more: dict[str, str] | None = None, **files: str) -> Path:
    """A folder with these files: `files` by their names without `.py`, `more` by their whole paths."""
    for name, text in {**(more or {}), **{f"{name}.py": text for name, text in files.items()}}.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


def station(folder: Path, limits: Limits | None = None, *, within: Sandbox | None = None, **view: Any) -> Station:
    """Workers for the project in `folder`, as a study makes them."""
    python, limits = interpreter(), limits or Limits(seconds=DEADLINE)
    seen = View(
        project=folder,
        readable=(*python.paths, INSIDE, *view.pop("readable", ())),
        disk=limits.disk,
        environment={**python.environment, **view.pop("environment", {})},
        **view,
    )
    return Station(within or sandbox(), seen, python, limits=limits)


def with_limits(one: Station, limits: Limits) -> Station:
    """The same station with other limits."""
    return replace(one, limits=limits, view=replace(one.view, disk=limits.disk))


def job(file: Path, action: str = "trial", interventions: tuple = (), seed: int = 0, **config: Any) -> dict[str, Any]:
    """One job of the experiment in `file`, which stands in its project's root."""
    return PythonExperiment(file.parent, file).job(action, config, list(interventions), seed)


def run(one: Station, jobs: dict[str, dict[str, Any]], workers: int = 2) -> dict[str, Outcome]:
    """Every job's outcome."""
    with Pool(one, workers) as pool:
        return dict(pool.run(list(jobs.items())))


def collect(pool: Pool, outcomes: dict[str, Outcome], until: Callable[[], Any]) -> None:
    """Let `pool` work, and gather what finishes, until something holds."""
    deadline = time.monotonic() + DEADLINE
    while not until():
        assert time.monotonic() < deadline, f"it never happened; finished meanwhile: {outcomes}"
        outcomes.update(pool.wait(0.02))


def poll(until: Callable[[], Any]) -> None:
    """Look again and again until something holds."""
    deadline = time.monotonic() + DEADLINE
    while not until():
        assert time.monotonic() < deadline, "it never happened"
        select.select([], [], [], 0.02)


def marker() -> str:
    """A word that stands in no other process's command line."""
    return f"lesion-marker-{uuid.uuid4().hex}"


def marked(word: str) -> list[int]:
    """Processes of this machine with `word` as an argument, in whatever namespace they live."""
    return [int(one.name) for one in Path("/proc").glob("[0-9]*") if word in _arguments(one)]


def _arguments(process: Path) -> list[str]:
    try:
        return (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []
