"""Which of the candidates is the experiment: what was asked for, what leads, or what a person chooses."""

from collections.abc import Sequence
from pathlib import Path

from ...executor.errors import ExperimentError, StudyFileError
from ...executor.experiments.commandline import command_line
from ...prompts import phrases
from ..reading.script.source import Source
from .entry import candidates, leading
from .findings import Candidate
from .questions import Questions
from .readme import told
from .wishes import Wishes


def choose(root: Path, files: Sequence[Source], wishes: Wishes, questions: Questions) -> Candidate:
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
    equals = ", ".join(one.text for one in first[1:])
    return found[0]._replace(evidence=(*found[0].evidence, f"as likely: {equals}")) if equals else found[0]


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
