"""`lesion report`: writes what the ledger knows."""

import sys
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .checking import checked, require_check
from .options import DEFAULT_STUDY, BaseUrl, Json, Model, Replay, State, StudyFile, WhoPlans

if TYPE_CHECKING:
    from ..ledger import Ledger
    from ..planners import Asked
    from ..results import Results
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


class DraftStyle(StrEnum):
    """How a draft reads."""

    TERSE = "terse"
    NARRATIVE = "narrative"
    REBUTTAL = "rebuttal"


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
    from ..studyfile import load_study, state_folder

    _require_question(style, question, queue=queue)
    require_check(check, as_json=as_json, others={"--format": format, "-o": output, "--style": style})
    spec = load_study(study)
    folder = state_folder(spec, state)
    chosen = split.value if split else None
    with closing(Ledger(folder, write=False)) as ledger:
        results = collect(spec, ledger, chosen)
        if check:
            raise typer.Exit(checked(check, results, as_json=as_json))
        if style:
            who = Asked(planner.value if planner else None, model, base_url, replay, stream=sys.stderr.isatty())
            _write_draft(style, question, who, (spec, ledger, results), queue=queue)
            results = collect(spec, ledger, chosen)
    if output == Path("-"):
        sys.stdout.write(_printed(results, format, style))
        return
    _write(results, format, output or folder / "report")


def _write(results: "Results", formats: list[Format] | None, output: Path) -> None:
    from ..report.write import write_report

    for path in write_report(results, [one.value for one in formats or list(Format)], output):
        typer.echo(str(path))


def _printed(results: "Results", formats: list[Format] | None, style: DraftStyle | None) -> str:
    """What goes to the terminal or into a pipe."""
    from ..report.markdown import markdown_report

    if style and not formats:
        return f"{results.drafts[-1].text}\n"
    if formats == [Format.JSON]:
        return results.model_dump_json(indent=1)
    if formats == [Format.MD]:
        return markdown_report(results)
    raise typer.BadParameter("printing takes --format md or --format json", param_hint="-o -")


def _require_question(style: DraftStyle | None, question: str | None, *, queue: bool) -> None:
    """A rebuttal answers a question, and nothing else does."""
    rebuttal = style is DraftStyle.REBUTTAL
    if rebuttal and not (question or "").strip():
        raise typer.BadParameter("say what the reviewer asks: --question '…'", param_hint="--style rebuttal")
    if (question is not None or queue) and not rebuttal:
        given = "--question" if question is not None else "--queue"
        raise typer.BadParameter("goes with --style rebuttal", param_hint=given)


def _write_draft(
    style: DraftStyle,
    question: str | None,
    who: "Asked",
    study: "tuple[StudySpec, Ledger, Results]",
    *,
    queue: bool,
) -> None:
    """Have it written and kept; what was left out of it, and what it would take to say more, on stderr."""
    from ...prompts import render
    from ..planners import model_for, writer
    from ..writing.asking import Wish
    from ..writing.write import queued, write_draft
    from .signals import listen
    from .watching import watcher

    spec, ledger, results = study
    settings = model_for(spec.planner, who)
    listen()
    with closing(watcher(results.study.primary, as_json=False)) as watch:
        writes = writer(settings, who, ledger.path.parent, watch) if settings else None
        written = write_draft(Wish(style.value, question), results, ledger, writes)
    request = queued(written.plan, ledger.path.parent) if queue and written.plan else ""
    typer.echo(render("writing/told.j2", written=written, request=request).strip(), err=True)
