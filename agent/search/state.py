"""What a running search knows: its runs, the pool it still searches, the groups it has found."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ..records.search import Stage
from .deciding import LIKELY, decide, narrow
from .expectation import Expectation, Noise, expect
from .system import Members, Runs, Scale


class Step(NamedTuple):
    """One stage of a search, as it went."""

    what: Stage
    """intact: nothing removed;
    explore: subsets of growing size; cover: lines that hold every pair; narrow: halving what holds something, and what
    is left of it; check: fresh lines without the known groups; subsets: for the regression; alone: its pairs by themselves;
    stopped: what was begun when the budget ended the search."""
    size: float
    """Mean members of a set."""
    sets: int
    runs: int
    clean: float
    """Share of the sets that hold nothing; NaN where they are not decided one by one."""


@dataclass
class State:
    """Mutable on purpose: one search, told as it goes."""

    runs: Runs
    scale: Scale
    noise: Noise
    """Of one run, as known before the search."""
    pool: list[int]
    dice: np.random.Generator
    groups: list[Members] = field(default_factory=lambda: list[Members]())
    """Sets that cost δ together and, as far as was seen, not without any one of their members."""
    strays: list[int] = field(default_factory=lambda: list[int]())
    """Members of the pool that turned out to cost δ alone; they have left it."""
    steps: list[Step] = field(default_factory=lambda: list[Step]())

    @property
    def expectation(self) -> Expectation:
        """Refitted to everything measured so far."""
        return expect(self.runs, self.scale, self.groups, self.noise)

    def log(
        self,
        what: Stage,
        sets: Sequence[Members],
        before: int,
        clean: float = math.nan,
    ) -> None:
        """Note a stage that began when `before` runs were spent."""
        size = sum(map(len, sets)) / len(sets) if sets else 0.0
        self.steps.append(Step(what, size, len(sets), self.runs.spent - before, clean))

    def decide(self, sets: Sequence[Members]) -> list[float]:
        """`deciding.decide`, by an expectation that has seen sets of just these sizes."""
        self.runs.measure([one for one in dict.fromkeys(sets) if one not in self.runs.values])
        return decide(self.runs, self.expectation, sets)

    def keep(self, found: Iterable[Members | None]) -> list[Members]:
        """Take up newly found groups; singles leave the pool. Returns the new groups."""
        new: list[Members] = []
        for group in found:
            if group is None or group in self.groups or group in new:
                continue
            if len(group) == 1:
                self.strays += [one for one in group if one not in self.strays]
            else:
                new.append(group)
        self.pool = [one for one in self.pool if one not in self.strays]
        self.groups += new
        return new

    def without_known(self, sets: Iterable[Members], most: int = 64) -> list[Members]:
        """Sets that hold no known group: each is split into ones that lack a member of every group inside it."""
        free: list[Members] = []
        waiting = [one - frozenset(self.strays) for one in sets]
        while waiting and len(free) < most:
            members = waiting.pop()
            inside = next((group for group in self.groups if group <= members), None)
            if inside is None:
                free.append(members)
            else:
                waiting += [members - {one} for one in inside]
        return [one for one in dict.fromkeys(free) if len(one) > 1]

    def examine(self, sets: Sequence[Members]) -> list[Members]:
        """Decide sets and narrow down those that hold something, until what is left of each holds nothing more.

        Returns:
            The new groups.
        """
        new: list[Members] = []
        waiting = self.without_known(sets)
        while waiting:
            ratios = self.decide(waiting)
            expectation = self.expectation
            holding = [one for one, ratio in zip(waiting, ratios, strict=True) if ratio >= LIKELY]
            shuffled = [self.dice.permutation(sorted(one)).tolist() for one in holding]
            found = narrow(self.runs, expectation, shuffled)
            kept = self.keep(found)
            new += kept
            explained = [one for one, group in zip(holding, found, strict=True) if group is not None]
            rest = self.without_known(explained)
            waiting = [one for one in rest if one not in self.runs.values]
        return new
