"""Runs jobs on pre-warmed single-use workers, a fixed number at a time, in one thread and without polling for results."""

import selectors
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from .jobs import Job
from .outcomes import Outcome
from .overlay import Overlay
from .sandbox.view import NO_EDITS
from .worker import PLAIN, Finished, Station, Worker

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
        self._to_come = 0
        self._ahead: Sequence[Overlay] = ()
        self._refused: list[Finished] = []
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
        return bool(self._running or self._waiting or self._refused)

    @property
    def warm(self) -> int:
        """Workers that wait for a job."""
        return sum(worker.ready for worker in self._warm)

    def expect(self, jobs: int, ahead: Sequence[Overlay] = ()) -> None:
        """Say how many jobs are still to come, so that enough workers are warmed and none in vain.

        `ahead`: the views of the first of them, in order; those behind are taken to see the project as it is.
        """
        self._to_come, self._ahead = jobs, ahead[:jobs] if self.station.sandbox.isolates else ()
        self._top_up()

    def submit(self, job: Job, still_to_come: int = 0, ahead: Sequence[Overlay] = ()) -> None:
        """Queue one job; it starts as soon as a worker with its view is warm. Each of its parts comes back with its outcome.

        One whose source edits do not apply, or have no sandbox to run in, comes back as refused.
        """
        refusal = job.refusal or (NO_EDITS if job.overlay and not self.station.sandbox.isolates else None)
        if refusal:
            self._refused += [Finished(part, Outcome(status="refused", message=refusal)) for part in job.parts]
        else:
            self._waiting.append(job)
        self.expect(still_to_come, ahead)
        self._assign()

    def wait(self, seconds: float) -> list[Finished]:
        """What has finished, at the latest after `seconds`."""
        deadline = time.monotonic() + seconds
        while True:
            patience = 0.0 if self._refused else min(WATCH_SECONDS, max(0.0, deadline - time.monotonic()))
            finished = [*self._refused, *self._step(patience)]
            self._refused = []
            if finished or time.monotonic() >= deadline:
                return finished

    def run(self, jobs: Sequence[Job]) -> Iterator[Finished]:
        """Run `jobs` to the end, yielding each part as it finishes."""
        for index, job in enumerate(jobs):
            while self.free <= 0:
                yield from self.wait(60)
            rest = jobs[index + 1 :]
            self.submit(job, still_to_come=len(rest), ahead=[one.overlay for one in rest[: self.workers]])
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

    def _hire(self, overlay: Overlay) -> Worker:
        workers = [*self._running, *self._warm]
        gpu = min(
            self._gpus, key=lambda one: (self._trials_on(one), [each.gpu for each in workers].count(one)), default=None
        )
        worker = Worker(self.station, gpu, overlay)
        for descriptor in worker.descriptors:
            self._selector.register(descriptor, selectors.EVENT_READ, worker)
        return worker

    def _dismiss(self, worker: Worker) -> None:
        """End a worker that nobody waits for any more."""
        self._warm.remove(worker)
        for descriptor in worker.descriptors:
            self._selector.unregister(descriptor)
        worker.close()

    def _assign(self) -> None:
        while len(self._running) < self.workers and (fit := self._next_fit()):
            job, worker = fit
            if self._crowds(worker):
                self._dismiss(worker)
                self._top_up()
                continue
            self._waiting.remove(job)
            self._warm.remove(worker)
            self._running.append(worker)
            worker.dispatch(job)
            self._top_up()

    def _next_fit(self) -> tuple[Job, Worker] | None:
        """The first job that waits for which a worker with its view is warm, and of these the one whose GPU has the fewest trials."""
        for job in self._waiting:
            fitting = [worker for worker in self._warm if worker.ready and worker.overlay == job.overlay]
            if fitting:
                return job, min(fitting, key=lambda worker: self._trials_on(worker.gpu))
        return None

    def _trials_on(self, gpu: int | None) -> int:
        return sum(worker.gpu == gpu for worker in self._running)

    def _crowds(self, worker: Worker) -> bool:
        """Whether its GPU, which it was given before it was known what would end first, has more trials than another."""
        return any(self._trials_on(one) < self._trials_on(worker.gpu) for one in self._gpus)

    def _top_up(self) -> None:
        """Keep as many workers warming as jobs wait or are to come, a worker's place at the most, each with a job's view."""
        plain = min(self.workers, self._to_come - len(self._ahead))
        coming = [*self._ahead, *[PLAIN] * plain]
        wanted = [*(job.overlay for job in self._waiting), *coming][: self.workers]
        spare = list(self._warm)
        lacking: list[Overlay] = []
        for overlay in wanted:
            fitting = next((worker for worker in spare if worker.overlay == overlay), None)
            if fitting:
                spare.remove(fitting)
            else:
                lacking.append(overlay)
        for overlay in lacking:
            if len(self._warm) >= self.workers:
                self._dismiss(spare.pop())
            self._warm.append(self._hire(overlay))

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
        job = next((one for one in self._waiting if one.overlay == worker.overlay), None)
        if job:
            self._waiting.remove(job)
            outcome: Outcome = worker.why()
            for part in job.parts:
                yield Finished(part, outcome)
            self._top_up()


def _gpu_indices() -> list[int]:
    """The GPUs of this machine, from their device nodes: CUDA is never initialised here."""
    names = [path.name.removeprefix("nvidia") for path in Path("/dev").glob("nvidia[0-9]*")]
    return sorted(int(name) for name in names if name.isdigit())
