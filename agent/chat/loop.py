"""How a conversation goes on: at a terminal until somebody leaves, through a pipe until everything is said and has run."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from ...executor.errors import LesionError
from ...prompts import phrases
from .courier import EVERY, Courier
from .shown import Note
from .terminal import ARRIVED, Terminal

if TYPE_CHECKING:
    from .conversation import Conversation
    from .pipe import Pipe


def at_terminal(talk: "Conversation", terminal: Terminal) -> int:
    """Until somebody leaves. The exit code."""
    words = phrases("chat/loop.j2")
    talk.front.show(Note(text=words.greeting(talk.desk.spec.study.name, talk.settings, talk.session)))
    threading.Thread(target=talk.desk.warm, args=(lambda error: talk.trouble(str(error)),), daemon=True).start()
    courier = Courier(talk, lambda: _call(talk, terminal))
    courier.start()
    try:
        while not talk.over:
            line = terminal.read()
            if line is None:
                talk.over = True
            elif line is ARRIVED:
                _guarded(talk, talk.go_on)
            elif line.strip():
                _guarded(talk, lambda text=line.strip(): talk.handle(text))
            talk.over = talk.over and _may_leave(talk, terminal)
    finally:
        courier.close()
    return 0


def through_pipe(talk: "Conversation", pipe: "Pipe") -> int:
    """Every message in turn; what was started is waited for. The exit code: 2 where a message came to an error."""
    courier, code = Courier(talk, lambda: None), 0
    while not talk.over and (line := pipe.read()) is not None:
        if not line.strip():
            continue
        try:
            talk.handle(line.strip())
            _wait(talk, courier)
        except LesionError as error:
            talk.front.show(Note(text=str(error), tone="error"))
            code = error.exit_code
    return code


def _wait(talk: "Conversation", courier: Courier) -> None:
    """Until nothing of this conversation runs; in auto the model speaks about what came, and may go on."""
    pause = threading.Event()
    while talk.runner.running is not None:
        pause.wait(EVERY / 4)
        if courier.look() and talk.speaks_by_itself:
            talk.go_on()


def _guarded(talk: "Conversation", act: Callable[[], None]) -> None:
    """What goes wrong is shown, and the conversation goes on."""
    try:
        act()
    except LesionError as error:
        talk.front.show(Note(text=str(error), tone="error"))
    except KeyboardInterrupt:
        talk.front.show(Note(text=phrases("chat/turn.j2").cancelled(), tone="warning"))


def _call(talk: "Conversation", terminal: Terminal) -> None:
    if talk.speaks_by_itself:
        terminal.interrupt()


def _may_leave(talk: "Conversation", terminal: Terminal) -> bool:
    """Asks about running trials; whether the conversation is over."""
    if talk.runner.running is None:
        return True
    words = phrases("chat/loop.j2")
    chosen = terminal.choose(words.running(), {"": words.keep(), "s": words.stop(), "c": words.stay()})
    match chosen:
        case "c":
            return False
        case "s":
            with talk.front.busy(phrases("chat/commands.j2").stopping()):
                talk.runner.stop()
        case _:
            talk.runner.detach()
    return True
