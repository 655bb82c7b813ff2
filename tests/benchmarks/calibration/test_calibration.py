"""Prints the error rates and the power of the analysis on simulated studies: `pytest -m benchmark --capture=no`."""

from collections.abc import Iterator

import numpy as np
import pytest

from .examples import examples_needed, held_throughout, rare_answers, streamed_errors
from .looks import looked_at_every_seed, planned_looks
from .rates import Rate, Row, show
from .seeds import EQUAL, ONE_NOISY, UNEQUAL, WORST, Noise, coverage, false_negligible, family_wise_error, power

STUDIES = 2_000
FEWER = 1_000
SEEDS = (3, 5, 10)
MOST = 0.06
"""Family-wise error that the analysis promises to keep at α = .05, normality and all that is printed beside it given."""


def by_seeds(what: str, noise: Noise, targets: int, rate, studies: int = FEWER, **bound) -> Row:
    """One line over 3, 5 and 10 seeds."""
    measured = {f"{seeds} seeds": rate(studies, targets, seeds, noise) for seeds in SEEDS}
    return Row(what, f"{targets} targets, {noise.name}", measured, **bound)


def over_seeds() -> Iterator[Row]:
    """Errors of the main table."""
    for noise in (EQUAL, *UNEQUAL, ONE_NOISY):
        for targets in (10, 40, 100):
            yield by_seeds(
                "any effect found where there is none", noise, targets, family_wise_error, STUDIES, most=MOST
            )
    for noise in WORST:
        yield by_seeds("the same, harder cases", noise, 40, family_wise_error)
    for noise in (EQUAL, UNEQUAL[0], ONE_NOISY):
        for targets in (10, 40):
            yield by_seeds("all intervals hold the truth", noise, targets, coverage, least=1 - MOST)
    for noise in (EQUAL, UNEQUAL[0], ONE_NOISY):
        for targets in (10, 40):
            what = "any negligible though all losses are ±δ"
            yield by_seeds(what, noise, targets, false_negligible, most=MOST)


def powers() -> Iterator[Row]:
    """The main table beside paired t tests."""
    for real in (1, 4, 40):
        for seeds in SEEDS[:2]:
            pooled, paired = power(FEWER // 2, 40, seeds, real)
            measured = {"main table": pooled, "paired t, Holm": paired}
            yield Row("real losses of 3σ that are found", f"{real} among 40 targets, {seeds} seeds", measured)


def over_looks() -> Iterator[Row]:
    """Planned looks beside testing at every seed."""
    for targets, delta in ((1, 1.5), (10, 2.0), (40, 2.0)):
        ended = planned_looks(FEWER, targets, delta)
        where = f"{targets} targets, looks at 3, 5, 10, 20, δ = {delta}σ"
        told = {"mean seeds": f"{ended.seeds:.1f}", "shown negligible": f"{ended.negligible.value:.2f} of arms"}
        yield Row("seeds bought at planned looks: any found", where, {"found": ended.found, **told}, most=MOST)
    for targets, most in ((1, 20), (1, 30), (10, 20)):
        naive = looked_at_every_seed(FEWER, targets, most)
        where = f"{targets} targets, paired t with Holm, every n from 3 to {most}"
        yield Row("tested at every seed: any found", where, {"found": naive})


def over_streams() -> Iterator[Row]:
    """The always-valid t beside a usual t that is made after every example."""
    generator = np.random.default_rng(8)
    for examples, streams in ((30, 20_000), (1_000, 2_000)):
        differences = generator.normal(size=(streams, examples))
        always, naive = streamed_errors(differences)
        where = f"after every example to n = {examples}"
        measured = {"always-valid t": always, "usual t": f"{naive}"}
        yield Row("streamed: truth rejected at some look", where, measured, most=0.05)
    shifted = generator.normal(0.3, 1.0, size=(2_000, 1_000))
    held = held_throughout(shifted, 0.3)
    yield Row("streamed: confidence sequence holds the truth", "at every n to 1,000", {"held": held}, least=0.95)
    needed = {f"loss of {loss}σ": f"{examples_needed(shifted - 0.3 + loss):.0f}" for loss in (0.2, 0.5, 1.0)}
    yield Row("streamed: examples until a loss is shown", "median", needed)
    rare = generator.choice([1.0, -1.0, 0.0], p=[0.005, 0.005, 0.99], size=(2_000, 1_000))
    always, naive = streamed_errors(rare)
    where = "answers that differ in 1% of 1,000 examples: not its case"
    yield Row("streamed: truth rejected at some look", where, {"always-valid t": always, "usual t": naive})


def side_by_side(what: str, where: str, exact: Rate, by_t: Rate, most: float) -> Row:
    """The bound holds for the exact rule; t is there to compare with."""
    return Row(what, where, {"exact rule": exact, "t": f"{by_t}"}, most=most)


def over_rare_answers() -> Iterator[Row]:
    """Exact rule beside t, by enumeration."""
    for n in (200, 1_000):
        for expected in (0.5, 1, 2, 5, 10):
            rate = expected / n / 2
            exact, _, by_t, _ = rare_answers(n, rate, rate, 0.01)
            where = f"{expected:g} of {n} examples differ on average"
            yield side_by_side("binary, no loss: one is found", where, exact, by_t, 0.05)
        for delta, gaining in ((1 / n, 0.0), (3 / n, 0.0), (3 / n, 1 / n), (8 / n, 1 / n)):
            _, exact, _, by_t = rare_answers(n, delta + gaining, gaining, delta)
            where = f"loss of δ = {delta * n:.0f} of {n} examples, {gaining * n:.0f} gained"
            yield side_by_side("binary, loss of δ: called negligible", where, exact, by_t, MOST)


@pytest.mark.benchmark
def test_calibration() -> None:
    rows = [*over_seeds(), *powers(), *over_looks(), *over_streams(), *over_rare_answers()]
    print()
    show(rows)
    assert [broken for row in rows for broken in row.broken()] == []
