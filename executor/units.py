"""Durations and sizes as people write them, to seconds and bytes and back."""

import math
import re

SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
BYTES = {
    "b": 1,
    **{f"{prefix}b": 1000**power for power, prefix in enumerate("kmgtp", 1)},
    **{f"{prefix}ib": 1024**power for power, prefix in enumerate("kmgtp", 1)},
}
NUMBER = r"(\d+(?:\.\d+)?)"
DURATION = re.compile(rf"(?:{NUMBER}\s*(?:ms|s|m|h|d)\s*)+")
DURATION_PART = re.compile(rf"{NUMBER}\s*(ms|s|m|h|d)")
SIZE = re.compile(rf"{NUMBER}\s*([kmgtp]i?b|b)?", re.IGNORECASE)


def parse_duration(value: object) -> float:
    """Seconds, above zero, of `"90s"`, `"1h30m"`, `"2d"`, or of a number of seconds.

    Raises:
        ValueError: it is none of these; the message says what would be.
    """
    seconds = _plain_number(value)
    if seconds is None and isinstance(value, str) and DURATION.fullmatch(value.strip().lower()):
        parts = DURATION_PART.findall(value.lower())
        seconds = math.fsum(float(number) * SECONDS[unit] for number, unit in parts)
    if seconds is None or not 0 < seconds < math.inf:
        raise ValueError(f'not a duration above zero: {value!r} (write "90s", "5m", "1h30m" or a number of seconds)')
    return seconds


def parse_size(value: object) -> int:
    """Bytes, above zero, of `"4GiB"` (1024³), `"500MB"` (1000²), or of a number of bytes.

    Raises:
        ValueError: it is none of these; the message says what would be.
    """
    size = _plain_number(value)
    if size is None and isinstance(value, str) and (match := SIZE.fullmatch(value.strip())):
        size = float(match[1]) * BYTES[(match[2] or "b").lower()]
    if size is None or not 1 <= size < math.inf:
        raise ValueError(f'not a size above zero: {value!r} (write "4GiB", "500MB" or a number of bytes)')
    return round(size)


def format_duration(seconds: float) -> str:
    """The two largest units: `1h 30m`, `2m 5s`, `0.8s`."""
    if seconds < 10:
        return f"{seconds:.1f}s"
    left = round(seconds)
    counts: list[str] = []
    for unit in ("d", "h", "m", "s"):
        count, left = divmod(left, int(SECONDS[unit]))
        if count or counts:
            counts.append(f"{count}{unit}")
    return " ".join(part for part in counts[:2] if not part.startswith("0"))


def format_size(size: float) -> str:
    """In the largest binary unit that leaves a number above one: `4 GiB`, `1.5 MiB`, `512 B`."""
    units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
    power = min(int(math.log(size, 1024) + 1e-9), len(units) - 1) if size >= 1 else 0
    if power and round(size / 1024**power, 1) >= 1024 and power < len(units) - 1:
        power += 1
    return f"{round(size / 1024**power, 1):g} {units[power]}"


def _plain_number(value: object) -> float | None:
    """The number that `value` is, or writes without a unit; a boolean is none."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    return float(value) if isinstance(value, str) and re.fullmatch(NUMBER, value.strip()) else None
