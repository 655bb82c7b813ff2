"""A draft as one record, for programs."""

from math import isfinite
from typing import Any

from .draft import Draft
from .trouble import last_lines


def record_of(draft: Draft, then: str) -> dict[str, Any]:
    """What `lesion init --json` prints; `then` is the command that comes next."""
    ran = draft.ran
    return {
        "path": str(draft.path),
        "ready": draft.is_ready,
        "experiment": {"functions" if draft.candidate.functions else "command": draft.text},
        "findings": [one._asdict() for one in draft.findings],
        "metrics": [
            {**one._asdict(), "seen": _finite(one.seen), "primary": index == 0, "floor": one.floor and one.floor[0]}
            for index, one in enumerate(draft.metrics)
        ],
        "set": {one.key: one.value for one in draft.changes},
        "limits": draft.limits._asdict(),
        "problems": [{**one._asdict(), "stops": True} for one in draft.stops]
        + [{**one._asdict(), "stops": not draft.is_complete and "metric" in one.what} for one in draft.gaps],
        "run": {
            "status": ran.status,
            "message": ran.message,
            "seconds": ran.seconds,
            "peak_memory": ran.peak_memory,
            "settings": dict(ran.settings),
            "output": last_lines(ran),
        }
        if ran
        else None,
        "next": then if draft.is_ready else None,
    }


def _finite(value: float | None) -> float | None:
    """What JSON can carry."""
    return value if value is not None and isfinite(value) else None
