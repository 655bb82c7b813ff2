"""Searches for interactions, as records."""

from typing import Literal

from .base import Mode, Record

Stage = Literal["intact", "explore", "cover", "narrow", "check", "subsets", "alone", "stopped"]


class SearchStep(Record):
    """One stage of an interaction search."""

    what: Stage
    """intact: nothing removed;
    explore: subsets of growing size; cover: sets that hold every pair; narrow: halving what holds something; check: fresh
    sets, without the groups known by then; subsets: random ones for the regression; alone: its pairs by themselves;
    stopped: what was begun when the budget ended the search."""
    size: float
    """Mean members of a set."""
    sets: int
    runs: int
    clean: float | None
    """Share of the sets that hold nothing; None where they are not decided one by one."""


class InteractionSearch(Record):
    """A search for groups that cost δ together and nothing apart: what it ran, found and can vouch for."""

    mode: Mode
    metric: str
    smallest_effect: float
    """δ."""
    pool: list[str]
    """Components whose single removal costs less than δ."""
    strategy: Literal["hypergraph", "regression"] | None
    """hypergraph: sets are decided one by one and halved; regression: many small random sets, one sparse fit."""
    set_size: float | None = None
    """Members of a set in the strategy chosen."""
    separation: float | None
    """Between a clean set and one with a group that costs δ, in standard deviations of one run, at the size chosen."""
    separation_needed: float | None
    """What deciding sets one by one needs."""
    sd: float
    """Of one run; 0 where a set's evaluation is the same every time."""
    spread: float
    """From one clean set to another of the same size, beyond the noise of the runs; a loss on the metric's scale."""
    steps: list[SearchStep]
    runs: int
    """Beyond leave-one-out and without the confirmation."""
    runs_of_all_pairs: int
    """What all pairs of the pool would take at one run each."""
    groups: list[list[str]]
    """Candidates, each confirmed or refuted on fresh seeds or examples in a round of its own."""
    strays: list[str]
    """Components that turned out to cost δ alone."""
    pairs: int
    """Of the pool."""
    pairs_cleared: int
    """Removed together in sets without a known group, and three standard errors below a joint loss of δ."""
    pairs_found: int
    """Inside of a group that was found."""
    triples_cleared: float
    """Share of the pool's triples that were removed together in a set that cost nothing; estimated on a sample."""
    open_pairs: list[list[str]]
    """The first of those pairs that are neither cleared nor found."""
    limit: int | None = None
    """Runs that it was allowed."""
    stopped: str | None = None
    """What ended the search early."""
