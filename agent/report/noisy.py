"""Whether arms were far noisier than the baseline, whose noise alone says what could be detected."""

from statistics import median

from ..results import Mode, Results
from . import selection

SEVERAL = 3
"""Times the minimum detectable effect; at the baseline's own noise an interval's half-width is below it."""


def far_noisier(results: Results, mode: Mode) -> float | None:
    """The median half-width of the sealed family's intervals, where it exceeds what could be detected several times.

    None otherwise, and over examples, where what could be detected is told at the median arm's noise.
    """
    floor = selection.noise_floor(results, mode, results.study.primary)
    told = [one.interval for one in selection.confirmatory(results, mode) if one.interval]
    if not told or floor is None or floor.unit in selection.SAMPLED or floor.minimum_detectable_effect is None:
        return None
    usual = median((high - low) / 2 for low, high in told)
    return usual if usual > SEVERAL * floor.minimum_detectable_effect else None
