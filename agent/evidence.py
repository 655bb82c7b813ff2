"""What findings are drawn from: everything known in one mode, seen on one split, at one trained checkpoint at a time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..executor.inside.columns import dataset_of, serving
from ..executor.outcomes import Seen
from .analysis.arrays import Bools, Floats, Ints
from .analysis.joint import Arm as Values
from .analysis.looks import Look, Rules, planned_looks
from .arms import MEASURED, Arm, splits_of
from .components import Component
from .ledger import TrialRow
from .planning.plan import BASELINE, SEARCH, Ablation, Plan, same_runs
from .results import EffectVerdict, Mode
from .search.halves import search_half
from .spec import StudySpec

CLUSTER, TARGET, PREDICTION = "cluster", "target", "prediction"
Examples = Callable[[TrialRow, str], dict[str, Floats]]
"""The values of a trial by column, one an example, on one split; empty where it gave none."""


Parts = Callable[[TrialRow, str], dict[str, dict[str, Floats]]]
"""Of a joint removal that measured its parts along with itself: part → its values by column, on one split."""


def no_examples(_row: TrialRow, _split: str) -> dict[str, Floats]:
    """For studies whose units are seeds."""
    return {}


def no_parts(_row: TrialRow, _split: str) -> dict[str, dict[str, Floats]]:
    """For studies in which nothing stops early."""
    return {}


@dataclass(frozen=True)
class Evidence:
    """Everything that findings in one mode are drawn from."""

    spec: StudySpec
    mode: Mode
    plans: Sequence[Plan]
    components: dict[str, Component]
    arms: dict[str, Arm]
    """Of this mode alone."""
    stopped: dict[str, tuple[EffectVerdict, str]]
    """Ablation → verdict and reason of those that never got past their check."""
    dropped: dict[str, str]
    """Ablation → why it was not run at all."""
    split: str
    """Which split the figures are computed on; looks are always decided on `planning_split`."""
    checkpoints: int = 1
    """Trained models that a re-evaluation goes over."""
    checkpoint: int | None = None
    """The seed of the one that examples are taken from; None: the first there is."""
    examples: Examples = no_examples
    parts: Parts = no_parts

    @cached_property
    def planning_split(self) -> str:
        """What planning and the looks may see: `validation` where there are two splits."""
        splits = splits_of(self.baseline)
        return "validation" if "validation" in splits or not splits else splits[0]

    @cached_property
    def looked_at(self) -> "Evidence":
        """The same evidence on the planning split."""
        return self if self.split == self.planning_split else replace(self, split=self.planning_split)

    @cached_property
    def looks(self) -> tuple[Look, ...]:
        """The planned looks; a trained model is looked at once."""
        study = self.spec.study
        if self.mode == "reevaluate":
            return (Look(self.checkpoints, study.alpha),)
        return planned_looks(study.seeds, study.max_seeds, study.alpha)

    @property
    def columns(self) -> int:
        """Seeds that a table has room for."""
        return max(self.spec.study.max_seeds, self.spec.study.seeds, self.checkpoints)

    @property
    def baseline(self) -> Arm:
        """The arm with nothing removed; in `recover` mode trained on as long as every other."""
        return self.arms.get(BASELINE, Arm(BASELINE, self.mode))

    @cached_property
    def canonical(self) -> dict[str, str]:
        """Ablation → the arm that has its trials."""
        return same_runs(self.plans)

    def arm(self, name: str) -> Arm:
        """The trials of an ablation; empty before any ran."""
        return self.arms.get(self.canonical.get(name, name), Arm(name, self.mode))

    def family(self, plan: Plan) -> list[Ablation]:
        """A round's ablations that passed their check: the family that is corrected together.

        Round 1 is confirmatory as a whole; what else was written into it by hand stands in a family of its own.
        """
        return [one for one in self.asked(plan) if one.id not in self.stopped and not self._proved_idle(one)]

    def _proved_idle(self, one: Ablation) -> bool:
        """Whether evaluating has shown what a check shows before a training: that a single removal does nothing."""
        return self.mode == "reevaluate" and len(one.components) == 1 and self.arm(one.id).idle

    def asked(self, plan: Plan) -> list[Ablation]:
        """A round's ablations that are asked in this mode and were not dropped."""
        return [one for one in plan.ablations if one.asks(self.mode) and one.id not in self.dropped]

    # values over seeds

    def values(self, name: str, metric: str, cap: int | None = None) -> Values:
        """An arm's values by seed on this split, turned so that larger is better.

        An arm whose removal did nothing has none: its runs are the baseline's again, and would count twice in a pool.
        """
        sign, arm = sign_of(self.spec.metrics[metric].goal), self.arm(name)
        return (Arm(name, self.mode) if arm.idle else arm).values(self.split, metric, sign, self.columns, cap)

    def values_in_joint(self, name: str, metric: str, cap: int) -> Values:
        """Likewise for a member of a joint removal, where one that did nothing alone stands as the baseline itself."""
        return self.values(BASELINE if self.arm(name).idle else name, metric, cap)

    # values over examples

    @cached_property
    def seeds_at_hand(self) -> list[int]:
        """Checkpoints of which the baseline was measured, in order."""
        return sorted(row.seed for row in self.baseline.measured)

    @property
    def seed(self) -> int | None:
        """The checkpoint that examples are taken from."""
        first = self.seeds_at_hand[0] if self.seeds_at_hand else None
        return first if self.checkpoint is None else self.checkpoint

    def at(self, checkpoint: int) -> "Evidence":
        """The same evidence at another checkpoint."""
        return replace(self, checkpoint=checkpoint)

    def by_examples(self, metric: str) -> bool:
        """Whether the units of this metric are examples: a re-evaluation that gave a value for each."""
        return self.mode == "reevaluate" and metric in self._columns(BASELINE)

    def on_examples(self, name: str, metric: str) -> Floats:
        """An arm's values by example at the checkpoint, larger is better, shape [N].

        NaN without a measured trial, and where its examples are not the baseline's.
        """
        sign, usual = sign_of(self.spec.metrics[metric].goal), self._columns(BASELINE)
        missing = np.full(len(usual[metric]), np.nan)
        found = self._columns(name).get(metric)
        if found is None:
            return missing
        if not self.fits(name, dataset_of(metric)):
            return missing
        seen = self.search_half(metric) if self._was_searched_for(name) else np.zeros(len(found), dtype=np.bool_)
        return np.where(seen, np.nan, sign * found)

    def seen(self, name: str) -> Seen | None:
        """How far an arm was evaluated here under the rule that stops it early; None where no such rule was applied."""
        row = self.arm(name).trials.get(self.seed) if self.seed is not None else None
        return row.facts.seen.get(self.split) if row is not None and row.status in MEASURED else None

    def stopped_early(self, name: str) -> bool:
        """Whether an arm ended before the set did."""
        seen = self.seen(name)
        return seen is not None and seen.examples < seen.of

    def all_known_of(self, name: str, metric: str, last: int) -> Floats:
        """An arm's values as `on_examples`, and where it stopped early what joint removals measured of it along with them.

        The same weights give the same values in either. Args: `last`: the round up to which joint removals count.
        """
        known = self.on_examples(name, metric)
        if not self.stopped_early(name):
            return known
        sign, arm = sign_of(self.spec.metrics[metric].goal), self.canonical[name]
        for joint in self._joint_up_to(last):
            row = self.arm(joint).trials.get(self.seed) if self.seed is not None else None
            part = self.parts(row, self.split).get(arm, {}).get(metric) if row is not None else None
            if part is not None and part.shape == known.shape and self.fits(joint, dataset_of(metric)):
                known = np.where(np.isnan(known), sign * part, known)
        return known

    def _joint_up_to(self, last: int) -> list[str]:
        rounds = [plan for plan in self.plans if plan.round <= last]
        return [one.id for plan in rounds for one in self.asked(plan) if len(one.components) > 1]

    def search_half(self, metric: str) -> Bools:
        """Which examples of this split an interaction search looks at, shape [N]; the others confirm what it finds."""
        return search_half(len(self._columns(BASELINE)[metric]), self.clusters_of(metric), self.spec.study.name)

    def _was_searched_for(self, name: str) -> bool:
        """Whether a removal was found by a search on this very split: it is judged by what the search has not seen."""
        return self.split == self.planning_split and name in self.searched

    @cached_property
    def searched(self) -> frozenset[str]:
        """Removals that a search has proposed."""
        return frozenset(one.id for plan in self.plans for one in plan.ablations if one.why == SEARCH)

    def fits(self, name: str, dataset: str | None = None) -> bool:
        """Whether an arm was evaluated on the baseline's very examples (of one data set, or of all): as many of them, with
        the same targets and clusters as far as it was evaluated."""
        usual, found = self._columns(BASELINE), self._columns(name)
        asked = [key for key in found if key in usual and dataset in (None, dataset_of(key))]
        if dataset:
            plain = (described_by(about, dataset, usual) for about in (TARGET, CLUSTER))
            asked += [key for key in plain if key is not None and key in found]
        same = [_agree(usual[key], found[key]) for key in asked if key.rpartition("/")[2] in (TARGET, CLUSTER)]
        return all(same) and all(len(found[key]) == len(usual[key]) for key in asked)

    def clusters_of(self, metric: str) -> Ints | None:
        """The cluster of each example of a metric, where the experiment gives them."""
        columns = self._columns(BASELINE)
        name = described_by(CLUSTER, dataset_of(metric), columns)
        return None if name is None else columns[name].astype(np.int64)

    def columns_at(self, name: str, seed: int | None) -> dict[str, Floats]:
        """All that an arm's trial at a seed or a checkpoint told of examples, by column; empty where it told nothing."""
        row = self.arm(name).trials.get(seed) if seed is not None else None
        return self.examples(row, self.split) if row is not None else {}

    def _columns(self, name: str) -> dict[str, Floats]:
        return self.columns_at(name, self.seed)

    @cached_property
    def memory(self) -> dict[int, dict[str, int]]:
        """Round → the seeds that its looks have asked for, once they were followed."""
        return {}

    def rules_for(self, delta: float) -> Rules:
        """δ, looks and α of a metric's tests."""
        return Rules(delta, self.looks, self.spec.study.alpha)


def _agree(usual: Floats, found: Floats) -> bool:
    """Whether two columns are equal wherever both have a value."""
    return usual.shape == found.shape and bool(np.all(np.isnan(usual) | np.isnan(found) | (usual == found)))


def described_by(about: str, dataset: str, columns: Mapping[str, Floats]) -> str | None:
    """The name of the column (target, prediction or cluster) that describes the examples of a data set, if there is one."""
    return serving(about, dataset, {name: len(values) for name, values in columns.items()})


def sign_of(goal: str) -> int:
    """+1 where larger is better, −1 where smaller is."""
    return 1 if goal == "maximize" else -1
