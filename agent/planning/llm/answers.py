"""What a language model may answer: typed proposals, bounded in every string and list, and nothing else."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ...components import ComponentKind
from ...reading.digest.lookup import Lookup
from ...records.base import Direction

How = Literal["default", "zero", "mean", "resample", "bypass"]
Name = Annotated[str, Field(max_length=200)]
Label = Annotated[str, Field(max_length=80)]
"""What a table calls a new component, which is named by it."""
Sentence = Annotated[str, Field(max_length=400)]
MOST_NAMED = 200
"""Ids, or keys, up to which a schema names each of them: small models keep to a list, and make names up without one."""
TOKENS_AN_ITEM = {"removals": 100, "overrides": 300, "edits": 400, "follow_ups": 100, "withdrawn": 100, "look_up": 150}
"""Of an answer, for each item that a schema lets stand in one of its lists: small models fill every list to its bound."""


def _within(low: float, high: float) -> BeforeValidator:
    """Numbers beyond the bounds are taken as the bounds: not every server's grammar keeps to them."""
    return BeforeValidator(lambda given: min(max(given, low), high) if isinstance(given, (int, float)) else given)


Size = Annotated[float, Field(ge=-100, le=100, allow_inf_nan=False), _within(-100, 100)]
Percent = Annotated[int, Field(ge=0, le=100), _within(0, 100)]
Priority = Annotated[int, Field(ge=1, le=5), _within(1, 5)]


class Answer(BaseModel):
    """A part of an answer. The schema asks for every field; what a server without schemas leaves out is taken as nothing."""

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


class Expectation(Answer):
    """What is written down of a removal before it runs."""

    hypothesis: Sentence
    direction: Direction
    size: Size
    confidence: Percent
    claims: list[ClaimTest] = Field(default=[], max_length=5)
    priority: Priority = 3
    change_of_mind: Sentence = ""


class _Target(Answer):
    target: Name
    """Id of a known component, or a pattern over ids."""
    how: How


class Removal(Expectation, _Target):
    """A known component, removed in one of its ways."""


class _Setting(Answer):
    key: Name
    value: Annotated[str, Field(max_length=500)]
    """As JSON."""
    label: Label
    kind: ComponentKind


class Override(Expectation, _Setting):
    """A configuration key set to a value that no known component sets it to."""


class _Change(Answer):
    label: Label
    kind: ComponentKind
    blocks: list[EditBlock] = Field(min_length=1, max_length=6)


class Edit(Expectation, _Change):
    """Lines of the source taken out."""


Proposal = Removal | Override | Edit


class Proposals(Answer):
    """Single removals of each sort."""

    removals: list[Removal] = Field(default=[], max_length=60)
    overrides: list[Override] = Field(default=[], max_length=10)
    edits: list[Edit] = Field(default=[], max_length=20)

    @property
    def proposals(self) -> list[Proposal]:
        """All of them."""
        return [*self.removals, *self.overrides, *self.edits]


class FirstPlan(Proposals):
    """Round 1, or what must be read before it can be planned."""

    look_up: list[Lookup] = Field(default=[], max_length=6)


class Withdrawal(Answer):
    """A proposal that the reviewer finds redundant or confounded."""

    target: Name
    reason: Sentence


class Review(Proposals):
    """A second reading of a plan: what is missing, what is redundant, what is confounded."""

    withdrawn: list[Withdrawal] = Field(default=[], max_length=20)
    remark: Sentence = ""


class Mending(Proposals):
    """Proposals that failed their check, mended; those that cannot be are left out."""


class _Asked(Answer):
    what: Literal["together", "another-kind", "alone", "random-control", "more-seeds"]
    targets: list[Name] = Field(min_length=1, max_length=8)
    how: How
    mode: Literal["all", "reevaluate", "retrain", "recover"]
    why: Sentence = ""


class FollowUp(Expectation, _Asked):
    """What to do about results, by components that are known."""


class NextRound(Proposals):
    """Follow-ups on results; all lists empty where nothing is left that is worth its cost."""

    follow_ups: list[FollowUp] = Field(default=[], max_length=12)
    look_up: list[Lookup] = Field(default=[], max_length=6)
    reason: Sentence = ""


ANSWERS = (FirstPlan, Review, Mending, NextRound)
"""Everything that is ever asked for."""
