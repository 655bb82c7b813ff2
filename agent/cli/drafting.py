"""`lesion report --style`: has a draft written before the report is."""

from contextlib import closing
from enum import StrEnum
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from ..ledger import Ledger
    from ..planners import Asked
    from ..results import Results
    from ..spec import StudySpec


class DraftStyle(StrEnum):
    """How a draft reads."""

    TERSE = "terse"
    NARRATIVE = "narrative"
    REBUTTAL = "rebuttal"


def require_question(style: DraftStyle | None, question: str | None, *, queue: bool) -> None:
    """A rebuttal answers a question, and nothing else does."""
    rebuttal = style is DraftStyle.REBUTTAL
    if rebuttal and not (question or "").strip():
        raise typer.BadParameter("say what the reviewer asks: --question '…'", param_hint="--style rebuttal")
    if (question is not None or queue) and not rebuttal:
        given = "--question" if question is not None else "--queue"
        raise typer.BadParameter("goes with --style rebuttal", param_hint=given)


def drafted(
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
    from ..report.text import lines
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
    typer.echo(lines(render("writing/told.j2", written=written, request=request).strip()), err=True)
