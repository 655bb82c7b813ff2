"""What a language model may answer: typed proposals, bounded in every string and list, and nothing else."""

from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, create_model

from ...components import ComponentKind
from ...reading.digest.lookup import Lookup
from ...records.base import Direction

How = Literal["default", "zero", "mean", "resample", "bypass", "override", "edit"]
Name = Annotated[str, Field(max_length=200)]
Sentence = Annotated[str, Field(max_length=400)]
NEW = "new"
"""Target of what is no component yet."""
MOST_NAMED = 200
"""Components up to which a schema names every id: small models keep to a list, and make ids up without one."""


def _within(low: float, high: float) -> BeforeValidator:
    """Numbers beyond the bounds are taken as the bounds: not every server's grammar keeps to them."""
    return BeforeValidator(lambda given: min(max(given, low), high) if isinstance(given, (int, float)) else given)


Size = Annotated[float, Field(ge=-100, le=100, allow_inf_nan=False), _within(-100, 100)]
Percent = Annotated[int, Field(ge=0, le=100), _within(0, 100)]
Priority = Annotated[int, Field(ge=1, le=5), _within(1, 5)]


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
    """Id of a known component or a pattern over ids; `new` for an edit or an override that no component has."""
    how: How
    key: Name
    """Configuration key of an override, else empty."""
    value: Annotated[str, Field(max_length=500)]
    """Its value as JSON, else empty."""
    blocks: list[EditBlock] = Field(max_length=6)
    """Of an edit, else empty."""
    label: Annotated[str, Field(max_length=80)]
    """What a table calls a new component; it is named by it."""
    kind: ComponentKind
    hypothesis: Sentence
    direction: Direction
    size: Size
    confidence: Percent
    claims: list[ClaimTest] = Field(max_length=5)
    priority: Priority
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
    size: Size
    confidence: Percent
    claims: list[ClaimTest] = Field(max_length=5)
    priority: Priority
    why: Sentence


class NextRound(Answer):
    """Follow-ups on results; all lists empty where nothing is left that is worth its cost."""

    look_up: list[Lookup] = Field(max_length=6)
    follow_ups: list[FollowUp] = Field(max_length=12)
    proposals: list[Proposal] = Field(max_length=8)
    reason: Sentence


ANSWERS = (FirstPlan, Review, Mending, NextRound)
"""Everything that is ever asked for."""


def naming[T: Answer](answer: type[T], ids: Sequence[str]) -> type[T]:
    """The same answer, with a schema that lists the ids of all components where they are few enough.

    Only the schema: an answer with another id is read, and told what is wrong with it.
    """
    return _naming(answer, tuple(ids)) if 0 < len(ids) <= MOST_NAMED else answer


@cache
def _naming(answer: Any, ids: tuple[str, ...]) -> Any:
    listed = {"type": "string", "enum": list(ids)}
    new = {"type": "string", "enum": [*ids, NEW]}
    proposal = create_model("Proposal", __base__=Proposal, target=(Annotated[Name, WithJsonSchema(new)], ...))
    named = list[Annotated[Name, WithJsonSchema(listed)]]
    targets = (named, Field(min_length=1, max_length=8))
    fields: dict[type[Answer], dict[str, Any]] = {
        FirstPlan: {"proposals": (list[proposal], Field(max_length=60))},
        Review: {"missing": (list[proposal], Field(max_length=10))},
        Mending: {"proposals": (list[proposal], Field(max_length=20))},
        NextRound: {
            "follow_ups": (list[create_model("FollowUp", __base__=FollowUp, targets=targets)], Field(max_length=12)),
            "proposals": (list[proposal], Field(max_length=8)),
        },
    }
    return create_model(answer.__name__, __base__=answer, **fields[answer])
