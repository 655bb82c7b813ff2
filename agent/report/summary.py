"""The few lines that `lesion status` and `lesion run` print: the top findings, the counts, what was run."""

from ...prompts import render
from ..results import Results
from . import numbers, selection
from .claims import claims
from .proposals import proposals
from .text import clipped, plain, prepared
from .view import mode_view


def summary_lines(results: Results) -> list[str]:
    """A summary for a terminal, free of control characters."""
    safe = prepared(results, plain)
    text = render(
        "report/summary.j2",
        results=safe,
        study=safe.study,
        views=[mode_view(safe, mode) for mode in selection.modes(safe)],
        explored={mode: selection.explored(safe, mode) for mode in selection.modes(safe)},
        disputed=selection.disputed,
        name=selection.name,
        num=numbers,
        claims=claims(safe),
        proposals=proposals(safe, results),
        clip=clipped,
    )
    return text.splitlines()
