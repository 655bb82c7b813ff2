"""`lesion report`: writes what the ledger knows."""

import sys
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .checking import checked, require_check
from .drafting import DraftStyle, require_question
from .options import DEFAULT_STUDY, BaseUrl, Json, Model, Replay, State, StudyFile, WhoPlans

if TYPE_CHECKING:
    from ..results import Results


class Format(StrEnum):
    """What a report can be written as."""

    MD = "md"
    HTML = "html"
    TEX = "tex"
    PDF = "pdf"
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
        typer.Option(
            "--format", help="md, html, tex, pdf, json or csv; may be given several times.", show_default="all but pdf"
        ),
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
    style: Annotated[
        DraftStyle | None,
        typer.Option(
            help="Have a draft written first: terse, narrative (the section of a paper) or rebuttal (answers --question)."
        ),
    ] = None,
    question: Annotated[str | None, typer.Option(help="What a reviewer asks, for --style rebuttal.")] = None,
    queue: Annotated[
        bool,
        typer.Option("--queue", help="Put the runs that a rebuttal wants into the queue of `lesion run --queued`."),
    ] = False,
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
    check: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Hold a text (.md or .tex, also an edited one) against the results instead of writing a report. "
            "Leaves with 0 if all it claims is backed, with 3 if anything is contradicted or unbacked.",
        ),
    ] = None,
    as_json: Json = False,
    planner: WhoPlans = None,
    model: Model = None,
    base_url: BaseUrl = None,
    replay: Replay = None,
    state: State = None,
) -> None:
    """Write the report, also of an unfinished study; `-o -` prints one format, or the draft."""
    from ..collect import collect
    from ..ledger import Ledger
    from ..planners import Asked
    from ..staleness import stale_lines
    from ..studyfile import load_study, state_folder
    from .bundling import bundled
    from .drafting import drafted

    require_question(style, question, queue=queue)
    require_check(
        check,
        as_json=as_json,
        others={"--format": format, "-o": output, "--style": style, "--bundle": bundle},
    )
    spec = load_study(study)
    folder = state_folder(spec, state)
    formats = _chosen(format, output or folder / "report")
    if bundle or bundle_size:
        to_print = output == Path("-")
        bundled(
            spec,
            folder,
            output,
            bundle_size,
            {"--format": format, "--split": split, "--style": style, "-o -": to_print},
        )
        return
    chosen = split.value if split else None
    with closing(Ledger(folder, write=False)) as ledger:
        results = collect(spec, ledger, chosen)
        for line in stale_lines(spec, results.study.version):
            typer.echo(line, err=True)
        if check:
            raise typer.Exit(checked(check, results, as_json=as_json))
        if style:
            who = Asked(
                planner.value if planner else None, model, base_url, replay, stream=sys.stderr.isatty(), again=True
            )
            drafted(style, question, who, (spec, ledger, results), queue=queue)
            results = collect(spec, ledger, chosen)
    if output == Path("-"):
        drafts = [one.text for one in results.drafts if style and (one.style, one.question) == (style.value, question)]
        sys.stdout.write(f"{drafts[0]}\n" if drafts and not format else _printed(results, format))
        return
    _write(results, formats, output or folder / "report")


def _write(results: "Results", formats: list[Format], output: Path) -> None:
    from ..report.write import write_report

    for path in write_report(results, [one.value for one in formats], output):
        typer.echo(str(path))


def _chosen(formats: list[Format] | None, output: Path) -> list[Format]:
    """The formats asked for; of an output named like a file of one, that one. `BadParameter` where the two contradict."""
    suffix = output.suffix.removeprefix(".").lower()
    if output.is_dir() or suffix not in list(Format):
        return formats or [one for one in Format if one is not Format.PDF]  # which needs a TeX
    named = Format(suffix)
    if formats and set(formats) != {named}:
        asked = ", ".join(one.value for one in formats)
        raise typer.BadParameter(
            f"{output} is the name of a single {named.value} file, and --format asks for {asked}: "
            "name a folder, or a file of that one format",
            param_hint="-o",
        )
    return [named]


def _printed(results: "Results", formats: list[Format] | None) -> str:
    """What goes to the terminal or into a pipe."""
    from ..report.html.page import html_report
    from ..report.latex.section import section
    from ..report.latex.standalone import draft_of
    from ..report.markdown import markdown_report

    match formats:
        case [Format.JSON]:
            return results.model_dump_json(indent=1)
        case [Format.MD]:
            return markdown_report(results)
        case [Format.TEX]:
            return section(results, draft_of(results))
        case [Format.HTML]:
            return html_report(results)
        case _:
            raise typer.BadParameter("printing takes one of --format md, html, tex and json", param_hint="-o -")
