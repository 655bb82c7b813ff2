"""One single-use worker, seen from outside: a sandboxed process with a pipe for its job, its result, its output and its end."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .channel import Line, Tail, as_outcome, parse, read_available
from .interpreter import Interpreter
from .limits import Limits, memory_in_use
from .outcomes import Outcome, Status
from .sandbox.view import Sandbox, View

INSIDE = Path(__file__).resolve().parent / "inside"


LINGER_SECONDS = 30.0
"""How long a trial may live after its answer, at most: its own last act is to exit."""
PIPE_READS = 32
"""Enough to empty the largest pipe; a process that the trial left behind cannot keep us reading."""


@dataclass(frozen=True)
class Station:
    """Everything that workers of one study have in common."""

    sandbox: Sandbox
    view: View
    interpreter: Interpreter
    modules: Sequence[str] = ("torch",)
    """Imported while a worker waits, so that a trial does not wait for them."""
    threads: int = 1
    limits: Limits = field(default_factory=Limits)
    warm_up_seconds: float = 300.0
    """How long those imports may take."""


class Worker:
    """Starts on construction; `dispatch` gives it its one job; `outcome` is set when it has ended."""

    def __init__(self, station: Station, gpu: int | None = None) -> None:
        self.station, self.ready, self.tag = station, False, ""
        self.outcome: Outcome | None = None
        self._result, self._output, self._status = Line(), Tail(), Line(1 << 16)
        self._answer: Outcome | None = None
        self._verdict: tuple[Status, str] | None = None
        self._usage: dict[str, Any] = {}
        self._started_at = time.monotonic()
        self._dispatched_at = 0.0
        self._answered_at = 0.0
        self._job_pipe, self._descriptors, self._process = _start(station, gpu)
        self._send({"modules": list(station.modules), "threads": station.threads})

    @property
    def descriptors(self) -> dict[int, str]:
        """The pipes to wait on: descriptor → `result`, `output` or `status`."""
        return self._descriptors

    @property
    def running(self) -> bool:
        """Whether it has its job and has not ended."""
        return bool(self.tag) and self.outcome is None

    def dispatch(self, tag: str, job: dict[str, Any]) -> None:
        """Hand over the one job."""
        self.tag, self._dispatched_at = tag, time.monotonic()
        self._send({**job, "limits": self.station.limits.as_message()})
        os.close(self._job_pipe)
        self._job_pipe = -1

    def take_in(self, descriptor: int) -> None:
        """Read from a pipe that has something; sets `outcome` once the supervisor has reported and gone."""
        data = read_available(descriptor)
        role = self._descriptors[descriptor]
        if data is not None:
            self._listen(role, data)
            return
        self._drop(descriptor)
        if role == "status":
            for rest in list(self._descriptors):
                self._empty(rest)
            self._finish()

    def enforce(self) -> None:
        """End a trial that has outlived its time or outgrown its memory, and a worker that never gets warm."""
        if self._verdict or self.outcome:
            return
        limits, now = self.station.limits, time.monotonic()
        if not self.tag:
            if not self.ready and now - self._started_at > self.station.warm_up_seconds:
                self.end(("timed-out", f"importing took longer than {self.station.warm_up_seconds:g} s"))
        elif self._answer:
            if now - self._answered_at > min(limits.seconds, LINGER_SECONDS):
                self.end(("invalid", "the trial gave an answer and did not end: the answer is not trusted"))
        elif now - self._dispatched_at > limits.seconds:
            self.end(("timed-out", f"ran longer than {limits.seconds:g} s"))
        elif memory_in_use(self._process.pid) > limits.memory:
            self.end(("out-of-memory", f"used more than {limits.memory / 2**30:.2f} GiB"))

    def end(self, verdict: tuple[Status, str] | None = None) -> None:
        """Kill it and all it started; with bubblewrap the process namespace dies with its first process."""
        self._verdict = self._verdict or verdict
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return

    def close(self) -> None:
        """Kill it if need be, reap it, close every pipe."""
        self.end()
        self._process.wait()
        for descriptor in [*self._descriptors, self._job_pipe]:
            if descriptor >= 0:
                os.close(descriptor)
        self._descriptors, self._job_pipe = {}, -1

    def _send(self, message: dict[str, Any]) -> None:
        line = json.dumps(message).encode() + b"\n"
        try:
            while line:
                line = line[os.write(self._job_pipe, line) :]
        except BrokenPipeError:
            return  # it died; its closing pipes tell

    def _listen(self, role: str, data: bytes) -> None:
        if role == "output":
            self._output.feed(data)
        elif role == "status":
            for line in self._status.feed(data):
                self._usage.update(parse(line))
        else:
            self._hear(data)

    def _empty(self, descriptor: int) -> None:
        """Take in what a pipe still holds and close it; where nothing is isolated, others may hold its other end."""
        for _ in range(PIPE_READS):
            data = read_available(descriptor)
            if not data:
                break
            self._listen(self._descriptors[descriptor], data)
        self._drop(descriptor)

    def _drop(self, descriptor: int) -> None:
        os.close(descriptor)
        del self._descriptors[descriptor]

    def _hear(self, data: bytes) -> None:
        for line in self._result.feed(data):
            if not self.ready:
                self.ready = True
            elif self.tag and self._answer is None:
                self._answer, self._answered_at = as_outcome(line), time.monotonic()
        if self._result.overflowed:
            self.end(("invalid", "the result is larger than a result may be"))

    def _finish(self) -> None:
        self._process.wait()
        if not self._answered_at:
            self._answered_at = time.monotonic()
        trusted = self._usage.get("wait_status") == 0 and not self._verdict
        ended = self._answer if self._answer and trusted else self._unanswered()
        measured = {
            "wall_seconds": self._answered_at - (self._dispatched_at or self._answered_at),
            "cpu_seconds": self._usage.get("cpu_seconds"),
            "peak_memory": self._usage.get("peak_memory"),
            "output": self._output.text(),
        }
        self.outcome = ended.model_copy(update=measured)

    def _unanswered(self) -> Outcome:
        if self._verdict:
            status, message = self._verdict
            return Outcome(status=status, message=message)
        wait_status = self._usage.get("wait_status")
        if wait_status is None:
            return Outcome(
                status="killed",
                message=f"the sandbox ended (exit code {self._process.returncode}) before its trial did",
            )
        if os.WIFSIGNALED(wait_status):
            number = os.WTERMSIG(wait_status)
            statuses: dict[int, Status] = {signal.SIGKILL: "killed", signal.SIGXCPU: "timed-out"}
            return Outcome(status=statuses.get(number, "crashed"), message=f"ended by signal {_signal_name(number)}")
        return Outcome(
            status="crashed", message=f"ended with exit code {os.WEXITSTATUS(wait_status)} and without a result"
        )


def _start(station: Station, gpu: int | None) -> "tuple[int, dict[int, str], subprocess.Popen[bytes]]":
    """Start the sandboxed process. Returns the job pipe, the pipes to read, and the process."""
    pipes = {name: os.pipe() for name in ("job", "result", "status", "output")}
    inside = [pipes["job"][0], pipes["result"][1], pipes["status"][1]]
    command = [str(station.interpreter.executable), str(INSIDE), *map(str, inside)]
    launch = station.sandbox.launch(_with_gpu(station.view, gpu), command)
    try:
        process = subprocess.Popen(
            launch.argv,
            env=launch.environment,
            cwd=launch.cwd,
            pass_fds=(*inside, *launch.keep),
            stdin=subprocess.DEVNULL,
            stdout=pipes["output"][1],
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    finally:
        for descriptor in (*inside, pipes["output"][1], *launch.keep):
            os.close(descriptor)
    reading = {pipes[name][0]: name for name in ("result", "status", "output")}
    for descriptor in reading:
        os.set_blocking(descriptor, False)
    return pipes["job"][1], reading, process


def _signal_name(number: int) -> str:
    """`SIGSEGV`; the number alone for a real-time signal, most of which have no name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


def _with_gpu(view: View, gpu: int | None) -> View:
    if gpu is None:
        return view
    from dataclasses import replace

    return replace(view, environment={**view.environment, "CUDA_VISIBLE_DEVICES": str(gpu)})
