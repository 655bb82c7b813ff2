"""What is wrong with the `[retuning]` of a study file: keys that the configuration lacks, values of another kind, a grid too large."""

import json
import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..executor.errors import LesionError
from .configuration import dotted_keys, flatten, load_configuration, nearest_keys
from .spec import StudySection, absolute
from .studychecks import Problem, Table, as_table

MOST_VALUES = 8
MOST_SETTINGS = 32
HERE = ("retuning", "values")
SCALARS = (bool, int, float, str)
KINDS: dict[type, str] = {bool: "true or false", int: "a whole number", float: "a number", str: "a string"}


def check_retuning(raw: Table, folder: Path) -> Iterator[Problem]:
    """Every problem of the section; what is of a wrong shape is left to the types."""
    if "retuning" not in raw:
        return
    section, study = as_table(raw["retuning"]), as_table(raw.get("study"))
    if "retrain" not in study.get("modes", StudySection.model_fields["modes"].default):
        yield Problem(("retuning",), 'only arms that are trained can be tuned (add "retrain" to study.modes)')
    seeds, first = section.get("seeds"), study.get("seeds", StudySection.model_fields["seeds"].default)
    if isinstance(seeds, int) and isinstance(first, int) and seeds > first:
        yield Problem(("retuning", "seeds"), f"{seeds} is more than study.seeds = {first} (name that many at most)")
    values = dict(_entries(as_table(section.get("values")), HERE))
    if not values:
        yield Problem(("retuning",), 'nothing to try (add [retuning.values] with, say, "optimizer.lr" = [0.03, 0.3])')
    known = _configured(raw, folder)
    wrong = [Problem(path, told) for path, tried in values.items() for told in _about(_key(path), tried, known)]
    yield from wrong or _too_many(values, known or {})


def _key(path: tuple[str, ...]) -> str:
    return ".".join(path[len(HERE) :])


def _too_many(values: dict[tuple[str, ...], Any], known: dict[str, Any]) -> Iterator[Problem]:
    lists = {_key(path): tried for path, tried in values.items() if isinstance(tried, list)}
    size = math.prod(len(tried) + (known.get(key) not in tried) for key, tried in lists.items())
    if size > MOST_SETTINGS:
        told = f"these are {size} settings with the baseline's own values, for each arm (try {MOST_SETTINGS} at most)"
        yield Problem(HERE, told)


def _entries(table: Table, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Values by where they stand: keys may be quoted whole, or nested."""
    for key, value in table.items():
        yield from _entries(value, (*path, key)) if isinstance(value, dict) else [((*path, key), value)]


def _configured(raw: Table, folder: Path) -> dict[str, Any] | None:
    """Dotted key → the baseline's value; empty without a configuration, None where that cannot be read (told elsewhere)."""
    experiment, root = as_table(raw.get("experiment")), as_table(raw.get("project")).get("root", ".")
    name = experiment.get("config")
    if name is None:
        return {}
    if not isinstance(name, str) or not isinstance(root, str):
        return None
    try:
        values = load_configuration(absolute(absolute(folder, root), name)).values
    except LesionError:
        return None
    known: dict[str, Any] = {}
    for dotted, path in dotted_keys(values).items():
        known[dotted] = known[".".join(path[:-1])][path[-1]] if path[:-1] else values[path[-1]]
    return known | flatten(as_table(experiment.get("set")))


def _about(key: str, tried: Any, known: dict[str, Any] | None) -> Iterator[str]:
    if not isinstance(tried, list):
        return
    if not 1 <= len(tried) <= MOST_VALUES:
        yield f"{len(tried)} values (name 1 to {MOST_VALUES}; the baseline's own is always tried)"
    for value, count in Counter(map(_shown, tried)).items():
        if count > 1:
            yield f"{value} is named {count} times (name it once)"
    if known is not None and key not in known:
        yield f"there is no such key in the configuration ({nearest_keys(key, list(known))})"
    elif known is not None and isinstance(known[key], dict | list):
        yield f"is no single value in the configuration: {_shown(known[key])} (name a key inside)"
    odd = [value for value in tried if not _fits(value, (known or {}).get(key))]
    if odd:
        yield _odd(odd, (known or {}).get(key))


def _fits(value: Any, own: Any) -> bool:
    """Whether a value can stand where the baseline has its own."""
    if not isinstance(value, SCALARS) or (isinstance(value, float) and not math.isfinite(value)):
        return False
    if not isinstance(own, SCALARS):
        return True
    if isinstance(own, float) and not isinstance(value, bool):
        return isinstance(value, int | float)
    return type(value) is type(own)


def _odd(odd: list[Any], own: Any) -> str:
    shown = ", ".join(map(_shown, odd))
    if not isinstance(own, SCALARS):
        return f"cannot be {shown} (name finite numbers, strings, true or false)"
    hint = f"; write it as {own}.0 there if it may be any number" if type(own) is int else ""
    return f"must be {KINDS[type(own)]} as in the configuration ({_shown(own)}), not {shown}{hint}"


def _shown(value: Any) -> str:
    return json.dumps(value, default=str, ensure_ascii=False)
