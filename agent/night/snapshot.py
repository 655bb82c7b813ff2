"""What a run says of itself when it is asked: the contract of its socket and of `lesion status --json` and `watch --json`."""

from typing import Literal

from ..records.base import Record

State = Literal["waiting", "running", "complete", "stopped", "failed"]
Phase = Literal["checking", "planning", "running", "paused", "stopping", "reporting"]


class RunningTrial(Record):
    """A trial that runs now."""

    study: str
    arm: str
    mode: str
    seed: int
    seconds: float
    """So far."""


class StudyNow(Record):
    """One study of the night."""

    name: str
    file: str
    state: State
    reason: str = ""
    """Why it stopped or failed."""
    stage: str = ""
    done: int = 0
    """Trials finished of this stage."""
    total: int = 0
    settled: int | None = None
    """Verdicts of the sealed family; None before the first results."""
    undecided: int | None = None


class Snapshot(Record):
    """The run, now."""

    pid: int
    command: Literal["run", "overnight"] = "overnight"
    started_at: float
    """Seconds since the epoch."""
    deadline: float | None = None
    seconds_left: float | None = None
    """Until the deadline."""
    phase: Phase
    studies: list[StudyNow]
    running: list[RunningTrial] = []
    next: list[str] = []
    """What starts next, as `arm (seed n)`, a few."""
    eta_seconds: float | None = None
    """Until this stage is over, at the pace so far."""
    learnt: list[str] = []
    """The last things that were said, oldest first."""
    attention: list[str] = []
    """What went wrong, oldest first: failures, retries, a dead endpoint."""
    tokens: int | None = None
    cost: float | None = None
    """Dollars; None where there are no prices or no model is asked."""
