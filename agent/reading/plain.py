"""Configuration values as plain data that JSON carries unchanged."""

import math
from typing import Any

KeyPath = tuple[str, ...]


class NotPlain(Exception):
    """A value that JSON cannot carry, under `key`."""

    def __init__(self, message: str, key: KeyPath) -> None:
        super().__init__(message)
        self.key = key


def plain(value: Any, key: KeyPath) -> Any:
    """`value` with tuples as lists; `NotPlain` for dates, sets, infinities, and keys that are not text."""
    if isinstance(value, dict):
        return {_text(name, key): plain(item, (*key, str(name))) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, key) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise NotPlain(f"JSON cannot carry {value}", key)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise NotPlain(f"JSON cannot carry a {type(value).__name__}: {value}", key)


def _text(name: object, key: KeyPath) -> str:
    if not isinstance(name, str):
        raise NotPlain(f"JSON cannot carry {name!r} as a key, only text", (*key, str(name)))
    return name
