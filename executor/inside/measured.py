"""What the experiment returned, made plain: finite numbers by name, and arrays with one number an example."""

import math
from typing import Any, Dict, List

import torch

from .columns import problem_with
from .wire import pack


class Invalid(Exception):
    """The experiment ran and what it returned cannot be used; the message says what is missing."""


class Diverged(Exception):
    """A metric is not a finite number."""


def plain_results(results: "Dict[str, Any]") -> "Dict[str, Any]":
    """`{"metrics": {split: {name: float}}, "examples": {split: {name: packed}}}`. `Invalid` or `Diverged` otherwise."""
    metrics: Dict[str, Dict[str, float]] = {}
    examples: Dict[str, Dict[str, Any]] = {}
    for split, returned in results.items():
        if not isinstance(returned, dict):
            raise Invalid(f"evaluate returned {type(returned).__name__}, not a dictionary of metrics")
        metrics[split] = {str(name): _number(name, value) for name, value in returned.items() if name != "examples"}
        examples[split] = _examples(returned.get("examples") or {})
        if not metrics[split]:
            raise Invalid("evaluate returned no metric")
    broken = [
        f"{name} on {split}"
        for split, values in metrics.items()
        for name, value in values.items()
        if not math.isfinite(value)
    ]
    if broken:
        raise Diverged(f"not a finite number: {', '.join(broken)}")
    return {"metrics": metrics, "examples": examples}


def _number(name: Any, value: Any) -> float:
    problem = Invalid(f"the metric {name!r} is a {type(value).__name__}, not a number")
    if isinstance(value, (str, bytes)):
        raise problem
    try:
        return float(value.detach() if isinstance(value, torch.Tensor) else value)
    except (TypeError, ValueError, RuntimeError):
        raise problem from None


def _examples(columns: Any) -> "Dict[str, Any]":
    if not isinstance(columns, dict):
        raise Invalid(f"examples is a {type(columns).__name__}, not a dictionary of columns")
    packed = {str(name): pack(column(name, values)) for name, values in columns.items()}
    problem = problem_with({name: column["length"] for name, column in packed.items()})
    if problem:
        raise Invalid(problem)
    return packed


def column(name: Any, values: Any) -> "List[float]":
    """One plain number for each example. `Invalid` where it is something else."""
    plain: Any = values.detach().cpu() if isinstance(values, torch.Tensor) else values
    try:
        listed: List[Any] = plain.tolist() if hasattr(plain, "tolist") else list(plain)
        return [float(value) for value in listed]
    except (TypeError, ValueError):
        raise Invalid(f"examples[{name!r}] is not one number for each example") from None
