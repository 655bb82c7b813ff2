"""Every setting of a command: its value, where it stands, and the knob that changes it."""

from pathlib import Path
from typing import Any, NamedTuple

from ....executor.experiments.commandline import CommandLine
from ....executor.experiments.knobs import Knob


class Place(NamedTuple):
    """Where a setting stands."""

    file: str
    """Relative to the root."""
    line: int
    """From 1."""


class ScriptSettings(NamedTuple):
    """The settings of one script, in the order in which they were found."""

    values: dict[str, Any]
    """Nested by dotted key: what the script runs with if nothing is changed."""
    places: dict[str, Place]
    knobs: dict[str, Knob]


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
    """
    raise NotImplementedError
