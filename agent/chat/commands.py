"""The slash commands: everything that the model's tools do, and what steers the conversation, without a model."""

import re
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from ...executor.errors import LesionError
from ...executor.units import parse_duration
from ...prompts import phrases
from . import views
from .commandlist import COMMANDS, FORMATS, MODES
from .costs import costs_shown
from .events import Moded, Modelled, ModeOfWork
from .limits import Limits
from .shown import Note, Prose, Shown, Source, Table

if TYPE_CHECKING:
    from ..components import Component
    from .conversation import Conversation

AUTO_TRIALS, AUTO_SECONDS = 100, 3600.0
"""What auto may take where nothing is said."""
MOST_LINES = 200
"""Of a file that is shown at once."""


class UsageError(LesionError):
    """A command that was written wrongly."""


class Commands:
    """The commands of one conversation, by name."""

    def __init__(self, talk: "Conversation") -> None:
        self._talk = talk
        self._does: dict[str, Callable[[Sequence[str]], list[Shown]]] = {
            "help": self._help,
            "components": self._components,
            "source": self._source,
            "plan": self._plan,
            "interactions": self._interactions,
            "diff": self._diff,
            "run": self._run,
            "queue": self._queue,
            "stop": self._stop,
            "status": self._status,
            "results": self._results,
            "why": self._why,
            "settle": self._settle,
            "draft": self._paragraph,
            "report": self._report,
            "cost": self._cost,
            "model": self._model,
            "mode": self._mode,
            "quit": self._quit,
        }

    def run(self, line: str) -> list[Shown]:
        """Run a line that begins with a slash. `LesionError` where it cannot be."""
        try:
            name, *arguments = shlex.split(line[1:], posix=True)
        except ValueError as error:
            raise UsageError(f"this cannot be read: {error}", to_do="close the quotation mark") from None
        return self._does[self._named(name)](arguments)

    def _named(self, name: str) -> str:
        """The command of this name, or the only one that begins so."""
        from ..planning.plan import nearest

        fitting = [name] if name in self._does else [one for one in self._does if name and one.startswith(name)]
        if len(fitting) != 1:
            hint = f": {', '.join(f'/{one}' for one in fitting)}" if fitting else nearest(name, [*self._does])
            raise UsageError(f"there is no command /{name}{hint}", to_do="/help lists them")
        return fitting[0]

    # looking

    def _help(self, arguments: Sequence[str]) -> list[Shown]:
        words = phrases("chat/words.j2")
        rows = [[f"/{one.name} {one.takes}".strip(), one.does] for one in COMMANDS]
        columns = [words.column[name] for name in ("command", "does")]
        table = Table(title=phrases("chat/commands.j2").title(), columns=columns, rows=rows)
        return [table, Prose(text=phrases("chat/commands.j2").keys().strip())]

    def _components(self, arguments: Sequence[str]) -> list[Shown]:
        return views.components_shown(self._known(), arguments)

    def _known(self) -> "Mapping[str, Component]":
        """The components; who waits for them is told why."""
        desk = self._talk.desk
        if desk.labels:
            return desk.known
        with self._talk.front.busy(phrases("chat/commands.j2").reading()):
            return desk.known

    def _source(self, arguments: Sequence[str]) -> list[Shown]:
        if len(arguments) != 1:
            raise UsageError("/source takes one file", to_do="/source train.py:10-40")
        path, _, span = arguments[0].partition(":")
        first, last = _span(span)
        return [_lines(self._talk.desk.spec.root, path, first, last)]

    def _status(self, arguments: Sequence[str]) -> list[Shown]:
        from ..report.summary import summary_lines
        from .arrivals import progress_line

        talk, words = self._talk, phrases("chat/commands.j2")
        starting = words.starting(talk.runner.running) if talk.runner.running and not talk.desk.driver else ""
        progress = starting or progress_line(talk.desk.spec, talk.desk.state)
        results = talk.desk.results
        lines = [*([progress] if progress else []), *(summary_lines(results) if results else [])]
        draft, waiting = talk.session.draft, talk.desk.waiting
        mode = words.mode_now(talk.session.mode, talk.running.left(talk.session.mode))
        lines += [words.state(len(draft.ablations) + len(draft.more_seeds), list(waiting), mode)]
        return [Note(text="\n".join(lines))]

    def _results(self, arguments: Sequence[str]) -> list[Shown]:
        return views.results_shown(self._talk.desk.results, arguments)

    def _why(self, arguments: Sequence[str]) -> list[Shown]:
        if not arguments:
            raise UsageError("/why takes the name of a component or an ablation", to_do="/why config:dropout")
        desk = self._talk.desk
        planned = {**desk.planned, **self._talk.session.draft.ablations}
        return views.why_shown(desk.results, planned, desk.known, " ".join(arguments), root=desk.spec.root)

    def _settle(self, arguments: Sequence[str]) -> list[Shown]:
        return views.settle_shown(self._talk.desk.results)

    def _cost(self, arguments: Sequence[str]) -> list[Shown]:
        return costs_shown(self._talk.desk, self._talk.partner.usage())

    # proposing

    def _plan(self, arguments: Sequence[str]) -> list[Shown]:
        drafter = self._talk.drafter
        self._known()
        match list(arguments):
            case []:
                return drafter.suggest()
            case ["clear"]:
                return drafter.withdraw([])
            case ["drop", *names] if names:
                return drafter.withdraw(names)
            case ["drop"]:
                raise UsageError("/plan drop takes the names of what is to be dropped", to_do="/diff shows the draft")
            case names:
                return drafter.pick(names)

    def _interactions(self, arguments: Sequence[str]) -> list[Shown]:
        if arguments:
            return self._talk.drafter.together([one for one in arguments if one != "+"])
        results, words = self._talk.desk.results, phrases("chat/commands.j2")
        joint = [one.ablation for one in results.interactions] if results else []
        return views.results_shown(results, joint) if joint else [Note(text=words.no_joint())]

    def _diff(self, arguments: Sequence[str]) -> list[Shown]:
        return self._talk.drafter.diffs(arguments)

    def _paragraph(self, arguments: Sequence[str]) -> list[Shown]:
        from ..prose.paragraph import paragraph

        results = self._talk.desk.results
        if results is None:
            return [Note(text=phrases("chat/words.j2").nothing_measured())]
        return [Prose(text=paragraph(results))]

    # doing

    def _run(self, arguments: Sequence[str]) -> list[Shown]:
        running, draft = self._talk.running, self._talk.session.draft
        everything = [one for one in arguments if one == "all"]
        limits = _limits([one for one in arguments if one != "all"])
        if everything:
            return [Note(text=running.whole_study(limits))]
        if draft:
            return [Note(text=running.ask(limits))]
        return [Note(text=running.go_on(limits) if running.before else running.whole_study(limits))]

    def _queue(self, arguments: Sequence[str]) -> list[Shown]:
        from ..queue import Queue

        words, waiting = phrases("chat/commands.j2"), self._talk.desk.waiting
        match list(arguments):
            case []:
                rows = [[name, ", ".join(one.id for one in plan.ablations)] for name, plan in waiting.items()]
                columns = [phrases("chat/words.j2").column[name] for name in ("request", "removed")]
                table = Table(title=words.waiting(len(rows)), columns=columns, rows=rows)
                return [table if rows else Note(text=words.nothing_waits())]
            case ["drop", *names] if names:
                return [Note(text=words.dropped(name, Queue(self._talk.desk.state).withdraw(name))) for name in names]
            case _:
                raise UsageError("/queue takes nothing, or drop and the names of requests", to_do="/queue lists them")

    def _stop(self, arguments: Sequence[str]) -> list[Shown]:
        words = phrases("chat/commands.j2")
        if self._talk.running.runner.running is None:
            driver = self._talk.desk.driver
            return [Note(text=words.not_ours(driver) if driver else words.nothing_runs())]
        with self._talk.front.busy(words.stopping()):
            return [Note(text=self._talk.stopped())]

    def _report(self, arguments: Sequence[str]) -> list[Shown]:
        from ..report.write import write_report

        words, results = phrases("chat/commands.j2"), self._talk.desk.results
        if unknown := [one for one in arguments if one not in FORMATS]:
            raise UsageError(f"a report has no format {unknown[0]!r}", to_do=f"use one or more of {', '.join(FORMATS)}")
        if results is None:
            return [Note(text=phrases("chat/words.j2").nothing_measured())]
        with self._talk.front.busy(words.writing()):
            written = write_report(results, list(arguments) or list(FORMATS), self._talk.desk.state / "report")
        return [Note(text=words.written([str(path) for path in written]), tone="good")]

    # steering

    def _model(self, arguments: Sequence[str]) -> list[Shown]:
        words = phrases("chat/commands.j2")
        if arguments:
            name = None if arguments[0] == "none" else arguments[0]
            self._talk.partner.choose(name)
            self._talk.session.tell(Modelled(model=name))
        settings = self._talk.partner.settings
        return [Note(text=words.model(settings.model, settings.server) if settings else words.no_model())]

    def _mode(self, arguments: Sequence[str]) -> list[Shown]:
        words, talk = phrases("chat/commands.j2"), self._talk
        if arguments:
            if arguments[0] not in MODES:
                raise UsageError(f"there is no mode {arguments[0]!r}", to_do=f"use {', '.join(MODES)}")
            limits = _limits(arguments[1:])
            talk.set_mode(arguments[0], limits)
        mode = talk.session.mode
        return [Note(text=words.mode_now(mode, talk.running.left(mode)))]

    def _quit(self, arguments: Sequence[str]) -> list[Shown]:
        self._talk.over = True
        return []


def moded(mode: ModeOfWork, limits: Limits, attempts: int) -> Moded:
    """A mode as an event; auto always has caps."""
    if mode != "auto":
        return Moded(mode=mode)
    seconds = AUTO_SECONDS if limits.seconds is None else limits.seconds
    trials = AUTO_TRIALS if limits.trials is None else limits.trials
    return Moded(mode="auto", trials=trials, until=time.time() + seconds, attempts=attempts)


def _limits(arguments: Sequence[str]) -> Limits:
    """`20 trials for 30m`, either part alone, in any order."""
    text = " ".join(arguments)
    found = re.fullmatch(r"(?:(\d+)(?: trials?)?)?\s*(?:for (\S+))?", text)
    if found is None:
        raise UsageError(f"{text!r} is no limit", to_do="write it as `20 trials for 30m`")
    try:
        seconds = parse_duration(found[2]) if found[2] else None
    except ValueError as error:
        raise UsageError(str(error), to_do="write it as `for 30m`") from None
    return Limits(int(found[1]) if found[1] else None, seconds)


def _span(text: str) -> tuple[int, int | None]:
    if not text:
        return 1, None
    found = re.fullmatch(r"(\d+)(?:-(\d+))?", text)
    if found is None or int(found[1]) < 1:
        raise UsageError(f"{text!r} is no range of lines", to_do="/source train.py:10-40")
    return int(found[1]), int(found[2] or found[1])


def _lines(root: "object", path: str, first: int, last: int | None) -> Source:
    """Lines of a file of the project: a person may see all of it."""
    from pathlib import Path

    base = Path(str(root)).resolve()
    file = (base / path).resolve()
    if not file.is_relative_to(base) or not file.is_file():
        raise UsageError(f"the project has no file {path!r}", to_do="name it relative to the project's root")
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    if first > len(lines):
        raise UsageError(f"{path} has {len(lines)} lines", to_do=f"/source {path}:1-{len(lines)}")
    end = min(last or len(lines), first + MOST_LINES - 1)
    return Source(path=path, first=first, text="\n".join(lines[first - 1 : end]))
