"""Feeds planned trials to the pool, writes every outcome at once, and stops starting when the budget is spent."""

import statistics
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from ..executor.errors import ExperimentError, LesionError
from ..executor.interventions import source_edits
from ..executor.outcomes import RETRIED, Outcome
from ..executor.overlay import Overlay
from ..executor.pool import Pool
from ..executor.worker import PLAIN
from .arms import MEASURED, UNCOMPARED, Arm, Arms, arms_of, seconds_of
from .budget import Budget
from .jobs import Workshop
from .ledger import Ledger, Trial, TrialRow, facts_of
from .planning.plan import BASELINE
from .rescoring import scored_anew
from .results import Mode
from .setting import Setting
from .stopping import AskedAt
from .triallogs import with_log

ATTEMPTS = 2
REMARKS = "remarks of evaluations"
LONGEST_REMARK = 300
SHOWN_AHEAD = 4
"""Trials that observers are told of before they start."""


class OutOfBudget(Exception):
    """The budget allows no further start; everything that ran is kept."""


class SourceEdited(OutOfBudget, LesionError):
    """Source, configuration or inputs are no longer what the version was made of; what ended before is kept."""

    exit_code = 4


def require_unedited(setting: Setting) -> None:
    """`SourceEdited` where the files are no longer what the version was made of."""
    if edit := setting.edit():
        raise SourceEdited(edit)


class Observer(Protocol):
    """Whoever watches a study: the terminal, a stream of JSON records, a test."""

    def stage(self, text: str) -> None:
        """A new stage begins."""
        ...

    def planned(self, trials: int, *, further: bool = False) -> None:
        """So many trials are to be run now; `further`: in addition to those before, as an open search goes on."""
        ...

    def coming(self, trials: Sequence[Trial]) -> None:
        """What starts next, a few of them."""
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

    workshop: Workshop
    ledger: Ledger
    pool: Pool
    budget: Budget
    observer: Observer

    def __post_init__(self) -> None:
        self.setting = self.workshop.setting
        self._trained: dict[str, Outcome] = {}
        """Trainings whose weights are being scored."""
        self._asked_at: AskedAt | None = None
        self.arms: Arms = arms_of(self.ledger.trials(self.setting.version))
        self._retry_what_limits_ended()

    def arm(self, mode: Mode, name: str) -> Arm:
        """The trials of an arm in one mode; empty before any ran."""
        return self.arms[mode].get(name, Arm(name, mode))

    def run(self, trials: Sequence[Trial], *, goes_on: bool = False, asked_at: AskedAt | None = None) -> None:
        """Run `trials` in order, those that are not finished. Raises `OutOfBudget` once nothing more may start.

        `SourceEdited`: what still ran or has just ended is planned again, and nothing of it is written.

        `goes_on`: their results decide what runs next, so that workers are kept warm for it. `asked_at`: what evaluations of
        a trained model are told beside what they remove.
        """
        self._asked_at = asked_at
        self.ledger.plan_trials(self.setting.version, trials)
        waiting = deque(one for one in trials if not self.is_done(one))
        self.observer.planned(len(waiting), further=goes_on)
        running: dict[str, Trial] = {}
        refusal: str | None = None
        while running or (waiting and not refusal):
            while waiting and not refusal and self.pool.free > 0:
                if self.budget.held():
                    refusal = self.budget.refusal(0.0)
                    break
                self._require_unedited(running)
                refusal = self._start(waiting, running, goes_on)
            finished = self.pool.wait(0.25)
            if finished:
                self._require_unedited(running)
            for tag, outcome in finished:
                whole = self._scored(running[tag], outcome)
                if whole is None:
                    self.pool.submit(self.workshop.rescore(running[tag]), *self._coming(waiting, running, goes_on))
                    continue
                trial = running.pop(tag)
                if not self._record(trial, whole):
                    waiting.appendleft(trial)
            self.observer.coming(list(islice(waiting, SHOWN_AHEAD)))
            self.observer.tick()
        if refusal:
            raise OutOfBudget(refusal)

    def _require_unedited(self, running: dict[str, Trial]) -> None:
        try:
            require_unedited(self.setting)
        except SourceEdited:
            for trial in running.values():
                if trial.mode == "retrain" and trial.arm == BASELINE and self.workshop.keeps_weights:
                    self.workshop.checkpoint(trial.seed).unlink(missing_ok=True)
            self.ledger.requeue(self.setting.version)
            raise

    def _start(self, waiting: deque[Trial], running: dict[str, Trial], goes_on: bool) -> str | None:
        """Start what comes next, or give it up; why nothing more may start, where that is so."""
        trial = waiting[0]
        if closed := _closed(self.arm(trial.mode, trial.arm)):
            waiting.popleft()
            self.ledger.skip(self.setting.version, trial.arm, trial.mode, closed)
            self.observer.planned(-1, further=True)
            return None
        seconds = self._expected_seconds(trial.mode)
        if refusal := self.budget.refusal(seconds):
            return refusal
        if not self.budget.started:
            self.ledger.remember("state", "running")
        if lacking := self.workshop.lacks(trial):
            self.ledger.start(trial.key, self.setting.limits_note(), self.pool.station.sandbox.name)
            self._record(waiting.popleft(), Outcome(status="invalid", message=lacking))
            return None
        room = self.budget.room(seconds)
        job, trials = self.workshop.next_job(waiting, self.pool.workers, seconds, room, self._asked_at)
        for one in trials:
            self.ledger.start(one.key, self.setting.limits_note(), self.pool.station.sandbox.name)
            running[one.key] = one
            self.observer.started(one)
        self.budget.started += len(trials)
        self.pool.submit(job, *self._coming(waiting, running, goes_on))
        return None

    def _coming(self, waiting: deque[Trial], running: dict[str, Trial], goes_on: bool) -> tuple[int, list[Overlay]]:
        """How many jobs are still to come, and the views of the next of them: what is scored anew, then what waits."""
        training = [one for one in running.values() if one.key not in self._trained]
        again = [PLAIN for one in training if self.workshop.is_rescored(one)]
        ahead = [*again, *(self.workshop.overlay(one) for one in islice(waiting, self.pool.workers))]
        return len(again) + len(waiting) + (self.pool.workers if goes_on else 0), ahead

    def _scored(self, trial: Trial, outcome: Outcome) -> Outcome | None:
        """The outcome with the figures that count; None where its weights are to be evaluated by the unedited source first.

        Who scored it is our word, never the trial's.
        """
        trained, weights = self._trained.pop(trial.key, None), self.workshop.rescoring.checkpoint(trial)
        if trained is not None:
            weights.unlink(missing_ok=True)
            return scored_anew(trained, outcome)
        plain = outcome.model_copy(update={"scored_by": None, "own": {}, "family": self._family(trial, outcome)})
        if not source_edits(self.workshop.interventions[trial.arm]) or outcome.status != "ok":
            return plain
        if not self.workshop.is_rescored(trial):
            return plain.model_copy(update={"scored_by": "edited"})
        self._trained[trial.key] = plain
        return None

    def _family(self, trial: Trial, outcome: Outcome) -> int | None:
        """Tests that the rule which may have ended an evaluation early was told of; None where no such rule was applied."""
        return self._asked_at(trial.seed).of(trial.arm)["family"] if self._asked_at and outcome.seen else None

    def _record(self, trial: Trial, outcome: Outcome) -> bool:
        """Write an outcome; False where the trial is to be tried once more."""
        judged = with_log(self._judge(trial, outcome), self.ledger.path.parent, trial.key)
        self._require_same_weights(trial, judged)
        self.ledger.finish(trial.key, judged)
        attempts, _ = self.ledger.attempts(trial.key)
        if judged.status in RETRIED and attempts < ATTEMPTS:
            self.ledger.retry(trial.key)
            return False
        row = TrialRow(
            trial.key,
            trial.arm,
            trial.mode,
            trial.seed,
            judged.status,
            judged.message,
            judged.metrics,
            judged.fingerprint,
            judged.changed,
            judged.wall_seconds,
            judged.peak_memory,
            facts_of(judged),
        )
        arm = self.arms[trial.mode].setdefault(trial.arm, Arm(trial.arm, trial.mode))
        arm.trials[trial.seed] = row
        if trial.mode == "reevaluate":
            self._say_once(judged.remarks)
        self.observer.finished(trial, judged, arm, self.arm(trial.mode, BASELINE))
        return True

    def _say_once(self, remarks: Sequence[str]) -> None:
        """What an evaluation has to say of itself, as that replay was given up; the report repeats it."""
        known: dict[str, list[str]] = self.ledger.recall(REMARKS, {})
        said = known.get(self.setting.version, [])
        if new := [one for one in dict.fromkeys(one[:LONGEST_REMARK] for one in remarks) if one not in said]:
            self.ledger.remember(REMARKS, {**known, self.setting.version: [*said, *new]})
            self.observer.learnt(new)

    def _require_same_weights(self, trial: Trial, outcome: Outcome) -> None:
        """`ExperimentError` where a baseline that was trained again came to other weights than its evaluations began with."""
        before = self.arm(trial.mode, trial.arm).trials.get(trial.seed)
        if before is None or before.fingerprint is None or not self.workshop.keeps_weights:
            return
        again = trial.arm == BASELINE and trial.mode == "retrain" and outcome.status == "ok"
        if again and outcome.fingerprint != before.fingerprint:
            self.workshop.checkpoint(trial.seed).unlink(missing_ok=True)
            raise ExperimentError(
                f"the baseline's weights at seed {trial.seed} were gone, and training it again gave others: what was evaluated "
                "on the old ones cannot be gone on with",
                where=str(self.setting.spec.entry_file or self.setting.spec.path),
                to_do="put the checkpoints folder back, or start anew under another study.name or --state",
            )

    def _judge(self, trial: Trial, outcome: Outcome) -> Outcome:
        """An `ok` trial whose results equal the baseline's, bit for bit, is a no-op, or masked if edited tensors changed."""
        if outcome.status != "ok" or trial.arm == BASELINE:
            return outcome
        placebo = any(proof.removal == "placebo" for proof in outcome.proofs)
        idle = outcome.proofs and not outcome.changed and not placebo
        if idle and len(outcome.proofs) == len(self.workshop.interventions[trial.arm]):
            return outcome.model_copy(update={"status": "no-op", "message": outcome.idle_reason})
        equal = self._equals_baseline(trial, outcome)
        if equal is None:
            return outcome.model_copy(update={"message": UNCOMPARED})
        if not equal:
            return outcome
        if outcome.changed:
            return outcome.model_copy(update={"message": "masked"})
        told = "; ".join(filter(None, ["results equal the baseline's, bit for bit", outcome.message]))
        return outcome.model_copy(update={"status": "no-op", "message": told})

    def _equals_baseline(self, trial: Trial, outcome: Outcome) -> bool | None:
        """Bit for bit, in all that it was evaluated on; None where the baseline has no run at this seed."""
        if outcome.same is not None:
            return outcome.same
        baseline = self.arm(trial.mode, BASELINE).trials.get(trial.seed)
        known = (outcome.fingerprint, outcome.metrics)
        if baseline is None or baseline.status not in MEASURED:
            return None
        return (baseline.fingerprint, baseline.metrics) == known

    def is_done(self, trial: Trial) -> bool:
        """Whether nothing of a trial is left to run.

        A baseline whose weights are needed and gone is trained again; what stopped early is evaluated whole once the study
        no longer wants that.
        """
        row = self.arm(trial.mode, trial.arm).trials.get(trial.seed)
        if row is None or row.status in ("planned", "running", "skipped"):
            return False
        whole = self.setting.spec.study.stop_early is False
        if whole and any(one.examples < one.of for one in row.facts.seen.values()):
            return False
        return not (row.status == "ok" and self.workshop.lacks_weights(trial))

    def _expected_seconds(self, mode: Mode) -> float:
        rows = (row for arm in self.arms[mode].values() for row in arm.trials.values())
        seconds = [taken for row in rows if (taken := seconds_of(row) if mode == "reevaluate" else row.wall_seconds)]
        return 1.5 * statistics.median(seconds[-50:]) if seconds else 0.0

    def _retry_what_limits_ended(self) -> None:
        for arm in (arm for arms in self.arms.values() for arm in arms.values()):
            for seed, row in list(arm.trials.items()):
                if row.status in RETRIED and self.ledger.attempts(row.key)[1] != self.setting.limits_note():
                    self.ledger.retry(row.key)
                    arm.trials[seed] = row._replace(status="planned")


def _closed(arm: Arm) -> str | None:
    """Why the rest of an arm is not worth running."""
    if arm.broken or arm.hopeless:
        return f"every one of {len(arm.failed)} finished seeds failed"
    return "results equal the baseline's, bit for bit" if arm.idle else None
