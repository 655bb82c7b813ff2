"""Ledger rows as arms: one ablation's trials by seed, what they prove, and their values as arrays for the analysis."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import get_args

import numpy as np

from .analysis.arrays import Bools, Floats
from .analysis.joint import Arm as Values
from .ledger import FINISHED, TrialRow
from .planning.plan import BASELINE
from .results import Mode

MEASURED = ("ok", "no-op")
SEARCHED = "search:"
"""How the arms of an interaction search are named."""
GIVE_UP_AFTER = {"reevaluate": 1, "recover": 2, "retrain": 3}
"""Failures without a success after which the rest of an arm is not run; one evaluation tells as much as the next."""
UNCOMPARED = "no baseline run at this seed to compare with"
NO_OP_AFTER = {"reevaluate": 1, "recover": 2, "retrain": 2}
"""Seeds at which results equal the baseline's, bit for bit, after which the rest of an arm is not run."""


@dataclass
class Arm:
    """All trials of one ablation, or of the baseline, in one mode."""

    id: str
    mode: Mode = "retrain"
    trials: dict[int, TrialRow] = field(default_factory=lambda: dict[int, TrialRow]())

    @property
    def measured(self) -> list[TrialRow]:
        """Trials with values."""
        return [one for one in self.trials.values() if one.status in MEASURED]

    @property
    def failed(self) -> list[TrialRow]:
        """Trials that ended without."""
        return [one for one in self.trials.values() if one.status in FINISHED and one.status not in MEASURED]

    @property
    def broken(self) -> bool:
        """Whether every finished trial crashed or diverged, often enough to stop."""
        stops = [one for one in self.failed if one.status in ("crashed", "diverged")]
        return not self.measured and len(stops) == len(self.failed) >= GIVE_UP_AFTER[self.mode]

    @property
    def hopeless(self) -> bool:
        """Whether nothing but failures came back, whatever their kind."""
        return not self.measured and len(self.failed) >= GIVE_UP_AFTER[self.mode]

    @property
    def compared(self) -> list[TrialRow]:
        """Measured trials at whose seed there was a baseline to compare with."""
        return [one for one in self.measured if one.reason != UNCOMPARED]

    @property
    def idle(self) -> bool:
        """Whether every trial that was compared was a no-op, often enough to stop."""
        compared = self.compared
        return len(compared) >= NO_OP_AFTER[self.mode] and all(one.status == "no-op" for one in compared)

    @property
    def masked(self) -> bool:
        """Whether edited tensors changed and the results did not: a perfect backup looks like that."""
        return bool(self.compared) and all(one.reason == "masked" for one in self.compared)

    def finished(self, seeds: int) -> bool:
        """Whether the first `seeds` seeds have all ended."""
        return self.finished_at(range(seeds))

    def finished_at(self, seeds: Iterable[int]) -> bool:
        """Whether all of these seeds have ended."""
        return all(seed in self.trials and self.trials[seed].status in FINISHED for seed in seeds)

    def over(self, seeds: int) -> bool:
        """Whether nothing more of the first `seeds` seeds will come."""
        return self.broken or self.hopeless or self.idle or self.finished(seeds)

    def values(self, split: str, metric: str, sign: int, seeds: int, cap: int | None = None) -> Values:
        """Values turned so that larger is better, shape [seeds], NaN where there is none, and which seeds are terminal.

        Seeds from `cap` on are left out: a look that was settled is not reopened by seeds that another round needed.
        """
        values: Floats = np.full(seeds, np.nan)
        finished: Bools = np.zeros(seeds, dtype=np.bool_)
        for seed, trial in self.trials.items():
            if seed < (seeds if cap is None else cap) and trial.status in FINISHED:
                finished[seed] = True
                if trial.status in MEASURED:
                    values[seed] = sign * trial.metrics.get(split, {}).get(metric, np.nan)
        return Values(values, finished)


Arms = dict[Mode, dict[str, Arm]]
"""Every arm that has trials, by mode: modes are never mixed."""


def seconds_of(row: TrialRow) -> float | None:
    """What a trial took by its own clock, without its start; from outside where it did not tell."""
    return sum(row.facts.seconds.values()) or row.wall_seconds


def arms_of(rows: Iterable[TrialRow]) -> Arms:
    """Rows of one version of the source, by mode and arm."""
    arms: Arms = {mode: {} for mode in get_args(Mode)}
    for row in rows:
        mode: Mode = row.mode  # type: ignore[assignment]
        arms[mode].setdefault(row.arm, Arm(row.arm, mode)).trials[row.seed] = row
    return arms


def duplicates(arms: dict[str, Arm], order: Sequence[str]) -> dict[str, str]:
    """Arm → the earlier arm whose results were equal bit for bit at every measured seed, as many as tell it from chance."""
    earliest: dict[tuple[object, ...], str] = {}
    found: dict[str, str] = {}
    for name in order:
        arm = arms.get(name)
        if name == BASELINE or arm is None or len(arm.measured) < GIVE_UP_AFTER[arm.mode] or arm.idle or arm.masked:
            continue
        for_seeds = sorted(arm.measured, key=lambda one: one.seed)[:3]
        if any(one.facts.seen and one.fingerprint is None for one in for_seeds):
            continue  # equal means over the first few examples tell nothing
        identity = tuple((one.seed, one.fingerprint, str(one.metrics), str(one.facts.seen)) for one in for_seeds)
        first = earliest.setdefault(identity, name)
        if first != name:
            found[name] = first
    return found


def splits_of(baseline: Arm) -> list[str]:
    """The splits that the baseline was evaluated on."""
    return list(dict.fromkeys(split for one in baseline.measured for split in one.metrics))
