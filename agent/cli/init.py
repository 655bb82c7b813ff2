"""`lesion init`: looks at a folder and writes a study file for it."""

import json as jsonlib
import re
import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import Json, Unsafe
from .signals import listen

if TYPE_CHECKING:
    from ..starting.draft import Draft
    from ..starting.questions import Questions

NOT_READY = 3
"""Exit code where the file is written and does not work yet."""


class Goal(StrEnum):
    """Which way a metric is better."""

    MAXIMIZE = "maximize"
    MINIMIZE = "minimize"


def init(
    folder: Annotated[Path, typer.Argument(help="The project's folder.")] = Path(),
    command: Annotated[
        str | None,
        typer.Option(help='What to run, as in "{python} train.py --seed {seed}".', show_default="what is found"),
    ] = None,
    config: Annotated[
        str | None, typer.Option(help="Its configuration file, relative to the folder.", show_default="what is found")
    ] = None,
    metric: Annotated[
        str | None, typer.Option(help="The metric that verdicts are about.", show_default="a validation metric")
    ] = None,
    goal: Annotated[Goal | None, typer.Option(help="Which way it is better.", show_default="by its name")] = None,
    interpreter: Annotated[
        str | None, typer.Option(help="The Python that runs it.", show_default="the project's .venv, else this one")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the study.", show_default="the folder's")] = None,
    time: Annotated[str, typer.Option(metavar="DURATION", help="For the brief run, at most.")] = "60s",
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Where the study file goes.", show_default="FOLDER/lesion.toml"),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a study file that is there.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing; of equals take the first.")] = False,
    json: Json = False,
    unsafe_no_sandbox: Unsafe = False,
) -> None:
    """Look at a folder, run its training once briefly in the sandbox, and write a commented study file.

    Ends with 0 where the study can run, with 3 where the file is written and says what is missing.
    """
    from ...executor.errors import StudyFileError
    from ..spec import STUDY_NAME
    from ..starting.start import start
    from ..starting.wishes import Wishes
    from ..starting.write import write
    from ..studyfile import STUDY_FILE

    seconds = _seconds(time)
    if name is not None and not re.fullmatch(STUDY_NAME, name):
        raise typer.BadParameter("letters, digits, dots, dashes and underscores only", param_hint="--name")
    root = folder.expanduser().resolve()
    if not root.is_dir():
        raise StudyFileError("there is no such folder", where=str(folder))
    path = (output.expanduser().absolute() if output else root / STUDY_FILE).resolve()
    questions = _questions(asks=not (yes or json), decides=yes)
    _may_write(path, questions, force=force)
    listen()
    wishes = Wishes(
        command, config, metric, goal.value if goal else None, interpreter, name, seconds, unsafe_no_sandbox
    )
    draft = start(root, path, wishes, questions, lambda text: typer.echo(text, err=True))
    write(draft)
    _tell(draft, as_json=json)
    raise typer.Exit(0 if draft.is_ready else NOT_READY)


def _seconds(time: str) -> float:
    from ...executor.units import parse_duration

    try:
        return parse_duration(time)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--time") from None


def _questions(*, asks: bool, decides: bool) -> "Questions":
    """A person, where there is one and nobody asked not to be asked."""
    from ..starting.questions import AtTerminal, Nobody

    return AtTerminal() if asks and sys.stdin.isatty() and sys.stderr.isatty() else Nobody(decides=decides)


def _may_write(path: Path, questions: "Questions", *, force: bool) -> None:
    from ...executor.errors import StudyFileError
    from ...prompts import phrases

    if not path.parent.is_dir():
        raise StudyFileError("there is no such folder", where=str(path.parent))
    if path.is_dir():
        raise StudyFileError("this is a folder", where=str(path), to_do="give -o the name of a file")
    if path.exists() and not force:
        if questions.asks and typer.confirm(phrases("init/asking.j2").replace(path), default=False, err=True):
            return
        raise StudyFileError(
            "there is a study file already, and it stays as it is",
            where=str(path),
            to_do="replace it with --force, or write another with -o PATH",
        )


def _tell(draft: "Draft", *, as_json: bool) -> None:
    """What was found, what is uncertain, and what comes next."""
    from ...prompts import render
    from ..report.text import plain
    from ..starting.record import record_of
    from ..starting.trouble import last_lines

    if as_json:
        typer.echo(jsonlib.dumps(record_of(draft, _next(draft))))
        return
    output = last_lines(draft.ran) if draft.ran else []
    typer.echo(
        render("init/said.j2", draft=draft, path=draft.path, next=_next(draft), output=output, plain=plain).rstrip()
    )


def _next(draft: "Draft") -> str:
    """The command to type next."""
    from ..studyfile import STUDY_FILE

    here = draft.path == Path.cwd() / STUDY_FILE
    return "lesion inspect" if here else f"lesion inspect {shlex.quote(str(draft.path))}"
