"""What a night's records speak of, by the names that the rest of the report has for it."""

from ..night.failed import structural_failures
from ..records.night import Change, Surprise
from ..results import Results
from .selection import name


def removal_name(results: Results, one: Change | Surprise) -> str:
    """The labels of what was removed; its id where the results hold nothing of it."""
    asked = (one.mode, one.ablation, results.study.primary)
    for found in (*results.effects, *results.interactions):
        if (found.mode, found.ablation, found.metric) == asked:
            return name(found)
    return one.ablation


def structural_trials(results: Results) -> int:
    """Of the trials that failed, those that are a finding: the model does not run without what they removed."""
    return sum(one.trials for one in structural_failures(results))
