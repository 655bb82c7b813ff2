"""Studies over examples: an always-valid t that is looked at all the time, and binary answers that hardly ever differ."""

from functools import cache

import numpy as np
from lesion.agent.analysis.anytime import Moments, always_valid_p, confidence_radius, log_e
from lesion.agent.analysis.arrays import Floats
from lesion.agent.analysis.contrasts import single_removals
from lesion.agent.analysis.examples import estimate_examples
from lesion.agent.analysis.inference import equivalence_p, two_sided_p
from lesion.agent.analysis.looks import Look, Rules
from scipy import stats

from .rates import Rate

ALPHA = 0.05
MOST_DISCORDANT = 40


def every_look(differences: Floats) -> Moments:
    """Moments after each example, shape [streams, examples]."""
    n = np.arange(1, differences.shape[1] + 1)
    mean = np.cumsum(differences, axis=1) / n
    squares = np.maximum(np.cumsum(differences**2, axis=1) - n * mean**2, 0.0)
    return Moments(np.broadcast_to(n, mean.shape), mean, squares)


def streamed_errors(differences: Floats, truth: float = 0.0) -> tuple[Rate, Rate]:
    """Share of streams in which, after some example, the truth is rejected: by the always-valid t, by the usual t."""
    found, streams = every_look(differences - truth), len(differences)
    always = always_valid_p(log_e(found))[:, -1] <= ALPHA
    enough = found.n[0] >= 3
    se = found.sd[:, enough] / np.sqrt(found.n[:, enough])
    naive = (two_sided_p(found.mean[:, enough], se, found.n[:, enough] - 1) <= ALPHA).any(axis=1)
    return Rate(float(always.mean()), streams), Rate(float(naive.mean()), streams)


def held_throughout(differences: Floats, truth: float) -> Rate:
    """Share of streams whose confidence sequence holds the truth after every example."""
    found = every_look(differences)
    held = (np.abs(found.mean - truth) <= confidence_radius(found, ALPHA)).all(axis=1)
    return Rate(float(held.mean()), len(differences))


def examples_needed(differences: Floats) -> float:
    """Median number of examples after which a difference is shown."""
    shown = always_valid_p(log_e(every_look(differences))) <= ALPHA
    return float(np.median(np.where(shown.any(axis=1), shown.argmax(axis=1) + 1, np.inf)))


def rare_answers(n: int, losing: float, gaining: float, delta: float) -> tuple[Rate, Rate, Rate, Rate]:
    """Chance, by enumeration, of p ≤ .05 for a difference and for equivalence within ±δ: exact rule, then t.

    Args:
        n: examples.
        losing: chance that only the baseline gets an example right.
        gaining: the reverse.
        delta: smallest effect.
    """
    counts = np.array([(b, c) for b in range(MOST_DISCORDANT) for c in range(MOST_DISCORDANT - b)])
    chances = stats.multinomial.pmf(
        np.column_stack([counts, n - counts.sum(1)]), n, [losing, gaining, 1 - losing - gaining]
    )
    worth = chances > 1e-9
    counts, chances = counts[worth], chances[worth]
    exact = np.array([_exact(int(b), int(c), n, delta) for b, c in counts])
    shares = [float(chances @ (p <= ALPHA)) for p in (*exact.T, *_by_t(counts, n, delta))]
    return Rate(shares[0]), Rate(shares[1]), Rate(shares[2]), Rate(shares[3])


@cache
def _exact(losses: int, gains: int, n: int, delta: float) -> tuple[float, float]:
    y = np.ones((2, n))
    y[1, :losses], y[0, losses : losses + gains] = 0.0, 0.0
    one = estimate_examples(y, single_removals(1), Rules(delta, (Look(n, ALPHA),))).estimates[0]
    assert one.p is not None
    assert one.p_equivalence is not None
    return one.p, one.p_equivalence


def _by_t(counts: np.ndarray, n: int, delta: float) -> tuple[Floats, Floats]:
    losses, gains = counts.T
    mean = (losses - gains) / n
    se = np.sqrt(((losses + gains) / n - mean**2) / (n - 1))
    return two_sided_p(mean, se, n - 1.0), np.maximum(*equivalence_p(mean, se, n - 1.0, delta))
