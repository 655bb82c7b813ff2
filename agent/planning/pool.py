"""The pool of an interaction search: what costs nothing alone, so that only its joint removal can tell what it covers for."""

from collections.abc import Iterable, Sequence

from ...executor.interventions import SWITCHES, ConfigOverride
from ..components import Component, apart
from ..results import Effect, Mode

LARGE = 30
"""Pools from this size on are searched: all of their pairs would cost more."""
SMALLEST = 12
"""Smaller ones have fewer pairs than a search takes runs."""
_QUIET = ("negligible", "undecided", "no-op")
_SURELY = 0.003
"""Unadjusted p below which a loss of more than δ/2 is no noise: three standard errors."""


def quiet_pool(effects: Sequence[Effect], mode: Mode, delta: float, components: Sequence[Component]) -> list[str]:
    """Components whose single removal costs less than δ, none inside another; a switch that did nothing stays in.

    Args:
        effects: of the primary metric.
        mode: the question that is searched.
        delta: the smallest effect of interest.
        components: all there are.
    """
    known = {one.id: one for one in components}
    singles = [
        one
        for one in effects
        if one.mode == mode and one.role == "confirmatory" and one.ablation in known and not one.same_as
    ]
    return _distinct(apart([one.ablation for one in singles if _is_quiet(one, delta)], known), known)


def _is_quiet(effect: Effect, delta: float) -> bool:
    if effect.verdict not in _QUIET:
        return effect.masked
    if effect.verdict == "no-op":
        return effect.intervention_kind in SWITCHES
    surely = effect.p is not None and effect.p < _SURELY
    return effect.delta is None or not (surely and abs(effect.delta) > delta / 2)


def _distinct(names: Iterable[str], known: dict[str, Component]) -> list[str]:
    """Without switches of a key that an earlier one switches: both cannot be had at once."""
    taken: set[str] = set()
    kept: list[str] = []
    for name in names:
        keys = {one.key for one in known[name].interventions[:1] if isinstance(one, ConfigOverride)}
        if not keys & taken:
            taken |= keys
            kept.append(name)
    return kept
