"""By what value a cell of a table is sorted: numbers by size, durations and sizes by what they amount to."""

import re

_NUMBER = re.compile(r"([+−-]?)(∞|\d[\d,]*\.?\d*(?:e[+−-]?\d+)?|\.\d+)")
_BELOW = re.compile(r"^([<>])(\.\d+)$")
_UNITS = {
    **{"s": 1.0, "min": 60.0, "h": 3600.0},
    **{"M": 1e6, "G": 1e9, "T": 1e12},
    **{"B": 1.0, "KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30, "TiB": 2.0**40},
}
_AMOUNT = re.compile(r"([\d.,]+) (TiB|GiB|MiB|KiB|min|B|s|h|M|G|T)\b")
_NUDGE = 1e-9


def sort_value(text: str) -> float | None:
    """The first number in a cell, such as of `−0.012 [−0.02, −0.004]`; None where there is none: these come last.

    `<.001` stands just below .001; `2 min 05 s` and `1.2 GiB` are added up.
    """
    text = text.strip()
    if bound := _BELOW.match(text):
        return float(bound[2]) + (_NUDGE if bound[1] == ">" else -_NUDGE)
    amounts = _AMOUNT.findall(text)
    if amounts and _AMOUNT.match(text):
        return sum(float(value.replace(",", "")) * _UNITS[unit] for value, unit in amounts)
    found = _NUMBER.match(text)
    if found is None:
        return None
    size = float("inf") if found[2] == "∞" else float(found[2].replace(",", "").replace("−", "-"))
    return -size if found[1] in ("−", "-") else size
