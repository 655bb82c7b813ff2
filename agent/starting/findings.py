"""What is found out about a project, and what is not: each with its place, and what to do."""

from typing import Any, Literal, NamedTuple

Goal = Literal["maximize", "minimize"]


class Finding(NamedTuple):
    """One thing that was found."""

    what: str
    """In a word or two: `entry point`, `seed`."""
    value: str
    where: str = ""
    """`file:line`, where it stands anywhere."""
    why: str = ""


class Gap(NamedTuple):
    """What could not be found out, or stands in the way."""

    what: str
    to_do: str


class Candidate(NamedTuple):
    """What a study could run."""

    text: str
    """The command, or the file with the experiment's functions."""
    functions: bool
    """Whether it is such a file."""
    file: str
    """The script or the file of functions, relative to the root."""
    score: int
    evidence: tuple[str, ...]


class Change(NamedTuple):
    """A setting that every arm gets, and why."""

    key: str
    """Dotted."""
    value: Any
    why: str


class MetricFound(NamedTuple):
    """One metric, as it is printed or written."""

    name: str
    goal: Goal | None
    """None: its name does not say which way is better."""
    pattern: str | None
    """Over the output; None where a file or a function gives it."""
    where: str
    """`file:line` of what prints or writes it; empty where that was not found."""
    seen: float | None
    """Its last value in the brief run; None where it was read in the source only."""
    floor: tuple[float, str] | None = None
    """The value of chance, and how that is known."""
