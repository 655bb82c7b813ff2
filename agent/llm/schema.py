"""JSON schemas of answers: in the strict form that OpenAI-compatible servers take, and as text for those that take none."""

import re
from typing import Any, cast

from pydantic import BaseModel

from ...prompts import phrases

JSON = dict[str, Any]
LENGTHS = ("minLength", "maxLength")
UNSUPPORTED = ("uniqueItems", "minProperties", "maxProperties", "discriminator", "default", "title")
"""Keywords that strict mode refuses, as it does lengths; pydantic checks them afterwards."""


def strict_schema(answer: type[BaseModel], *, lengths: bool = False) -> JSON:
    """The schema of `answer` for `response_format`, strict.

    Every property is required, no object is open, alternatives are `anyOf`; the description of a string tells its bounds.

    Args:
        answer: the record wanted.
        lengths: keep the lengths of strings as keywords too.

    Raises:
        TypeError: it has an open map, a tuple or a value of any type, which strict mode cannot express.
    """
    dropped = UNSUPPORTED if lengths else (*UNSUPPORTED, *LENGTHS)
    return _strict(answer.model_json_schema(), answer.__name__, dropped)


def schema_name(answer: type[BaseModel]) -> str:
    """A name that servers accept: letters, digits, dashes, underscores."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", answer.__name__)[:64]


def _strict(node: JSON, where: str, dropped: tuple[str, ...]) -> JSON:
    if "$ref" in node:
        return {"$ref": node["$ref"]}
    found = {key: value for key, value in node.items() if key not in dropped}
    bounds = phrases("llm/client/bounds.j2").length(node.get("minLength"), node.get("maxLength"))
    if bounds:
        found["description"] = " ".join(part for part in (node.get("description"), bounds) if part)
    if "oneOf" in found:
        found["anyOf"] = found.pop("oneOf")
    if not {"type", "anyOf", "enum", "const"} & set(found) or "prefixItems" in found:
        raise TypeError(f"{where} has no type that strict schemas can express")
    if "anyOf" in found:
        found["anyOf"] = [_strict(each, where, dropped) for each in cast("list[JSON]", found["anyOf"])]
    if "items" in found:
        found["items"] = _strict(found["items"], f"{where}[]", dropped)
    for key in {"$defs", "properties"} & set(found):
        named = cast("dict[str, JSON]", found[key])
        found[key] = {name: _strict(each, f"{where}.{name}", dropped) for name, each in named.items()}
    if found.get("type") == "object":
        _close(found, where)
    return found


def _close(node: JSON, where: str) -> None:
    if "properties" not in node and node.get("additionalProperties") is not False:
        raise TypeError(f"{where} is an open map, which strict schemas cannot express: use a list of named pairs")
    node["required"] = list(node.get("properties", {}))
    node["additionalProperties"] = False
