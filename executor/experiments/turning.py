"""Turns knobs: from changed settings to flags, variables and texts of files."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import EditError
from .formats import same, written
from .knobs import AssignKnob, FileKnob, FlagKnob, Knob, LiteralKnob, Turned, VariableKnob
from .literals import replaced
from .spelling import assignment, flag_words, variable


def changed_settings(defaults: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of `config` that are not as `defaults` has them, by dotted key; both are nested. `0` is not `False`."""
    before = dict(_leaves(defaults, ""))
    return {key: value for key, value in _leaves(config, "") if key not in before or not same(before[key], value)}


def turned(knobs: Mapping[str, Knob], changed: Mapping[str, Any], root: Path, file: Path | None) -> Turned:
    """What the changed settings come to.

    Args:
        knobs: Dotted key → how it is set.
        changed: Dotted key → its new value.
        root: The project's folder.
        file: The configuration file that the study names; None where there is none.

    Raises:
        EditError: A file is no longer what was read, a key has no knob, or a format cannot hold a value; all at once.
    """
    problems = [f"{key}: nothing is known that sets it" for key in changed if key not in knobs]
    drop: dict[str, None] = {}
    alone: dict[str, None] = {}
    append: list[str] = []
    environment: dict[str, str] = {}
    literals: defaultdict[str, list[tuple[LiteralKnob, Any]]] = defaultdict(list)
    keys: defaultdict[str, list[tuple[tuple[str, ...], Any]]] = defaultdict(list)
    for knob, value in ((knobs[key], value) for key, value in changed.items() if key in knobs):
        match knob:
            case FlagKnob():
                names = {name: None for name in (knob.flag, *knob.aliases, knob.other) if name}
                drop |= names
                alone |= names if knob.style == "switch" else {}
                words = flag_words(knob, value)
                append += words
                if not words and knob.default is not None and (knob.style != "switch" or value != knob.on):
                    literals[knob.default.file].append((knob.default, value))
            case AssignKnob():
                append.append(assignment(knob, value))
            case VariableKnob():
                environment[knob.name] = variable(value)
            case LiteralKnob():
                literals[knob.file].append((knob, value))
            case FileKnob():
                keys[knob.file].append((knob.key, value))
    texts = _texts(root, literals, keys, problems)
    named = _read(root, file, texts, problems) if file else None
    if problems:
        raise EditError(problems)
    return Turned(tuple(drop), tuple(alone), tuple(append), environment, texts, named)


def _texts(
    root: Path,
    literals: Mapping[str, Sequence[tuple[LiteralKnob, Any]]],
    keys: Mapping[str, Sequence[tuple[tuple[str, ...], Any]]],
    problems: list[str],
) -> dict[str, str]:
    """The new text of every file in which something is replaced or set."""
    texts: dict[str, str] = {}
    for name in {**literals, **keys}:
        try:
            text = (root / name).read_bytes().decode("utf-8")
            text = replaced(name, text, literals[name]) if name in literals else text
            texts[name] = written(name, text, keys[name]) if name in keys else text
        except (OSError, UnicodeDecodeError) as error:
            problems.append(f"{name}: cannot be read: {error}")
        except EditError as error:
            problems += error.problems
    return texts


def _read(root: Path, file: Path, texts: Mapping[str, str], problems: list[str]) -> str | None:
    """The named configuration file's text: the new one, or as it is on disk."""
    name = file.relative_to(root).as_posix() if file.is_relative_to(root) else str(file)
    if name in texts:
        return texts[name]
    try:
        return file.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{name}: cannot be read: {error}")
        return None


def _leaves(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
