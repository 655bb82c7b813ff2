"""What a person says yes or no to, before anything runs or is sent."""

from typing import NamedTuple

from ..records.base import Record
from .shown import Diff


class Asked(Record):
    """One ablation that would run."""

    id: str
    how: str
    """Its interventions in a line."""
    expected: str
    """Direction and size of the prediction, in δ."""
    hypothesis: str
    diff: Diff | None = None
    """Of source edits."""


class Price(Record):
    """What running something takes."""

    first_look: int
    """Trials that run in any case, less those that are finished."""
    most: int
    """Trials if every arm goes on to its last look."""
    seconds: float | None = None
    """For the first look, with all workers; None where nothing was measured yet."""
    most_seconds: float | None = None
    dollars: float | None = None
    """For the first look; None where `limits.price_hour` is not given, or nothing was measured yet."""
    most_dollars: float | None = None


class Approval(Record):
    """What is to be approved: trials, or that the project's source is sent to a model."""

    what: str
    """In one line."""
    ablations: tuple[Asked, ...] = ()
    price: Price | None = None
    notes: tuple[str, ...] = ()
    """What one should know before saying yes."""


class Reply(NamedTuple):
    """What a person said to it."""

    yes: bool
    reason: str = ""
    """Of a refusal, as typed; empty where there is none."""
