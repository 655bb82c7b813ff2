"""What every kind of experiment gives: jobs for a worker, and the view that source edits need."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, Protocol

from ..interventions import Intervention
from ..jobs import Job
from ..overlay import Overlay

Action = Literal["retrain", "rescore", "recover", "reevaluate", "check", "anatomy", "ping"]


class Arm(NamedTuple):
    """One arm of a job."""

    tag: str
    config: dict[str, Any]
    """Already resolved, overrides included."""
    interventions: list[Intervention]
    asks: Mapping[str, Any] = MappingProxyType({})
    """What a worker is told of this arm alone, beside what it removes."""


class Experiment(Protocol):
    """The user's code as something that trials run."""

    @property
    def root(self) -> Path:
        """The project's folder."""
        ...

    @property
    def file(self) -> Path:
        """Where its source begins: the file with the functions, or the script that the command starts."""
        ...

    def job(self, action: Action, arms: Sequence[Arm], seed: int = 0, **more: Any) -> Job:
        """One job; `more` is for its action alone. An arm with source edits is its job's only one."""
        ...

    def overlay(self, arm: Arm) -> Overlay:
        """What an arm's trials see in place of the project's files. `EditError` where its edits do not apply."""
        ...

    def imports(self) -> list[str]:
        """Modules that a worker imports while it waits."""
        ...
