"""Learning curves of the arms, seeds taken together."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from .analysis.arrays import Floats
from .ledger import Ledger
from .planning.plan import BASELINE
from .records.curves import LearningCurve
from .results import Effect, Mode

MOST_POINTS = 200
"""Of one curve in the results; longer ones are thinned, the last point kept."""


def learning_curves(
    ledger: Ledger, version: str, metrics: Iterable[str], effects: Sequence[Effect]
) -> list[LearningCurve]:
    """One curve for each arm with an effect, each metric of the study and each mode, the baseline's first.

    A seed whose run has fewer rows ends the curve for all: a mean over other seeds at every point is no curve.
    """
    wanted = {BASELINE, *(one.ablation for one in effects)}
    runs: defaultdict[tuple[Mode, str, str], list[tuple[Floats, Floats, bool]]] = defaultdict(list)
    for row, curves in ledger.curves(version):
        for metric in metrics:
            if row.arm in wanted and metric in curves:
                value = curves[metric]["value"].values()
                step = curves[metric]["step"].values() if "step" in curves[metric] else np.arange(1.0, len(value) + 1)
                mode: Mode = row.mode  # type: ignore[assignment]
                runs[mode, row.arm, metric].append((step, value, "step" in curves[metric]))
    found = [_curve(*key, of_seeds) for key, of_seeds in runs.items()]
    return sorted((one for one in found if one is not None), key=lambda one: one.ablation != BASELINE)


def _curve(mode: Mode, arm: str, metric: str, runs: Sequence[tuple[Floats, Floats, bool]]) -> LearningCurve | None:
    """The seeds' mean and range; None where they have no two finite points in common."""
    length = min(len(value) for _, value, _ in runs)
    values = np.stack([value[:length] for _, value, _ in runs])
    finite = np.isfinite(values).all(axis=0)
    at = np.flatnonzero(finite)
    if len(at) < 2:
        return None
    if len(at) > MOST_POINTS:
        at = at[np.unique(np.linspace(0, len(at) - 1, MOST_POINTS).round().astype(int))]
    steps, _, numbered = runs[0]
    shown = values[:, at]
    return LearningCurve(
        ablation=arm,
        mode=mode,
        metric=metric,
        steps=steps[at].tolist(),
        numbered=numbered,
        mean=shown.mean(axis=0).tolist(),
        low=shown.min(axis=0).tolist(),
        high=shown.max(axis=0).tolist(),
        n=len(runs),
    )
