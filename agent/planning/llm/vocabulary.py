"""The schema of an answer, narrowed to one study: the names there are, and lists no longer than an answer can hold.

Small models keep to a list of names and make names up without one; and they fill every list to its bound.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar, cast, get_args

from ....executor.interventions import removal_name
from ...components import Component
from .answers import Answer, How

A = TypeVar("A", bound=Answer)
NAMES = 1 / 32
"""Part of a question that one list of names may take in a schema; longer lists are left open."""
NAMED = 3
"""Lists of names in one schema, at most."""
TOKENS = {"removals": 150, "overrides": 600, "edits": 600, "follow_ups": 200, "withdrawn": 150, "look_up": 400}
"""Of an answer, for each item that may stand in one of its lists."""
TOKENS_A_BLOCK = 200
"""Of an answer, for each block of an edit."""


@dataclass(frozen=True)
class Vocabulary:
    """What an answer may name, and how long it may be."""

    ids: tuple[str, ...]
    """Of the components that can be removed; empty where they are too many to list."""
    keys: tuple[str, ...]
    """Of the configuration that may be overridden; empty where they are too many to list."""
    claims: int
    """Of the study."""
    tokens: int
    """Of an answer."""
    kinds: tuple[str, ...] = ()
    """Ways in which some component can be removed; empty: all there are."""


def kinds_of(components: Sequence[Component]) -> tuple[str, ...]:
    """The ways in which these can be removed, `default` first: a small model picks any that it is shown."""
    found = {removal_name(each) for one in components for each in one.interventions}
    return tuple(how for how in get_args(How) if how == "default" or how in found)


def listed(names: Sequence[str], room: int, estimate: Callable[[str], int]) -> tuple[str, ...]:
    """The names, where a schema may list them within a question of `room` tokens; else none."""
    return tuple(names) if estimate(str(list(names))) <= room * NAMES else ()


@cache
def narrowed(answer: type[A], words: Vocabulary) -> type[A]:
    """The same answer with a narrower schema. Only that: what goes beyond it is read, and told what is wrong with it."""

    def model_json_schema(*arguments: Any, **named: Any) -> dict[str, Any]:
        schema = answer.model_json_schema(*arguments, **named)
        _narrow(schema, words)
        return schema

    made = type(answer.__name__, (answer,), {"__module__": answer.__module__, "__doc__": answer.__doc__})
    made.model_json_schema = staticmethod(model_json_schema)
    return cast("type[A]", made)


def _narrow(schema: dict[str, Any], words: Vocabulary) -> None:
    for name, tokens in TOKENS.items():
        if name in schema["properties"]:
            _shorten(schema["properties"][name], max(1, words.tokens // tokens))
    claims = tuple(f"c{at + 1}" for at in range(words.claims))
    for name, record in schema["$defs"].items():
        fields = record["properties"]
        if not claims:
            fields.pop("claims", None)
        match name:
            case "Removal":
                _name(fields["target"], words.ids)
                _name(fields["how"], words.kinds)
            case "FollowUp":
                _name(fields["targets"]["items"], words.ids)
                _name(fields["how"], words.kinds)
            case "Override":
                _name(fields["key"], words.keys)
            case "ClaimTest":
                _name(fields["claim"], claims)
            case "Edit":
                _shorten(fields["blocks"], max(1, words.tokens // TOKENS_A_BLOCK))
            case _:
                pass


def _shorten(field: dict[str, Any], most: int) -> None:
    field["maxItems"] = min(most, field["maxItems"])


def _name(field: dict[str, Any], names: Sequence[str]) -> None:
    if names:
        field.pop("maxLength", None)
        field["enum"] = list(names)
