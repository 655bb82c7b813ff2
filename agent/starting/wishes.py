"""What a person said beforehand."""

from dataclasses import dataclass

from .findings import Goal


@dataclass(frozen=True)
class Wishes:
    """What a person said beforehand."""

    command: str | None = None
    config: str | None = None
    metric: str | None = None
    goal: Goal | None = None
    interpreter: str | None = None
    name: str | None = None
    seconds: float = 60.0
    """For the brief run."""
    unsafe: bool = False
