"""The report in Markdown: templates filled with results whose every text has been escaped before."""

import re
from collections.abc import Collection
from functools import partial

from ...prompts import render
from ..results import Results
from . import datasets, numbers, selection
from .claims import claims
from .classes import change
from .edits import scored_edits
from .factorial import factorial_views
from .lastnight import removal_name, structural_trials
from .layout import Layout, Plain
from .proposals import proposals
from .retuning import setting_phrase, value_phrase
from .searches import search_views
from .sidebyside import side_by_side
from .text import clipped_escaped, markdown, prepared, quoted
from .view import facts, fates, mode_view


def markdown_report(results: Results, figures: Collection[str] = ()) -> str:
    """The whole report, with pipe tables.

    Args:
        results: what was found; an unfinished study is reported as such.
        figures: names of those that stand in a folder `figures` beside it; others are left out.
    """
    return report_text(results, Plain(figures))


def report_text(results: Results, layout: Layout) -> str:
    """The whole report in Markdown, with tables and figures as `layout` has them."""
    safe = prepared(results, markdown)
    text = render(
        "report/markdown/report.j2",
        results=safe,
        study=safe.study,
        views=[mode_view(safe, mode) for mode in selection.modes(safe)],
        side=side_by_side(safe),
        searches=search_views(safe),
        factorials=factorial_views(safe),
        fates=fates(safe),
        proposals=proposals(safe, results),
        edits=scored_edits(safe),
        claims=claims(safe),
        clip=clipped_escaped,
        quoted=quoted,
        facts=facts,
        figure=layout.figure,
        name=selection.name,
        removal=partial(removal_name, safe),
        structural_trials=structural_trials(safe),
        num=numbers,
        setting_phrase=setting_phrase,
        value_phrase=value_phrase,
        sets=datasets,
        change=change,
        table=layout.table,
    )
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
