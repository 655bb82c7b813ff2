"""Asks a run that listens in a state folder (`server.py`)."""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...executor.errors import LesionError
from .snapshot import Snapshot

NAME = "socket"
SECONDS = 10.0
"""How long an answer is waited for."""
LARGEST = 1 << 20
"""Bytes of one answer."""


class NotRunning(LesionError):
    """Nobody listens: no run holds this state folder, or it ended."""


def ask(state: Path, request: dict[str, Any]) -> dict[str, Any]:
    """The answer to one request.

    Raises:
        NotRunning: nobody listens.
        LesionError: whoever listens gives no answer, is another user's, or refuses the request.
    """
    with _connected(state) as connection, connection.makefile("rb") as answers:
        _send(connection, request, state)
        answer = _parsed(_line(answers, state), state)
    if "error" in answer:
        raise LesionError(f"the run refuses: {answer['error']}", where=str(state))
    return answer


def follow(state: Path) -> Iterator[Snapshot]:
    """What the run says of itself, at once and whenever it changes, until the run ends. Raises as `ask` does."""
    with _connected(state) as connection, connection.makefile("rb") as answers:
        _send(connection, {"do": "watch"}, state)
        yield Snapshot.model_validate(_parsed(_line(answers, state), state))
        connection.settimeout(None)
        while line := _read(answers):
            yield Snapshot.model_validate(_parsed(line, state))


def live(state: Path) -> Snapshot | None:
    """What the run says of itself; None where nobody answers."""
    try:
        return Snapshot.model_validate(ask(state, {"do": "status"}))
    except LesionError:
        return None


def _connected(state: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(SECONDS)
    try:
        folder = os.open(state, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            connection.connect(f"/proc/self/fd/{folder}/{NAME}")
        finally:
            os.close(folder)
    except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
        connection.close()
        raise NotRunning(
            "nothing runs here",
            where=str(state),
            to_do="start it with `lesion run` or `lesion overnight`, or go on with a night by `lesion resume`",
        ) from None
    except OSError as error:
        connection.close()
        raise _silent(state, os.strerror(error.errno) if error.errno else str(error)) from None
    return connection


def _send(connection: socket.socket, request: dict[str, Any], state: Path) -> None:
    try:
        connection.sendall(json.dumps(request).encode() + b"\n")
    except OSError as error:
        raise _silent(state, str(error)) from None


def _line(answers: Any, state: Path) -> bytes:
    try:
        line: bytes = answers.readline(LARGEST)
    except OSError as error:
        raise _silent(state, str(error)) from None
    if not line:
        raise _silent(state, "the connection was closed")
    return line


def _read(answers: Any) -> bytes:
    """The next line; empty once the run has ended, also in the middle of one."""
    try:
        line: bytes = answers.readline(LARGEST)
    except OSError:
        return b""
    return line if line.endswith(b"\n") else b""


def _parsed(line: bytes, state: Path) -> dict[str, Any]:
    try:
        return json.loads(line)
    except ValueError:
        raise _silent(state, "what came is no JSON") from None


def _silent(state: Path, why: str) -> LesionError:
    return LesionError(
        f"the run gives no answer: {why}", where=str(state), to_do="ask again; only the user who started it may ask"
    )
