"""Turns pydantic's complaints about a study file into sentences that say what to do."""

import json
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from .spec import Metric, Section, StudySpec
from .studychecks import Problem

EXPECTED = {
    "string_type": "a string",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "path_type": "a path, written as a string",
}
HINTS = {
    ("study",): "add [study] with a name",
    ("experiment",): 'add [experiment] with python = "…" or command = "…"',
    ("metrics",): 'add [metrics.<name>] with goal = "maximize" or "minimize"',
    ("study", "name"): 'letters, digits, dots, dashes and underscores, as in name = "digits"',
    ("experiment", "metrics_reduce"): '"last", "best" or "mean:K", the mean of the last K',
}


def shape_problems(error: ValidationError, raw: dict[str, Any]) -> list[Problem]:
    """A problem for every unknown key, missing key and wrong type or range of `raw`."""
    details = error.errors(include_url=False)
    problems = [Problem(_path(detail), _message(detail)) for detail in details]
    unknown = Problem(("path",), "unknown key (a study's path is where it stands)")
    return [*problems, unknown] if "path" in raw else problems


def _path(detail: ErrorDetails) -> tuple[str, ...]:
    return tuple(part for part in detail["loc"] if isinstance(part, str) and part != "[key]")


def _message(detail: ErrorDetails) -> str:
    """What is wrong (what to do)."""
    path, kind, given = _path(detail), detail["type"], _shown(detail["input"])
    hint = HINTS.get(path, 'goal = "maximize" or "minimize"' if path[-1] == "goal" else "")
    match kind:
        case "extra_forbidden":
            return _unknown(path)
        case "missing":
            return f"missing ({hint or 'it has no default'})"
        case "value_error":
            return str(detail.get("ctx", {})["error"])
        case "too_short":
            return f"must not be empty ({hint or 'name at least one'})"
        case "string_pattern_mismatch":
            return f"cannot be {given} ({hint})"
        case "literal_error":
            return f"must be {detail.get('ctx', {})['expected']}, not {given}".replace("'", '"')
        case _ if kind in EXPECTED:
            return f"must be {EXPECTED[kind]}, not {given}"
        case _:
            return f"{detail['msg'].replace('Input should', 'must')}, not {given}"


def _unknown(path: tuple[str, ...]) -> str:
    """Names the nearest key that exists there, or all of them."""
    known = _known_keys(path[:-1])
    near = get_close_matches(path[-1], known, n=1)
    return f"unknown key (did you mean {near[0]}?)" if near else f"unknown key (known here: {', '.join(sorted(known))})"


def _known_keys(table: Iterable[str]) -> list[str]:
    """The keys of a table of the study file."""
    match list(table):
        case []:
            return [name for name in StudySpec.model_fields if name != "path"]
        case ["metrics", _]:
            return list(Metric.model_fields)
        case [section, *_]:
            model = StudySpec.model_fields[section].annotation
            return list(model.model_fields) if isinstance(model, type) and issubclass(model, Section) else []


def _shown(value: object) -> str:
    return json.dumps(value, default=str, ensure_ascii=False)
