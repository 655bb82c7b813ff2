"""`rerun.py` of an unpacked bundle: its rows, and one of them run again."""

import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import app
from .options import Json, Unsafe

if TYPE_CHECKING:
    from ..bundle.rows import Row
    from ..bundle.unpacked import Unpacked
    from ..records.bundle import RowAgain

NOT_REPRODUCED = 3


def main(folder: Path) -> None:
    """Run the program for the bundle in `folder`, and leave with its exit code: 0 reproduced, 3 not, 2 something is missing."""

    def rerun(
        row: Annotated[str | None, typer.Argument(help="The removal, as --list names it.", show_default=False)] = None,
        list_: Annotated[bool, typer.Option("--list", help="The rows, and what was reported of them.")] = False,
        mode: Annotated[
            str | None, typer.Option(help="reevaluate, retrain or recover.", show_default="all that the row has")
        ] = None,
        metric: Annotated[str | None, typer.Option(help="Held against its interval.", show_default="primary")] = None,
        seeds: Annotated[int | None, typer.Option(min=1, help="The first N seeds only.", show_default="all")] = None,
        workers: Annotated[int | None, typer.Option(min=1, help="Trials at once; limits.workers by default.")] = None,
        interpreter: Annotated[str | None, typer.Option(help="The Python that trials run in.")] = None,
        state: Annotated[
            Path | None, typer.Option(help="Where results are kept.", show_default="rerun/ in the bundle")
        ] = None,
        json: Json = False,
        unsafe_no_sandbox: Unsafe = False,
    ) -> None:
        """Run a row of the report again and say whether it came out the same: to the bit, within its interval, or not."""
        from ..bundle.rows import chosen, rows_of
        from ..bundle.unpacked import opened_bundle

        bundle = opened_bundle(folder)
        rows = rows_of(bundle.results)
        if list_ or row is None:
            _list(bundle, rows, as_json=json)
            return
        wanted = chosen(rows, row, mode)
        measured = metric or bundle.results.study.primary
        where = state.resolve() if state else None
        found = _run(
            bundle, wanted, measured, (seeds, workers, interpreter), where, unsafe=unsafe_no_sandbox, as_json=json
        )
        raise typer.Exit(0 if all(one.reproduced for one in found) else NOT_REPRODUCED)

    program = typer.Typer(pretty_exceptions_enable=False, add_completion=False, context_settings=HELP)
    program.command()(rerun)
    app.main(lambda: program(prog_name="rerun.py"))


HELP = {"help_option_names": ["-h", "--help"]}


def _list(bundle: "Unpacked", rows: "list[Row]", *, as_json: bool) -> None:
    from ... import prompts
    from ..bundle.listing import listed
    from ..report.text import lines
    from .watching import emit

    found = listed(bundle, rows)
    if as_json:
        for one in found:
            emit(one.model_dump(mode="json"))
        return
    text = prompts.render("bundle/list.j2", rows=found, study=bundle.results.study, lesion=bundle.manifest.lesion)
    typer.echo(lines(text), nl=False)


def _run(
    bundle: "Unpacked",
    rows: "list[Row]",
    metric: str,
    asked: tuple[int | None, int | None, str | None],
    state: Path | None,
    *,
    unsafe: bool,
    as_json: bool,
) -> "list[RowAgain]":
    from ... import prompts
    from ..bundle.again import Again, Place, require_runnable
    from ..report.text import lines
    from ..setting import prepare
    from .signals import listen
    from .watching import emit, watcher

    seeds, workers, interpreter = asked
    require_runnable(rows, metric)
    bundle.require_here()
    spec, notes = bundle.spec(interpreter, workers)
    setting = prepare(spec)
    python = f"python-{setting.interpreter.version}-torch-{setting.interpreter.torch}"
    where = state or bundle.folder.resolve() / "rerun" / python
    listen(again="the same command")
    with closing(watcher(metric, as_json=as_json)) as watch:
        watch.learnt([*notes, *prompts.render("bundle/before.j2", changed=bundle.changed).strip().splitlines()])
        place = Place(setting, where, setting.station(where, unsafe=unsafe))
        found = Again(bundle, place, watch, seeds).run(rows, metric)
    for one in found:
        if as_json:
            emit({"event": "row", "reproduced": one.reproduced, **one.model_dump(mode="json")})
        else:
            sys.stdout.write(lines(prompts.render("bundle/again.j2", row=one)))
    return found
