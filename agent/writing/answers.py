"""What a language model may answer when it writes: sentences, bounded in every string and list."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Sentence = Annotated[str, Field(max_length=700)]
MOST_WANTED = 4


class Answer(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Paragraph(Answer):
    """Sentences that belong together, one an entry."""

    sentences: list[Sentence] = Field(min_length=1, max_length=12)


class Section(Answer):
    """The section that was asked for."""

    paragraphs: list[Paragraph] = Field(min_length=1, max_length=10)


class WantedRun(Answer):
    """A removal that would answer what the results do not."""

    components: list[Annotated[str, Field(max_length=200)]] = Field(min_length=1, max_length=6)
    """Ids; several are removed together."""
    why: Annotated[str, Field(max_length=400)] = ""


class Reply(Section):
    """The answer to a reviewer's question, and what would have to be run for what it cannot say."""

    runs: list[WantedRun] = Field(default=[], max_length=MOST_WANTED)


class MendedSentence(Answer):
    """One sentence that was sent back."""

    number: Annotated[int, Field(ge=1, le=200)]
    """As it was sent back with."""
    sentence: Sentence
    """Empty where it is given up."""


class MendedSentences(Answer):
    """Sentences that were sent back, mended."""

    sentences: list[MendedSentence] = Field(default=[], max_length=120)
