"""Runs a row again: the baseline, the row and what it is held against, at the same seeds, by the machinery of a study."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from ...executor.errors import BundleError
from ...executor.pool import Pool
from ...executor.worker import Station
from ..arms import splits_of
from ..budget import Budget
from ..checks import judge_checks, run_checks
from ..dispatch import Dispatcher, Observer
from ..evidence import Evidence
from ..ledger import FINISHED, Ledger, Trial
from ..machine import machine
from ..planning.plan import BASELINE
from ..records.base import Mode
from ..records.bundle import Compared, RowAgain
from ..rescoring import handed_over, nothing_left
from ..setting import Setting
from ..study import CHECKPOINTS, Study
from ..wanted import trial_of
from .comparing import compared, verdict_of
from .extract import told
from .figure import figure_of
from .originals import Originals
from .retold import asked_again
from .rows import Row
from .surroundings import differing
from .unpacked import Unpacked

PROOFS = ("structural", "no-op")
"""Verdicts that say how trials end."""


class Place(NamedTuple):
    """Where a row is run."""

    setting: Setting
    state: Path
    station: Station


@dataclass
class Again:
    """One bundle, ready to run rows of it."""

    bundle: Unpacked
    place: Place
    observer: Observer
    first_seeds: int | None = None
    """Only so many; None: all that the reported figures rest on."""

    def run(self, rows: Sequence[Row], metric: str) -> list[RowAgain]:
        """Run rows again, those trials that are not finished; what each came to."""
        setting, state, station = self.place
        with closing(Ledger(state, write=True)) as ledger:
            self._seal(ledger)
            most = setting.spec.limits.workers
            with nothing_left(handed_over(state / CHECKPOINTS)), Pool(station, most) as pool:
                study = Study(setting, state, ledger, station, self.observer, None)
                study.survey(pool)
                study.plans = self.bundle.plans
                return [_OneRow(self, study, pool, row).run(metric) for row in rows]

    def _seal(self, ledger: Ledger) -> None:
        """The bundle's plans become this folder's."""
        version = self.place.setting.version
        ledger.requeue(version)
        ledger.remember("version", version)
        known = len(ledger.plans(version))
        for plan in self.bundle.plans[known:]:
            ledger.seal(version, plan.round, plan.hash, plan.model_dump_json())


@dataclass
class _OneRow:
    again: Again
    study: Study
    pool: Pool
    row: Row

    @cached_property
    def originals(self) -> Originals:
        return Originals(self.again.bundle, self.row)

    @cached_property
    def dispatcher(self) -> Dispatcher:
        return self.study.dispatcher(self.pool, Budget())

    @property
    def mode(self) -> Mode:
        return self.row.mode

    @property
    def seeds(self) -> list[int]:
        return self.originals.seeds[: self.again.first_seeds]

    def run(self, metric: str) -> RowAgain:
        """Run what is missing, and hold it against what was measured."""
        originals, seeds = self.originals, self.seeds
        if not originals.of(originals.arm):
            return self._told(metric, [self._checked()], None)
        self._train(seeds)
        self._measure([BASELINE], seeds, early=False)
        self._measure(originals.arms[1:], seeds, early=True)
        return self._told(metric, self._compared(seeds), figure_of(self._evidence, originals, metric, seeds))

    # what is run

    def _train(self, seeds: list[int]) -> None:
        """The baseline runs whose weights are evaluated or trained on."""
        if self.mode == "retrain" or self.study.loads:
            return
        wanted = self.originals.trained(seeds)
        self.again.observer.stage(f"training the baseline, seeds {_listed(wanted)}: the weights are kept")
        self.dispatcher.run([self._trial(BASELINE, seed, "retrain") for seed in wanted])

    def _measure(self, arms: Sequence[str], seeds: Sequence[int], *, early: bool) -> None:
        """Trials at the seeds at which each arm was measured; `early`: as far as each was evaluated."""
        originals, bundle = self.originals, self.again.bundle
        trials = [self._trial(arm, seed) for seed in seeds for arm in arms if seed in originals.of(arm)]
        self.again.observer.stage(f"{self.mode}, seeds {_listed(seeds)}: {', '.join(arms)}")
        evidence, offers = self.study.evidence(self.dispatcher, self.mode), self.study.checks[BASELINE].offers
        told_then = (bundle.trials, bundle.manifest.deltas)
        self.dispatcher.run(
            trials, asked_at=asked_again(evidence, offers, originals.plan, *told_then) if early else None
        )

    def _trial(self, arm: str, seed: int, mode: Mode | None = None) -> Trial:
        return trial_of(self.again.place.setting, self.study.plans, mode or self.mode, arm, seed)

    def _checked(self) -> Compared:
        """Of what never got past its check: one step again."""
        originals, study = self.originals, self.study
        part = originals.plan.model_copy(update={"ablations": [originals.ablation]})
        found = run_checks(self.again.place.setting, part, self.pool, study.ledger, self.again.observer)
        study.checks |= found
        verdicts = judge_checks(study.checks, {self.row.ablation: originals.ablation})
        before = next(iter(self.row.effects.values())).verdict
        now, why = verdicts.stopped.get(self.row.ablation, ("ok", ""))
        differs = [] if before == now else [why or "it gets past its check now"]
        return Compared(arm=originals.arm, seed=0, same=before == now, status=(before, now), differs=differs)

    # what came out

    def _compared(self, seeds: Sequence[int]) -> list[Compared]:
        """Every trial that was run; what was given up, since earlier ones had told enough, is none."""
        pairs = [
            (before, self.dispatcher.arm(self.mode, arm).trials.get(seed))
            for arm in self.originals.arms
            for seed, before in self.originals.of(arm).items()
            if seed in seeds
        ]
        ran = [(before, row) for before, row in pairs if row is not None and row.status in FINISHED]
        return [compared(before, told(row, self.study.ledger)) for before, row in ran]

    @cached_property
    def _evidence(self) -> Evidence:
        """On the split that the report is of."""
        evidence = self.study.evidence(self.dispatcher, self.mode)
        splits, wanted = splits_of(evidence.baseline), self.again.bundle.manifest.split
        return replace(evidence, split=wanted if wanted in splits or not splits else splits[0])

    def _told(self, metric: str, trials: list[Compared], now: float | None) -> RowAgain:
        bundle, effect = self.again.bundle, self.row.effects[metric]
        figure, reported, interval, verdict = self.row.figure(metric)
        here = {**machine(), **self.study.ledger.recall("environment", {})}
        arm, by_status = self.originals.arm, verdict in PROOFS
        return RowAgain(
            ablation=self.row.ablation,
            mode=self.mode,
            metric=metric,
            verdict=verdict_of(trials, arm, by_status=by_status, interval=interval, now=now),
            figure=figure,
            reported=reported,
            interval=interval,
            level=effect.level,
            now=now,
            seeds=sorted({one.seed for one in trials}),
            of=self.originals.seeds,
            trials=trials,
            changed=bundle.changed,
            environment=differing(bundle.results.environment, here),
            reason=effect.reason,
        )


def _listed(seeds: Sequence[int]) -> str:
    return ", ".join(map(str, seeds)) or "none"


def require_runnable(rows: Sequence[Row], metric: str) -> None:
    """`BundleError` where a metric was not reported of a row."""
    for row in rows:
        if metric not in row.effects:
            known = ", ".join(row.effects)
            raise BundleError(f"{row.ablation} was not measured by {metric!r}", to_do=f"it was by: {known}")
