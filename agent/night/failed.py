"""Which trials failed, and why, a short line for all that failed in the same way."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from ...prompts import phrases
from ..report.text import plain
from ..results import Failure, Results
from .columns import fitted, fitted_path

_NAMED = 2
"""Arms that are named; the others are counted."""
_REASON = 120
"""Characters of what a trial said."""


def structural_failures(results: Results) -> list[Failure]:
    """Of removals without which the model does not run: a finding, and no failure."""
    broken = {(one.mode, one.ablation) for one in results.effects if one.verdict == "structural"}
    return [one for one in results.accounting.failures if (one.mode, one.arm) in broken]


def failed(results: Results, columns: int) -> Iterator[str]:
    """Most trials first; last what is a finding and no failure: that the model does not run without a part.

    Args:
        results: of one study.
        columns: of all names in a line.
    """
    found, structural = results.accounting.failures, structural_failures(results)
    same: dict[tuple[str, str], list[Failure]] = {}
    for one in found:
        if one not in structural:
            same.setdefault((one.status, one.reason), []).append(one)
    for (status, reason), alike in sorted(same.items(), key=lambda item: -_trials(item[1])):
        yield _words().failed_arms(_trials(alike), plain(status), *_names(results, alike, columns), _clean(reason))
    untold = Counter(results.accounting.failed)
    for one in found:
        untold[one.status] -= one.trials
    if rest := dict(+untold):
        yield _words().failed(rest)
    if structural:
        reasons = {one.reason for one in structural}
        said = _clean(reasons.pop()) if len(reasons) == 1 else ""
        yield _words().structural(_trials(structural), *_names(results, structural, columns), said)


def _trials(found: Sequence[Failure]) -> int:
    return sum(one.trials for one in found)


def _names(results: Results, found: Sequence[Failure], columns: int) -> tuple[str, int]:
    """The first few arms by their labels, and how many more there are."""
    labels = {one.ablation: " + ".join(one.labels) for one in (*results.effects, *results.interactions)}
    names = list(dict.fromkeys(labels.get(one.arm) or one.arm for one in found))
    shown = names[:_NAMED]
    return ", ".join(fitted_path(plain(one), columns // len(shown)) for one in shown), len(names) - len(shown)


def _clean(reason: str) -> str:
    return fitted(plain(reason), _REASON)


def _words() -> Any:
    return phrases("night/words.j2")
