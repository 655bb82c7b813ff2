"""What chance gives: only where the number of classes is evident."""

import ast
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..reading.script.source import Source
from .naming import words_of

DATASETS = {
    "MNIST": 10,
    "FashionMNIST": 10,
    "KMNIST": 10,
    "CIFAR10": 10,
    "CIFAR100": 100,
    "SVHN": 10,
    "STL10": 10,
    "load_digits": 10,
}
SETTINGS = re.compile(r"(^|\.)(num_?classes|n_?classes|nb_?classes|classes|num_?labels)$", re.IGNORECASE)
SHARES = frozenset({"acc", "accuracy", "correct", "top1"})


def classes_of(settings: Mapping[str, Any], files: Sequence[Source]) -> tuple[int, str] | None:
    """How many classes there are, and how that is known; None where it is not evident or two things disagree.

    Args:
        settings: Dotted key → value.
        files: The source that the script consists of.
    """
    found = {
        value: key
        for key, value in settings.items()
        if SETTINGS.search(key) and isinstance(value, int) and not isinstance(value, bool) and value > 1
    }
    if not found:
        used = {name: f"{file.name}:{line}" for file in files for name, line in _names(file) if name in DATASETS}
        found = {DATASETS[name]: f"{name}, {where}" for name, where in used.items()}
    return next(iter(found.items())) if len(found) == 1 else None


def is_share(metric: str) -> bool:
    """Whether a metric counts how much is right, so that guessing among k classes gives 1/k of all."""
    words = words_of(metric)
    return not SHARES.isdisjoint(words) and not {"5", "top5", "balanced"} & {*words}


def _names(file: Source) -> list[tuple[str, int]]:
    """Names that are called, with their lines."""
    calls = [node for node in ast.walk(file.tree) if isinstance(node, ast.Call)]
    named = [
        (one.func.attr if isinstance(one.func, ast.Attribute) else getattr(one.func, "id", ""), one) for one in calls
    ]
    return [(name, one.lineno) for name, one in named]
