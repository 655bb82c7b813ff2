"""The trials of a study that a row rests on: whose, at which seeds."""

from dataclasses import dataclass
from functools import cached_property

from ...executor.outcomes import RETRIED
from ..ledger import FINISHED
from ..planning.plan import BASELINE, DEFAULTS, Ablation, Plan, same_runs
from ..records.base import Mode
from ..records.bundle import Told
from .rows import Row
from .unpacked import Unpacked


@dataclass(frozen=True)
class Originals:
    """What was measured for one row."""

    bundle: Unpacked
    row: Row

    @cached_property
    def plan(self) -> Plan:
        """The row's round."""
        return next(plan for plan in self.bundle.plans if any(one.id == self.row.ablation for one in plan.ablations))

    @cached_property
    def ablation(self) -> Ablation:
        """What is removed."""
        return next(one for one in self.plan.ablations if one.id == self.row.ablation)

    @cached_property
    def arm(self) -> str:
        """The arm that has the row's trials."""
        return same_runs(self.bundle.plans)[self.row.ablation]

    @cached_property
    def members(self) -> list[str]:
        """Of a joint removal: the arms of its parts, each by its default removal alone, as far as they were measured."""
        if len(self.ablation.components) < 2:
            return []
        known = [one for plan in self.bundle.plans if plan.round <= self.plan.round for one in plan.ablations]
        singles = [
            one for one in known if len(one.components) == 1 and one.role in DEFAULTS and one.asks(self.row.mode)
        ]
        first = {one.components[0]: one.id for one in reversed(singles)}
        arms = same_runs(self.bundle.plans)
        found = [arms[first[one]] for one in self.ablation.components if one in first]
        return [one for one in dict.fromkeys(found) if self.of(one)]

    @property
    def arms(self) -> list[str]:
        """Baseline, members, and the row's own, in the order in which they run."""
        return list(dict.fromkeys([BASELINE, *self.members, self.arm]))

    def of(self, arm: str, mode: Mode | None = None) -> dict[int, Told]:
        """Seed → a finished trial; without those that the machine may be to blame for."""
        rows = [one for one in self.bundle.trials if (one.arm, one.mode) == (arm, mode or self.row.mode)]
        return {one.seed: one for one in rows if one.status in FINISHED and one.status not in RETRIED}

    @cached_property
    def seeds(self) -> list[int]:
        """Those that the reported figure rests on."""
        cap = self.bundle.manifest.caps.get(self.row.mode, {}).get(self.row.ablation)
        both = sorted(set(self.of(self.arm)) & set(self.of(BASELINE)))
        return [one for one in both if cap is None or one < cap] or both

    def trained(self, seeds: list[int]) -> list[int]:
        """Seeds of the baseline runs whose weights are evaluated, or trained on: each its own, or the first one's."""
        found = sorted(seed for seed, one in self.of(BASELINE, "retrain").items() if one.status == "ok")
        return [one for one in found if one in seeds] if self.row.mode == "reevaluate" else found[:1]
