"""The project's verdicts on heads of which every loss is at hand: on the whole set, or stopped where each was settled."""

import numpy as np
from lesion.agent.analysis.arrays import Floats
from lesion.agent.analysis.contrasts import single_removals
from lesion.agent.analysis.examples import estimate_examples
from lesion.agent.analysis.looks import Look, Rules
from lesion.agent.analysis.stopping import Stopping as Watched
from lesion.agent.analysis.verdicts import EffectFacts, effect_verdict
from lesion.executor.inside.stopping import Stopping

from .design import ALPHA

SHARE = 0.2
"""Of α, spent on stopping early."""
METRIC = "loss"


def stopped(losses: Floats, batch: int, delta: float) -> Floats:
    """The same losses, shape [1 + heads, examples], NaN from where the rule that a worker goes by settles each head."""
    seen = losses.copy()
    for row in seen[1:]:
        rule = Stopping(ALPHA, SHARE, len(losses) - 1, {METRIC: delta})
        for start in range(0, losses.shape[1], batch):
            if rule.settled:
                row[start:] = np.nan
                break
            part = slice(start, start + batch)
            rule.take({METRIC: losses[0, part].tolist()}, {METRIC: row[part].tolist()})
    return seen


def verdicts(losses: Floats, delta: float, *, early: bool) -> list[str]:
    """Of every head, on losses of shape [1 + heads, examples], the intact model's first; NaN where a head was not looked at.

    `early`: by the tests for what was evaluated under the rule that stops early, whether or not it stopped anything.
    """
    rules = Rules(delta, (Look(losses.shape[1], ALPHA),), ALPHA)
    watched = Watched(SHARE, np.arange(len(losses)) > 0) if early else None
    found = estimate_examples(-losses, single_removals(len(losses) - 1), rules, stopping=watched).estimates
    return [effect_verdict(one, EffectFacts(), rules).verdict for one in found]
