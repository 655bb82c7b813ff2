"""Components that the configuration can switch off: one per setting that adds something to the recipe."""

import ast
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from ...executor.experiments.knobs import AssignKnob, FlagKnob, Knob, LiteralKnob, VariableKnob
from ...executor.interventions import ConfigOverride
from ..components import Component
from ..configuration import Configuration, dotted_keys
from .choices import NEUTRAL, off_in_comment, off_in_source, tested_for_zero
from .words import is_bookkeeping, is_clip, is_negated, is_rate, is_schedule, kind_of, label, takes_away


class Removal(NamedTuple):
    """The value that removes a setting's effect, and why it is thought to."""

    value: Any
    evidence: str


class Source(NamedTuple):
    """One parsed Python file of the experiment."""

    name: str
    tree: ast.Module


def components_from_settings(
    configuration: Configuration, resolved_values: dict[str, Any], sources: Iterable[Path] = ()
) -> list[Component]:
    """A component for every setting that is on and has an off, in the order of the file.

    Args:
        configuration: the settings, with the files in which they stand, for comments.
        resolved_values: its values with `[experiment.set]` applied; what is off there is no component.
        sources: the experiment's Python files; they tell which choices and clips can be switched off.
    """
    texts: dict[str, list[str]] = {}
    parsed = _parse(sources)
    components: list[Component] = []
    for key, path in dotted_keys(resolved_values).items():
        value: Any = resolved_values
        for part in path:
            value = value[part]
        place = configuration.places.get(key)
        if place and place.file not in texts:
            texts[place.file] = (configuration.path / place.file).read_text(encoding="utf-8").splitlines()
        comment = _comment(texts[place.file], place.line) if place else ""
        comment = " ".join(filter(None, (comment, configuration.comments.get(key))))
        if removal := _removal(key, value, comment, parsed):
            where = f"{place.file}:{place.line}" if place else None
            how = set_by(configuration.knobs[key]) if key in configuration.knobs else ""
            components.append(_component(key, where, removal._replace(evidence=removal.evidence + how)))
    return _told_apart(components)


def _told_apart(components: list[Component]) -> list[Component]:
    """Labels that several settings would share are their keys instead."""
    shared = Counter(one.label for one in components)
    return [
        one.model_copy(update={"label": one.id.partition(":")[2]}) if shared[one.label] > 1 else one
        for one in components
    ]


def set_by(knob: Knob) -> str:
    """How a setting of a script is set, as words behind the evidence; nothing for a key of a configuration file."""
    match knob:
        case FlagKnob(flag=flag):
            return f"; a flag of the command, {flag}"
        case AssignKnob():
            return "; assigned on the command line"
        case LiteralKnob(text=text):
            return f"; a literal in the source, {text}"
        case VariableKnob(name=name):
            return f"; the environment variable {name}"
        case _:
            return ""


def _component(key: str, where: str | None, removal: Removal) -> Component:
    return Component(
        id=f"config:{key}",
        kind=kind_of(key),
        label=label(key),
        where=where,
        evidence=removal.evidence,
        interventions=[ConfigOverride(key=key, value=removal.value)],
    )


def _removal(key: str, value: object, comment: str, sources: list[Source]) -> Removal | None:
    """The default removal of one setting, where it has one."""
    if is_bookkeeping(key):
        return None
    if isinstance(value, bool):
        return _switched(key, value)
    if isinstance(value, (int, float)):
        return _zero(key, value, comment, sources)
    return _neutral_choice(key, value, comment, sources) if isinstance(value, str) else None


def _switched(key: str, value: bool) -> Removal | None:
    """Off, for a switch that is on; on, for one such as `no_shift` that takes something away when it is on."""
    if is_negated(key):
        return (
            Removal(True, "a switch that takes something away, and is off") if not value and takes_away(key) else None
        )
    return Removal(False, "a switch that is on") if value else None


def _zero(key: str, value: float, comment: str, sources: list[Source]) -> Removal | None:
    """0 of the number's own type, for a rate or weight above it."""
    zero = type(value)(0)
    if value <= 0:
        return None
    if is_clip(key):
        name = key.rsplit(".", maxsplit=1)[-1]
        said = any(word in comment.lower() for word in ("disable", "off", "none"))
        guard = next((source.name for source in sources if tested_for_zero(source.tree, name)), None)
        known = f"{guard} asks whether it is 0" if guard else "the comment beside it" if said else None
        return Removal(zero, f"a bound above 0 that 0 lifts: {known}") if known else None
    return Removal(zero, "its name reads as a rate or weight, and it is above 0") if is_rate(key) else None


def _neutral_choice(key: str, value: str, comment: str, sources: list[Source]) -> Removal | None:
    """The choice's own word for none, where the comment or the source shows one."""
    schedule = is_schedule(key)
    if value.lower() in NEUTRAL and (schedule or value.lower() != "constant"):
        return None
    if off := off_in_comment(comment, value, schedule=schedule):
        return Removal(*off)
    name = key.rsplit(".", maxsplit=1)[-1]
    found = (off_in_source(source.tree, source.name, name, schedule=schedule) for source in sources)
    return next((Removal(*off) for off in found if off), None)


def _comment(text: list[str], line: int) -> str:
    """The comment at the end of a line, or alone on the line above it."""
    if line > len(text):
        return ""
    _, _, beside = text[line - 1].partition("#")
    above = text[line - 2].strip() if line > 1 else ""
    return beside or (above[1:] if above.startswith("#") else "")


def _parse(sources: Iterable[Path]) -> list[Source]:
    """The sources that are Python at all; the others are reported where they are run."""
    parsed: list[Source] = []
    for path in sources:
        try:
            parsed.append(Source(path.name, ast.parse(path.read_text(encoding="utf-8"))))
        except (SyntaxError, ValueError):
            continue
    return parsed
