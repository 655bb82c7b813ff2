"""What a study ran in, and how another place differs: the user's Python with its packages, and the machine."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...executor.errors import ExperimentError

QUESTION = """
import importlib.metadata as metadata
import json
found = {}
for one in metadata.distributions():
    name = one.metadata["Name"]
    if name:
        direct = one.read_text("direct_url.json")
        found.setdefault(name, [one.version, json.loads(direct).get("url", "") if direct else ""])
print(json.dumps(found))
"""
TELLING = (
    "python",
    "torch",
    "numpy",
    "sklearn",
    "transformers",
    "cuda",
    "gpus",
    "cpu",
    "platform",
    "sandbox",
    "lesion",
)
"""What decides which bits come out, and is compared."""


def packages(interpreter: Path) -> dict[str, tuple[str, str]]:
    """Name → version, and where it was installed from if from no index; as the interpreter's own metadata say."""
    try:
        run = subprocess.run(
            [interpreter, "-c", QUESTION], capture_output=True, text=True, timeout=120, check=True, cwd="/"
        )
        answer: dict[str, Any] = json.loads(run.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise ExperimentError(
            f"the interpreter does not tell its packages: {error}",
            where=str(interpreter),
            to_do=f"run `{interpreter} -m pip list`, and mend what it says",
        ) from None
    return {name: (version, source) for name, (version, source) in sorted(answer.items(), key=_by_name)}


def _by_name(item: tuple[str, Any]) -> str:
    return item[0].lower()


def differing(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """`torch 2.13.0 → 2.14.0`, one for each that is known in both and not the same."""
    keys = [key for key in TELLING if key in before and key in now and before[key] != now[key]]
    return [f"{key} {_shown(before[key])} → {_shown(now[key])}" for key in keys]


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)
