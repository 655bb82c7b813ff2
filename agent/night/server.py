"""Listens in the state folders of a run, so that it can be watched and steered from another terminal.

A UNIX socket `socket` that only its user may open. A request is one JSON line, an answer one line of JSON (a `Snapshot`,
`{"done": true, "snapshot": …}` or `{"error": …}`); `watch` is answered again and again.
"""

import json
import os
import selectors
import socket
import struct
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .board import Board
from .control import Control

NAME = "socket"
LARGEST = 1 << 16
"""Bytes of a request, and of what may wait to be read by one client."""
MOST_CLIENTS = 32
IDLE_SECONDS = 10.0
"""Those who send nothing, or do not read what they asked for, are left after this."""
WATCH_SECONDS = 1.0
ASKED = "asked to by `lesion stop`"
TICKING = {"running", "seconds_left", "eta_seconds"}
"""Fields of a snapshot that change by themselves."""


@dataclass
class _Client:
    """Somebody who is connected."""

    connection: socket.socket
    received: bytes = b""
    to_send: bytes = b""
    watches: bool = False
    seen: dict[str, Any] = field(default_factory=dict[str, Any])
    """What it was told last."""
    heard: float = field(default_factory=time.monotonic)
    """When something came from it or was taken by it, or nothing was waited for."""


class Server:
    """A thread that answers on a socket in each state folder; asleep while nobody is connected."""

    def __init__(self, states: Sequence[Path], board: Board, control: Control) -> None:
        """The caller holds the lock of every state folder, so that a socket which lies there is a dead run's."""
        self._board, self._control, self._states = board, control, states
        self._selector = selectors.DefaultSelector()
        self._clients: dict[socket.socket, _Client] = {}
        self._told_at = 0.0
        self._closing = threading.Event()
        self._woken, self._waker = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._listeners = [one for state in states if (one := self._listener(state))]
        self._thread = threading.Thread(target=self._serve, name="listening", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Tell watchers the last state, and leave no socket behind."""
        for state in self._states:
            with suppress(OSError):
                (state / NAME).unlink()
        self._closing.set()
        os.write(self._waker, b"x")
        self._thread.join(2)

    def _listener(self, state: Path) -> socket.socket | None:
        try:
            listener = listening_socket(state)
        except OSError as error:
            where = f"{state}: {os.strerror(error.errno or 0)}"
            self._board.attention(f"it cannot be watched or steered from another terminal: {where}")
            return None
        self._selector.register(listener, selectors.EVENT_READ)
        return listener

    def _serve(self) -> None:
        while not self._closing.is_set():
            for key, _ in self._selector.select(self._patience()):
                if key.fileobj in self._listeners:
                    self._accept(key.fileobj)  # type: ignore[arg-type]
                elif client := self._clients.get(key.fileobj):  # type: ignore[call-overload]
                    self._attend(client)
            self._look_after()
        self._say_goodbye()

    def _patience(self) -> float | None:
        """Seconds until something is due; None where nobody is connected."""
        if not self._clients:
            return None
        return max(0.0, self._told_at + WATCH_SECONDS - time.monotonic())

    def _accept(self, listener: socket.socket) -> None:
        try:
            connection, _ = listener.accept()
        except BlockingIOError:
            return
        except OSError:  # no descriptors are left: the rest of the run goes before
            time.sleep(WATCH_SECONDS)
            return
        if len(self._clients) >= MOST_CLIENTS or peer(connection) != os.getuid():
            connection.close()
            return
        connection.setblocking(False)
        self._clients[connection] = _Client(connection)
        self._selector.register(connection, selectors.EVENT_READ)

    def _attend(self, client: _Client) -> None:
        """Take what it sends, and give it what it has room for."""
        try:
            data = client.connection.recv(LARGEST)
        except BlockingIOError:
            self._flush(client)
            return
        except OSError:
            data = b""
        if not data:
            self._drop(client)
            return
        client.heard = time.monotonic()
        client.received += data
        while client.connection in self._clients and b"\n" in client.received:
            line, _, client.received = client.received.partition(b"\n")
            self._answer(client, line)
        if len(client.received) > LARGEST:
            self._refuse(client, f"a request is one line of at most {LARGEST} bytes")

    def _answer(self, client: _Client, line: bytes) -> None:
        try:
            asked: Any = json.loads(line)
            wanted, now = asked["do"], asked.get("now") is True
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            self._refuse(client, 'a request is a JSON object with a key "do"')
            return
        if wanted == "status":
            self._send(client, self._snapshot())
        elif wanted == "watch":
            client.watches, client.seen = True, self._snapshot()
            self._send(client, client.seen)
        elif wanted in ("pause", "resume", "stop"):
            self._steer(wanted, now=now)
            self._send(client, {"done": True, "snapshot": self._snapshot()})
        else:
            self._refuse(client, "known are status, watch, pause, resume and stop")

    def _steer(self, wanted: str, *, now: bool) -> None:
        if wanted == "pause":
            self._control.pause()
        elif wanted == "resume":
            self._control.resume()
        else:
            self._control.stop(ASKED, now=now)

    def _snapshot(self) -> dict[str, Any]:
        return self._board.snapshot().model_dump(mode="json")

    def _refuse(self, client: _Client, why: str) -> None:
        self._send(client, {"error": why})
        self._drop(client)

    def _send(self, client: _Client, record: dict[str, Any]) -> None:
        if client.connection not in self._clients:
            return
        if len(client.to_send) > LARGEST:
            self._drop(client)
            return
        client.heard = client.heard if client.to_send else time.monotonic()
        client.to_send += json.dumps(record).encode() + b"\n"
        self._flush(client)

    def _flush(self, client: _Client) -> None:
        try:
            taken = client.connection.send(client.to_send) if client.to_send else 0
        except BlockingIOError:
            taken = 0
        except OSError:
            self._drop(client)
            return
        client.to_send = client.to_send[taken:]
        if taken:
            client.heard = time.monotonic()
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.to_send else 0)
        self._selector.modify(client.connection, wanted)

    def _look_after(self) -> None:
        """Once a second: tell watchers, and leave those who stall."""
        now = time.monotonic()
        if not self._clients or now - self._told_at < WATCH_SECONDS:
            return
        self._told_at = now
        shown = self._snapshot()
        for client in list(self._clients.values()):
            stalls = bool(client.to_send) or not client.watches
            if stalls and now - client.heard > IDLE_SECONDS:
                self._drop(client)
            elif client.watches and not client.to_send and is_news(client.seen, shown):
                client.seen = shown
                self._send(client, shown)

    def _drop(self, client: _Client) -> None:
        if self._clients.pop(client.connection, None):
            self._selector.unregister(client.connection)
            client.connection.close()

    def _say_goodbye(self) -> None:
        shown = self._snapshot()
        for client in list(self._clients.values()):
            if client.watches:
                self._send(client, shown)
            self._drop(client)
        for listener in self._listeners:
            listener.close()
        self._selector.close()
        os.close(self._woken)
        os.close(self._waker)


@contextmanager
def listening(states: Sequence[Path], board: Board, control: Control) -> Generator[Server]:
    """Answer on a socket in each state folder while the body runs. What ends the body is the last that watchers are told."""
    server = Server(states, board, control)
    try:
        yield server
    except Exception as error:
        board.broken_off(str(error), failed=True)
        raise
    except BaseException as error:
        board.broken_off(control.stopping or str(error), failed=False)
        raise
    finally:
        server.close()


def listening_socket(state: Path) -> socket.socket:
    """A socket in `state` that nobody else can open at any moment: its mode is that of the file from the start.

    Bound through the folder's descriptor, since an address is 107 bytes at most. `OSError` where the place takes none.
    """
    folder = os.open(state, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        with suppress(FileNotFoundError):
            os.unlink(NAME, dir_fd=folder)
        os.fchmod(listener.fileno(), 0o600)  # Linux gives the file this mode, less the umask
        listener.bind(f"/proc/self/fd/{folder}/{NAME}")
        listener.listen(128)
    except BaseException:
        listener.close()
        raise
    finally:
        os.close(folder)
    return listener


def peer(connection: socket.socket) -> int:
    """The user at the other end."""
    size = struct.calcsize("3i")
    _pid, uid, _gid = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    return uid


def is_news(before: dict[str, Any], now: dict[str, Any]) -> bool:
    """Whether more than the time has changed; while trials run, that is enough."""
    kept = [{key: value for key, value in one.items() if key not in TICKING} for one in (before, now)]
    return bool(now["running"] or before["running"]) or kept[0] != kept[1]
