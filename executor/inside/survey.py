"""What a survey says of how a script runs, in words and by name."""

import os
from typing import Any, Dict, List

from .reseeding import APART

MOST = 6


def offers(job: "Dict[str, Any]") -> "List[str]":
    """`finetune` and `load_weights`, as an experiment in Python would offer them."""
    found = ["finetune"] if "finetune" in job["words"] else []
    return [*found, *(["load_weights"] if job["weights"] and "evaluate" in job["words"] else [])]


def remarks(report: "Dict[str, Any]", seeds: "List[Dict[str, Any]]", seeding: str, project: str) -> "List[str]":
    """What a person should know. `seeds`: those that the script fixes itself."""
    found: List[str] = []
    if not report:
        return [
            "no Python that the command starts could be attached to: its model can't be read or cut, nor its seed set"
        ]
    if not report.get("calls"):
        found.append("it never calls a torch module: nothing can be cut in its model, only its settings and its source")
    for one in seeds[:MOST]:
        file = os.path.relpath(one["file"], project) if one["file"].startswith(project + os.sep) else one["file"]
        shift = "" if seeding == "own" else f"; that becomes {one['value']} + {APART} · seed"
        found.append(f"{file}:{one['line']} seeds {one['what']} with {one['value']}{shift}")
    return [*found, *report["problems"]]
