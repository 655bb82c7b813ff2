"""From a folder to a draft: looks, asks where there is a choice, runs once briefly, and concludes."""

import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from ...executor.errors import ExperimentError
from ...executor.experiments.commandline import command_line
from ...executor.experiments.knobs import FileKnob, Knob
from ...prompts import phrases
from ..configuration import dotted_keys, flatten, load_configuration
from ..reading.script.roles import in_command
from ..reading.script.settings import ScriptSettings, script_settings
from ..reading.script.source import Source, sources
from .brief import Ran, run_command, run_functions, study_of
from .choices import Choices, chosen
from .choosing import choose
from .concluding import concluded
from .data import Data, data_of
from .draft import Draft
from .findings import Candidate, Finding, Gap
from .limits import limits_of
from .metricfiles import written
from .metrics import Sought, metrics_of
from .packages import Chosen, interpreter_of, missing
from .projectfiles import python_files
from .questions import Questions
from .shortest import Shortest, shortest
from .trouble import trouble
from .wishes import Wishes

GPU = Path("/dev/nvidiactl")
CONFIGS = re.compile(r"^(config|cfg|conf)(_?(file|path))?$", re.IGNORECASE)


class _Read(NamedTuple):
    """What was read of the chosen experiment."""

    candidate: Candidate
    python: Chosen
    files: list[Source]
    settings: ScriptSettings
    choices: Choices
    data: Data
    config: str | None


def start(root: Path, path: Path, wishes: Wishes, questions: Questions, say: Callable[[str], None]) -> Draft:
    """The draft of a study of the project in `root`, to be written to `path`.

    Raises:
        LesionError: there is nothing to run, the evidence does not decide and nobody is asked, or what was asked for
            cannot be used.
    """
    read = _read(root, wishes, questions)
    lacking = missing(root, read.files, read.python.path)
    stops = [_lacking(lacking, read.python)] if lacking else []
    draft = _empty(root, path, wishes, read)
    ran, short = (None, Shortest({}, 1.0)) if lacking else _briefly(draft, read, wishes, say)
    if ran and (problem := trouble(ran, str(read.python.path))):
        stops.append(problem)
    return concluded(
        replace(draft, ran=ran, stops=tuple(stops)),
        read.files,
        flatten(read.settings.values),
        wishes,
        questions,
        short.share,
    )


def _read(root: Path, wishes: Wishes, questions: Questions) -> _Read:
    files = python_files(root)
    if not files and wishes.command is None:
        raise ExperimentError(
            "there is no Python file in this folder",
            where=str(root),
            to_do="name the project's folder, as in `lesion init ~/project`",
        )
    candidate = choose(root, files, wishes, questions)
    python = interpreter_of(root, wishes.interpreter)
    reached, settings, config = _settings(root, candidate, wishes)
    if candidate.functions:
        choices = chosen(candidate.text, settings, reached, [], gpu=GPU.exists())
        choices = Choices(
            candidate.text, choices.changes, choices.environment, None, choices.findings[1:], choices.gaps
        )
    else:
        text = _with_config(candidate.text, wishes.config, settings) if wishes.config else candidate.text
        choices = chosen(text, settings, reached, written(reached), gpu=GPU.exists())
    return _Read(
        candidate, python, reached, settings, choices, data_of(root, root, reached, flatten(settings.values)), config
    )


def _with_config(text: str, config: str, settings: ScriptSettings) -> str:
    """The command with the place of its configuration file, where it says one or has a flag for one."""
    if config in text or "{config}" in text:
        return text.replace(config, "{config}")
    knobs = (knob for key, knob in settings.knobs.items() if CONFIGS.match(key.rpartition(".")[2]))
    words = next((words for knob in knobs if (words := in_command(knob, "{config}"))), [])
    return " ".join([text, *words])


def _settings(root: Path, candidate: Candidate, wishes: Wishes) -> tuple[list[Source], ScriptSettings, str | None]:
    """The source of the experiment, everything that it can be told, and its configuration file where one is named."""
    config = wishes.config
    if config is not None:
        load_configuration(root / config)
    if not candidate.functions:
        line = command_line(candidate.text)
        entry = line.entry(root)
        files = sources(root, entry, root) if entry else []
        return files, script_settings(root, line, root, root / config if config else None, {}), config
    files = sources(root, root / candidate.file, root)
    beside = sorted((root / candidate.file).parent.glob("conf*.[ytj]*"))
    config = config or next(
        (one.relative_to(root).as_posix() for one in beside if one.suffix in (".yaml", ".yml", ".toml", ".json")), None
    )
    if config is None:
        return files, ScriptSettings({}, {}, {}, {}), None
    loaded = load_configuration(root / config)
    knobs: dict[str, Knob] = {key: FileKnob(config, path) for key, path in dotted_keys(loaded.values).items()}
    return files, ScriptSettings(loaded.values, loaded.places, knobs, {}), config


def _lacking(lacking: Sequence[tuple[str, str]], python: Chosen) -> Gap:
    names = shlex.join(name for name, _ in lacking)
    where = ", ".join(f"{name} ({place})" for name, place in lacking)
    return Gap(f"packages are missing: {where}", f"{python.path} -m pip install {names}")


def _empty(root: Path, path: Path, wishes: Wishes, read: _Read) -> Draft:
    """The draft before anything was run."""
    findings = [
        Finding("experiment", read.candidate.text, read.candidate.file, "; ".join(read.candidate.evidence)),
        Finding("interpreter", str(read.python.path), "", read.python.why),
        *read.choices.findings,
        *read.data.findings,
    ]
    return Draft(
        path=path,
        root=root,
        name=wishes.name or study_name(root),
        candidate=read.candidate,
        text=read.choices.command,
        config=read.config,
        interpreter=read.python.given,
        changes=read.choices.changes,
        environment=read.choices.environment,
        read=read.data.read,
        inputs=read.data.inputs,
        metrics=(),
        metrics_file=read.choices.metrics_file,
        limits=limits_of(None, 1.0),
        findings=tuple(findings),
        gaps=(*read.choices.gaps, *read.data.gaps),
        stops=(),
        ran=None,
    )


def _briefly(draft: Draft, read: _Read, wishes: Wishes, say: Callable[[str], None]) -> tuple[Ran, Shortest]:
    """Run it: as short as its settings allow, and as it is where that did not work or showed nothing."""
    spec = study_of(draft.root / "lesion.toml", draft.experiment(), draft.read, wishes.seconds)
    words = phrases("init/progress.j2")
    if draft.candidate.functions:
        say(words.step(draft.text))
        return run_functions(spec, unsafe=wishes.unsafe), Shortest({}, 1.0)
    short = shortest(read.settings, spec.experiment.set)
    say(words.running(draft.text, short.settings, wishes.seconds))
    ran = run_command(spec, short.settings, draft.metrics_file, unsafe=wishes.unsafe)
    if not short.settings or _tells(ran, read):
        return ran, short
    say(words.again(ran.status))
    whole = run_command(spec, {}, draft.metrics_file, unsafe=wishes.unsafe)
    return (whole, Shortest({}, 1.0)) if _tells(whole, read) or not ran.finished else (ran, short)


def _tells(ran: Ran, read: _Read) -> bool:
    """Whether a run came to its end, or as far as its time went, and showed a metric."""
    seen = [one for one in metrics_of(Sought(ran, (), "", None)) if one.goal]
    return ran.status in ("ok", "invalid", "diverged", "timed-out") and bool(seen)


def study_name(root: Path) -> str:
    """A name that a study may have, from its folder's."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", root.name).strip("-._")
    return name or "study"
