"""What the rows of the main table are paired with: the full model, over the units that a row has."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ...results import Effect, Mode, Results
from .. import numbers, selection
from .escaping import latex

_SAME = 1e-9


@dataclass(frozen=True)
class Reference:
    """The full model at as many units as some rows have, where its mean is another than over all of its own."""

    n: int
    means: tuple[str, ...]
    """As LaTeX, a metric each."""


def references(results: Results, mode: Mode, metrics: Sequence[str], rows: Sequence[Effect]) -> tuple[Reference, ...]:
    """Further rows of the full model, by n: every row of a removal is paired with the one of its n."""
    means = paired_means(results, mode)
    found: list[Reference] = []
    for n in sorted({e.n for e in rows if e.delta is not None}, reverse=True):
        if all((n, metric) in means for metric in metrics):
            at_n = [_printed(results, mode, metric, means[n, metric]) for metric in metrics]
            whole = [_printed(results, mode, metric, results.baseline[mode][metric].mean) for metric in metrics]
            found += [Reference(n, tuple(at_n))] if at_n != whole else []
    return tuple(found)


def paired_means(results: Results, mode: Mode) -> dict[tuple[int, str], float]:
    """(n, metric) → the full model's mean, where it is one for all removals of so many units."""
    means: defaultdict[tuple[int, str], list[float]] = defaultdict(list)
    for metric, floor in results.baseline.get(mode, {}).items():
        means[floor.n, metric].append(floor.mean)
    for e in results.effects:
        if e.mode == mode and e.role == "confirmatory" and e.baseline is not None:
            means[e.n, e.metric].append(e.baseline)
    return {key: of[0] for key, of in means.items() if max(of) - min(of) <= _SAME * max(1.0, abs(of[0]))}


def other_mean(results: Results, e: Effect) -> str:
    """The mean that a row is paired with, as LaTeX, where no row of the full model shows it."""
    floor = selection.noise_floor(results, e.mode, e.metric)
    if floor is None or e.baseline is None or (e.n, e.metric) in paired_means(results, e.mode):
        return ""
    paired = _printed(results, e.mode, e.metric, e.baseline)
    return "" if paired == _printed(results, e.mode, e.metric, floor.mean) else paired


def _printed(results: Results, mode: Mode, metric: str, mean: float) -> str:
    return latex(numbers.number(mean, results.baseline[mode][metric].printed_to))
