"""What was settled, and what settling the rest would take: the end of what a forecast began."""

from collections.abc import Sequence

from .records.base import OPEN
from .records.power import Settling
from .results import Effect


def reachable(effects: Sequence[Effect], last_look: int) -> list[Effect]:
    """The same, where what would take more seeds than the last planned look has is nothing that the study can settle."""
    return [
        one if (one.seeds_to_settle or 0) <= last_look else one.model_copy(update={"seeds_to_settle": None})
        for one in effects
    ]


def settling(effects: Sequence[Effect], baseline_n: int, workers: int, run_seconds: float | None) -> Settling | None:
    """What the sealed family came to in one mode on the primary metric; None where nothing of it was measured.

    `run_seconds`: wall time of one trial from start to end; None where none was measured.
    """
    if not effects:
        return None
    open_ = [one for one in effects if one.verdict in OPEN]
    known = [one for one in open_ if one.seeds_to_settle is not None]
    units = max((one.seeds_to_settle or 0 for one in known), default=None)
    sampled = effects[0].unit in ("example", "cluster")
    trials = seconds = None
    if not sampled and known and units is not None:
        further = [max(0, (one.seeds_to_settle or 0) - one.n) for one in known]
        trials = sum(further) + max(0, units - baseline_n)
        seconds = None if run_seconds is None else trials * run_seconds / workers
    return Settling(
        settled=len(effects) - len(open_),
        undecided=len(open_),
        unknown=len(open_) - len(known),
        units=units,
        trials=trials,
        seconds=seconds,
    )
