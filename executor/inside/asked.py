"""One arm of a job that goes batch by batch: how far it has come, when it may end, and what it tells then."""

import hashlib
import math
import time
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence

from .experiment import batch_name, own_name, summed
from .measured import plain_results
from .stopping import Stopping
from .targets import Scores, Target, bits
from .wire import pack


class Place(NamedTuple):
    """One batch and where it stands."""

    split: str
    at: int
    """In the experiment's own order."""
    batch: Any

    @property
    def name(self) -> str:
        """What its seed is made from."""
        return batch_name(own_name(self.split), self.at)


Sizes = Mapping[str, Sequence[int]]
"""Split → examples of each batch."""


class Asked:
    """One arm of a job: what it measures, the parts that it is compared with, and how far it has come."""

    def __init__(
        self, part: int, target: Target, parts: "Dict[str, Target]", family: Optional[int], sizes: Sizes
    ) -> None:
        self.part, self.target, self.parts, self.family, self._sizes = part, target, parts, family, sizes
        self.places: Dict[str, List[int]] = {}
        """Split → the batches that it was shown, in their order."""
        self.stopping: Dict[str, Stopping] = {}
        self.seconds = 0.0

    def is_open(self, split: str) -> bool:
        """Whether more batches of a split are wanted."""
        rule = self.stopping.get(split)
        return self.target.failure is None and not (rule is not None and rule.settled)

    def begin(self, split: str, rule: "Optional[Dict[str, Any]]") -> None:
        """Begin a split; by the rule, where there is one that applies. One whose parts fail has no contrast to settle."""
        self.places[split] = []
        if rule and self.family and not self._lacks_parts:
            deltas = rule["deltas"].get(split, {})
            self.stopping[split] = Stopping(rule["alpha"], rule["share"], self.family, deltas)

    def look(self, base: Scores, place: Place) -> None:
        """Take in one more batch."""
        self.places[place.split].append(place.at)
        if self._lacks_parts:
            self.stopping.pop(place.split, None)
        elif place.split in self.stopping:
            parts = {name: one.values[place.split][place.at] for name, one in self.parts.items()}
            self.stopping[place.split].take(base, self.target.values[place.split][place.at], parts)

    @property
    def _lacks_parts(self) -> bool:
        return any(one.failure is not None for one in self.parts.values())

    @property
    def targets(self) -> "List[Target]":
        """Everything that is measured for it."""
        return [self.target, *(one for one in self.parts.values() if one.failure is None)]

    def told(self) -> "Dict[str, Any]":
        """Its results. Raises what it failed with, `Diverged` where a metric is not finite."""
        target = self.target
        if target.failure is not None:
            raise target.failure
        return {
            **plain_results({split: self._evaluated(split) for split in self.places}),
            "fingerprint": self._fingerprint(),
            "proofs": [cut.proof() for cut in target.cuts],
            "changed_weights": target.changed,
            "seen": {split: self._seen(split) for split in self.stopping},
            "same": target.same,
            "replayed": round(target.skipped / target.calls, 6) if target.calls else None,
            "parts": self._measured_along(),
            "seconds": {"evaluate": round(target.seconds + self.seconds, 6)},
            "cpu_seconds": target.processor_seconds,
            "finished_at": time.time(),
        }

    def _fingerprint(self) -> str:
        """Of all scores, and of what was put out first: tells removals with other results apart."""
        seen = hashlib.sha256(repr(self.target.print).encode())
        for split, places in self.places.items():
            for at in places:
                seen.update(f"{split}/{at}".encode())
                for name, values in bits(self.target.values[split][at]).items():
                    seen.update(name.encode() + values)
        return seen.hexdigest()

    def _evaluated(self, split: str) -> "Dict[str, Any]":
        """Metrics, of what it was shown, and columns."""
        shown: Dict[str, List[float]] = {}
        for at in sorted(self.places[split]):
            for name, values in self.target.values[split][at].items():
                shown.setdefault(name, []).extend(values)
        return {**summed(shown), "examples": self._columns(self.target, split)}

    def _columns(self, target: Target, split: str) -> "Dict[str, List[float]]":
        """Columns in the experiment's own order; NaN for what it was not shown."""
        shown, found = set(self.places[split]), target.values.get(split, {})
        sizes = self._sizes[split] if split in self.stopping else ()
        names = list(dict.fromkeys(name for at in shown for name in found.get(at, {})))
        columns: Dict[str, List[float]] = {name: [] for name in names}
        for at in range(len(sizes)) if sizes else sorted(shown):
            for name in names:
                columns[name].extend(found[at].get(name, ()) if at in shown and at in found else [math.nan] * sizes[at])
        return columns

    def _seen(self, split: str) -> "Dict[str, int]":
        sizes = self._sizes[split]
        return {"examples": sum(sizes[at] for at in self.places[split]), "of": sum(sizes)}

    def _measured_along(self) -> "Dict[str, Any]":
        """Part → split → columns, on the batches that it was shown itself."""
        measured = {name: one for name, one in self.parts.items() if one.failure is None}
        return {
            name: {
                split: {column: pack(values) for column, values in self._columns(one, split).items()}
                for split in self.places
            }
            for name, one in measured.items()
        }
