"""Drafts of prose about a study: what was written, by whom, and what of it may not be said."""

from typing import Literal

from .base import Record

Style = Literal["terse", "narrative", "rebuttal"]
"""terse: findings, nothing between them; narrative: the ablation section of a paper; rebuttal: the answer to one question."""


class LeftOut(Record):
    """A sentence that stands in no report, and why."""

    sentence: str
    reason: str


class Draft(Record):
    """What was written, as it is kept: every value is a reference, so that it is filled anew from whatever is known."""

    style: Style
    by: str
    """`rules`, or `llm:` and the model's name."""
    question: str | None = None
    """Of a rebuttal."""
    paragraphs: list[list[str]]
    """Sentences with references, in Markdown; empty where the rules write: their words come from the results each time."""
    left_out: list[LeftOut] = []
    """What could not be said after two turns of mending."""
    sent_back: int = 0
    """Turns of mending that it took."""
    wanted: list[str] = []
    """Ids of removals that would answer what the results do not, as they were asked for."""
    written: str
    """ISO date and time."""


class Drafted(Record):
    """A draft as it stands now: filled from the present results, without what they do not bear out."""

    style: Style
    by: str
    question: str | None = None
    text: str
    """Markdown paragraphs."""
    template: str = ""
    """The same with its references; empty where the rules wrote it."""
    left_out: list[LeftOut] = []
    wanted: list[str] = []
    written: str
