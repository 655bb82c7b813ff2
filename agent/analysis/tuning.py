"""The choice among settings of an arm: the best mean over the tuning seeds, by a rule that favours what was there."""

import numpy as np

from .arrays import Floats, measured, rounding


def best_setting(values: Floats, own: int) -> int:
    """Which setting does best on average.

    A setting with a seed that failed is out of the choice: a mean over the seeds that came through would flatter it.
    Ties go to `own`, then to the earlier setting; where no setting is whole, `own` stays.

    Args:
        values: shape [settings, seeds], turned so that larger is better, NaN where a seed failed.
        own: index of the setting that the study began with.
    """
    values = measured(values)
    means = np.where(np.isfinite(values).all(axis=1), values.mean(axis=1), -np.inf)
    if not np.isfinite(means).any() or means[own] >= means.max() - float(rounding(values)):
        return own
    return int(means.argmax())
