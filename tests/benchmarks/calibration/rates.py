"""What a simulation measures: a share of studies with its Monte-Carlo error, beside the bound it should keep."""

import math
from dataclasses import dataclass
from typing import NamedTuple

from rich.console import Console
from rich.table import Table


class Rate(NamedTuple):
    """A share of `n` simulated studies; n = 0: computed exactly, without Monte-Carlo error."""

    value: float
    n: int = 0

    @property
    def error(self) -> float:
        """Monte-Carlo standard error."""
        return math.sqrt(self.value * (1 - self.value) / self.n) if self.n else 0.0

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.error:.3f})" if self.n else f"{self.value:.3f}"


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    where: str
    measured: dict[str, Rate | str]
    most: float | None = None
    """Bound from above; None: told, not bounded."""
    least: float | None = None

    @property
    def bound(self) -> str:
        """The bound in words."""
        if self.most is not None:
            return f"≤ {self.most:g}"
        return "" if self.least is None else f"≥ {self.least:g}"

    def broken(self, errors: float = 3.0) -> list[str]:
        """Measurements beyond the bound by more than so many Monte-Carlo errors, in words."""
        rates = {label: rate for label, rate in self.measured.items() if isinstance(rate, Rate)}
        return [
            f"{self.what}, {self.where}, {label}: {rate} {self.bound}"
            for label, rate in rates.items()
            if (self.most is not None and rate.value > self.most + errors * rate.error)
            or (self.least is not None and rate.value < self.least - errors * rate.error)
        ]


def show(rows: list[Row]) -> None:
    """Print one table."""
    table = Table(title="Calibration on simulated studies: share of studies (Monte-Carlo standard error)")
    for name in ("what", "where", "measured", "bound"):
        table.add_column(name, overflow="fold")
    before = None
    for row in rows:
        if before not in (None, row.what):
            table.add_section()
        told = "   ".join(f"{label}: {rate}" for label, rate in row.measured.items())
        table.add_row(row.what if row.what != before else "", row.where, told, row.bound)
        before = row.what
    Console(width=190).print(table)
