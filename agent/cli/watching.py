"""Those who watch a run: a live display on a terminal, plain lines elsewhere, JSON records for programs."""

import json
import sys
import time
from collections.abc import Sequence
from typing import Any, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ...executor.outcomes import Outcome
from ..arms import SEARCHED, Arm
from ..ledger import Trial
from ..progress import Progress
from ..report.text import lines, plain

ROWS = 8
SETTLED = "settled early"
QUIET_SECONDS = 20.0
"""Without a terminal, a line of progress at most this often."""


class Lines:
    """Plain lines, for logs and pipes."""

    def __init__(self, metric: str, stream: TextIO) -> None:
        self.metric, self.stream = metric, stream
        self.progress = Progress()
        self._last = time.monotonic()

    def stage(self, text: str) -> None:
        """A new stage."""
        self.progress = Progress()
        self._say(f"• {text}")

    def planned(self, trials: int, *, further: bool = False) -> None:
        """Trials of this stage."""
        self.progress.plan(trials, further=further)

    def coming(self, trials: Sequence[Trial]) -> None:
        """Nothing to say."""

    def started(self, trial: Trial) -> None:
        """Nothing to say."""

    def finished(self, trial: Trial, outcome: Outcome, arm: Arm, baseline: Arm) -> None:
        """Failures at once; progress now and then."""
        self.progress.done += 1
        if outcome.status not in ("ok", "no-op"):
            log = f" (log: {outcome.log})" if outcome.log else ""
            self._say(f"  {trial.arm} seed {trial.seed}: {outcome.status}: {first_line(outcome.message)}{log}")
        if time.monotonic() - self._last > QUIET_SECONDS:
            self._last = time.monotonic()
            last = "" if is_of_search(arm) else f"; last: {so_far(arm, baseline, self.metric)}"
            self._say(f"  {self.progress.line()}{last}")

    def tick(self) -> None:
        """Nothing to redraw."""

    def learnt(self, lines: Sequence[str]) -> None:
        """What can be said now."""
        for line in lines:
            self._say(f"  {line}")

    def asking(self, text: str) -> None:
        """The language model is asked."""
        self.stage(text)

    def waiting(self, text: str) -> None:
        """The language model's server makes us wait."""
        self._say(f"  {text}")

    def streaming(self, tokens: int, delta: str) -> None:
        """A log shows whole answers only."""

    def close(self) -> None:
        """Nothing to tidy up."""

    def _say(self, text: str) -> None:
        print(lines(text), file=self.stream, flush=True)


class Records(Lines):
    """One JSON record a line on stdout; the plain lines go to stderr."""

    def __init__(self, metric: str) -> None:
        super().__init__(metric, sys.stderr)

    def stage(self, text: str) -> None:
        """A new stage, as a record too."""
        super().stage(text)
        emit({"event": "stage", "text": text})

    def finished(self, trial: Trial, outcome: Outcome, arm: Arm, baseline: Arm) -> None:
        """One record a trial."""
        super().finished(trial, outcome, arm, baseline)
        record = {"event": "trial", "arm": trial.arm, "mode": trial.mode, "seed": trial.seed, "key": trial.key}
        emit(
            {
                **record,
                "status": outcome.status,
                "reason": outcome.message,
                "log": outcome.log,
                "metrics": outcome.metrics,
                "seconds": outcome.wall_seconds,
            }
        )


class Screen(Lines):
    """A terminal: what runs, what was learnt, how long it takes; lines scroll away above."""

    def __init__(self, metric: str) -> None:
        super().__init__(metric, sys.stderr)
        self.console = Console(stderr=True, highlight=False)
        self._recent: dict[tuple[str, str], tuple[Arm, Arm]] = {}
        self._running: dict[str, Trial] = {}
        self._answer, self._tokens = "", 0
        """Of the language model, while it comes."""
        self._live = Live(console=self.console, get_renderable=self._render, refresh_per_second=4, transient=True)
        self._live.start()

    def stage(self, text: str) -> None:
        """A new stage."""
        self._answer = ""
        super().stage(text)

    def streaming(self, tokens: int, delta: str) -> None:
        """The end of the language model's answer, as it comes."""
        self._answer = f"{self._answer}{delta}"[-200:]
        self._tokens = tokens

    def started(self, trial: Trial) -> None:
        """It runs now."""
        self._answer = ""
        self._running[trial.key] = trial

    def finished(self, trial: Trial, outcome: Outcome, arm: Arm, baseline: Arm) -> None:
        """Its arm moves to the top of the table."""
        self._running.pop(trial.key, None)
        self._recent.pop((trial.mode, trial.arm), None)
        if trial.arm != baseline.id and not is_of_search(arm):
            self._recent[trial.mode, trial.arm] = (arm, baseline)
        self.progress.done += 1
        if outcome.status not in ("ok", "no-op"):
            log = f" (log: {outcome.log})" if outcome.log else ""
            self._say(f"  {trial.arm} seed {trial.seed}: {outcome.status}: {first_line(outcome.message)}{log}")

    def close(self) -> None:
        """Give the terminal back."""
        self._live.stop()

    def _say(self, text: str) -> None:
        self.console.print(Text(lines(text)), soft_wrap=True)

    def _render(self) -> Group:
        table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
        for column in ("so far", f"Δ {self.metric}", "seeds"):
            table.add_column(Text(plain(column)), overflow="ellipsis", no_wrap=True)
        for (_mode, name), (arm, baseline) in list(reversed(self._recent.items()))[:ROWS]:
            table.add_row(Text(plain(name)), *delta_so_far(arm, baseline, self.metric))
        running = ", ".join(f"{one.arm} (seed {one.seed})" for one in self._running.values())
        if self._answer:
            told = plain(self._answer)[-self.console.width + 24 :]
            return Group(Text(f"  {self._tokens:,} tokens  {told}", style="dim", overflow="ellipsis", no_wrap=True))
        foot = Text(f"{self.progress.line()}  {plain(running)}", style="bold", overflow="ellipsis", no_wrap=True)
        return Group(table, foot) if self._recent else Group(foot)


def watcher(metric: str, *, as_json: bool) -> "Lines":
    """Whoever fits: records, a terminal, or a log."""
    if as_json:
        return Records(metric)
    return Screen(metric) if sys.stderr.isatty() else Lines(metric, sys.stderr)


def emit(record: dict[str, Any]) -> None:
    """One record on stdout."""
    print(json.dumps(record), flush=True)


def is_of_search(arm: Arm) -> bool:
    """Whether it is one of a search's many sets, which tell nothing by themselves."""
    return arm.id.startswith(SEARCHED)


def so_far(arm: Arm, baseline: Arm, metric: str) -> str:
    """E.g. `config:dropout Δ −0.0123 (5 seeds, unadjusted)`."""
    if early := ended_early(arm):
        return f"{arm.id} {SETTLED} ({early})"
    delta, seeds = delta_so_far(arm, baseline, metric)
    return (
        f"{arm.id} Δ {delta} ({seeds} seeds, no verdict yet)"
        if arm.id != baseline.id
        else f"{seeds or len(arm.measured)} baseline seeds"
    )


def delta_so_far(arm: Arm, baseline: Arm, metric: str) -> tuple[str, str]:
    """Mean paired difference on the split that may be looked at, and the number of seeds.

    Of an arm that ended early: how far it was evaluated; its mean is of other examples than the baseline's.
    """
    if early := ended_early(arm):
        return SETTLED, early
    pairs = [
        (value(row.metrics, metric), value(baseline.trials[row.seed].metrics, metric))
        for row in arm.measured
        if row.seed in baseline.trials
    ]
    known = [ablated - usual for ablated, usual in pairs if ablated is not None and usual is not None]
    return (f"{sum(known) / len(known):+.4f}", str(len(known))) if known else ("–", "0")


def ended_early(arm: Arm) -> str | None:
    """How far its evaluation went on `validation`, or on the only split there is; None where it went through the set."""
    told = [row.facts.seen for row in arm.measured if row.facts.seen]
    seen = [each.get("validation") or next(iter(each.values())) for each in told]
    return next((f"{one.examples} of {one.of} examples" for one in seen if one.examples < one.of), None)


def value(metrics: dict[str, dict[str, float]], metric: str) -> float | None:
    """A metric on `validation`, or on the only split there is; never on `test`."""
    split = metrics.get("validation") or next(iter(metrics.values()), {})
    return split.get(metric)


def first_line(text: str | None) -> str:
    """The first line of a message, short."""
    return (text or "").strip().partition("\n")[0][:200]
