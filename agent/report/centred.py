"""Colours around zero: one hue for what is above, another for what is below, and ink that can be read on either."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable

_PALETTE = "PuOr_r"
"""Told apart by colour-blind readers; in greyscale both ends are dark, so that signs are written as well."""
_DARK = 0.6


@dataclass(frozen=True)
class Centred:
    """A scale from −reach to reach."""

    reach: float

    @cached_property
    def _mappable(self) -> "ScalarMappable":
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import CenteredNorm

        return ScalarMappable(CenteredNorm(0, self.reach), _PALETTE)

    def colour(self, value: float) -> Any:
        """Of one cell."""
        mappable: Any = self._mappable
        return mappable.to_rgba(value)

    def ink(self, value: float) -> str:
        """What can be read on that colour."""
        return "white" if abs(value) > _DARK * self.reach else "black"

    def bar(self, axes: "Axes", label: str) -> None:
        """The scale beside the axes."""
        figure: Any = axes.get_figure()
        figure.colorbar(self._mappable, ax=axes, fraction=0.05, pad=0.02).set_label(label, parse_math=False)
