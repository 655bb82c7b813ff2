"""What types cannot say about a study file: keys that contradict each other, and files that are not there."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from shutil import which
from typing import Any, NamedTuple

from ..executor.experiments.commandline import PLACEHOLDERS, command_line
from ..executor.units import parse_size
from .spec import LimitsSection, StudySection, absolute, expanded

Table = dict[str, Any]
COMMANDS = ("command", "evaluate_command", "finetune_command")
OF_COMMANDS = ("evaluate_command", "finetune_command", "checkpoint", "weights", "seeding")


class Problem(NamedTuple):
    """What is wrong with the key at `path`, and what to do."""

    path: tuple[str, ...]
    message: str


def check_study(raw: Table, folder: Path) -> list[Problem]:
    """Every contradiction and missing file of a study file in `folder`; values of a wrong type are passed over."""
    experiment = as_table(raw.get("experiment"))
    checked = _check_experiment(experiment) if isinstance(raw.get("experiment"), dict) else ()
    return [
        *_check_study_section(as_table(raw.get("study"))),
        *_check_modes(_texts(as_table(raw.get("study")).get("modes")), experiment),
        *_check_stopping(raw, experiment),
        *checked,
        *_check_settings(as_table(experiment.get("set"))),
        *_check_metrics(as_table(raw.get("metrics"))),
        *_check_files(raw, folder),
    ]


def as_table(value: object) -> Table:
    """`value` where it is a table, else an empty one."""
    return value if isinstance(value, dict) else {}


def _check_study_section(study: Table) -> Iterator[Problem]:
    defaults = StudySection.model_fields
    seeds, most = (study.get(key, defaults[key].default) for key in ("seeds", "max_seeds"))
    if isinstance(seeds, int) and isinstance(most, int) and seeds > most:
        key = "seeds" if "seeds" in study else "max_seeds"
        yield Problem(("study", key), f"seeds = {seeds} is more than max_seeds = {most} (raise max_seeds)")
    if "recover" in _texts(study.get("modes")) and "finetune_steps" not in study:
        yield Problem(("study", "modes"), "recover needs finetune_steps (how long the cut model trains on, as in 200)")
    for key in ("modes", "kinds", "factorial"):
        for value, count in Counter(_texts(study.get(key))).items():
            if count > 1:
                yield Problem(("study", key), f"{value} is named {count} times (name it once)")


def _check_modes(modes: list[str], experiment: Table) -> Iterator[Problem]:
    """What a command must bring for the questions of trained models."""
    if "command" not in experiment or "python" in experiment:
        return
    needs = {"reevaluate": ["evaluate_command"], "recover": ["evaluate_command", "finetune_command"]}
    for mode in dict.fromkeys(modes):
        for key in (key for key in needs.get(mode, []) if key not in experiment):
            yield Problem(
                ("study", "modes"), f"{mode} of a command needs experiment.{key} (add it, or leave {mode} out)"
            )


def _check_stopping(raw: Table, experiment: Table) -> Iterator[Problem]:
    """What a study says of evaluations that it never makes batch by batch."""
    study, limits = as_table(raw.get("study")), as_table(raw.get("limits"))
    modes = _texts(study.get("modes", StudySection.model_fields["modes"].default))
    by_command = "command" in experiment and "python" not in experiment
    if study.get("stop_early") is True:
        if "reevaluate" not in modes:
            message = "only evaluations of trained models stop early (add reevaluate to modes, or leave it out)"
            yield Problem(("study", "stop_early"), message)
        elif by_command:
            message = "a command is evaluated as a whole (python with batches and score can stop early; leave it out)"
            yield Problem(("study", "stop_early"), message)
    if "replay_memory" in limits and by_command:
        yield Problem(("limits", "replay_memory"), "nothing of a command is replayed (leave it out)")
    elif _size(limits.get("replay_memory")) > _size(limits.get("trial_memory", LimitsSection().trial_memory)):
        message = "more than limits.trial_memory, which a trial may hold in all (make it smaller, or leave it out)"
        yield Problem(("limits", "replay_memory"), message)


def _size(value: object) -> int:
    """Bytes; 0 where it is no size, which is told elsewhere."""
    try:
        return parse_size(value)
    except ValueError:
        return 0


def _check_experiment(experiment: Table) -> Iterator[Problem]:
    python, command = "python" in experiment, "command" in experiment
    reads = [key for key in ("metrics_file", "metrics_pattern", "metrics_reduce") if key in experiment]
    if python and command:
        yield Problem(("experiment", "command"), "both python and command are given (keep one of them)")
    elif python:
        for key in reads:
            yield Problem(("experiment", key), "belongs to a command (evaluate returns the metrics of python)")
        for key in (key for key in OF_COMMANDS if key in experiment):
            yield Problem(("experiment", key), "belongs to a command (python has functions for it)")
    elif not command:
        yield Problem(("experiment",), 'nothing to run (add python = "experiment.py" or command = "…")')
    elif not reads or reads == ["metrics_reduce"]:
        yield Problem(("experiment", "command"), "nothing to read metrics from (add metrics_file or metrics_pattern)")
    if command and not python:
        yield from _check_commands(experiment)
    for pattern in _texts(experiment.get("metrics_pattern")):
        yield from _check_pattern(pattern)


def _check_commands(experiment: Table) -> Iterator[Problem]:
    """Commands that cannot be taken apart, placeholders that nobody fills, and what re-evaluation lacks."""
    for key in COMMANDS:
        if not isinstance(text := experiment.get(key), str):
            continue
        try:
            command_line(text)
        except ValueError as error:
            yield Problem(("experiment", key), f"cannot be taken apart: {error} (write it as a shell would take it)")
        yield from _check_placeholders(key, text, experiment)
    held = [key for key in ("checkpoint", "weights") if key in experiment]
    asks = [key for key in ("evaluate_command", "finetune_command") if key in experiment]
    if asks and not held:
        message = (
            'needs checkpoint (where the command leaves its weights, as in checkpoint = "{out}/model.pt") or weights'
        )
        yield Problem(("experiment", asks[0]), message)
    if held and "evaluate_command" not in experiment:
        yield Problem(("experiment", held[0]), "nothing evaluates it (add evaluate_command with {checkpoint})")


def _check_placeholders(key: str, text: str, experiment: Table) -> Iterator[Problem]:
    unknown = [one for one in re.findall(r"(?<!\$)\{(\w+)\}", text) if one not in PLACEHOLDERS]
    if unknown:
        known = ", ".join(f"{{{one}}}" for one in PLACEHOLDERS)
        yield Problem(("experiment", key), f"nothing fills {{{unknown[0]}}} (known: {known})")
    if "{config}" in text and "config" not in experiment:
        yield Problem(("experiment", key), 'has {config}, and no file is named (add config = "config.yaml")')
    lacking = {"evaluate_command": ["checkpoint"], "finetune_command": ["checkpoint", "steps"]}.get(key, [])
    for one in lacking:
        if f"{{{one}}}" not in text:
            yield Problem(("experiment", key), f"has no {{{one}}} in it (say where the command takes it)")


def _check_pattern(pattern: str) -> Iterator[Problem]:
    path = ("experiment", "metrics_pattern")
    try:
        names = re.compile(pattern).groupindex
    except re.error as error:
        yield Problem(path, f"{pattern!r} is not a regular expression: {error}")
        return
    if not names:
        yield Problem(path, rf"{pattern!r} has no named group (write (?P<accuracy>[\d.]+) around the number)")


def _check_settings(settings: Table, path: tuple[str, ...] = ("experiment", "set")) -> Iterator[Problem]:
    for key, value in settings.items():
        if isinstance(value, dict):
            yield from _check_settings(as_table(value), (*path, key))
        elif not is_json(value):
            yield Problem((*path, key), f"{value} cannot be passed on (write it as a string)")


def is_json(value: object) -> bool:
    """Whether JSON carries `value` as it is: no dates, no sets, no infinities."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True


def _check_metrics(metrics: Table) -> Iterator[Problem]:
    marks = {name: as_table(metric).get("primary", False) for name, metric in metrics.items()}
    primary = [name for name, mark in marks.items() if mark is True]
    for name in primary[1:]:
        yield Problem(("metrics", name, "primary"), f"{primary[0]} is primary already (keep one of them)")
    if len(metrics) > 1 and not any(marks.values()):
        yield Problem(("metrics",), f"none is primary (add primary = true to one of {', '.join(metrics)})")
    yield from _check_goals(metrics)


def _check_goals(metrics: Table) -> Iterator[Problem]:
    """The same metric of several data sets is compared on one scale."""
    first: dict[str, tuple[str, object]] = {}
    for name, metric in metrics.items():
        dataset, _, measure = name.rpartition("/")
        goal = as_table(metric).get("goal")
        if dataset and isinstance(goal, str):
            known, wanted = first.setdefault(measure, (name, goal))
            if goal != wanted:
                message = f"{goal} here and {wanted} for {known} (a metric of several data sets has one goal)"
                yield Problem(("metrics", name, "goal"), message)


def _check_files(raw: Table, folder: Path) -> Iterator[Problem]:
    name = as_table(raw.get("project")).get("root", ".")
    if not isinstance(name, str):
        return
    root = absolute(folder, name)
    here = ("project", "root")
    if not root.is_dir():
        yield Problem(here, f"there is no folder {root}")
        return
    if root in (Path.home().resolve(), *Path.home().resolve().parents):
        yield Problem(here, f"{root} holds your whole home folder (move the project into a folder of its own)")
    yield from _check_experiment_files(as_table(raw.get("experiment")), root)
    for key, names in (("project", "inputs"), ("sandbox", "read")):
        for named in _texts(as_table(raw.get(key)).get(names)):
            path = absolute(root, named)
            if not path.exists():
                yield Problem((key, names), f"there is no {path}")


def _check_experiment_files(experiment: Table, root: Path) -> Iterator[Problem]:
    for key in ("python", "config", "cwd", "weights"):
        if not isinstance(name := experiment.get(key), str):
            continue
        path, here = absolute(root, name), ("experiment", key)
        if not (path.is_dir() if key == "cwd" else path.is_file()):
            yield Problem(here, f"there is no {'folder' if key == 'cwd' else 'file'} {path}")
        elif not path.is_relative_to(root):
            yield Problem(here, f"{path} lies outside the project {root} (widen project.root, or move it)")
    yield from _check_scripts(experiment, root)
    name = experiment.get("interpreter")
    if isinstance(name, str) and not which(name) and not (root / expanded(name)).is_file():
        yield Problem(("experiment", "interpreter"), f"there is no Python at {name}")


def _check_scripts(experiment: Table, root: Path) -> Iterator[Problem]:
    """Python files that the commands start and that are not there."""
    cwd = experiment.get("cwd", ".")
    for key in COMMANDS:
        text = experiment.get(key)
        if not isinstance(text, str) or not isinstance(cwd, str):
            continue
        try:
            line = command_line(text)
        except ValueError:
            continue  # said already
        if line.script and not line.needs_shell and "{" not in line.script:
            path = absolute(root, cwd) / line.script
            if not path.is_file():
                yield Problem(
                    ("experiment", key), f"there is no file {path} (experiment.cwd says where the command starts)"
                )


def _texts(value: object) -> list[str]:
    """The strings of one string or of a list."""
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, str)]
