"""The shortest training that a script's settings allow, and how much longer the whole would take."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..configuration import flatten
from ..reading.script.roles import training_length
from ..reading.script.settings import ScriptSettings

STEPS = 20
"""Of a training that is counted in steps."""
EPOCH = re.compile(r"epoch", re.IGNORECASE)
REPORTS = re.compile(
    r"^(log|print|eval|val|valid|test|report|sample|save|display)(uation|idation|ging)?_?(interval|every|freq|frequency|steps?|period|each)$"
    r"|^every_n_steps$",
    re.IGNORECASE,
)
"""How often something is printed or measured."""
REPEATS = re.compile(r"^(eval|val|valid|test)(uation|idation)?_?(iters?|batches|iterations)$", re.IGNORECASE)


class Shortest(NamedTuple):
    """Settings of the brief run."""

    settings: dict[str, Any]
    """Dotted key → value."""
    share: float
    """Of the whole training."""


def shortest(settings: ScriptSettings, fixed: Mapping[str, Any]) -> Shortest:
    """One epoch, a few steps, and reports often enough to come at all; `fixed` settings stay."""
    flat = {key: value for key, value in flatten(settings.values).items() if key not in fixed}
    changed: dict[str, Any] = {}
    share = 1.0
    for role in training_length(settings):
        name = role.key.rpartition(".")[2]
        wanted = 1 if EPOCH.search(name) else STEPS
        if role.key in flat and role.value > wanted and not REPORTS.match(name) and not REPEATS.match(name):
            changed[role.key] = wanted
            share = min(share, wanted / role.value)
    counted = any(value == STEPS for value in changed.values())
    for key, value in flat.items():
        name = key.rpartition(".")[2].replace("-", "_")
        if counted and type(value) is int and value > STEPS // 2 and (REPORTS.match(name) or REPEATS.match(name)):
            changed[key] = STEPS // 2
    return Shortest(changed, share)
