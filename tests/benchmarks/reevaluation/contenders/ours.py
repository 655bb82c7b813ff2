"""This project's engine, in this process and just as a worker runs it: a job "reevaluate" of the experiment file."""

import array
import base64
import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from serving import Head, answer

HERE = Path(__file__).resolve().parent
INSIDE = HERE.parents[3] / "executor" / "inside"


def engine() -> Any:
    """`executor/inside` under the name that it has in a worker."""
    spec = importlib.util.spec_from_file_location(
        "lesion_inside", INSIDE / "__init__.py", submodule_search_locations=[str(INSIDE)]
    )
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules["lesion_inside"] = package
    spec.loader.exec_module(package)
    importlib.import_module("lesion_inside.seeding").pin(1)
    return importlib.import_module("lesion_inside.actions")


def intervention(head: Head, width: int) -> dict[str, Any]:
    """As `HeadIntervention` puts it on the wire."""
    layer, index = head
    path = f"transformer.h.{layer}.attn"
    where = {"path": path, "projection": f"{path}.c_proj", "heads": [index], "width": width}
    return {"kind": "head", **where, "removal": "zero"}


def job(asked: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """The message that asks for all sets at once; `stopping`: the rule that ends an arm early, or None."""
    width = config["width"] // config["heads"]
    arms = [
        {
            "config": config,
            "interventions": [intervention(head, width) for head in heads],
            "family": len(asked["sets"]) if asked.get("stopping") else None,
        }
        for heads in asked["sets"]
    ]
    return {
        "action": "reevaluate",
        "experiment": str(HERE / "experiment.py"),
        "cwd": str(HERE),
        "functions": ["build_model", "load_weights", "evaluate", "batches", "score"],
        "metrics": ["loss"],
        "modes": ["reevaluate"],
        "seed": 0,
        "arms": arms,
        "stream": True,
        "memory": asked.get("memory", 1 << 30),
        "stopping": asked.get("stopping"),
    }


def values(answered: dict[str, Any]) -> list[float]:
    """The loss of each example; NaN where it was not looked at."""
    (columns,) = answered["examples"].values()
    return array.array("d", base64.b64decode(columns["loss"]["data"])).tolist()


actions = engine()
config = json.loads(Path(sys.argv[1]).read_text())


def prepared(asked: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    """The job as it stands when its model is loaded: with its first arm to be measured."""
    arms = actions.answers(job(asked, config), {})
    first = next(arms)

    def measure() -> dict[str, Any]:
        answered = [first(), *(one() for one in arms)]
        return {
            "losses": [values(one) for one in answered],
            "held": max(one.get("held_memory") or 0 for one in answered),
            "replayed": [one.get("replayed") for one in answered],
        }

    return measure


answer(prepared)
