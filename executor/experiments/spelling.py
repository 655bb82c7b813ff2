"""How a value is written on a command line, for each way of taking it."""

import re
from typing import Any

from .knobs import AssignKnob, FlagKnob

PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./\-]*")
WORDS = frozenset({"null", "none", "true", "false", "yes", "no", "on", "off", "y", "n", "inf", "nan"})


def flag_words(knob: FlagKnob, value: Any) -> list[str]:
    """The words that give a flag `value`; none for None, and for a switch whose absence says it."""
    if knob.style == "switch":
        if bool(value) == bool(knob.on):
            return [knob.flag]
        return [knob.other] if knob.other else []
    if value is None or value == []:
        return []
    if isinstance(value, list) and knob.style == "value":
        return [knob.flag, *(_word(knob, one) for one in value)]
    word = _word(knob, value)
    return [f"{knob.flag}={word}"] if knob.style == "equals" or word.startswith("-") else [knob.flag, word]


def assignment(knob: AssignKnob, value: Any) -> str:
    """`key=value` in Hydra's grammar for overrides."""
    return f"{knob.prefix}{knob.key}={_assigned(value)}"


def variable(value: Any) -> str:
    """An environment variable's text: 1 and 0 for True and False, nothing for None."""
    if value is None or isinstance(value, bool):
        return "1" if value else "0" if value is False else ""
    return str(value)


def _word(knob: FlagKnob, value: Any) -> str:
    if isinstance(value, bool):
        return knob.booleans[0] if value else knob.booleans[1]
    return str(value)


def _assigned(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case list():
            return f"[{','.join(_assigned(one) for one in value)}]"
        case dict():
            return "{" + ",".join(f"{key}:{_assigned(one)}" for key, one in value.items()) + "}"
        case _:
            text = str(value)
            if PLAIN.fullmatch(text) and text.lower() not in WORDS:
                return text
            return "'" + re.sub(r"(\\*)'", lambda found: found[1] * 2 + "\\'", text) + "'"
