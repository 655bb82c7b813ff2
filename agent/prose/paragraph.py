"""What a study has found so far, in a paragraph that no language model wrote."""

from ...prompts import render
from ..report import numbers, selection
from ..report.claims import claims
from ..report.text import markdown, quoted
from ..report.view import mode_view
from ..results import Results
from .facts import Facts


def paragraph(results: Results) -> str:
    """Setup, noise floor, findings and what is open, mode by mode; Markdown whose numbers all come from the results."""
    shown = Facts(results).shown
    text = render(
        "chat/paragraph.j2",
        study=shown.study,
        state=markdown(results.study.state),
        accounting=shown.accounting,
        views=[mode_view(shown, mode) for mode in selection.modes(shown)],
        removed={mode: len(_removed(shown, mode)) for mode in selection.modes(shown)},
        explored={mode: selection.explored(shown, mode) for mode in selection.modes(shown)},
        claims=shown.claims,
        statuses=claims(shown).statuses,
        quoted=quoted,
        name=selection.name,
        num=numbers,
    )
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n") if part.strip()) + "\n"


def _removed(results: Results, mode: str) -> set[tuple[str, ...]]:
    return {tuple(e.components) for e in results.effects if e.mode == mode and e.role == "confirmatory"}
