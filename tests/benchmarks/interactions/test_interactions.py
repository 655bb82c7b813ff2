"""Prints what finding hidden groups costs, side by side: `pytest tests/benchmarks/interactions -m benchmark --capture=no`.

All of it on a simulated system (tests/planted/system.py) with known groups.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pytest

from tests.planted.system import PAIRS, WEAKEST, PlantedSystem

from .methods import METHODS, Found

SIGMAS = (0.002, 0.01, 0.03)
REPETITIONS = 20
FEWER = 3
"""Repetitions of all pairs, whose every run is simulated too."""
WANTED = {(300, 0.01): 416, (300, 0.03): 884}
"""Runs beyond leave-one-out that the search stays below, at recall ≥ .95 and false discoveries ≤ .05."""
HEADER = f"{'n':>4} {'δ/σ':>5} {'method':<22}{'recall':>8}{'FDR':>7}{'runs':>8}{'most':>7}{'triple':>8}{'cleared':>9}{'wrongly':>9}"


class Score(NamedTuple):
    """Of one repetition."""

    recall: float
    false: float
    """Share of the confirmed groups that are none."""
    runs: int
    triple: bool
    cleared: float
    """Share of the pool's pairs that the certificate clears; NaN without one."""
    wrongly: int
    """Cleared pairs that cost more than δ together."""


def score(system: PlantedSystem, found: Found) -> Score:
    """Against the truth; the triple is no pair, and no false discovery."""
    true = set(system.pairs)
    wrong = len(found.groups - true - {system.triple})
    certificate = found.search.certificate if found.search else None
    wrongly = 0
    if found.search and certificate:
        known = [pair for pair in true if not (pair & set(found.search.strays))]
        wrongly = sum(not certificate.open[tuple(pair)] for pair in known if pair not in found.search.groups)
    return Score(
        recall=len(found.groups & true) / len(true),
        false=wrong / max(1, len(found.groups)),
        runs=found.runs,
        triple=system.triple in found.groups,
        cleared=certificate.cleared / certificate.pairs if certificate else float("nan"),
        wrongly=wrongly,
    )


def repeated(n: int, sigma: float, method: str, repetitions: int) -> list[Score]:
    """One system a repetition."""
    systems = [PlantedSystem(n, sigma, seed) for seed in range(repetitions)]
    return [score(system, METHODS[method](system, seed)) for seed, system in enumerate(systems)]


def line(n: int, sigma: float, method: str, scores: list[Score]) -> str:
    """One row of the table: means, and the most runs of any."""
    columns = np.array(scores, dtype=np.float64)
    recall, false, runs, triple, cleared, _ = columns.mean(axis=0)
    told = f"{recall:8.3f}{false:7.3f}{runs:8.0f}{columns[:, 2].max():7.0f}{triple:8.2f}"
    certified = f"{cleared:9.1%}{columns[:, 5].sum():9.0f}" if np.isfinite(cleared) else ""
    return f"{n:>4} {WEAKEST / sigma:5.1f} {method:<22}{told}{certified}"


def rows() -> Iterator[tuple[int, float, str, list[Score]]]:
    """Everything that is measured."""
    for n in PAIRS:
        for sigma in SIGMAS:
            for method in METHODS:
                yield n, sigma, method, repeated(n, sigma, method, REPETITIONS if method == "search" else FEWER)


@pytest.mark.benchmark
def test_runs_to_find_hidden_pairs():
    print(f"\n{HEADER}")
    missed: list[str] = []
    for n, sigma, method, scores in rows():
        print(line(n, sigma, method, scores), flush=True)
        recall, false, runs = (float(np.mean([one[at] for one in scores])) for at in range(3))
        if method == "search" and (n, sigma) in WANTED:
            fine = recall >= 0.95 and false <= 0.05 and runs < WANTED[n, sigma]
            missed += [] if fine else [line(n, sigma, method, scores)]
    assert not missed, missed


@pytest.mark.benchmark
@pytest.mark.parametrize("sigma", SIGMAS)
def test_a_certificate_clears_no_hidden_pair(sigma):
    scores = repeated(100, sigma, "search", REPETITIONS)
    cleared, wrongly = np.mean([one.cleared for one in scores]), sum(one.wrongly for one in scores)
    print(
        f"\nn = 100, δ/σ = {WEAKEST / sigma:.1f}: {cleared:.1%} of the pairs cleared, {wrongly} hidden ones among them"
    )
    assert wrongly == 0
