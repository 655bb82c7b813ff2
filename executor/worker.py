"""One single-use worker, seen from outside: a sandboxed process with a socket for its job, and a pipe each for its
results, its output and its end."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from .channel import Answer, Line, Tail, as_answer, parse, read_available
from .inside.wire import MARK
from .interpreter import Interpreter
from .jobs import Job
from .limits import Limits, memory_in_use
from .outcomes import Outcome, Status
from .overlay import Overlay
from .sandbox.view import Sandbox, View

INSIDE = Path(__file__).resolve().parent / "inside"


PLAIN: Overlay = {}
"""The project as it is."""
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


class Finished(NamedTuple):
    """A part of a job that has ended."""

    tag: str
    outcome: Outcome


class Worker:
    """Starts on construction; `dispatch` gives it its one job; `ended` holds once it is gone, `finished` what came of it.

    It sees the project as it is, or with the texts of `overlay`, and can take only a job that asks for that very view.
    """

    def __init__(self, station: Station, gpu: int | None = None, overlay: Overlay = PLAIN) -> None:
        self.gpu, self.overlay = gpu, overlay
        self.station, self.ready, self.ended = station, False, False
        self.job: Job | None = None
        self.finished: list[Finished] = []
        """Parts that have ended and were not fetched yet."""
        self._done: set[int] = set()
        self._marker: int | None = None
        """Descriptor of the file in which it marks the part that runs, where there are several."""
        self._marks = 0
        """How often it had, when that was looked at last."""
        self._result, self._output, self._status = Line(), Tail(), Line(1 << 16)
        self._answer: Answer | None = None
        self._verdict: tuple[Status, str] | None = None
        self._usage: dict[str, Any] = {}
        self._started_at = time.monotonic()
        self._since = 0.0
        """When the part that is running began."""
        self._answered_at = 0.0
        self._inbox, self._descriptors, self._process = _start(station, _view(station.view, gpu, overlay))
        self._send({"modules": _importable(station.modules, overlay), "threads": station.threads}, [])

    @property
    def descriptors(self) -> dict[int, str]:
        """The pipes to wait on: descriptor → `result`, `output` or `status`."""
        return self._descriptors

    def dispatch(self, job: Job) -> None:
        """Hand over the one job. `OSError` where its files cannot be opened."""
        files = job.open_files()
        if len(job.parts) > 1:
            self._marker = os.memfd_create("mark")
            files["mark"] = os.dup(self._marker)
        self.job, self._since = job, time.monotonic()
        self._send({**job.message, "limits": self.station.limits.as_message(), "files": list(files)}, [*files.values()])
        for descriptor in files.values():
            os.close(descriptor)
        self._inbox.close()

    def rest(self) -> Job | None:
        """What an ended worker left undone of its job."""
        return self.job.without(self._done) if self.job else None

    def take_in(self, descriptor: int) -> None:
        """Read from a pipe that has something; `ended` holds once the supervisor has reported and gone."""
        data = read_available(descriptor)
        role = self._descriptors[descriptor]
        if data is not None:
            self._listen(role, data)
            return
        self._drop(descriptor)
        if role == "status":
            for rest in list(self._descriptors):
                self._empty(rest)
            self._end_of_job()

    def enforce(self) -> None:
        """End a trial that has outlived its time or outgrown its memory, and a worker that never gets warm."""
        if self._verdict or self.ended:
            return
        limits, now = self.station.limits, time.monotonic()
        self._look_at_mark(now)
        if not self.job:
            if not self.ready and now - self._started_at > self.station.warm_up_seconds:
                self.end(("timed-out", f"importing took longer than {self.station.warm_up_seconds:g} s"))
        elif self._answer:
            if now - self._answered_at > min(limits.seconds, LINGER_SECONDS):
                self.end(("invalid", "the trial gave an answer and did not end: the answer is not trusted"))
        elif now - self._since > limits.seconds:
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
        for descriptor in self._descriptors:
            os.close(descriptor)
        self._descriptors = {}
        self._inbox.close()
        if self._marker is not None:
            os.close(self._marker)
            self._marker = None
        if self.job and not self.ended:
            self.job.settle_files(ok=False)

    def _send(self, message: dict[str, Any], files: list[int]) -> None:
        line = json.dumps(message).encode() + b"\n"
        try:
            sent = socket.send_fds(self._inbox, [line], files) if files else 0
            self._inbox.sendall(line[sent:])
        except (BrokenPipeError, ConnectionResetError):
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
            elif self._undone and self._answer is None:
                self._note(as_answer(line))
        if self._result.overflowed:
            self.end(("invalid", "the result is larger than a result may be"))

    def _note(self, answer: Answer) -> None:
        """An answer is final at once, but for the last: that one is trusted when its process has ended well."""
        assert self.job is not None
        now = time.monotonic()
        if answer.outcome.whole_job or len(self._done) == len(self.job.parts) - 1:
            self._answer, self._answered_at = answer, now
            return
        part = answer.part if answer.part in self._undone else self._running
        self._finish(part, answer.outcome.model_copy(update={"wall_seconds": now - self._since}))
        self._since = now
        self._result.renew()

    def _finish(self, part: int, outcome: Outcome) -> None:
        assert self.job is not None
        self.finished.append(Finished(self.job.parts[part], outcome))
        self._done.add(part)

    @property
    def _undone(self) -> list[int]:
        return [part for part in range(len(self.job.parts)) if part not in self._done] if self.job else []

    @property
    def _running(self) -> int:
        """The part that runs, as far as one is marked."""
        _, marked = self._mark()
        return marked if marked in self._undone else self._undone[0]

    def _mark(self) -> tuple[int, int]:
        """How often a part was marked, and the part."""
        found = os.pread(self._marker, MARK.size, 0) if self._marker is not None else b""
        number, part = MARK.unpack(found) if len(found) == MARK.size else (0, 0)
        return number, part

    def _look_at_mark(self, now: float) -> None:
        """What is marked anew has begun since the last look."""
        number, _ = self._mark()
        if number != self._marks:
            self._marks, self._since = number, now

    def _end_of_job(self) -> None:
        """Its process is gone: the last answer, or why there is none."""
        self._process.wait()
        if self.job:
            self._finish_rest()
        self.ended = True

    def _finish_rest(self) -> None:
        assert self.job is not None
        if not self._answered_at:
            self._answered_at = time.monotonic()
        trusted = self._usage.get("wait_status") == 0 and not self._verdict
        outcome = self._kept(self._answer.outcome if self._answer and trusted else self._unanswered())
        measured: dict[str, Any] = {
            "wall_seconds": self._answered_at - self._since,
            "peak_memory": self._usage.get("peak_memory"),
            "output": self._output.text(),
        }
        if len(self.job.parts) == 1:
            measured["cpu_seconds"] = self._usage.get("cpu_seconds")
        whole = bool(self._answer and self._answer.outcome.whole_job)
        for part in self._undone if whole else [self._running]:
            self._finish(part, outcome.model_copy(update=measured))

    def _kept(self, outcome: Outcome) -> Outcome:
        """The outcome, after its file was put in place."""
        assert self.job is not None
        try:
            self.job.settle_files(outcome.status == "ok")
        except OSError as error:
            return Outcome(status="disk-full", message=f"the trained weights cannot be kept: {error.strerror}")
        return outcome

    def why(self) -> Outcome:
        """Why a worker that never had a job has ended."""
        return self._unanswered().model_copy(update={"output": self._output.text()})

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


def _start(station: Station, view: View) -> "tuple[socket.socket, dict[int, str], subprocess.Popen[bytes]]":
    """Start the sandboxed process. Returns the socket for its job, the pipes to read, and the process."""
    outbox, inbox = socket.socketpair()
    pipes = {name: os.pipe() for name in ("result", "status", "output")}
    inside = [inbox.fileno(), pipes["result"][1], pipes["status"][1]]
    command = [str(station.interpreter.executable), str(INSIDE), *map(str, inside)]
    launch = station.sandbox.launch(view, command)
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
        inbox.close()
        for descriptor in (*inside[1:], pipes["output"][1], *launch.keep):
            os.close(descriptor)
    reading = {pipes[name][0]: name for name in ("result", "status", "output")}
    for descriptor in reading:
        os.set_blocking(descriptor, False)
    return outbox, reading, process


def _signal_name(number: int) -> str:
    """`SIGSEGV`; the number alone for a real-time signal, most of which have no name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


def _view(view: View, gpu: int | None, overlay: Overlay) -> View:
    chosen = {} if gpu is None else {"CUDA_VISIBLE_DEVICES": str(gpu)}
    return replace(view, environment={**view.environment, **chosen}, edits=overlay)


def _importable(modules: Sequence[str], overlay: Overlay) -> list[str]:
    """What may be imported ahead: nothing that goes by a name on the way to an edited file, for that is the trial's own."""
    own = {name for path in overlay for name in (path.stem, *path.parent.parts)}
    return [one for one in modules if one.partition(".")[0] not in own]
