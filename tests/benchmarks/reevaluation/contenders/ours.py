"""This project's engine, in this process and just as a worker runs it: a job "reevaluate" of the experiment file."""

import array
import base64
import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from experiment import batches
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
    """The message that asks for the baseline and all sets at once; `stopping`: the rule that ends an arm early, or None."""
    width, stopping = config["width"] // config["heads"], asked.get("stopping")
    removals = [[intervention(head, width) for head in heads] for heads in asked["sets"]]
    family = len(removals) if stopping else None
    arms = [{"config": config, "interventions": specs, "family": family} for specs in removals]
    return {
        "action": "reevaluate",
        "experiment": str(HERE / "experiment.py"),
        "cwd": str(HERE),
        "functions": ["build_model", "load_weights", "evaluate", "batches", "score"],
        "metrics": ["loss"],
        "seed": 0,
        "arms": [{"config": config, "interventions": []}, *arms],
        "stream": {"evaluation": [len(batch) for batch in batches(config, "validation")]},
        "memory": asked.get("memory", 1 << 30),
        "stopping": stopping,
    }


def values(answered: dict[str, Any]) -> list[float]:
    """The loss of each example; NaN where it was not looked at."""
    (columns,) = answered["examples"].values()
    return array.array("d", base64.b64decode(columns["loss"]["data"])).tolist()


actions = engine()
config = json.loads(Path(sys.argv[1]).read_text())


def prepared(asked: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    """The job as it stands when its model is loaded: at the baseline, which is evaluated where no sets are asked for."""
    parts = actions.answers(job(asked, config), {}, lambda _part: None)
    _, baseline = next(parts)

    def measure() -> dict[str, Any]:
        found = {part: answer() for part, answer in (parts if asked["sets"] else [(1, baseline)])}
        answered = [found[part] for part in sorted(found)]
        return {
            "losses": [values(one) for one in answered],
            "held": max(one.get("held_memory") or 0 for one in answered),
            "remarks": sorted({remark for one in answered for remark in one.get("remarks", [])}),
        }

    return measure


answer(prepared)
