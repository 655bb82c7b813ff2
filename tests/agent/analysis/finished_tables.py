"""Tables in which every cell that is not NaN-and-pending has finished: what most analysis tests start from."""

import numpy as np
from lesion.agent.analysis.effects import effect_table
from lesion.agent.analysis.estimates import Table
from lesion.agent.analysis.looks import Look, Rules, planned_looks


def one_look(seeds: int, delta: float = 1.0, alpha: float = 0.05) -> Rules:
    return Rules(delta, (Look(seeds, alpha),), alpha)


def planned(seeds: int, max_seeds: int, delta: float = 1.0, alpha: float = 0.05) -> Rules:
    return Rules(delta, planned_looks(seeds, max_seeds, alpha), alpha)


def table(baseline, arms, rules: Rules | None = None, runs: list[int] | None = None) -> Table:
    """The main table after `runs[i]` seeds of arm i (default: all of them); the baseline has run every seed."""
    baseline, arms = np.asarray(baseline, float), np.atleast_2d(np.asarray(arms, float))
    columns = np.arange(baseline.size)
    finished = columns < np.asarray(runs if runs is not None else [baseline.size] * len(arms))[:, None]
    return effect_table(
        baseline,
        np.where(finished, arms, np.nan),
        baseline_finished=np.ones(baseline.size, dtype=bool),
        finished=finished,
        rules=rules or one_look(baseline.size),
    )
