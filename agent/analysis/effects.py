"""The main table: the loss of every single removal against the baseline, tested as one family at the planned looks."""

import numpy as np

from .arrays import Bools, Floats
from .contrasts import single_removals
from .estimates import Table
from .looks import Rules
from .sequential import estimate_family


def effect_table(
    baseline: Floats,
    arms: Floats,
    *,
    baseline_finished: Bools,
    finished: Bools,
    rules: Rules,
    context: Floats | None = None,
    context_finished: Bools | None = None,
) -> Table:
    """Estimate the loss y0 − y of every arm, with A arms as the family. STATISTICS.md, "The main table".

    Args:
        baseline: shape [S], one column per seed, turned so that larger is better; NaN where failed or not finished.
        arms: shape [A, S], likewise.
        baseline_finished: shape [S], whether a seed is terminal: ok, or failed (then its value is NaN).
        finished: shape [A, S], likewise.
        rules: δ, the looks and α.
        context: shape [C, S], arms of other families whose noise is pooled with theirs; they are not tested here.
        context_finished: shape [C, S].

    Returns:
        One estimate per arm, in their order.

    Raises:
        ValueError: the shapes do not fit together, or delta is negative or not finite.
    """
    if arms.ndim != 2 or baseline.shape != arms.shape[1:] or baseline_finished.shape != finished.shape[1:]:
        raise ValueError(f"a baseline of shape {baseline.shape} does not fit arms of shape {arms.shape}")
    if context is None or context_finished is None:
        context, context_finished = np.empty((0, arms.shape[1])), np.empty((0, arms.shape[1]), dtype=np.bool_)
    y = np.concatenate([baseline[None], arms, context])
    done = np.concatenate([baseline_finished[None], finished, context_finished])
    return estimate_family(y, done, single_removals(len(arms)), rules)
