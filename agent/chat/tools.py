"""The language model's tools, as records: each says what it asks for, and nothing runs before a person's yes."""

from typing import Annotated, Literal

from pydantic import Field

from ..planning.llm.answers import Answer, Expectation, How, Name, Proposals, Sentence

Names = Annotated[list[Name], Field(max_length=20)]


class LookAtComponents(Answer):
    """List components that can be removed, with their ids, kinds and ways of removal."""

    pattern: Name
    """An id, or a pattern with *; * alone for all."""


class ReadSource(Answer):
    """Read lines of a file of the project."""

    path: Name
    first: int = Field(ge=1, le=10_000_000)
    last: int = Field(ge=1, le=10_000_000)


class SearchSource(Answer):
    """Find the lines of the project that hold a text."""

    pattern: Annotated[str, Field(max_length=200)]
    path: Name
    """A folder, a file or a glob; empty for all."""


class Propose(Proposals):
    """Put single removals into the draft: of known components, of configuration values, or as edits of the source. Nothing runs."""


class RemoveTogether(Expectation):
    """Put a joint removal of two or more components into the draft, with each of them alone: do they hide each other?"""

    targets: Annotated[list[Name], Field(min_length=2, max_length=8)]
    mode: Literal["all", "reevaluate", "retrain", "recover"]
    why: Sentence


class RemoveOtherwise(Expectation):
    """Put a removal of one component by another kind of removal into the draft: does the verdict hang on the kind?"""

    target: Name
    how: How
    mode: Literal["all", "reevaluate", "retrain", "recover"]
    why: Sentence


class AskForMoreSeeds(Answer):
    """Let an ablation that is still open go on to its next look."""

    targets: Annotated[list[Name], Field(min_length=1, max_length=8)]
    why: Sentence


class Withdraw(Answer):
    """Take ablations back from the draft."""

    ids: Names


class ShowDiff(Answer):
    """Show the person what ablations change, as a diff."""

    ids: Names
    """Of ablations; empty for all of the draft."""


class Run(Answer):
    """Ask the person to run the draft. The answer says whether they did, or why not."""

    reason: Sentence
    """Why it is worth its cost, in a sentence for the person."""


class ReadResults(Answer):
    """Read the verdicts so far."""

    pattern: Name
    """An id, or a pattern with *; * alone for all."""


class Explain(Answer):
    """Read everything that is known of one ablation or component: prediction, outcome, verdict, what it rests on."""

    name: Name


class WhatWouldSettle(Answer):
    """Ask the statistics which verdicts are open and how many seeds would settle them."""


class DraftParagraph(Answer):
    """Hand the person a paragraph for a paper. Every number in it is a reference; plain numbers are refused."""

    text: Annotated[str, Field(min_length=1, max_length=6000)]


TOOLS: tuple[type[Answer], ...] = (
    LookAtComponents,
    ReadSource,
    SearchSource,
    Propose,
    RemoveTogether,
    RemoveOtherwise,
    AskForMoreSeeds,
    Withdraw,
    ShowDiff,
    Run,
    ReadResults,
    Explain,
    WhatWouldSettle,
    DraftParagraph,
)
