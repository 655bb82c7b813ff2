"""From dispatch to result, pre-warmed, beside a fresh process that imports torch: both sides in one run."""

import statistics
import subprocess
import sys
import time

import pytest
from lesion.executor.experiments.experiment import Arm
from lesion.executor.experiments.python import PythonExperiment
from lesion.executor.pool import Pool
from lesion.executor.worker import Station

REPEATS = 7


@pytest.mark.benchmark
def test_dispatch_against_import(station: Station, busy: PythonExperiment) -> None:
    warm: list[float] = []
    cold: list[float] = []
    with Pool(station, 1) as pool:
        pool.submit(busy.job("ping", [Arm("first", {}, [])]), still_to_come=1)
        pool.wait(60)
        for index in range(REPEATS):
            while not pool.warm:
                pool.wait(0.1)
            start = time.perf_counter()
            pool.submit(busy.job("ping", [Arm(str(index), {}, [])]))
            (finished,) = pool.wait(60)
            warm.append(time.perf_counter() - start)
            assert finished.outcome.status == "ok"
            pool.expect(1)
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", "import torch"], check=True)
            cold.append(time.perf_counter() - start)
    print(f"\ndispatch to result, pre-warmed sandbox: median {1e3 * statistics.median(warm):.0f} ms (of {REPEATS})")
    print(f"a fresh process that imports torch:     median {1e3 * statistics.median(cold):.0f} ms")
    print(f"ratio of the medians: {statistics.median(cold) / statistics.median(warm):.0f}")
