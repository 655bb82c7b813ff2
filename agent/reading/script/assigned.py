"""Constants and attributes that the command itself sets, as `--key=value` or `key=value`."""

import ast
from collections.abc import Iterator, Sequence
from typing import Any

from ....executor.experiments.knobs import AssignKnob, FlagKnob, LiteralKnob
from .found import Found, Given, is_placeholder
from .source import MISSING, literal


def assigned(found: Sequence[Found], options: Sequence[Given]) -> list[Found]:
    """The settings as the command has them: what it sets is set there again, and what a trial fills in is none."""
    by_name = {one.name.lstrip("-"): one for one in options if one.equals}
    return list(_assigned(found, by_name))


def _assigned(found: Sequence[Found], options: dict[str, Given]) -> Iterator[Found]:
    for one in found:
        option = options.get(one.key)
        if option is None:
            yield one
        elif not is_placeholder(option.values):
            default = one.knob if isinstance(one.knob, LiteralKnob) else None
            knob = (
                FlagKnob(option.name, "equals", default=default) if option.name.startswith("-") else AssignKnob(one.key)
            )
            yield one._replace(value=_read(option.values[0]), knob=knob)


def _read(text: str) -> Any:
    """Python's literal where it is one, else the text."""
    try:
        value = literal(ast.parse(text, mode="eval").body)
    except (SyntaxError, ValueError, RecursionError):
        return text
    return text if value is MISSING else value
