"""A study file before it is written: everything that was found out, and what was not."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .brief import Ran
from .findings import Candidate, Change, Finding, Gap, MetricFound
from .limits import LimitsFound


@dataclass(frozen=True)
class Draft:
    """What goes into one study file."""

    path: Path
    """Where it goes."""
    root: Path
    name: str
    candidate: Candidate
    text: str
    """The command as it is run, or the file of functions."""
    config: str | None
    interpreter: str | None
    changes: tuple[Change, ...]
    environment: Mapping[str, str]
    read: tuple[str, ...]
    inputs: tuple[str, ...]
    metrics: tuple[MetricFound, ...]
    """The primary one first; empty where none was found."""
    metrics_file: str | None
    limits: LimitsFound
    findings: tuple[Finding, ...]
    gaps: tuple[Gap, ...]
    """What is worth knowing, and what is not settled."""
    stops: tuple[Gap, ...]
    """What keeps the study from running as it is."""
    ran: Ran | None

    @property
    def is_ready(self) -> bool:
        """Whether a study can run with it as it is."""
        return not self.stops and self.is_complete

    @property
    def is_complete(self) -> bool:
        """Whether nothing that a study file must have is missing."""
        return bool(self.metrics) and self.metrics[0].goal is not None

    @property
    def patterns(self) -> list[str]:
        """One for each metric that is printed."""
        return [one.pattern for one in self.metrics if one.pattern]

    def experiment(self) -> dict[str, Any]:
        """`[experiment]` without its metrics, as far as a run needs it."""
        what = "python" if self.candidate.functions else "command"
        given: dict[str, Any] = {what: self.text, "config": self.config, "interpreter": self.interpreter}
        table = {key: value for key, value in given.items() if value is not None}
        return {**table, "set": {one.key: one.value for one in self.changes}, "env": dict(self.environment)}
