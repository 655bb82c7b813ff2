"""`lesion watch`: looks on while a run goes on, from another terminal; leaving does not end the run."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .options import DEFAULT_STUDY, Json, State, StudyFile

COLUMNS = 80
if TYPE_CHECKING:
    from ..night.snapshot import Snapshot


def watch(study: StudyFile = DEFAULT_STUDY, json: Json = False, state: State = None) -> None:
    """Show what runs, what was learnt and what is next, until the run ends. Ctrl-C leaves, and the run goes on."""
    import typer

    from ..night.client import follow
    from ..studyfile import load_study, state_folder

    told = follow(state_folder(load_study(study), state))
    try:
        last = _records(told) if json else _table(told) if sys.stdout.isatty() else _lines(told)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    from ..night.columns import wrapped
    from ..night.shown import end_line

    if last:
        typer.echo("\n".join(wrapped(end_line(last), COLUMNS, indent=2)), err=json)


def _records(told: "Iterator[Snapshot]") -> "Snapshot | None":
    last = None
    for last in told:
        print(last.model_dump_json(), flush=True)
    return last


def _lines(told: "Iterator[Snapshot]") -> "Snapshot | None":
    """A line whenever something changed, whatever the clock says."""
    from ..night.shown import fresh, head, state_lines
    from ..report.text import plain

    last, said = None, ""
    for now in told:
        line = "; ".join((now.phase, *state_lines(now)))
        if last is None:
            print(head(now), flush=True)
        for one in fresh(last.learnt if last else [], now.learnt):
            print(f"  {plain(one)}", flush=True)
        for one in fresh(last.attention if last else [], now.attention):
            print(f"! {plain(one)}", flush=True)
        if line != said:
            print(line, flush=True)
        last, said = now, line
    return last


def _table(told: "Iterator[Snapshot]") -> "Snapshot | None":
    from rich.console import Console
    from rich.live import Live

    from .watchtable import table

    console, last = Console(highlight=False), None
    with Live(console=console, auto_refresh=False, transient=False) as screen:
        for last in told:
            screen.update(table(last, console.height), refresh=True)
    return last
