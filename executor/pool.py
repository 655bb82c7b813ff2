"""Runs jobs on pre-warmed single-use workers, a fixed number at a time, in one thread and without polling for results."""

import selectors
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from .jobs import Job
from .outcomes import Outcome
from .worker import Finished, Station, Worker

WATCH_SECONDS = 0.2
"""How often limits are enforced."""


class Pool:
    """`submit` jobs while there is a free `slot`; `wait` hands back what has finished. A context manager: leaving it kills all."""

    def __init__(self, station: Station, workers: int) -> None:
        self.station, self.workers = station, workers
        self._selector = selectors.DefaultSelector()
        self._waiting: deque[Job] = deque()
        self._warm: list[Worker] = []
        self._running: list[Worker] = []
        self._gpus = _gpu_indices() if station.view.gpus else []
        self._started = 0
        self._to_come = 0
        self._enforced_at = 0.0

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def free(self) -> int:
        """Jobs that could start now."""
        return self.workers - len(self._running) - len(self._waiting)

    @property
    def busy(self) -> bool:
        """Whether anything was submitted that has not come back."""
        return bool(self._running or self._waiting)

    @property
    def warm(self) -> int:
        """Workers that wait for a job."""
        return sum(worker.ready for worker in self._warm)

    def expect(self, jobs: int) -> None:
        """Say how many jobs are still to come, so that enough workers are warmed and none in vain."""
        self._to_come = jobs
        self._top_up()

    def submit(self, job: Job, still_to_come: int = 0) -> None:
        """Queue one job; it starts as soon as a worker is warm. Each of its parts comes back with its outcome."""
        self._waiting.append(job)
        self.expect(still_to_come)
        self._assign()

    def wait(self, seconds: float) -> list[Finished]:
        """What has finished, at the latest after `seconds`."""
        deadline = time.monotonic() + seconds
        while True:
            finished = list(self._step(min(WATCH_SECONDS, max(0.0, deadline - time.monotonic()))))
            if finished or time.monotonic() >= deadline:
                return finished

    def run(self, jobs: Sequence[Job]) -> Iterator[Finished]:
        """Run `jobs` to the end, yielding each part as it finishes."""
        for index, job in enumerate(jobs):
            while self.free <= 0:
                yield from self.wait(60)
            self.submit(job, still_to_come=len(jobs) - index - 1)
        while self.busy:
            yield from self.wait(60)

    def close(self) -> None:
        """End every worker, warm or running, and everything they started."""
        for worker in [*self._warm, *self._running]:
            worker.end()
        for worker in [*self._warm, *self._running]:
            worker.close()
        self._warm, self._running = [], []
        self._selector.close()

    def _hire(self) -> Worker:
        gpu = self._gpus[self._started % len(self._gpus)] if self._gpus else None
        worker = Worker(self.station, gpu)
        self._started += 1
        for descriptor in worker.descriptors:
            self._selector.register(descriptor, selectors.EVENT_READ, worker)
        return worker

    def _assign(self) -> None:
        ready = [worker for worker in self._warm if worker.ready]
        while ready and self._waiting and len(self._running) < self.workers:
            worker = ready.pop(0)
            self._warm.remove(worker)
            self._running.append(worker)
            worker.dispatch(self._waiting.popleft())
            self._top_up()

    def _top_up(self) -> None:
        """Keep as many workers warming as jobs wait or are to come, a worker's place at the most."""
        while len(self._warm) < min(self.workers, len(self._waiting) + self._to_come):
            self._warm.append(self._hire())

    def _step(self, seconds: float) -> Iterator[Finished]:
        for key, _ in self._selector.select(seconds):
            worker: Worker = key.data
            held = list(worker.descriptors)
            if key.fd not in held:
                continue  # its end came with another pipe's, a moment ago
            worker.take_in(key.fd)
            for closed in set(held) - set(worker.descriptors):
                self._selector.unregister(closed)
        if time.monotonic() - self._enforced_at >= WATCH_SECONDS:
            for worker in [*self._warm, *self._running]:
                worker.enforce()
            self._enforced_at = time.monotonic()
        yield from self._collect()
        self._assign()

    def _collect(self) -> Iterator[Finished]:
        for worker in list(self._running):
            yield from worker.finished
            worker.finished.clear()
            if worker.ended:
                self._running.remove(worker)
                worker.close()
                self._go_on(worker.rest())
        for worker in [worker for worker in self._warm if worker.ended]:
            self._warm.remove(worker)
            worker.close()
            yield from self._stillborn(worker)

    def _go_on(self, rest: Job | None) -> None:
        """The parts behind one that ended its worker run in a new one."""
        if rest:
            self._waiting.appendleft(rest)
            self._top_up()

    def _stillborn(self, worker: Worker) -> Iterator[Finished]:
        """A worker that died while warming up takes the next job's blame, so that a broken environment cannot loop."""
        if self._waiting:
            outcome: Outcome = worker.why()
            for part in self._waiting.popleft().parts:
                yield Finished(part, outcome)
            self._top_up()


def _gpu_indices() -> list[int]:
    """The GPUs of this machine, from their device nodes: CUDA is never initialised here."""
    names = [path.name.removeprefix("nvidia") for path in Path("/dev").glob("nvidia[0-9]*")]
    return sorted(int(name) for name in names if name.isdigit())
