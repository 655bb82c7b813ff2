"""Feeds planned trials to the pool, writes every outcome at once, and stops starting when the budget is spent."""

import statistics
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..executor.interventions import Intervention
from ..executor.outcomes import RETRIED, Outcome
from ..executor.pool import Pool
from .arms import Arm, arms_of
from .budget import Budget
from .ledger import Ledger, Trial, TrialRow
from .planning.plan import BASELINE
from .setting import Setting

ATTEMPTS = 2


class OutOfBudget(Exception):
    """The budget allows no further start; everything that ran is kept."""


class Observer(Protocol):
    """Whoever watches a study: the terminal, a stream of JSON records, a test."""

    def stage(self, text: str) -> None:
        """A new stage begins."""
        ...

    def planned(self, trials: int) -> None:
        """So many trials are to be run now."""
        ...

    def started(self, trial: Trial) -> None:
        """A trial starts."""
        ...

    def finished(self, trial: Trial, outcome: Outcome, arm: Arm, baseline: Arm) -> None:
        """A trial has ended."""
        ...

    def tick(self) -> None:
        """Some time has passed."""
        ...

    def learnt(self, lines: Sequence[str]) -> None:
        """Something can be said about the study."""
        ...


@dataclass
class Dispatcher:
    """Runs trials of one study on one pool."""

    setting: Setting
    ledger: Ledger
    pool: Pool
    budget: Budget
    observer: Observer
    interventions: dict[str, list[Intervention]]
    """Arm → what is removed in it."""

    def __post_init__(self) -> None:
        self.arms: dict[str, Arm] = arms_of(self.ledger.trials(self.setting.version))
        self._retry_what_limits_ended()

    def run(self, trials: Sequence[Trial], finished: Callable[[Trial], None] = lambda _: None) -> None:
        """Run `trials` in order, those that are not finished. Raises `OutOfBudget` once nothing more may start."""
        self.ledger.plan_trials(self.setting.version, trials)
        waiting = deque(one for one in trials if not self._is_done(one))
        self.observer.planned(len(waiting))
        running: dict[str, Trial] = {}
        refusal: str | None = None
        while running or (waiting and not refusal):
            while waiting and not refusal and self.pool.free > 0:
                refusal = self._start(waiting, running)
            for tag, outcome in self.pool.wait(0.25):
                trial = running.pop(tag)
                if self._record(trial, outcome):
                    finished(trial)
                else:
                    waiting.appendleft(trial)
            self.observer.tick()
        if refusal:
            raise OutOfBudget(refusal)

    def _start(self, waiting: deque[Trial], running: dict[str, Trial]) -> str | None:
        trial = waiting.popleft()
        arm = self.arms.get(trial.arm)
        if arm and (closed := _closed(arm)):
            self.ledger.skip(self.setting.version, trial.arm, closed)
            self.observer.planned(-1)
            return None
        refusal = self.budget.refusal(self._expected_seconds())
        if refusal:
            waiting.appendleft(trial)
            return refusal
        config = self.setting.configured(self.interventions[trial.arm])
        job = self.setting.experiment.job("trial", config, self.interventions[trial.arm], trial.seed)
        if not self.budget.started:
            self.ledger.remember("state", "running")
        self.ledger.start(trial.key, self.setting.limits_note(), self.pool.station.sandbox.name)
        self.budget.started += 1
        running[trial.key] = trial
        self.observer.started(trial)
        self.pool.submit(trial.key, job, still_to_come=len(waiting))
        return None

    def _record(self, trial: Trial, outcome: Outcome) -> bool:
        """Write an outcome; False where the trial is to be tried once more."""
        judged = self._judge(trial, outcome)
        self.ledger.finish(trial.key, judged)
        attempts, _ = self.ledger.attempts(trial.key)
        if judged.status in RETRIED and attempts < ATTEMPTS:
            self.ledger.retry(trial.key)
            return False
        row = TrialRow(
            trial.key,
            trial.arm,
            trial.seed,
            judged.status,
            judged.message,
            judged.metrics,
            judged.fingerprint,
            judged.changed,
            judged.wall_seconds,
            judged.peak_memory,
        )
        self.arms.setdefault(trial.arm, Arm(trial.arm)).trials[trial.seed] = row
        self.observer.finished(trial, judged, self.arms[trial.arm], self.arms.get(BASELINE, Arm(BASELINE)))
        return True

    def _judge(self, trial: Trial, outcome: Outcome) -> Outcome:
        """An `ok` trial whose results equal the baseline's, bit for bit, is a no-op, or masked if edited tensors changed."""
        if outcome.status != "ok" or trial.arm == BASELINE:
            return outcome
        removed = self.interventions[trial.arm]
        if outcome.proofs and not outcome.changed and len(outcome.proofs) == len(removed):
            reason = "the edited tensors never changed" if outcome.fired else "the module was never called"
            return outcome.model_copy(update={"status": "no-op", "message": reason})
        baseline = self.arms[BASELINE].trials.get(trial.seed) if BASELINE in self.arms else None
        if baseline is None or (baseline.fingerprint, baseline.metrics) != (outcome.fingerprint, outcome.metrics):
            return outcome
        if outcome.changed:
            return outcome.model_copy(update={"message": "masked"})
        return outcome.model_copy(update={"status": "no-op", "message": "results equal the baseline's, bit for bit"})

    def _is_done(self, trial: Trial) -> bool:
        arm = self.arms.get(trial.arm)
        row = arm.trials.get(trial.seed) if arm else None
        return row is not None and row.status not in ("planned", "running", "skipped")

    def _expected_seconds(self) -> float:
        seconds = [row.wall_seconds for arm in self.arms.values() for row in arm.trials.values() if row.wall_seconds]
        return 1.5 * statistics.median(seconds[-50:]) if seconds else 0.0

    def _retry_what_limits_ended(self) -> None:
        for arm in self.arms.values():
            for seed, row in list(arm.trials.items()):
                if row.status in RETRIED and self.ledger.attempts(row.key)[1] != self.setting.limits_note():
                    self.ledger.retry(row.key)
                    arm.trials[seed] = row._replace(status="planned")


def _closed(arm: Arm) -> str | None:
    """Why the rest of an arm is not worth running."""
    if arm.broken or arm.hopeless:
        return f"every one of {len(arm.failed)} finished seeds failed"
    return "results equal the baseline's, bit for bit" if arm.idle else None
