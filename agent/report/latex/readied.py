"""Results whose every text is LaTeX, and short enough to stand in a paper's table."""

from typing import Any, TypeVar

from pydantic import BaseModel

from ...results import Results
from ..text import clipped, plain, prepared
from .escaping import tex, visible

_MOST_NAME, _FEWEST, _MOST_REASON = 56, 6, 110
_R = TypeVar("_R", bound=BaseModel)


def readied(results: Results) -> Results:
    """Labels that are too long lose their middle, reasons their end, before anything is escaped: no command is cut."""
    told = prepared(results, plain)
    short = {
        "effects": [_short(e, intervention=clipped(e.intervention, _MOST_NAME)) for e in told.effects],
        "interactions": [_short(j) for j in told.interactions],
    }
    return prepared(told.model_copy(update=short), tex)


def shortened(name: str, length: int = _MOST_NAME) -> str:
    """Its start and its end: the last part of a path tells most. Characters that are shown by number count as many."""
    wide = len(visible(name))
    if wide <= length:
        return name
    length = max(_FEWEST, length * len(name) // wide)
    start = length // 2 - 1
    return f"{name[:start].rstrip()}…{name[start + 1 - length :].lstrip()}"


def _short(found: _R, **more: Any) -> _R:
    data: Any = found
    labels = [shortened(label) for label in data.labels]
    reason = None if data.reason is None else clipped(plain(data.reason), _MOST_REASON)
    return found.model_copy(update={"labels": labels, "reason": reason, **more})
