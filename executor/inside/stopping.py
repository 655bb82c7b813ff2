"""When an arm of a re-evaluation has seen enough: its verdicts can be told, at an error that was set aside for it.

The rule is the analysis' own ("Re-evaluation", always-valid tests), so that what is settled here is settled there: on the
same values, in a family of the same size, the verdict is matters, hurts or negligible.
"""

import math
from typing import Dict, List, Mapping, Optional, Sequence

from .evidence import f_tail, t_evidence, wealth

FEWEST_EXAMPLES = 16
FEWEST_BATCHES = 2
FEWEST_BY_T = 64
"""The t knows nothing of what it has not seen: a removal that costs much in 1 of 20 examples, and nothing in the others, is
missed by 32 of them one time in five, and by 64 one time in 26. Answers need no such guard."""
FEWEST_CHANGED = 10
"""The t needs so many differences that are not 0: before, it knows nothing of their spread."""
UNLIKELY = 0.05
"""Batches that differ more than this chance allows are no random parts of one set: not a look to stop at."""
_ROUNDING = 1e-6
_LARGEST = 1e100

Values = Mapping[str, Sequence[float]]
"""Metric → one value an example."""


class Stopping:
    """One arm on one split, batch after batch.

    Args:
        alpha: error of the study.
        share: how much of it may be spent on stopping early.
        family: tests that it is corrected over.
        deltas: metric → smallest effect. Other metrics hold nothing up; a metric that is here and never seen does.
    """

    def __init__(self, alpha: float, share: float, family: int, deltas: "Mapping[str, float]") -> None:
        self._needed = math.log(family / (share * alpha)) + _ROUNDING
        self._deltas = dict(deltas)
        self._seen: Dict[str, List[_Contrast]] = {metric: [] for metric in deltas}

    @property
    def settled(self) -> bool:
        """Whether every verdict is settled by what has been seen so far."""
        return bool(self._seen) and all(
            bool(contrasts) and all(one.settled(self._deltas[metric], self._needed) for one in contrasts)
            for metric, contrasts in self._seen.items()
        )

    def take(self, baseline: Values, arm: Values, parts: "Optional[Mapping[str, Values]]" = None) -> None:
        """Add one batch.

        Args:
            baseline: values of the model with nothing removed.
            arm: of the same examples with the arm's components removed.
            parts: of a joint removal that is tested as an interaction: the same with each component removed alone.
        """
        for metric, contrasts in self._seen.items():
            if metric not in baseline or metric not in arm:
                continue
            rows = [baseline[metric], arm[metric]]
            together = [*rows, *(part[metric] for part in parts.values())] if parts else []
            if not contrasts:
                contrasts += [_Contrast(len(each) - 2) for each in (rows, together) if each]
            for contrast in contrasts:
                contrast.add(together if contrast.parts else rows)


class _Contrast:
    """L = y0 − y(S), or I = L(S) − Σ L(i) = (1 − k)·y0 − y(S) + Σ y(i) with k parts."""

    def __init__(self, parts: int) -> None:
        self.parts = parts
        self._n = self._batches = self._changed = 0
        self._mean = self._squares = self._cubes = self._within = 0.0
        self._counts: Dict[float, int] = {}
        self._answers = {1.0, -1.0}
        """What the other value beside 0 may be, for a metric of two values; empty: it has more."""
        self._broken = False

    def add(self, rows: "Sequence[Sequence[float]]") -> None:
        """One batch: the baseline's values, the arm's, then the parts'. What the baseline has no value of is left out.

        Once an arm lacks a value that the baseline has, there is something to be told that more examples do not settle.
        """
        found: List[float] = []
        self._broken = self._broken or len(set(map(len, rows))) > 1
        for values in zip(*rows):  # noqa: B905
            if not abs(values[0]) < _LARGEST:
                continue
            if not all(abs(value) < _LARGEST for value in values):
                self._broken = True
                continue
            if self._answers:
                self._answers = {one for one in self._answers if all(value in (0, one) for value in values)}
            found.append(
                (1 - self.parts) * values[0] - values[1] + sum(values[2:]) if self.parts else values[0] - values[1]
            )
        if found:
            self._summarise(found)

    def _summarise(self, found: "List[float]") -> None:
        """Chan, Golub & LeVeque (1983), and Pébay (2008) for the cubes: stable whatever the order."""
        added, mean = len(found), math.fsum(found) / len(found)
        off = [one - mean for one in found]
        squares, cubes = math.fsum(one * one for one in off), math.fsum(one * one * one for one in off)
        n, shift = self._n + added, mean - self._mean
        self._cubes += cubes + shift**3 * self._n * added * (self._n - added) / n**2
        self._cubes += 3 * shift * (self._n * squares - added * self._squares) / n
        self._squares += squares + shift * shift * self._n * added / n
        self._mean += shift * added / n
        self._within += squares
        self._n, self._batches = n, self._batches + 1
        self._changed += sum(1 for one in found if one != 0)
        if self._answers:
            for one in found:
                self._counts[one] = self._counts.get(one, 0) + 1

    def settled(self, delta: float, needed: float) -> bool:
        """Whether the evidence for a loss above δ, below −δ, or within reaches what is needed."""
        if self._broken or self._n < FEWEST_EXAMPLES or self._batches < FEWEST_BATCHES:
            return False
        if not self._answers and (self._n < FEWEST_BY_T or self._changed < FEWEST_CHANGED):
            return False
        extra = 0.0 if abs(self._mean) <= delta else math.log(2)
        if self._mean > delta:
            shown = self._evidence(delta, True) >= needed + extra
        elif self._mean < -delta:
            shown = self._evidence(-delta, False) >= needed + extra
        else:
            shown = min(self._evidence(delta, False), self._evidence(-delta, True)) >= needed
        return shown and not self._batches_differ()

    def _evidence(self, null: float, above: bool) -> float:
        if self._answers:
            return wealth(self._counts, max(self.parts, 1), null, above)
        return t_evidence(self._n, null + self._less_skewness(self._mean - null), self._squares, null, above)

    def _less_skewness(self, distance: float) -> float:
        """The mean's distance from a null that is left once skewness is allowed for, where it feigns a distance.

        A long tail on the far side of the null hides in it what would bring the mean back. Hall, "On the removal of
        skewness by transformation in confidence intervals" (JRSS-B 54:221, 1992), eq. (2.1): a monotone cubic of t that
        has no skewness left, t + γ·t²/(3√n) + γ²·t³/(27n) + γ/(6√n).
        """
        if self._squares <= 0:
            return distance
        sd = math.sqrt(self._squares / self._n)
        skewness = self._cubes / self._n / sd**3
        bent = skewness * distance / sd
        left = distance * (1 + bent / 3 + bent * bent / 27) + skewness * sd / (6 * self._n)
        return min(distance, left) if distance > 0 else max(distance, left)

    def _batches_differ(self) -> bool:
        """One-way analysis of variance: whether differences resemble each other within batches. Batches of one never do."""
        groups, rest = self._batches - 1, self._n - self._batches
        between = max(0.0, self._squares - self._within)
        if rest < 1 or between <= 0:
            return False
        if self._within <= 0:
            return True
        return f_tail(between / groups / (self._within / rest), groups, rest) < UNLIKELY
