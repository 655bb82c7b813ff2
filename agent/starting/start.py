"""From a folder to a draft: looks, asks where there is a choice, runs once briefly, and concludes."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from ...executor.errors import ExperimentError, StudyFileError
from ...executor.experiments.commandline import command_line
from ...prompts import phrases
from ..configuration import flatten, load_configuration
from ..reading.script.settings import ScriptSettings, script_settings
from ..reading.script.source import Source, sources
from .brief import Ran, run_command, run_functions, study_of
from .chance import classes_of
from .choices import Choices, chosen
from .data import Data, data_of
from .draft import Draft
from .entry import candidates, leading
from .findings import Candidate, Finding, Gap, Goal, MetricFound
from .limits import limits_of
from .messages import messages
from .metricfiles import written
from .metrics import Sought, metrics_of, named, selected, with_goal
from .packages import Chosen, interpreter_of, missing
from .projectfiles import python_files
from .questions import Questions
from .readme import told
from .shortest import Shortest, shortest
from .trouble import trouble

GPU = Path("/dev/nvidiactl")


@dataclass(frozen=True)
class Wishes:
    """What a person said beforehand."""

    command: str | None = None
    config: str | None = None
    metric: str | None = None
    goal: Goal | None = None
    interpreter: str | None = None
    name: str | None = None
    seconds: float = 60.0
    """For the brief run."""
    unsafe: bool = False


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
    return _concluded(draft, read, wishes, questions, (ran, short, stops))


def _read(root: Path, wishes: Wishes, questions: Questions) -> _Read:
    files = python_files(root)
    if not files and wishes.command is None:
        raise ExperimentError(
            "there is no Python file in this folder",
            where=str(root),
            to_do="name the project's folder, as in `lesion init ~/project`",
        )
    candidate = _candidate(root, files, wishes, questions)
    python = interpreter_of(root, wishes.interpreter)
    reached, settings, config = _settings(root, candidate, wishes)
    if candidate.functions:
        choices = chosen(candidate.text, settings, reached, [], gpu=GPU.exists())
        choices = Choices(
            candidate.text, choices.changes, choices.environment, None, choices.findings[1:], choices.gaps
        )
    else:
        text = candidate.text.replace(wishes.config, "{config}") if wishes.config else candidate.text
        choices = chosen(text, settings, reached, written(reached), gpu=GPU.exists())
    return _Read(
        candidate, python, reached, settings, choices, data_of(root, root, reached, flatten(settings.values)), config
    )


def _candidate(root: Path, files: Sequence[Source], wishes: Wishes, questions: Questions) -> Candidate:
    """What is to be run: what was asked for, what leads, or what a person chooses."""
    if wishes.command is not None:
        return _asked(root, wishes.command, files)
    found = candidates(root, files, told(root))
    if not found:
        raise ExperimentError(
            f"none of the {len(files)} Python files here shows a sign of training (a backward pass, a trainer, the three functions)",
            where=str(root),
            to_do='say what to run: --command "{python} your_script.py"',
        )
    first = leading(found)
    if questions.asks:
        said = questions.choose(phrases("init/asking.j2").entry(), [one.text for one in found[:6]])
        known = next((one for one in found if one.text == said), None)
        return known or _asked(root, said, files)
    if len(first) > 1 and not questions.decides:
        listed = "".join(f'\n  --command "{one.text}"   ({"; ".join(one.evidence)})' for one in first)
        raise ExperimentError(
            f"several scripts could be the experiment, and nothing decides between them:{listed}",
            where=str(root),
            to_do="name one of them with --command, or take the first with --yes",
        )
    return found[0]


def _asked(root: Path, command: str, files: Sequence[Source]) -> Candidate:
    """A command that a person gave; the path of a file of functions is one too."""
    file = next((one for one in files if one.name == command), None)
    if file is not None and (functions := next((one for one in candidates(root, [file], []) if one.functions), None)):
        return functions
    text = f"{{python}} {command}" if file is not None else command
    try:
        line = command_line(text)
    except ValueError as error:
        raise StudyFileError(
            f"not a command: {error}", where="--command", to_do='as in "{python} train.py --lr 0.1"'
        ) from None
    if line.words and line.words[0] in ("python", "python3"):
        text = text.replace(line.words[0], "{python}", 1)
    entry = line.entry(root)
    if (line.script or line.module) and entry is None:
        raise StudyFileError(f"there is no {line.script or line.module} in {root}", where="--command")
    name = entry.relative_to(root).as_posix() if entry and entry.is_relative_to(root) else ""
    return Candidate(text, False, name, 0, ("it was given",))


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
    return files, ScriptSettings(loaded.values, loaded.places, {}, {}), config


def _lacking(lacking: Sequence[tuple[str, str]], python: Chosen) -> Gap:
    names = " ".join(name for name, _ in lacking)
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


def _concluded(
    draft: Draft, read: _Read, wishes: Wishes, questions: Questions, told_by: tuple[Ran | None, Shortest, list[Gap]]
) -> Draft:
    """The draft with what the brief run showed."""
    ran, short, stops = told_by
    from_file = written(read.files) if draft.metrics_file else []
    where = from_file[0].where if from_file and ran and ran.metrics else ""
    sought = Sought(ran, messages(read.files), where, classes_of(flatten(read.settings.values), read.files))
    metrics = _chosen_metrics(metrics_of(sought), wishes, questions)
    uses_file = (
        bool(ran and ran.metrics) and not draft.candidate.functions and any(one.pattern is None for one in metrics)
    )
    gaps = [*draft.gaps, *_open_metrics(metrics, ran)]
    return replace(
        draft,
        metrics=tuple(metrics),
        metrics_file=draft.metrics_file if uses_file else None,
        limits=limits_of(ran, short.share),
        findings=(*draft.findings, *(Finding("metric", one.name, one.where, _how(one)) for one in metrics)),
        gaps=tuple(gaps),
        stops=tuple(stops),
        ran=ran,
    )


def _chosen_metrics(found: list[MetricFound], wishes: Wishes, questions: Questions) -> list[MetricFound]:
    """The primary one first: asked for by name, chosen by a person, or the likeliest."""
    name = wishes.metric
    words = phrases("init/asking.j2")
    if name is None and found and questions.asks:
        name = questions.choose(words.metric(), [one.name for one in found])
    if name is None and not found:
        return []
    first = with_goal(named(found, name) if name is not None else found[0], wishes.goal)
    if first.goal is None and questions.asks:
        said = questions.choose(words.goal(first.name), ["maximize", "minimize"])
        first = with_goal(first, "minimize" if said.startswith("min") else "maximize")
    return selected(found, first)


def _open_metrics(metrics: Sequence[MetricFound], ran: Ran | None) -> list[Gap]:
    """What is not known of the metrics."""
    words = phrases("init/open.j2")
    if not metrics:
        return [Gap(words.no_metric(ran.finished if ran else False), words.give_metric())]
    first = metrics[0]
    gaps: list[Gap] = []
    if first.goal is None:
        gaps.append(Gap(words.no_goal(first.name), words.give_goal(first.name)))
    if first.seen is None:
        gaps.append(Gap(words.not_seen(first.name), words.check_pattern()))
    return gaps


def _how(metric: MetricFound) -> str:
    seen = f"last value {metric.seen:g}" if metric.seen is not None else "read in the source, not seen yet"
    return f"{metric.goal or 'which way is better is not known'}; {seen}"


def study_name(root: Path) -> str:
    """A name that a study may have, from its folder's."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", root.name).strip("-._")
    return name or "study"
