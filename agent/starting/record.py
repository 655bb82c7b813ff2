"""A draft as one record, for programs."""

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
            {**one._asdict(), "primary": index == 0, "floor": one.floor[0] if one.floor else None}
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
