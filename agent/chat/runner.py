"""The process in which a conversation's trials run: `lesion run` in a session of its own, which stops when the conversation dies."""

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ..ledgerfile import explained
from .session import FOLDER

DETACH = b"detach\n"
GRACE = 20.0
"""Seconds from the first signal to the second: what runs is ended, what is finished is written."""
MOST_LINES = 8
ERROR = "lesion: "


class Ended(NamedTuple):
    """How a run ended."""

    code: int
    """As `lesion run` gives it; negative: the signal that killed it."""
    last: tuple[str, ...]
    """The lines of its log that tell why, as they stand there."""


@dataclass(frozen=True)
class Allowed:
    """What every run of a conversation is given."""

    workers: int | None = None
    unsafe: bool = False
    """Without a sandbox."""


@dataclass(frozen=True)
class PlannerFlags:
    """Who plans where the whole study is run, as the flags of `lesion run` say it."""

    kind: str | None = None
    model: str | None = None
    base_url: str | None = None


class Runner:
    """Starts, watches and ends one run at a time: only what it started itself."""

    def __init__(self, study: Path, state: Path, allowed: Allowed | None = None) -> None:
        self.study, self.state, self.allowed = study, state, allowed or Allowed()
        self.log = state / FOLDER / "run.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._ends: list[Ended] = []
        self._from = 0
        """Where the log of this run begins."""

    @property
    def running(self) -> int | None:
        """The process that runs now; None where none does."""
        return self._process.pid if self._process and self._process.poll() is None else None

    @property
    def busy(self) -> bool:
        """Whether a run was started whose end nobody has asked for yet."""
        return self._process is not None or bool(self._ends)

    def start(
        self, *, whole: PlannerFlags | None = None, max_trials: int | None = None, seconds: float | None = None
    ) -> int:
        """Run what is sealed and what waits; `whole`: the whole study, by this planner. Its process's id.

        Raises:
            LedgerError: the log cannot be written.
            RuntimeError: a run of this conversation is not over yet.
        """
        self._collect()
        if self._process is not None:
            raise RuntimeError("a run of this conversation is not over yet")
        with explained(self.log):
            self.log.parent.mkdir(parents=True, exist_ok=True)
            with self.log.open("ab") as log:
                self._from = log.tell()
                self._process = subprocess.Popen(
                    self.command(whole=whole, max_trials=max_trials, seconds=seconds),
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        return self._process.pid

    def command(
        self, *, whole: PlannerFlags | None = None, max_trials: int | None = None, seconds: float | None = None
    ) -> list[str]:
        """What is started."""
        options = {
            "--state": self.state,
            "--workers": self.allowed.workers,
            "--max-trials": max_trials,
            "--for": None if seconds is None else f"{max(1, round(seconds))}s",
            "--planner": whole.kind if whole else None,
            "--model": whole.model if whole else None,
            "--base-url": whole.base_url if whole else None,
        }
        given = [text for name, value in options.items() if value is not None for text in (name, str(value))]
        flags = ["--until-closed", *([] if whole else ["--queued"]), *self._unsafe()]
        return [sys.executable, "-m", "lesion.agent", "run", str(self.study), *flags, *given]

    def ended(self) -> Ended | None:
        """How the last run ended, once; None while it runs, where it was told already, or after `detach`."""
        self._collect()
        return self._ends.pop(0) if self._ends else None

    def stop(self, grace: float = GRACE) -> None:
        """Stop as after Ctrl-C, and at once where that takes longer than `grace` seconds; `ended` tells how."""
        process = self._process
        if process is None:
            return
        for wait in (grace, grace):
            if process.poll() is not None:
                return
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(wait)
            except subprocess.TimeoutExpired:
                continue
        if process.poll() is None:
            process.kill()
            process.wait()

    def detach(self) -> int | None:
        """Let the run go on by itself, also after the conversation; its process's id, None where none runs."""
        process = self._process
        if process is None or process.stdin is None or process.poll() is not None:
            return None
        try:
            process.stdin.write(DETACH)
            process.stdin.close()
        except BrokenPipeError:  # it has just ended
            return None
        self._process = None
        process.returncode = 0  # nobody waits for it any more
        return process.pid

    def _collect(self) -> None:
        """Remember how a run has ended that nobody has asked about yet."""
        process = self._process
        if process is None or process.poll() is None:
            return
        self._process = None
        if process.stdin:
            process.stdin.close()
        self._ends.append(Ended(process.returncode, self._last_lines()))

    def _unsafe(self) -> list[str]:
        return ["--unsafe-no-sandbox"] if self.allowed.unsafe else []

    def _last_lines(self) -> tuple[str, ...]:
        """From its error on, where there is one."""
        with explained(self.log), self.log.open("rb") as log:
            log.seek(0, os.SEEK_END)
            log.seek(max(self._from, log.tell() - 64_000))
            told = [one for one in log.read().decode(errors="replace").splitlines() if one.strip()]
        errors = [at for at, line in enumerate(told) if line.startswith(ERROR)]
        return tuple(told[errors[-1] :][:MOST_LINES] if errors else told[-MOST_LINES:])


@contextmanager
def stopping(runner: Runner) -> Generator[None]:
    """At the end its run is stopped, unless it was detached."""
    try:
        yield
    finally:
        runner.stop()
