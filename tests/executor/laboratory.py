"""Stations, projects and jobs for tests: tiny experiments in folders of their own, run by real workers."""

import select
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import torch
from lesion.executor.experiments.experiment import Arm
from lesion.executor.experiments.python import PythonExperiment
from lesion.executor.inside.operate import operate, undo, watch
from lesion.executor.inside.surgery import Cut
from lesion.executor.inside.tensors import weights_digest
from lesion.executor.interpreter import Interpreter, examine
from lesion.executor.jobs import Job
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


def job(
    file: Path, action: Any = "retrain", interventions: tuple = (), seed: int = 0, tag: str = "only", **config: Any
) -> Job:
    """One job of the experiment in `file`, which stands in its project's root."""
    more = {"anatomy": {"modes": ["retrain"], "functions": ()}}.get(action, {})
    return PythonExperiment(file.parent, file).job(action, [Arm(tag, config, list(interventions))], seed, **more)


def sweep(file: Path, arms: dict[str, list[Any]], seed: int = 0, metrics: tuple = ("loss",), **how: Any) -> Job:
    """One job that re-evaluates the experiment's own weights under every arm; `how`: reads, config,
    and what a job is told beside."""
    reads, config = how.pop("reads", None), how.pop("config", {})
    functions = ("build_model", "evaluate", *(() if reads else ("load_weights",)))
    entries = [Arm(name, config, interventions) for name, interventions in arms.items()]
    made = PythonExperiment(file.parent, file).job(
        "reevaluate", entries, seed, functions=functions, metrics=list(metrics), **how
    )
    return replace(made, reads=reads)


def run(one: Station, jobs: dict[str, Job], workers: int = 2) -> dict[str, Outcome]:
    """Every job's outcome; a job of one part goes by the name it has here."""
    named = [replace(job, parts=(name,)) if len(job.parts) == 1 else job for name, job in jobs.items()]
    with Pool(one, workers) as pool:
        return dict(pool.run(named))


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


@contextmanager
def cut(model: torch.nn.Module, *interventions: Any, seed: int = 0, references: Any = None) -> Iterator[list[Cut]]:
    """The interventions in `model` while the body runs."""
    cuts = operate(model, [one.model_dump() for one in interventions], seed, references)
    try:
        yield cuts
    finally:
        undo(cuts)


def referred(model: torch.nn.Module, interventions: Any, *batches: Any) -> Any:
    """The statistics that `interventions` need, from these batches."""
    watchers, references = watch(model, [one.model_dump() for one in interventions])
    with torch.no_grad():
        for batch in batches:
            model(batch)
    undo(watchers)
    return references


def trace(model: torch.nn.Module) -> tuple[str, list[str]]:
    """All that a cut could leave behind: changed weights and buffers, and modules whose forward is not their own."""
    return weights_digest(model), [path for path, module in model.named_modules() if "forward" in vars(module)]


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
