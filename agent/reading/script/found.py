"""What reading a script finds: settings, one by one, each with its place and its knob."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from ....executor.experiments.knobs import Knob


class Place(NamedTuple):
    """Where a setting stands."""

    file: str
    """Relative to the root."""
    line: int
    """From 1."""


class Found(NamedTuple):
    """One setting."""

    key: str
    """Dotted."""
    value: Any
    place: Place
    knob: Knob
    family: str
    """Goes before the key where another setting has the same: `flags`, `constants`, `defaults`, or a file's stem."""
    comment: str = ""
    """Help text, where there is one."""


class Given(NamedTuple):
    """One option in the words of a command."""

    name: str
    """With its dashes; without any, the key of `key=value`."""
    values: tuple[str, ...]
    """Empty for a switch, or what may be one."""
    equals: bool
    """Whether it was written `--name=value` or `key=value`."""


def given(words: tuple[str, ...]) -> Iterator[Given]:
    """The options among a command's words; what stands alone before the first of them is none."""
    name: str | None = None
    values: list[str] = []
    for word in words:
        if word.startswith("-") and not _is_number(word):
            if name is not None:
                yield Given(name, tuple(values), equals=False)
            name, values = None, []
            flag, equals, value = word.partition("=")
            if equals:
                yield Given(flag, (value,), equals=True)
            else:
                name = flag
        elif "=" in word and name is None:
            key, _, value = word.partition("=")
            yield Given(key, (value,), equals=True)
        elif name is not None:
            values.append(word)
    if name is not None:
        yield Given(name, tuple(values), equals=False)


def is_placeholder(values: tuple[str, ...]) -> bool:
    """Whether a value in the command is filled in for every trial, such as `{seed}`."""
    return any("{" in value and "}" in value for value in values)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
