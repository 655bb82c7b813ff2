"""What became of evaluations on fixed weights that may end early, and of what was not computed twice, as data."""

from typing import Literal

from .base import Record


class Whole(Record):
    """Why every removal was evaluated on the whole set."""

    why: Literal[
        "asked", "command", "no-batches", "no-value", "order", "few", "clusters", "datasets", "classes", "alike"
    ]
    """asked: `study.stop_early = false`; command, no-batches, no-value: nothing to stop between; order: the order of batches
    changes what examples get; clusters, datasets, classes: a table needs all examples; alike: examples of a batch resemble
    each other."""
    metric: str | None = None
    split: str | None = None


class EarlyStopping(Record):
    """Removals evaluated under the rule that ends an evaluation once its verdicts are settled."""

    alpha: float
    share: float
    """Of alpha, spent on stopping early."""
    trials: int
    """Removals at trained models that ran under the rule."""
    stopped: int
    """Of these, those that ended early on a split at least."""
    evaluations: int
    """Examples that they were evaluated on, over all splits."""
    of: int
    """Examples that whole sets would have been."""


class Replay(Record):
    """Module calls of removals that were not made, since the baseline's results of the same batch were known."""

    trials: int
    share: float
    """Of a removal's module calls, mean."""
    held_memory: int | None = None
    """Bytes of results held at most, of one batch."""
