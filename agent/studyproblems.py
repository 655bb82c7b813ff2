"""Turns pydantic's complaints about a study file into sentences that say what to do."""

import json
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from .spec import Metric, Section, StatedHeads, StudySpec
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
HINTS: dict[tuple[str, ...], str] = {
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
    context = detail.get("ctx", {})
    hint = 'goal = "maximize" or "minimize"' if path[-1] == "goal" else HINTS.get(path, "")
    messages: dict[str, str] = {
        "extra_forbidden": _unknown(path),
        "missing": f"missing ({hint or 'it has no default'})",
        "value_error": str(context.get("error")),
        "too_short": f"must not be empty ({hint or 'name at least one'})",
        "string_pattern_mismatch": f"cannot be {given} ({hint})",
        "literal_error": f"must be {context.get('expected')}, not {given}".replace("'", '"'),
        **{name: f"must be {expected}, not {given}" for name, expected in EXPECTED.items()},
    }
    return messages.get(kind, f"{detail['msg'].replace('Input should', 'must')}, not {given}")


def _unknown(path: tuple[str, ...]) -> str:
    """Names the nearest key that exists there, or all of them."""
    known = _known_keys(path[:-1])
    near = get_close_matches(path[-1], known, n=1)
    return f"unknown key (did you mean {near[0]}?)" if near else f"unknown key (known here: {', '.join(sorted(known))})"


def _known_keys(table: tuple[str, ...]) -> list[str]:
    """The keys of a table of the study file."""
    if not table:
        return [name for name in StudySpec.model_fields if name != "path"]
    if table[0] == "metrics":
        return list(Metric.model_fields)
    if table[0] == "anatomy" and table[1:]:
        return list(StatedHeads.model_fields)
    section = StudySpec.model_fields[table[0]].annotation if table[0] in StudySpec.model_fields else None
    return list(section.model_fields) if isinstance(section, type) and issubclass(section, Section) else []


def _shown(value: object) -> str:
    return json.dumps(value, default=str, ensure_ascii=False)
