"""Numbers as text: as many figures as the uncertainty supports, a true minus sign, a dash for what is not known."""

import math

from ..records.base import Interval
from .digits import width

MISSING = "–"
MINUS = "−"
_MOST_DECIMALS = 8
_LARGEST_PLAIN = 1e7
_MINUTE, _HOUR = 60, 3600
_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"))


def number(value: float | None, uncertainty: float | Interval | None = None, *, signed: bool = False) -> str:
    """A value with its last two figures uncertain, or with three significant figures where no uncertainty is known.

    Args:
        value: the number; None gives a dash.
        uncertainty: a standard deviation or half-width, or an interval, on the value's scale; one that knows δ (`digits.Ends`)
            supports no figure beyond the second below it.
        signed: whether positive numbers carry a plus.
    """
    if value is None:
        return MISSING
    return _text(value, _decimals(value, uncertainty), signed)


def exact(value: float | None) -> str:
    """A number somebody set, to at most three significant figures, without trailing zeros: `0.01`."""
    text = number(value)
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


def interval(ends: Interval | None) -> str:
    """An interval in square brackets."""
    if ends is None:
        return MISSING
    low, high = ends
    decimals = _decimals(max(abs(low), abs(high)), ends)
    return f"[{_text(low, decimals)}, {_text(high, decimals)}]"


def with_interval(value: float | None, ends: Interval | None, *, signed: bool = False) -> str:
    """An estimate followed by its interval, both to the same decimal."""
    if ends is None:
        return number(value, signed=signed)
    return f"{number(value, ends, signed=signed)} {interval(ends)}"


def p_value(p: float | None) -> str:
    """A p-value to three decimals, without its leading zero: `.023`, `<.001`, `>.999`."""
    if p is None or math.isnan(p):
        return MISSING
    if p < 0.001:
        return "<.001"
    return ">.999" if p >= 0.9995 else f"{p:.3f}"[1:]


def probability(value: float | None) -> str:
    """A fixed probability such as α, without trailing zeros: `.05`."""
    if value is None:
        return MISSING
    text = f"{value:.4g}"
    return text[1:] if text.startswith("0.") else text


def percent(value: float | None, figures: int = 4) -> str:
    """A level such as .9987 as `99.87%`."""
    if value is None:
        return MISSING
    short = f"{100 * value:.{figures}g}%"
    return f"{100 * value:.0f}%" if "e+" in short else short


def duration(seconds: float | None) -> str:
    """Seconds as a person says them: `0.42 s`, `12 min 05 s`, `3 h 20 min`."""
    if seconds is None or not math.isfinite(seconds):
        return MISSING
    if seconds < _MINUTE:
        return f"{seconds:.3g} s"
    whole = round(seconds)
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02d} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02d} min"


def count(value: int | None) -> str:
    """How many there are, of what may be billions: `40`, `1,234,567`, `124.4 M`."""
    if value is None:
        return MISSING
    if abs(value) < _LARGEST_PLAIN:
        return f"{value:,}".replace("-", MINUS)
    power, prefix = next(each for each in _PREFIXES if abs(value) >= each[0])
    return f"{value / power:.4g} {prefix}".replace("-", MINUS)


def size(count: float | None) -> str:
    """Bytes in binary units."""
    if count is None:
        return MISSING
    units = ["B", "KiB", "MiB", "GiB", "TiB"]
    power = min(len(units) - 1, int(math.log2(count) // 10)) if count >= 1 else 0
    return f"{count / 1024**power:.3g} {units[power]}"


def _decimals(value: float, uncertainty: float | Interval | None) -> int:
    half = width(uncertainty)
    if half and math.isfinite(half):
        return max(0, 1 - _magnitude(half))
    return max(0, 2 - _magnitude(value)) if value and math.isfinite(value) else 0


def _magnitude(value: float) -> int:
    return math.floor(math.log10(abs(value)))


def _text(value: float, decimals: int, signed: bool = False) -> str:
    if not math.isfinite(value):
        text = "nan" if math.isnan(value) else "∞"
    elif decimals > _MOST_DECIMALS or abs(value) >= _LARGEST_PLAIN:
        text = f"{abs(value):.2e}".replace("-", MINUS)
    else:
        text = f"{abs(value):.{decimals}f}"
    if all(digit in "0." for digit in text):
        return text
    return f"{MINUS}{text}" if value < 0 else f"+{text}" if signed and value > 0 else text
