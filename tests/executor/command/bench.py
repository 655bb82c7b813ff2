"""Stations and jobs for scripts of the tests: each is written into a folder of its own and run there as a command."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lesion.executor.experiments.command import CommandExperiment, Reading
from lesion.executor.experiments.commandline import command_line
from lesion.executor.experiments.experiment import Arm
from lesion.executor.jobs import Job
from lesion.executor.limits import Limits
from lesion.executor.outcomes import Outcome
from lesion.executor.worker import Station

from ..laboratory import DEADLINE, run, station

LOSS = (r"loss[ =:]+(?P<loss>\S+)",)


def workplace(folder: Path, limits: Limits | None = None, **view: Any) -> Station:
    """Workers for commands in `folder`, as a study makes them: with a layer, and nothing imported ahead."""
    return replace(station(folder, limits or Limits(seconds=5 * DEADLINE), layered=True, **view), modules=())


def experiment(folder: Path, command: str | None = "python train.py", **how: Any) -> CommandExperiment:
    """A command without settings; `how`: evaluate, finetune, file, patterns, reduce, goals, and fields of the experiment."""
    reading = Reading(
        how.pop("file", None),
        how.pop("patterns", LOSS if "file" not in how else ()),
        how.pop("reduce", "last"),
        how.pop("goals", {"loss": "minimize"}),
    )
    lines = {name: command_line(how.pop(name)) for name in ("evaluate", "finetune") if name in how}
    train = command_line(command) if command else None
    return CommandExperiment(folder, folder / "train.py", folder, train, reading, **lines, **how)


def asked(one: CommandExperiment, action: Any = "retrain", cuts: Sequence[Any] = (), seed: int = 0, **more: Any) -> Job:
    """A job of one arm."""
    return one.job(action, [Arm("only", {}, list(cuts))], seed, **more)


def outcome(
    one: CommandExperiment, action: Any = "retrain", cuts: Sequence[Any] = (), seed: int = 0, **more: Any
) -> Outcome:
    """What a job of one arm came to; `more`: limits, view, and what only its action takes."""
    place = workplace(one.root, more.pop("limits", None), **more.pop("view", {}))
    files = {name: more.pop(name) for name in ("reads", "writes") if name in more}
    return run(place, {"only": replace(asked(one, action, cuts, seed, **more), **files)})["only"]
