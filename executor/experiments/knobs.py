"""How one setting of a script is changed without touching a file: pure data, found by static reading."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Texts = dict[str, str]
"""Path relative to the root, with forward slashes → the text that a trial sees there."""


@dataclass(frozen=True)
class FileKnob:
    """A key of the configuration file that the study names: the whole file is written anew, in its own format."""

    file: str
    """Relative to the root."""
    key: tuple[str, ...]


@dataclass(frozen=True)
class FlagKnob:
    """A flag of the command line."""

    flag: str
    """As it is written, e.g. `--weight-decay`."""
    style: Literal["value", "equals", "switch"] = "value"
    """`--flag VALUE`, `--flag=VALUE`, or one whose presence alone says something."""
    on: Any = True
    """Of a switch: the value of the setting when it is present; `False` for one that turns something off."""
    other: str | None = None
    """Of a switch: the flag that says the opposite, e.g. `--no-bias`."""
    aliases: tuple[str, ...] = ()
    """Its other names, e.g. `-wd`."""
    booleans: tuple[str, str] = ("True", "False")
    """Of one with a value: how True and False are written; `""` is the only False of argparse's `type=bool`."""
    default: "LiteralKnob | None" = None
    """Where its default stands, for what no flag can say: None, or the other side of a switch without an opposite."""


@dataclass(frozen=True)
class AssignKnob:
    """`key=value` on the command line, as Hydra and OmegaConf take it."""

    key: str
    prefix: str = ""
    """`+` or `++`, where the key is not in the configuration."""


@dataclass(frozen=True)
class LiteralKnob:
    """A literal in a Python file: a constant, the default of a dataclass field, an attribute of a configuration."""

    file: str
    """Relative to the root."""
    start: tuple[int, int]
    """Line, from 1, and column, from 0, counted in characters, of its first character."""
    end: tuple[int, int]
    """The same of the first character behind it."""
    text: str = ""
    """What stands there: where it is something else by now, nothing is replaced."""


@dataclass(frozen=True)
class VariableKnob:
    """An environment variable."""

    name: str


Knob = FileKnob | FlagKnob | AssignKnob | LiteralKnob | VariableKnob


@dataclass(frozen=True)
class Turned:
    """What a set of changed settings comes to."""

    drop: tuple[str, ...] = ()
    """Flags that are taken out of the command where they stand, with the values behind them."""
    alone: tuple[str, ...] = ()
    """Those of them that have no value: the word behind such a switch stays."""
    append: tuple[str, ...] = ()
    """Words that the script is given beside its own."""
    environment: Mapping[str, str] = field(default_factory=lambda: dict[str, str]())
    texts: Texts = field(default_factory=lambda: Texts())
    """Files that are seen with another text."""
    config_text: str | None = None
    """The configuration file's text; None where the study names none."""
