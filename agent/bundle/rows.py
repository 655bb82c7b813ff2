"""The rows of a report that can be run again: a removal in one mode, with what was reported of it on every metric."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ...executor.errors import BundleError
from ..planning.plan import nearest
from ..results import Effect, Interaction, Interval, Mode, Results


@dataclass(frozen=True)
class Row:
    """A removal in one mode."""

    ablation: str
    mode: Mode
    effects: dict[str, Effect]
    """By metric."""
    interactions: dict[str, Interaction]
    """Likewise, of a joint removal."""

    @property
    def is_joint(self) -> bool:
        """Whether several components are removed."""
        return any(len(one.components) > 1 for one in self.effects.values())

    def figure(self, metric: str) -> tuple[Literal["delta", "contrast"], float | None, Interval | None, str]:
        """What is held against the reported interval: its name (`delta` or `contrast`), value, interval, and the verdict."""
        joint = self.interactions.get(metric)
        if joint is not None and joint.contrast is not None and joint.interval is not None:
            return "contrast", joint.contrast, joint.interval, joint.verdict
        one = self.effects[metric]
        return "delta", one.delta, one.interval, one.verdict


def rows_of(results: Results) -> list[Row]:
    """Every row, in the order of the report's data."""
    keys: dict[tuple[str, Mode], None] = dict.fromkeys((one.ablation, one.mode) for one in results.effects)
    return [_row(results, name, mode) for name, mode in keys]


def _row(results: Results, name: str, mode: Mode) -> Row:
    effects = {one.metric: one for one in results.effects if (one.ablation, one.mode) == (name, mode)}
    joint = {one.metric: one for one in results.interactions if (one.ablation, one.mode) == (name, mode)}
    return Row(name, mode, effects, joint)


def chosen(rows: Sequence[Row], name: str, mode: str | None) -> list[Row]:
    """The rows of an ablation, in one mode or in all that it was asked in. `BundleError` where there is none."""
    found = [one for one in rows if one.ablation == name]
    if not found:
        known = list(dict.fromkeys(one.ablation for one in rows))
        raise BundleError(f"no row is named {name!r}{nearest(name, known)}", to_do="see them all with --list")
    fitting = [one for one in found if mode in (None, one.mode)]
    if not fitting:
        modes = ", ".join(one.mode for one in found)
        raise BundleError(f"{name} was not measured in {mode}", to_do=f"it was in: {modes}")
    return fitting
