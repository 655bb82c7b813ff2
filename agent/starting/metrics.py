"""Which metrics a study is about: from what the brief run printed and wrote, else from what the source would print."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .brief import Ran
from .chance import is_share
from .findings import Goal, MetricFound
from .messages import Message
from .naming import goal_of, rank
from .printed import NUMBER, Printed, printed

MOST = 4
"""Metrics that a study file names by itself."""
ALONE = re.compile(rf"\s*{NUMBER}\s*")
ENDS = re.compile(r"[\r\n]+")
MARKED = re.compile(rf"{NUMBER}%?[,;)\]]*")
"""A number with what the reader of metrics takes off it."""
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Sought(NamedTuple):
    """What a metric is looked for with."""

    ran: Ran | None
    """The brief run; None where there was none."""
    messages: Sequence[Message]
    """What the source would print."""
    file: str
    """`file:line` of what writes the file of metrics; empty where there is none."""
    classes: tuple[int, str] | None
    """How many there are, and how that is known."""


def metrics_of(sought: Sought) -> list[MetricFound]:
    """Every metric, the one that a study should rather be about first.

    What a file or a function gave goes before what was printed: it is not rounded. What was never printed is taken from
    the source only where nothing else is there.
    """
    ran = sought.ran
    given = [_given(name, value, sought) for name, value in ran.metrics.items()] if ran else []
    if any(one.goal for one in given):
        return sorted(given, key=lambda one: rank(one.name))
    stated = {one.name: message.where for message in sought.messages for one in printed([message.text])}
    shown = _shown(ran) if ran else []
    lines = ENDS.split(ran.output) if ran else []
    found = [_printed(_readable(one, lines), one.value, stated.get(one.name, ""), sought) for one in shown]
    if ran and not found:
        found = list(_bare(ran, sought.messages))
    if not found:
        found = [_printed(one, None, stated[one.name], sought) for one in _would_print(sought.messages)]
    return sorted(found, key=lambda one: rank(one.name))


def _shown(ran: Ran) -> list[Printed]:
    """What was printed before anything went wrong; of a run that failed only what is a metric by its name."""
    shown = printed(CONTROL.sub("", line) for line in ENDS.split(ran.output.partition("Traceback (most recent")[0]))
    return shown if ran.finished else [one for one in shown if goal_of(one.name)]


def _readable(one: Printed, lines: Sequence[str]) -> Printed:
    """The metric with a pattern that is easier to read, where whatever stands there is a number and nothing more."""
    simple = one.pattern.replace(f">{NUMBER})", r">\S+)")
    seen = [match[one.name] for line in lines for match in re.finditer(simple, line)]
    return one._replace(pattern=simple) if seen and all(MARKED.fullmatch(text) for text in seen) else one


def _bare(ran: Ran, messages: Sequence[Message]) -> Iterator[MetricFound]:
    """A number alone on its line, where one call of the source prints one."""
    numbers = [line for line in ENDS.split(ran.output) if ALONE.fullmatch(line)]
    alone = [one for one in messages if one.bare]
    if numbers and len({one.bare for one in alone}) == 1:
        name = alone[0].bare
        yield MetricFound(name, goal_of(name), rf"^\s*(?P<{name}>{NUMBER})\s*$", alone[0].where, float(numbers[-1]))


def named(found: Sequence[MetricFound], name: str) -> MetricFound:
    """The metric that a person asked for by name; one that reads what stands behind that name where none was found."""
    same = [one for one in found if one.name.lower() == name.lower()]
    near = [one for one in found if name.lower() in one.name.lower()]
    if same or near:
        return (same or near)[0]
    key = re.sub(r"\W+", "_", name).strip("_")
    if not key.isidentifier():
        key = f"metric_{key}"
    words = r"\s+".join(re.escape(word) for word in re.split(r"[\s_]+", name))
    return MetricFound(key, goal_of(name), rf"\b{words}\W*(?P<{key}>{NUMBER})", "", None)


def selected(found: Sequence[MetricFound], first: MetricFound) -> list[MetricFound]:
    """The primary one and the next that have a goal."""
    return [first, *[one for one in found if one.name != first.name and one.goal is not None]][:MOST]


def with_goal(metric: MetricFound, goal: Goal | None) -> MetricFound:
    """The metric with the goal that was asked for, if one was."""
    return metric._replace(goal=goal) if goal else metric


def _would_print(messages: Sequence[Message]) -> Iterator[Printed]:
    return iter(printed(message.text for message in messages))


def _given(name: str, value: float, sought: Sought) -> MetricFound:
    scale = 100.0 if value > 1 else 1.0
    return MetricFound(name, goal_of(name), None, sought.file, value, _floor(name, scale, sought.classes))


def _printed(one: Printed, value: float | None, where: str, sought: Sought) -> MetricFound:
    scale = 100.0 if one.scale == 1 and value is not None and value > 1 else one.scale
    floor = _floor(one.name, scale, sought.classes) if value is not None else None
    return MetricFound(one.name, goal_of(one.name), one.pattern, where, value, floor)


def _floor(name: str, scale: float, classes: tuple[int, str] | None) -> tuple[float, str] | None:
    if classes is None or not is_share(name):
        return None
    count, how = classes
    return round(scale / count, 6), f"chance among {count} classes ({how})"
