"""The `lesion` program: its commands, and how it ends."""

import errno
import os
import sys
from collections.abc import Callable

import typer

from .chat import chat
from .demo import demo
from .doctor import doctor
from .init import init
from .inspect import inspect
from .overnight import overnight
from .plan import plan
from .report import report
from .run import run
from .signals import Interrupted
from .status import status

ENVIRONMENT_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)

app = typer.Typer(
    name="lesion",
    help="Ablation studies for PyTorch: what matters, what hides behind what, and what cannot be told yet.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (init, run, overnight, chat, plan, inspect, status, report, doctor, demo):
    app.command()(command)


def _version(wanted: bool) -> None:
    if wanted:
        from ..machine import package_version

        typer.echo(f"lesion {package_version()}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and leave."
    ),
) -> None:
    """Options of `lesion` itself."""


def main(program: Callable[[], None] = app) -> None:
    """Run a program and leave with its exit code: 0, 1, 2, 3, 4, 130 or 143."""
    from ...executor.errors import LesionError

    try:
        program()
    except LesionError as error:
        _fail(str(error), error.exit_code)
    except Interrupted as interruption:
        _fail(str(interruption), interruption.exit_code)
    except OSError as error:
        if error.errno not in ENVIRONMENT_ERRORS:
            raise
        where = f"{error.filename}: " if error.filename else ""
        _fail(
            f"{where}{os.strerror(error.errno or 0)}\n  → free some space or make the place writable; what has finished is kept",
            2,
        )


def _fail(text: str, code: int) -> None:
    from ..report.text import lines

    sys.stdout.flush()
    print(f"lesion: {lines(text)}", file=sys.stderr, flush=True)
    sys.exit(code)
