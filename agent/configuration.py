"""The experiment's own configuration file, read and never run: its values, and the line of each key."""

from collections.abc import Iterator
from copy import deepcopy
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from ..executor.errors import ConfigurationError
from ..executor.experiments.commandline import command_line
from ..executor.experiments.knobs import Knob
from .reading.formats import READERS, NotReadable
from .reading.plain import NotPlain, plain
from .reading.script.settings import Place, script_settings
from .spec import StudySpec

KeyPath = tuple[str, ...]
IN_COMMAND = "; a flag that was not found can be written into the command itself"
"""Advice for an unknown key of a command's settings."""


class Configuration(BaseModel):
    """What an experiment can be told: the keys of its configuration file, or all the settings of a script."""

    model_config = ConfigDict(frozen=True)

    path: Path
    """Relative to it the files of `places` are named."""
    values: dict[str, Any]
    """Nested tables of what JSON can carry; a list is a value."""
    places: dict[str, Place]
    """File and line of each dotted key."""
    knobs: dict[str, Knob] = {}
    """Of a command: how each dotted key is set."""
    comments: dict[str, str] = {}
    """Of a command: what is said of a key elsewhere than beside it, such as a flag's help."""


def load_configuration(path: Path) -> Configuration:
    """Read a YAML 1.2, TOML or JSON file, or the literal constants of a .py file, which is not executed.

    Raises:
        ConfigurationError: it is missing or malformed, or holds what JSON cannot carry, with file and line.
    """
    if path.suffix.lower() not in READERS:
        to_do = f"use one of {', '.join(READERS)}"
        raise ConfigurationError(f"unknown kind of configuration file: {path.suffix!r}", where=path.name, to_do=to_do)
    values, lines = _read(path)
    try:
        values = plain(values, ())
    except NotPlain as error:
        around = (lines[error.key[:length]] for length in range(len(error.key), 0, -1) if error.key[:length] in lines)
        to_do = "write it as a string or a list, and convert it where the experiment reads it"
        where = f"{path.name}:{next(around, 1)}"
        raise ConfigurationError(f"{'.'.join(error.key)}: {error}", where=where, to_do=to_do) from error
    places = {".".join(key): Place(path.name, line) for key, line in lines.items()}
    return Configuration(path=path.parent, values=values, places=places)


def script_configuration(spec: StudySpec) -> Configuration:
    """All that the script of a command can be told without being touched. `ConfigurationError` as for a file."""
    assert spec.experiment.command is not None
    command = command_line(spec.experiment.command)
    if spec.config_file:
        load_configuration(spec.config_file)
    found = script_settings(spec.root, command, spec.cwd, spec.config_file, spec.experiment.env)
    return Configuration(
        path=spec.root, values=found.values, places=found.places, knobs=found.knobs, comments=found.comments
    )


def _read(path: Path) -> tuple[dict[Any, Any], dict[KeyPath, int]]:
    """The values and lines as the file's own reader gives them."""
    try:
        return READERS[path.suffix.lower()](path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"cannot be read: {error}", where=str(path)) from error
    except NotReadable as error:
        raise ConfigurationError(str(error), where=f"{path.name}:{error.line}") from error
    except RecursionError as error:
        raise ConfigurationError("is nested too deeply, or holds itself", where=path.name) from error


def resolve(
    values: dict[str, Any], settings: dict[str, Any], overrides: dict[str, Any], advice: str = ""
) -> dict[str, Any]:
    """A copy of `values` with `[experiment.set]` and then one arm's overrides applied, both by dotted key.

    Args:
        values: Nested, as they were read.
        settings: Those of the study file.
        overrides: Those of the arm.
        advice: Said behind the nearest keys where one does not exist.

    Raises:
        ConfigurationError: a key does not exist; the message names the nearest that do.
    """
    resolved = deepcopy(values)
    for source, changes in (("[experiment.set]", settings), ("override", overrides)):
        for key, value in changes.items():
            _set(resolved, key, deepcopy(value), source, advice)
    return resolved


def flatten(table: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """A nested table as dotted keys: `{"a": {"b": 1}}` is `{"a.b": 1}`."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        nested = isinstance(value, dict) and value
        flat |= flatten(value, f"{prefix}{key}.") if nested else {f"{prefix}{key}": value}
    return flat


def dotted_keys(values: dict[str, Any]) -> dict[str, KeyPath]:
    """Every key of a nested configuration, tables included, by its dotted name."""
    return {".".join(path): path for path in _paths(values, ())}


def _paths(values: dict[str, Any], prefix: KeyPath) -> Iterator[KeyPath]:
    for key, value in values.items():
        yield (*prefix, key)
        if isinstance(value, dict):
            yield from _paths(value, (*prefix, key))


def _set(values: dict[str, Any], key: str, value: object, source: str, advice: str) -> None:
    """Set one existing dotted key in place."""
    known = dotted_keys(values)
    if key not in known:
        to_do = nearest_keys(key, list(known)) + advice
        raise ConfigurationError(f"there is no key {key!r} to set", where=source, to_do=to_do)
    *tables, last = known[key]
    for table in tables:
        values = values[table]
    values[last] = value


def nearest_keys(key: str, known: list[str]) -> str:
    """Which keys exist, the nearest where any is near; a key whose last part fits counts as near."""
    same_end = [name for name in known if name.split(".")[-1] == key.rsplit(".", maxsplit=1)[-1]]
    near = list(dict.fromkeys([*same_end, *get_close_matches(key, known, n=3)]))[:3]
    return f"did you mean {' or '.join(near)}?" if near else f"it has {', '.join(known[:12]) or 'no keys at all'}"
