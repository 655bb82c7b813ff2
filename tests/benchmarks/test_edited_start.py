"""What a view of its own costs a trial with source edits: beside a warm worker with the plain view, in one run."""

import statistics
import time
from dataclasses import replace

import pytest
from lesion.executor.experiments.experiment import Arm
from lesion.executor.experiments.python import PythonExperiment
from lesion.executor.jobs import Job
from lesion.executor.pool import Pool
from lesion.executor.worker import Station

REPEATS = 7


@pytest.mark.benchmark
def test_an_edited_start_against_a_warm_worker(station: Station, busy: PythonExperiment) -> None:
    text = busy.file.read_text()
    seconds: dict[str, list[float]] = {"warm, plain view": [], "edited, prepared ahead": [], "edited, not prepared": []}
    with Pool(station, 1) as pool:
        for index in range(REPEATS):
            plain = busy.job("ping", [Arm(f"plain {index}", {}, [])])
            for name, prepared in (("edited, prepared ahead", True), ("edited, not prepared", False)):
                edited = replace(plain, overlay={busy.file: f"{text}\n# {index} {name}\n"})
                seconds[name].append(_timed(pool, edited, prepared=prepared))
            seconds["warm, plain view"].append(_timed(pool, plain, prepared=True))
    medians = {name: statistics.median(each) for name, each in seconds.items()}
    for name, median in medians.items():
        ratio = median / medians["warm, plain view"]
        print(f"\n{name}: median {1e3 * median:.0f} ms (of {REPEATS}), {ratio:.1f} times a warm worker", end="")
    print()


def _timed(pool: Pool, job: Job, *, prepared: bool) -> float:
    if prepared:
        pool.expect(1, ahead=[job.overlay])
        while not any(worker.ready and worker.overlay == job.overlay for worker in pool._warm):  # pyright: ignore[reportPrivateUsage]
            pool.wait(0.1)
    start = time.perf_counter()
    pool.submit(job)
    (finished,) = pool.wait(120)
    assert finished.outcome.status == "ok"
    return time.perf_counter() - start
