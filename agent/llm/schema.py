"""JSON schemas of answers: in the strict form that OpenAI-compatible servers take, and as text for those that take none."""

import re
from functools import cache
from typing import Any, cast

from pydantic import BaseModel

from ...prompts import phrases

JSON = dict[str, Any]
UNSUPPORTED = (
    "minLength",
    "maxLength",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "discriminator",
    "default",
    "title",
)
"""Keywords that strict mode refuses, or that make a local server's grammar explode; pydantic checks them afterwards."""


@cache
def strict_schema(answer: type[BaseModel]) -> JSON:
    """The schema of `answer` for `response_format`, strict.

    Every property is required, no object is open, alternatives are `anyOf`; bounds on strings are moved into the description.

    Raises:
        TypeError: it has an open map, which strict mode cannot express.
    """
    return _strict(answer.model_json_schema(), answer.__name__)


def schema_name(answer: type[BaseModel]) -> str:
    """A name that servers accept: letters, digits, dashes, underscores."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", answer.__name__)[:64]


def _strict(node: JSON, where: str) -> JSON:
    found = {key: value for key, value in node.items() if key not in UNSUPPORTED}
    bounds = phrases("llm/client/bounds.j2").length(node.get("minLength"), node.get("maxLength"))
    if bounds:
        found["description"] = " ".join(part for part in (node.get("description"), bounds) if part)
    if "oneOf" in found:
        found["anyOf"] = found.pop("oneOf")
    for key in ("anyOf", "allOf", "prefixItems"):
        if key in found:
            found[key] = [_strict(each, f"{where}.{key}") for each in cast("list[JSON]", found[key])]
    if isinstance(found.get("items"), dict):
        found["items"] = _strict(found["items"], f"{where}[]")
    for key in ("$defs", "properties"):
        if key in found:
            found[key] = {
                name: _strict(each, f"{where}.{name}") for name, each in cast("dict[str, JSON]", found[key]).items()
            }
    if found.get("type") == "object":
        _close(found, where)
    if "$ref" in found:
        return {"$ref": found["$ref"]}
    return found


def _close(node: JSON, where: str) -> None:
    if "properties" not in node and node.get("additionalProperties") is not False:
        raise TypeError(f"{where} is an open map, which strict schemas cannot express: use a list of named pairs")
    node["required"] = list(node.get("properties", {}))
    node["additionalProperties"] = False
