"""`lesion pause`, `resume` and `stop`: steer a run from another terminal."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import DEFAULT_STUDY, Json, State, StudyFile

if TYPE_CHECKING:
    from ..night.snapshot import Snapshot


def pause(study: StudyFile = DEFAULT_STUDY, json: Json = False, state: State = None) -> None:
    """Start no further trial; those that run go on."""
    now = _asked(_folder(study, state), {"do": "pause"})
    if now.phase == "stopping":
        _say(now, _words().stopping(len(now.running), False), as_json=json)
        return
    _say(now, _words().paused(len(now.running)), as_json=json)


def resume(
    study: StudyFile = DEFAULT_STUDY,
    for_: Annotated[
        str | None, typer.Option("--for", metavar="DURATION", help="A new deadline for a night that is over.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="HH:MM", help="Likewise, by the time of the day.")] = None,
    json: Json = False,
    state: State = None,
) -> None:
    """Go on after a pause; where nothing runs, start the last night again."""
    from ..night.client import NotRunning
    from .run import deadline_asked

    folder, deadline = _folder(study, state), deadline_asked(for_, until)
    try:
        before = _asked(folder, {"do": "status"})
        if deadline is not None:
            raise typer.BadParameter("it runs, and its deadline stays", param_hint="--for, --until")
        now = _asked(folder, {"do": "resume"})
    except NotRunning:
        from .overnight import start_again

        raise typer.Exit(start_again(folder, deadline)) from None
    if now.phase == "stopping":
        _say(now, _words().stopping(len(now.running), False), as_json=json)
        return
    _say(now, _words().resumed() if before.phase == "paused" else _words().never_paused(), as_json=json)


def stop(
    study: StudyFile = DEFAULT_STUDY,
    now: Annotated[bool, typer.Option("--now", help="Do not wait for the trials that run.")] = False,
    json: Json = False,
    state: State = None,
) -> None:
    """End the run, once the trials that run have finished; everything is kept."""
    folder = _folder(study, state)
    shown = _asked(folder, {"do": "stop", "now": now})
    _say(shown, _words().stopping(len(shown.running), now), as_json=json)


def _folder(study: Path, state: Path | None) -> Path:
    from ..studyfile import load_study, state_folder

    return state_folder(load_study(study), state)


def _asked(folder: Path, request: dict[str, Any]) -> "Snapshot":
    from ..night.client import ask
    from ..night.snapshot import Snapshot

    answer = ask(folder, request)
    return Snapshot.model_validate(answer.get("snapshot", answer))


def _words() -> Any:
    from ... import prompts

    return prompts.phrases("night/watch.j2")


def _say(now: "Snapshot", text: str, *, as_json: bool) -> None:
    typer.echo(now.model_dump_json() if as_json else text)
