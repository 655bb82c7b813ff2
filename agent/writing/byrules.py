"""Prose that no language model wrote, in every style: its words come from the verdicts."""

from ...prompts import render
from ..prose.facts import Facts
from ..prose.paragraph import paragraph
from ..records.drafts import Style
from ..records.planning import RULES
from ..report import numbers, selection
from ..report.claims import claims
from ..report.text import markdown, quoted
from ..report.view import mode_view
from ..results import Results
from .questions import Found, found_on

__all__ = ["RULES", "words_of_rules"]


def words_of_rules(results: Results, style: Style, question: str = "") -> str:
    """Markdown paragraphs whose numbers all come from the results."""
    if style == "terse":
        return paragraph(results).strip()
    if style == "rebuttal":
        return _rebuttal(results, found_on(question, results))
    shown = Facts(results).shown
    return _paragraphs(
        render(
            "writing/narrative.j2",
            results=shown,
            study=shown.study,
            views=[mode_view(shown, mode) for mode in selection.modes(shown)],
            statuses=claims(shown).statuses,
            quoted=quoted,
            name=selection.name,
            num=numbers,
        )
    )


def _rebuttal(results: Results, found: Found) -> str:
    shown = Facts(results).shown
    return _paragraphs(
        render(
            "writing/rebuttal.j2",
            study=shown.study,
            named=[markdown(one) for one in found.named],
            effects=[shown.effects[at] for at in found.effects],
            joints=[shown.interactions[at] for at in found.interactions],
            unanswered=[markdown(one) for one in found.unanswered],
            quoted=quoted,
            untold=[[markdown(part) for part in one] for one in found.wanted],
            name=selection.name,
            num=numbers,
        )
    )


def _paragraphs(text: str) -> str:
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n") if part.strip())
