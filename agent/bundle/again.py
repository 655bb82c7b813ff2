"""Runs a row again: the baseline, the row and what it is held against, at the same seeds, by the machinery of a study."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from ...executor.errors import BundleError
from ...executor.outcomes import RETRIED
from ...executor.pool import Pool
from ...executor.worker import Station
from ..arms import splits_of
from ..budget import Budget
from ..checks import judge_checks, run_checks
from ..dispatch import Dispatcher, Observer
from ..evidence import Evidence
from ..findings import find
from ..ledger import FINISHED, Ledger, Trial
from ..machine import machine
from ..planning.plan import BASELINE, DEFAULTS, Ablation, Plan, same_runs
from ..records.base import Mode
from ..records.bundle import Compared, RowAgain, Told
from ..rescoring import handed_over, nothing_left
from ..setting import Setting
from ..study import CHECKPOINTS, Study
from ..wanted import trial_of
from .comparing import compared, verdict_of
from .extract import told
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

    def run(self, metric: str) -> RowAgain:
        if not self._originals(self._arm):
            return self._told(metric, [self._checked()], None)
        seeds = self.seeds
        self._train(seeds)
        self._measure([BASELINE], seeds, early=False)
        self._measure([*self.members, self._arm], seeds, early=True)
        return self._told(metric, self._compared(seeds), self._figure(metric, seeds))

    # what is run

    @cached_property
    def dispatcher(self) -> Dispatcher:
        return self.study.dispatcher(self.pool, Budget())

    @property
    def mode(self) -> Mode:
        return self.row.mode

    @cached_property
    def plan(self) -> Plan:
        return next(plan for plan in self.study.plans if any(one.id == self.row.ablation for one in plan.ablations))

    @cached_property
    def ablation(self) -> Ablation:
        return next(one for one in self.plan.ablations if one.id == self.row.ablation)

    @cached_property
    def _arm(self) -> str:
        """The arm that has the row's trials."""
        return same_runs(self.study.plans)[self.row.ablation]

    @cached_property
    def members(self) -> list[str]:
        """Of a joint removal: the arms of its parts, each by its default removal alone, as far as they were measured."""
        if len(self.ablation.components) < 2:
            return []
        known = [one for plan in self.study.plans if plan.round <= self.plan.round for one in plan.ablations]
        singles = [one for one in known if len(one.components) == 1 and one.role in DEFAULTS and one.asks(self.mode)]
        first = {one.components[0]: one.id for one in reversed(singles)}
        arms = same_runs(self.study.plans)
        found = [arms[first[one]] for one in self.ablation.components if one in first]
        return [one for one in dict.fromkeys(found) if self._originals(one)]

    def _originals(self, arm: str, mode: Mode | None = None) -> dict[int, Told]:
        """Seed → a finished trial of the study; without those that the machine may be to blame for."""
        rows = [one for one in self.again.bundle.trials if (one.arm, one.mode) == (arm, mode or self.mode)]
        return {one.seed: one for one in rows if one.status in FINISHED and one.status not in RETRIED}

    @cached_property
    def of(self) -> list[int]:
        """The seeds that the reported figure rests on."""
        cap = self.again.bundle.manifest.caps.get(self.mode, {}).get(self.row.ablation)
        both = sorted(set(self._originals(self._arm)) & set(self._originals(BASELINE)))
        return [one for one in both if cap is None or one < cap] or both

    @property
    def seeds(self) -> list[int]:
        return self.of[: self.again.first_seeds]

    def _train(self, seeds: Sequence[int]) -> None:
        """The baseline runs whose weights are evaluated or trained on."""
        if self.mode == "retrain" or self.study.loads:
            return
        trained = sorted(seed for seed, one in self._originals(BASELINE, "retrain").items() if one.status == "ok")
        wanted = [one for one in trained if one in seeds] if self.mode == "reevaluate" else trained[:1]
        self.again.observer.stage(f"training the baseline, seeds {_listed(wanted)}: the weights are kept")
        self.dispatcher.run([self._trial(BASELINE, seed, "retrain") for seed in wanted])

    def _measure(self, arms: Sequence[str], seeds: Sequence[int], *, early: bool) -> None:
        trials = [self._trial(arm, seed) for seed in seeds for arm in arms if seed in self._originals(arm)]
        self.again.observer.stage(f"{self.mode}, seeds {_listed(seeds)}: {', '.join(arms)}")
        evidence = self.study.evidence(self.dispatcher, self.mode)
        bundle, offers = self.again.bundle, self.study.checks[BASELINE].offers
        asked = asked_again(evidence, offers, self.plan, bundle.trials, bundle.manifest.deltas) if early else None
        self.dispatcher.run(trials, asked_at=asked)

    def _trial(self, arm: str, seed: int, mode: Mode | None = None) -> Trial:
        return trial_of(self.again.place.setting, self.study.plans, mode or self.mode, arm, seed)

    def _checked(self) -> Compared:
        """Of what never got past its check: one step again."""
        part = self.plan.model_copy(update={"ablations": [self.ablation]})
        study = self.study
        found = run_checks(self.again.place.setting, part, self.pool, study.ledger, self.again.observer)
        study.checks |= found
        verdicts = judge_checks(study.checks, {self.row.ablation: self.ablation})
        before = next(iter(self.row.effects.values())).verdict
        now, why = verdicts.stopped.get(self.row.ablation, ("ok", ""))
        differs = [] if before == now else [why or "it gets past its check now"]
        return Compared(arm=self._arm, seed=0, same=before == now, status=(before, now), differs=differs)

    # what came out

    def _compared(self, seeds: Sequence[int]) -> list[Compared]:
        """Every trial that was run; what was given up, since earlier ones had told enough, is none."""
        found: list[Compared] = []
        for arm in (BASELINE, *self.members, self._arm):
            rows = self.dispatcher.arm(self.mode, arm).trials
            for seed, before in self._originals(arm).items():
                row = rows.get(seed)
                if seed in seeds and row is not None and row.status in FINISHED:
                    found.append(compared(before, told(row, self.study.ledger)))
        return found

    @cached_property
    def _evidence(self) -> Evidence:
        """On the split that the report is of."""
        evidence = self.study.evidence(self.dispatcher, self.mode)
        splits, wanted = splits_of(evidence.baseline), self.again.bundle.manifest.split
        return replace(evidence, split=wanted if wanted in splits or not splits else splits[0])

    def _figure(self, metric: str, seeds: Sequence[int]) -> float | None:
        """Delta, or contrast, as it comes out here."""
        evidence = self._evidence
        if evidence.by_examples(metric):
            found = find(evidence, metric)
            effect = next((one for one in found.effects if one.ablation == self.row.ablation), None)
            joint = next((one for one in found.interactions if one.ablation == self.row.ablation), None)
            contrast = self.row.figure(metric)[0] == "contrast"
            return (joint.contrast if joint else None) if contrast else (effect.delta if effect else None)
        return self._over_seeds(metric, seeds)

    def _over_seeds(self, metric: str, seeds: Sequence[int]) -> float | None:
        """The mean over the seeds at which all that it is made of was measured."""
        joint = self.row.figure(metric)[0] == "contrast"
        arms = [self._values(arm, metric) for arm in (BASELINE, self._arm, *(self.members if joint else []))]
        shared = [seed for seed in seeds if all(seed in one for one in arms)]
        if not shared:
            return None
        deltas = [[one[seed] - arms[0][seed] for seed in shared] for one in arms[1:]]
        means = [sum(one) / len(one) for one in deltas]
        if not joint:
            return means[0]
        sign = 1 if self.again.place.setting.spec.metrics[metric].goal == "maximize" else -1
        return -sign * (means[0] - sum(means[1:]))

    def _values(self, arm: str, metric: str) -> dict[int, float]:
        split = self._evidence.split
        measured = [one for one in self.dispatcher.arm(self.mode, arm).measured if metric in one.metrics.get(split, {})]
        return {one.seed: one.metrics[split][metric] for one in measured}

    def _told(self, metric: str, trials: list[Compared], now: float | None) -> RowAgain:
        name, reported, interval, verdict = self.row.figure(metric)
        effect = self.row.effects[metric]
        return RowAgain(
            ablation=self.row.ablation,
            mode=self.mode,
            metric=metric,
            verdict=verdict_of(trials, self._arm, by_status=verdict in PROOFS, interval=interval, now=now),
            figure="contrast" if name == "contrast" else "delta",
            reported=reported,
            interval=interval,
            level=effect.level,
            now=now,
            seeds=sorted({one.seed for one in trials}),
            of=self.of,
            trials=trials,
            changed=self.again.bundle.changed,
            environment=self._differs,
            reason=effect.reason,
        )

    @property
    def _differs(self) -> list[str]:
        now = {**machine(), **self.study.ledger.recall("environment", {})}
        return differing(self.again.bundle.results.environment, now)


def _listed(seeds: Sequence[int]) -> str:
    return ", ".join(map(str, seeds)) or "none"


def require_runnable(rows: Sequence[Row], metric: str) -> None:
    """`BundleError` where a metric was not reported of a row."""
    for row in rows:
        if metric not in row.effects:
            known = ", ".join(row.effects)
            raise BundleError(f"{row.ablation} was not measured by {metric!r}", to_do=f"it was by: {known}")
