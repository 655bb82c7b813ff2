"""What is known of a run at this moment: told by those who watch it, asked by the thread that listens."""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from ...executor.outcomes import RETRIED, Outcome
from ..arms import Arm
from ..dispatch import Observer, OutOfBudget
from ..firstline import first_line
from ..ledger import Trial
from ..llm.patience import Watcher
from ..progress import Progress
from ..records.planning import Planning
from ..report.text import clipped, plain
from ..results import Results
from .clock import Deadline
from .control import Control
from .snapshot import Phase, RunningTrial, Snapshot, StudyNow

LEARNT, ATTENTION, AHEAD = 8, 20, 4
"""How many lines, and trials to come, are kept."""
LONGEST = 300
"""Characters of a line that is kept."""
Command = Literal["run", "overnight"]
State = Literal["waiting", "running", "complete", "stopped", "failed"]
OVER: tuple[State, ...] = ("complete", "stopped", "failed")


class Watching(Observer, Watcher, Protocol):
    """Whoever watches a study and its language model."""


@dataclass
class _Study:
    """What is known of one study."""

    file: str = ""
    state: State = "waiting"
    reason: str = ""
    stage: str = ""
    progress: Progress = field(default_factory=Progress)
    settled: int | None = None
    undecided: int | None = None
    coming: list[Trial] = field(default_factory=list[Trial])
    tokens: int | None = None
    cost: float | None = None


class Board:
    """Thread-safe. A run's own thread writes, others read."""

    def __init__(
        self,
        control: Control,
        studies: Sequence[tuple[str, str]] = (),
        *,
        command: Command = "overnight",
        deadline: Deadline | None = None,
    ) -> None:
        """`studies`: their names and files; `deadline`: None where there is none."""
        self._lock = threading.Lock()
        self._control, self._deadline = control, deadline
        self._command: Command = command
        self._started_at = time.time()
        self._phase: Phase = "checking"
        self._studies = {name: _Study(file=file) for name, file in studies}
        self._running: dict[tuple[str, str], tuple[Trial, float]] = {}
        """By study and key: since when, by the monotonic clock."""
        self._looked_at, self._idle = time.monotonic(), False
        """When it was last looked whether a pause keeps everything from running, and what was seen."""
        self._learnt: deque[str] = deque(maxlen=LEARNT)
        self._attention: deque[str] = deque(maxlen=ATTENTION)
        control.busy = lambda: self.busy

    @property
    def busy(self) -> bool:
        """Whether a trial runs or is about to, or the report is being written: what a stop waits for."""
        with self._lock:
            coming = any(one.coming for one in self._studies.values())
            return bool(self._running) or coming or self._phase == "reporting"

    @property
    def phase(self) -> Phase:
        """What the run does; a pause or a stop that was asked for goes before it."""
        with self._lock:
            return self._shown_phase()

    @phase.setter
    def phase(self, phase: Phase) -> None:
        with self._lock:
            self._phase = phase

    def study(
        self,
        name: str,
        *,
        file: str | None = None,
        state: State | None = None,
        reason: str | None = None,
        settled: int | None = None,
        undecided: int | None = None,
    ) -> None:
        """Say something of a study, a new one or one that is known; None leaves things as they are."""
        with self._lock:
            one = self._studies.setdefault(name, _Study())
            one.file = one.file if file is None else file
            one.reason = one.reason if reason is None else _clean(reason)
            one.settled = one.settled if settled is None else settled
            one.undecided = one.undecided if undecided is None else undecided
            if state is not None:
                one.state = state
            if state in OVER:
                self._put_away(name)

    def found(self, name: str, results: Results) -> None:
        """Count the verdicts of a study's sealed family, over its modes."""
        if told := results.settling.values():
            settled, undecided = sum(one.settled for one in told), sum(one.undecided for one in told)
            self.study(name, settled=settled, undecided=undecided)

    def broken_off(self, reason: str, *, failed: bool) -> None:
        """The run ends before its studies said how they did: those that are not over are stopped, or have failed."""
        with self._lock:
            names = [name for name, one in self._studies.items() if one.state not in OVER]
        for name in names:
            self.study(name, state="failed" if failed else "stopped", reason=reason)

    def spent(self, tokens: int, cost: float | None, *, study: str = "") -> None:
        """What asking a language model took so far, of one study or (without a name) beside them; cost in dollars."""
        with self._lock:
            one = self._studies.setdefault(study, _Study())
            one.tokens, one.cost = tokens, cost

    def learnt(self, lines: Iterable[str]) -> None:
        """Something can be said."""
        with self._lock:
            self._learnt.extend(_clean(line) for line in lines if line.strip())

    def attention(self, line: str) -> None:
        """Something went wrong."""
        with self._lock:
            self._attention.append(_clean(line))

    def observer(self, study: str, inner: Watching, bill: Callable[[], Planning | None] = lambda: None) -> "Noting":
        """One that passes everything on to `inner` and notes it here; `bill`: what planning has cost so far."""
        self.study(study, state="running")
        return Noting(self, study, inner, bill)

    def snapshot(self) -> Snapshot:
        """What is known now."""
        now = time.monotonic()
        with self._lock:
            self._look()
            spent = [one for one in self._studies.values() if one.tokens is not None]
            costs = [one.cost for one in spent]
            active = [one for one in self._studies.values() if one.state == "running"]
            ahead = [trial for one in active for trial in one.coming][:AHEAD]
            etas = (
                []
                if self._control.paused
                else [left for one in active if (left := one.progress.seconds_left()) is not None]
            )
            return Snapshot(
                pid=os.getpid(),
                command=self._command,
                started_at=self._started_at,
                deadline=self._deadline.at if self._deadline else None,
                seconds_left=self._deadline.seconds_left() if self._deadline else None,
                phase=self._shown_phase(),
                studies=[_told(name, one) for name, one in self._studies.items() if name],
                running=[_running(name, trial, now - at) for (name, _), (trial, at) in self._running.items()],
                next=[f"{_clean(one.arm)} (seed {one.seed})" for one in ahead],
                eta_seconds=max(etas, default=None),
                learnt=list(self._learnt),
                attention=list(self._attention),
                tokens=sum(one.tokens or 0 for one in spent) if spent else None,
                cost=None if not costs or None in costs else sum(one or 0.0 for one in costs),
            )

    # what observers note

    def stage(self, study: str, text: str) -> None:
        """A new stage of a study begins."""
        with self._lock:
            one = self._studies.setdefault(study, _Study())
            one.stage, one.progress, one.coming = _clean(text), Progress(), []

    def planned(self, study: str, trials: int, *, further: bool) -> None:
        """So many trials are to be run now."""
        with self._lock:
            self._studies.setdefault(study, _Study()).progress.plan(trials, further=further)

    def coming(self, study: str, trials: Sequence[Trial]) -> None:
        """What starts next."""
        with self._lock:
            self._studies.setdefault(study, _Study()).coming = list(trials)

    def started(self, study: str, trial: Trial) -> None:
        """A trial runs; one that ran already is tried again."""
        with self._lock:
            self._look()
            if (study, trial.key) in self._running:
                self._attention.append(
                    _clean(f"{trial.arm} seed {trial.seed}: ended by its limits or killed; tried again")
                )
            self._running[study, trial.key] = trial, time.monotonic()
            self._phase = "running"

    def finished(self, study: str, trial: Trial, outcome: Outcome) -> None:
        """A trial has ended."""
        with self._lock:
            self._look()
            self._running.pop((study, trial.key), None)
            self._look()
            self._studies.setdefault(study, _Study()).progress.done += 1
            if outcome.status not in ("ok", "no-op"):
                again = " (tried twice)" if outcome.status in RETRIED else ""
                said = f"{trial.arm} seed {trial.seed}: {outcome.status}{again}: {first_line(outcome.message or '')}"
                self._attention.append(_clean(said))

    def tick(self) -> None:
        """Some time has passed."""
        with self._lock:
            self._look()

    def _look(self) -> None:
        """Time in which a pause let nothing run is left out of every pace; what still runs in a pause counts."""
        now = time.monotonic()
        if self._idle:
            for one in self._studies.values():
                one.progress.waited(now - self._looked_at)
        self._looked_at, self._idle = now, self._control.paused and not self._running

    def _put_away(self, study: str) -> None:
        self._studies[study].coming = []
        for key in [key for key in self._running if key[0] == study]:
            del self._running[key]

    def _shown_phase(self) -> Phase:
        if self._control.stopping is not None:
            return "stopping"
        return "paused" if self._control.paused else self._phase

    def require_going_on(self) -> None:
        """Nothing is asked of a model any more once somebody wants the end. Raises `OutOfBudget`."""
        if reason := self._control.stopping:
            raise OutOfBudget(reason)


class Noting:
    """Watches one study for a board, and passes everything on."""

    def __init__(self, board: Board, study: str, inner: Watching, bill: Callable[[], Planning | None]) -> None:
        self._board, self._study, self.inner, self.bill = board, study, inner, bill

    def stage(self, text: str) -> None:
        """A new stage begins."""
        self._board.stage(self._study, text)
        self._count_the_bill()
        self.inner.stage(text)

    def planned(self, trials: int, *, further: bool = False) -> None:
        """So many trials are to be run now."""
        self._board.planned(self._study, trials, further=further)
        self.inner.planned(trials, further=further)

    def coming(self, trials: Sequence[Trial]) -> None:
        """What starts next."""
        self._board.coming(self._study, trials)
        self.inner.coming(trials)

    def started(self, trial: Trial) -> None:
        """A trial starts."""
        self._board.started(self._study, trial)
        self.inner.started(trial)

    def finished(self, trial: Trial, outcome: Outcome, arm: Arm, baseline: Arm) -> None:
        """A trial has ended."""
        self._board.finished(self._study, trial, outcome)
        self.inner.finished(trial, outcome, arm, baseline)

    def tick(self) -> None:
        """Some time has passed."""
        self._board.tick()
        self.inner.tick()

    def learnt(self, lines: Sequence[str]) -> None:
        """Something can be said about the study."""
        self._board.learnt(lines)
        self._count_the_bill()
        self.inner.learnt(lines)

    def asking(self, text: str) -> None:
        """The language model is asked. Raises `OutOfBudget` where somebody wants the end: planning is never waited for."""
        self._board.require_going_on()
        self._board.stage(self._study, text)
        self._board.phase = "planning"
        self._count_the_bill()
        self.inner.asking(text)

    def waiting(self, text: str) -> None:
        """The language model's server makes us wait."""
        self._board.attention(text)
        self.inner.waiting(text)

    def streaming(self, tokens: int, delta: str) -> None:
        """A piece of an answer came."""
        self.inner.streaming(tokens, delta)

    def _count_the_bill(self) -> None:
        if bill := self.bill():
            self._board.spent(bill.tokens_sent + bill.tokens_received, bill.cost, study=self._study)


def _told(name: str, one: _Study) -> StudyNow:
    return StudyNow(
        name=name,
        file=one.file,
        state=one.state,
        reason=one.reason,
        stage=one.stage,
        done=one.progress.done,
        total=one.progress.total,
        settled=one.settled,
        undecided=one.undecided,
    )


def _running(study: str, trial: Trial, seconds: float) -> RunningTrial:
    return RunningTrial(study=study, arm=_clean(trial.arm), mode=trial.mode, seed=trial.seed, seconds=round(seconds, 1))


def _clean(text: str) -> str:
    return clipped(plain(text), LONGEST)
