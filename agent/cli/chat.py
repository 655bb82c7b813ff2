"""`lesion chat`: a conversation about a study, at a terminal or through a pipe."""

import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from .options import DEFAULT_STUDY, BaseUrl, Json, Model, State, StudyFile, Unsafe, WhoPlans
from .signals import listen, listen_for_the_end

if TYPE_CHECKING:
    from ..chat.conversation import Conversation
    from ..chat.desk import Desk
    from ..chat.limits import Limits
    from ..chat.runner import PlannerFlags, Runner
    from ..chat.session import Session


class Mode(StrEnum):
    """How much may happen without a yes."""

    ASK = "ask"
    AUTO = "auto"
    PLAN_ONLY = "plan-only"


def chat(
    study: StudyFile = DEFAULT_STUDY,
    message: Annotated[
        list[str] | None,
        typer.Option("--message", "-m", help="Say this and leave after the answer; several are said in turn."),
    ] = None,
    mode: Annotated[
        Mode | None,
        typer.Option(
            help="ask before anything runs; auto: what stays within --max-trials and --for runs; plan-only: nothing runs."
        ),
    ] = None,
    max_trials: Annotated[int | None, typer.Option(min=0, help="Of auto: start at most so many trials.")] = None,
    for_: Annotated[str | None, typer.Option("--for", metavar="DURATION", help="Of auto: for, e.g., 2h.")] = None,
    new: Annotated[
        bool, typer.Option("--new", help="Begin a new conversation; the earlier one is kept aside.")
    ] = False,
    planner: WhoPlans = None,
    model: Model = None,
    base_url: BaseUrl = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Trials at once; limits.workers by default.")] = None,
    json: Json = False,
    state: State = None,
    unsafe_no_sandbox: Unsafe = False,
) -> None:
    """Talk about a study: what is in here, try it, why did that happen, write me the paragraph. Goes on where it stopped."""
    from ..chat.desk import Desk
    from ..chat.runner import Allowed, PlannerFlags, Runner, stopping
    from ..chat.screen.echo import unechoed
    from ..chat.session import Session
    from ..studyfile import load_study, state_folder

    limits = _limits(mode, max_trials, for_)
    is_watched = message is None and sys.stdin.isatty() and sys.stdout.isatty() and not json
    with ExitStack() as stack:
        if is_watched:
            stack.enter_context(unechoed(sys.stdin))
        spec = load_study(study)
        folder = state_folder(spec, state)
        flags = PlannerFlags(planner.value if planner else None, model, base_url)
        runner = Runner(spec.path, folder, Allowed(workers, unsafe_no_sandbox))
        session = stack.enter_context(closing(Session(folder, new=new)))
        stack.enter_context(stopping(runner))
        desk = Desk(spec, folder, unsafe_no_sandbox)
        talk = _at_terminal if is_watched else _piped
        raise typer.Exit(talk(desk, session, runner, flags, _Said(message, mode, limits, as_json=json)))


class _Said(NamedTuple):
    """What the command line says to the conversation itself."""

    messages: Sequence[str] | None
    mode: Mode | None
    limits: "Limits"
    as_json: bool

    def begin(self, talk: "Conversation", *, lasting: bool) -> "Conversation":
        """Set the mode; `lasting`: also for the next process."""
        if self.mode is not None:
            talk.set_mode(self.mode.value, self.limits, lasting=lasting)
        elif not lasting:
            talk.set_mode("ask", self.limits, lasting=False)  # what may run unattended is said each time
        return talk


def _at_terminal(desk: "Desk", session: "Session", runner: "Runner", flags: "PlannerFlags", said: _Said) -> int:
    from ..chat.conversation import Conversation
    from ..chat.loop import at_terminal
    from ..chat.screen.completing import completer_of
    from ..chat.screen.terminal import Terminal
    from ..chat.screen.toolbar import Toolbar
    from ..chat.session import HISTORY

    listen_for_the_end()  # Ctrl-C cancels a turn
    toolbar = Toolbar()
    terminal = Terminal(session.folder / HISTORY, completer_of(desk), toolbar.parts)
    toolbar.talk = talk = said.begin(Conversation(desk, session, terminal, runner, flags), lasting=True)
    return at_terminal(talk, terminal, toolbar)


def _piped(desk: "Desk", session: "Session", runner: "Runner", flags: "PlannerFlags", said: _Said) -> int:
    from ..chat.conversation import Conversation
    from ..chat.loop import through_pipe
    from ..chat.screen.pipe import Pipe

    listen()
    pipe = Pipe(said.messages or (), as_json=said.as_json)
    talk = said.begin(Conversation(desk, session, pipe, runner, flags), lasting=False)
    return through_pipe(talk, pipe)


def _limits(mode: Mode | None, max_trials: int | None, for_: str | None) -> "Limits":
    from ...executor.units import parse_duration
    from ..chat.limits import Limits

    if mode is not Mode.AUTO and (max_trials is not None or for_ is not None):
        raise typer.BadParameter("they are caps of --mode auto", param_hint="--max-trials, --for")
    try:
        return Limits(max_trials, parse_duration(for_) if for_ is not None else None)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--for") from None
