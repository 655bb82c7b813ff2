"""What a language model may answer: typed proposals, bounded in every string and list, and nothing else."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ...components import ComponentKind
from ...reading.digest.lookup import Lookup
from ...records.base import Direction

How = Literal["default", "zero", "mean", "resample", "bypass", "override", "edit"]
Name = Annotated[str, Field(max_length=200)]
Sentence = Annotated[str, Field(max_length=600)]


class Answer(BaseModel):
    """A part of an answer; every field is required, as strict schemas want it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class EditBlock(Answer):
    """Lines of one file, and what stands there instead."""

    file: Name
    search: str = Field(max_length=4000)
    replace: str = Field(max_length=4000)


class ClaimTest(Answer):
    """Which outcome would support a claim."""

    claim: Annotated[str, Field(max_length=10)]
    outcome: Direction


class Proposal(Answer):
    """One removal, with what is expected of it."""

    target: Name
    """Id of a known component or a pattern over ids, or a new one, `edit:…` or `config:…`."""
    how: How
    key: Name
    """Configuration key of an override, else empty."""
    value: Annotated[str, Field(max_length=500)]
    """Its value as JSON, else empty."""
    blocks: list[EditBlock] = Field(max_length=6)
    """Of an edit, else empty."""
    label: Annotated[str, Field(max_length=80)]
    """What a table calls a new component."""
    kind: ComponentKind
    hypothesis: Sentence
    direction: Direction
    size: float = Field(ge=-100, le=100)
    confidence: float = Field(ge=0, le=1)
    claims: list[ClaimTest] = Field(max_length=5)
    priority: int = Field(ge=1, le=5)
    change_of_mind: Sentence


class FirstPlan(Answer):
    """Round 1, or what must be read before it can be planned."""

    look_up: list[Lookup] = Field(max_length=6)
    proposals: list[Proposal] = Field(max_length=60)


class Withdrawal(Answer):
    """A proposal that the reviewer finds redundant or confounded."""

    target: Name
    reason: Sentence


class Review(Answer):
    """A second reading of a plan: what is missing, what is redundant, what is confounded."""

    missing: list[Proposal] = Field(max_length=10)
    withdrawn: list[Withdrawal] = Field(max_length=20)
    remark: Sentence


class Mending(Answer):
    """Proposals that failed their check, mended; those that cannot be are left out."""

    proposals: list[Proposal] = Field(max_length=20)


class FollowUp(Answer):
    """What to do about results, by components that are known."""

    what: Literal["together", "another-kind", "alone", "random-control", "more-seeds"]
    targets: list[Name] = Field(min_length=1, max_length=8)
    how: Literal["default", "zero", "mean", "resample", "bypass"]
    mode: Literal["all", "reevaluate", "retrain", "recover"]
    hypothesis: Sentence
    direction: Direction
    size: float = Field(ge=-100, le=100)
    confidence: float = Field(ge=0, le=1)
    claims: list[ClaimTest] = Field(max_length=5)
    priority: int = Field(ge=1, le=5)
    why: Sentence


class NextRound(Answer):
    """Follow-ups on results; all lists empty where nothing is left that is worth its cost."""

    look_up: list[Lookup] = Field(max_length=6)
    follow_ups: list[FollowUp] = Field(max_length=12)
    proposals: list[Proposal] = Field(max_length=8)
    reason: Sentence


ANSWERS = (FirstPlan, Review, Mending, NextRound)
"""Everything that is ever asked for."""
