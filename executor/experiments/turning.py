"""Turns knobs: from changed settings to flags, variables and texts of files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .knobs import Knob, Turned


def changed_settings(defaults: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of `config` that are not as `defaults` has them, by dotted key; both are nested. `0` is not `False`."""
    raise NotImplementedError


def turned(
    knobs: Mapping[str, Knob], changed: Mapping[str, Any], config: Mapping[str, Any], root: Path, file: Path | None
) -> Turned:
    """What the changed settings come to. `EditError` where a file is no longer what was read.

    Args:
        knobs: Dotted key → how it is set.
        changed: Dotted key → its new value; every one has a knob.
        config: The whole resolved configuration, nested.
        root: The project's folder.
        file: The configuration file that the study names, which is written anew; None where there is none.
    """
    raise NotImplementedError
