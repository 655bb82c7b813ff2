"""Per-example values of finished trials, read from the ledger when an analysis asks for them."""

from functools import lru_cache

from .analysis.arrays import Floats
from .arms import MEASURED
from .ledger import Ledger, TrialRow

KEPT = 512
"""Trials and splits held in memory at once."""


class ExampleStore:
    """Called with a trial and a split: its columns, each of shape [N]; empty where it gave none."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._read = lru_cache(maxsize=KEPT)(self._columns)
        self._read_parts = lru_cache(maxsize=KEPT)(self._parts)

    def __call__(self, row: TrialRow, split: str) -> dict[str, Floats]:
        """The values of one trial; an unfinished one has none yet."""
        return self._read(row.key, split) if row.status in MEASURED else {}

    def parts(self, row: TrialRow, split: str) -> dict[str, dict[str, Floats]]:
        """Of a joint removal that measured its parts along with itself: part → its columns, NaN where it ended early."""
        return self._read_parts(row.key, split) if row.status in MEASURED else {}

    def _columns(self, key: str, split: str) -> dict[str, Floats]:
        return {name: column.values() for name, column in self._ledger.examples(key).get(split, {}).items()}

    def _parts(self, key: str, split: str) -> dict[str, dict[str, Floats]]:
        told = {part: splits.get(split, {}) for part, splits in self._ledger.parts(key).items()}
        return {part: {name: column.values() for name, column in columns.items()} for part, columns in told.items()}
