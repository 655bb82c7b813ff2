"""Calls that a model writes into its text, as those do that a server has no parser for; and what of a text is no call."""

import json
import re
from collections.abc import Collection
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError

from .answers import FENCE, without_thoughts
from .calls import Call
from .tools import Action

OPENING = ("<tool_call>", "[TOOL_CALLS]")
"""Marks before a call, of the two widespread ways to write one."""
TAGGED = re.compile(r"<tool_call>\s*(.*?)\s*(?:</tool_call>|\Z)|\[TOOL_CALLS\]\s*(.*)\Z", re.DOTALL)
MAY_BE_JSON = re.compile(r"(?:```\w*\s*)?(?:[\[{]|\Z)")
"""A beginning that may yet turn out to be a call."""
BEGUN = (*OPENING, "<think>")
ACTIONS = TypeAdapter(list[Action])


def calls_in(text: str, names: Collection[str]) -> tuple[str, tuple[Call, ...]]:
    """What is said in `text`, and the calls written in it: tagged ones, or the whole of it where it is JSON that names a tool."""
    said = without_thoughts(text)
    tagged = [found for match in TAGGED.finditer(said) for found in _actions(match[1] or match[2] or "")]
    if tagged:
        return TAGGED.sub("", said).strip(), tuple(map(call_of, tagged))
    fenced = FENCE.fullmatch(said)
    whole = _actions(fenced[1] if fenced else said)
    if whole and all(action.name in names for action in whole):
        return "", tuple(map(call_of, whole))
    return said, ()


def prose_of(partial: str) -> str:
    """What can be shown of a text while it comes: no thoughts, and nothing that may yet be a call."""
    if may_be_json(partial):
        return ""
    said = without_thoughts(partial)
    for mark in OPENING:
        said = said.partition(mark)[0]
    begun = (mark[:length] for mark in BEGUN for length in range(len(mark) - 1, 0, -1))
    said = said.removesuffix(next((each for each in begun if said.endswith(each)), ""))
    return said.rstrip()


def may_be_json(partial: str) -> bool:
    """Whether a text that comes may turn out to be JSON, fenced or not."""
    return MAY_BE_JSON.match(without_thoughts(partial)) is not None


def without_half(text: str) -> str:
    """`text` without the half of a character at its end, whose other half is still to come."""
    return text[:-1] if "\ud800" <= text[-1:] <= "\udbff" else text


def call_of(action: Action) -> Call:
    """The call that an action states; its arguments stay as they are."""
    given = action.arguments
    return Call(name=action.name, arguments=given if isinstance(given, str) else json.dumps(given, ensure_ascii=False))


def _actions(text: str) -> list[Action]:
    try:
        found: Any = json.loads(text)
        return ACTIONS.validate_python(cast("list[Any]", found) if isinstance(found, list) else [found])
    except (ValueError, RecursionError, ValidationError):
        return []
