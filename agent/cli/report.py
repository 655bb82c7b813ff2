"""`lesion report`: writes what the ledger knows."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .options import DEFAULT_STUDY, State, StudyFile


class Format(StrEnum):
    """What a report can be written as."""

    MD = "md"
    JSON = "json"
    CSV = "csv"
    HTML = "html"


class Split(StrEnum):
    """Which split the tables are computed on."""

    VALIDATION = "validation"
    TEST = "test"


def report(
    study: StudyFile = DEFAULT_STUDY,
    format: Annotated[
        list[Format] | None,
        typer.Option("--format", help="md, json, csv or html; may be given several times.", show_default="all"),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="A file for one format, else a folder.", show_default="the state folder's report/"
        ),
    ] = None,
    split: Annotated[
        Split | None, typer.Option(help="Compute on this split.", show_default="test once complete, else validation")
    ] = None,
    state: State = None,
) -> None:
    """Write the report, also of an unfinished study; `-o -` prints one format."""
    import sys

    from ..collect import collect
    from ..ledger import Ledger
    from ..report.html.page import html_report
    from ..report.markdown import markdown_report
    from ..report.write import write_report
    from ..studyfile import load_study, state_folder

    spec = load_study(study)
    folder = state_folder(spec, state)
    ledger = Ledger(folder, write=False)
    try:
        results = collect(spec, ledger, split.value if split else None)
    finally:
        ledger.close()
    formats = [one.value for one in format or list(Format)]
    if output == Path("-"):
        printed = {
            "md": lambda: markdown_report(results),
            "html": lambda: html_report(results),
            "json": lambda: results.model_dump_json(indent=1),
        }
        if len(formats) != 1 or formats[0] not in printed:
            raise typer.BadParameter(f"printing takes one --format: {', '.join(printed)}", param_hint="-o -")
        sys.stdout.write(printed[formats[0]]())
        return
    for path in write_report(results, formats, output or folder / "report"):
        typer.echo(str(path))
