"""How a conversation goes on: at a terminal until somebody leaves, through a pipe until everything is said and has run."""

import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from ...executor.errors import LesionError
from ...prompts import phrases
from .courier import EVERY, Courier
from .shown import Note

if TYPE_CHECKING:
    from .conversation import Conversation
    from .screen.pipe import Pipe
    from .screen.terminal import Terminal
    from .screen.toolbar import Toolbar


def at_terminal(talk: "Conversation", terminal: "Terminal", toolbar: "Toolbar") -> int:
    """Until somebody leaves. The exit code."""
    from .screen.terminal import Arrived

    words = phrases("chat/loop.j2")
    talk.front.show(Note(text=words.greeting(talk.desk.spec.study.name, talk.partner.settings, talk.session)))
    threading.Thread(target=talk.warm, name="warm", daemon=True).start()
    courier = Courier(talk, ended=lambda: _call(talk, terminal), progress=toolbar.show)
    courier.start()
    try:
        while not talk.over:
            line = terminal.read()
            if line is None:
                talk.over = True
            elif isinstance(line, Arrived):
                _guarded(talk, talk.go_on)
            else:
                _guarded(talk, partial(talk.handle, line))
            talk.over = talk.over and _may_leave(talk, terminal)
    finally:
        courier.close()
    return 0


def through_pipe(talk: "Conversation", pipe: "Pipe") -> int:
    """Every message in turn; what was started is waited for. The exit code: 2 where a message came to an error."""
    courier, code = Courier(talk), 0
    while not talk.over and (line := pipe.read()) is not None:
        if not line.strip():
            continue
        try:
            talk.handle(line.strip())
            _wait(talk, courier)
        except LesionError as error:
            talk.front.show(Note(text=str(error), tone="error"))
            code = error.exit_code
    return code or (2 if talk.failed else 0)


def _wait(talk: "Conversation", courier: Courier) -> None:
    """Until nothing of this conversation runs; in auto the model speaks about what came, and may go on."""
    pause = threading.Event()
    while talk.runner.busy:
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


def _call(talk: "Conversation", terminal: "Terminal") -> None:
    if talk.speaks_by_itself:
        terminal.interrupt()


def _may_leave(talk: "Conversation", terminal: "Terminal") -> bool:
    """Asks about running trials; whether the conversation is over."""
    if talk.runner.running is None:
        return True
    words = phrases("chat/loop.j2")
    match terminal.choose(words.running(), [words.keep(), words.stop(), words.stay()]):
        case 0:
            talk.runner.detach()
        case 1:
            with talk.front.busy(phrases("chat/commands.j2").stopping()):
                talk.runner.stop()
        case _:
            return False
    return True
