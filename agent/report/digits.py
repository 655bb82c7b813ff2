"""How fine the figures of a study are printed: no finer than two figures below δ, whatever the rounding of floats would allow."""

from typing import TYPE_CHECKING, TypeVar

from ..records.base import Interval, coarsest

if TYPE_CHECKING:
    from ..records.kinds import KindContrast
    from ..results import Effect, Interaction, Results

_FIELDS = ("interval", "observed_interval")
_F = TypeVar("_F", "Effect", "Interaction", "KindContrast")


class Ends(tuple[float, float]):
    """An interval that knows δ on its scale, so that it is printed to two figures below δ at most."""

    smallest_effect: float

    @classmethod
    def beside(cls, ends: Interval, smallest_effect: float) -> "Ends":
        """The same ends."""
        made = cls(ends)
        made.smallest_effect = smallest_effect
        return made


def width(uncertainty: float | Interval | None) -> float | None:
    """The half-width that decides how many figures are shown."""
    if not isinstance(uncertainty, tuple):
        return uncertainty
    half = (uncertainty[1] - uncertainty[0]) / 2
    return coarsest(half, uncertainty.smallest_effect) if isinstance(uncertainty, Ends) else half


def beside_delta(results: "Results") -> "Results":
    """The same results, whose intervals know δ of their metric where it is known."""
    return results.model_copy(
        update={
            "effects": [_with_ends(results, each) for each in results.effects],
            "interactions": [_with_ends(results, each) for each in results.interactions],
            "kinds": [_with_ends(results, each) for each in results.kinds],
        }
    )


def _with_ends(results: "Results", found: _F) -> _F:
    floor = results.baseline.get(found.mode, {}).get(found.metric)
    if floor is None:
        return found
    ends = {field: getattr(found, field) for field in _FIELDS if getattr(found, field, None) is not None}
    return found.model_copy(update={field: Ends.beside(each, floor.smallest_effect) for field, each in ends.items()})
