"""Every setting of a command: its value, where it stands, and the knob that changes it."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ....executor.experiments.commandline import CommandLine
from ....executor.experiments.knobs import FlagKnob, Knob
from .assigned import assigned
from .attributes import attributes
from .clicks import click_flags
from .constants import constants
from .defaults import class_defaults
from .files import configuration_file, opened_files
from .flags import argparse_flags
from .found import Found, Given, Place, given
from .hydra import hydra_settings
from .source import Source, sources
from .typed import typed_flags
from .variables import variables

__all__ = ["Place", "ScriptSettings", "script_settings"]


class ScriptSettings(NamedTuple):
    """The settings of one script, in the order in which they were found."""

    values: dict[str, Any]
    """Nested by dotted key: what the script runs with if nothing is changed."""
    places: dict[str, Place]
    knobs: dict[str, Knob]
    comments: dict[str, str]
    """Help texts of flags."""


def script_settings(
    root: Path, command: CommandLine, cwd: Path, config: Path | None, environment: dict[str, str]
) -> ScriptSettings:
    """Everything that can be set without touching a file.

    Args:
        root: The project's folder.
        command: How the script is started; its flags count before their defaults.
        cwd: Where.
        config: The configuration file that the study names.
        environment: `[experiment.env]`; variables that the script asks for with a default are settings too.

    Raises:
        NotReadable, NotPlain, OSError: The file that the study names cannot be read.
    """
    root, entry = root.resolve(), command.entry(cwd)
    files = sources(root, entry.resolve(), cwd) if entry else []
    words = command.arguments if not command.needs_shell else tuple(command.text.split())
    options = list(given(words))
    found = configuration_file(root, config) if config else []
    found += _flags(root, cwd, files, options, words, takes=command.takes_flags)
    return _named(found + variables(files, environment))


def _flags(
    root: Path, cwd: Path, files: Sequence[Source], options: Sequence[Given], words: Sequence[str], *, takes: bool
) -> list[Found]:
    """What the script's own files say, in the order of precedence; without flags where none reach the script."""
    typed, used = typed_flags(files, options)
    flags = [*argparse_flags(files, options, words), *click_flags(files, options), *typed]
    flags += hydra_settings(root, cwd, files, options)
    literals = [*constants(root, cwd, files, words), *class_defaults(files, used), *attributes(files)]
    stands = {one.knob.default for one in flags if isinstance(one.knob, FlagKnob)}
    literals = [one for one in literals if one.knob not in stands]
    opened = opened_files(root, cwd, files, words)
    taken = {name for one in flags if isinstance(one.knob, FlagKnob) for name in (one.knob.flag, *one.knob.aliases)}
    rest = [one for one in options if one.name not in taken]
    return [*(flags if takes else []), *assigned([*opened, *literals], rest)]


def _named(found: Iterable[Found]) -> ScriptSettings:
    """One nested table: the first of each key keeps it, later ones stand below their family's name."""
    settings = ScriptSettings({}, {}, {}, {})
    seen: set[Knob] = set()
    for one in found:
        if one.knob in seen:
            continue
        seen.add(one.knob)
        for key in (one.key, f"{one.family}.{one.key}"):
            if _put(settings.values, key, one.value):
                settings.places[key], settings.knobs[key] = one.place, one.knob
                if one.comment:
                    settings.comments[key] = one.comment
                break
    return settings


def _put(values: dict[str, Any], key: str, value: Any) -> bool:
    """Set one new key; False where it is there, is a table, or would stand below a value."""
    *tables, last = key.split(".")
    at: Any = values
    for table in tables:
        at = at.setdefault(table, {})
        if not isinstance(at, dict):
            return False
    if last in at:
        return False
    at[last] = value
    return True
