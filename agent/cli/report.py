"""`lesion report`: writes what the ledger knows."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import DEFAULT_STUDY, State, StudyFile

if TYPE_CHECKING:
    from ..spec import StudySpec


class Format(StrEnum):
    """What a report can be written as."""

    MD = "md"
    JSON = "json"
    CSV = "csv"


class Split(StrEnum):
    """Which split the tables are computed on."""

    VALIDATION = "validation"
    TEST = "test"


def report(
    study: StudyFile = DEFAULT_STUDY,
    format: Annotated[
        list[Format] | None,
        typer.Option("--format", help="md, json or csv; may be given several times.", show_default="all"),
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
    bundle: Annotated[
        bool,
        typer.Option(
            "--bundle",
            help="Pack all that it takes to run any row again into a ZIP file, report/bundle.zip by default.",
        ),
    ] = False,
    bundle_size: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="Most that the project's files in it may take.", show_default="100MiB"),
    ] = None,
    state: State = None,
) -> None:
    """Write the report, also of an unfinished study; `-o -` prints one format."""
    import sys

    from ..collect import collect
    from ..ledger import Ledger
    from ..report.markdown import markdown_report
    from ..report.write import write_report
    from ..studyfile import load_study, state_folder

    spec = load_study(study)
    folder = state_folder(spec, state)
    if bundle or bundle_size:
        against = {"--format": format, "--split": split, "-o -": output == Path("-")}
        _pack(spec, folder, output, bundle_size, [name for name, given in against.items() if given])
        return
    ledger = Ledger(folder, write=False)
    try:
        results = collect(spec, ledger, split.value if split else None)
    finally:
        ledger.close()
    formats = [one.value for one in format or list(Format)]
    if output == Path("-"):
        if formats not in (["json"], ["md"]):
            raise typer.BadParameter("printing takes --format md or --format json", param_hint="-o -")
        sys.stdout.write(results.model_dump_json(indent=1) if formats == ["json"] else markdown_report(results))
        return
    for path in write_report(results, formats, output or folder / "report"):
        typer.echo(str(path))


def _pack(spec: "StudySpec", folder: Path, output: Path | None, size: str | None, against: list[str]) -> None:
    """`--bundle`: the file on stdout, what was left out on stderr."""
    from ...executor.units import parse_size
    from ..bundle.pack import BUNDLE, LIMIT, write_bundle
    from ..report.text import lines

    if against:
        raise typer.BadParameter(
            f"a bundle is one file with all of it: leave out {', '.join(against)}", param_hint="--bundle"
        )
    try:
        limit = parse_size(size) if size else LIMIT
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--bundle-size") from None
    path, told = write_bundle(spec, folder, output or folder / "report" / BUNDLE, limit)
    typer.echo(lines("\n".join(told)), err=True)
    typer.echo(str(path))
