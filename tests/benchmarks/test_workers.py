"""The same trials with one worker and with two, in one run, for short and for longer trials."""

import time

import pytest
from lesion.executor.experiments.experiment import Arm
from lesion.executor.experiments.python import PythonExperiment
from lesion.executor.pool import Pool
from lesion.executor.worker import Station


def seconds_for(station: Station, busy: PythonExperiment, workers: int, trials: int, cpu_seconds: float) -> float:
    """Wall time of `trials` trials, from the first dispatch, workers warmed before."""
    with Pool(station, workers) as pool:
        pool.expect(workers)
        while pool.warm < workers:
            pool.wait(0.1)
        start = time.perf_counter()
        jobs = [
            busy.job("retrain", [Arm(str(index), {"cpu_seconds": cpu_seconds}, [])], index) for index in range(trials)
        ]
        finished = list(pool.run(jobs))
        assert len(finished) == trials
        assert all(one.outcome.status == "ok" for one in finished)
        return time.perf_counter() - start


@pytest.mark.benchmark
@pytest.mark.parametrize(("trials", "cpu_seconds"), [(8, 1.0), (8, 5.0), (6, 15.0)])
def test_two_workers_against_one(station: Station, busy: PythonExperiment, trials: int, cpu_seconds: float) -> None:
    one = seconds_for(station, busy, 1, trials, cpu_seconds)
    two = seconds_for(station, busy, 2, trials, cpu_seconds)
    print(
        f"\n{trials} trials of {cpu_seconds:g} CPU seconds: 1 worker {one:.1f} s, 2 workers {two:.1f} s, ratio {one / two:.2f}"
    )
