"""The socket of a run: who may open it, and who cannot stall it."""

import json
import os
import socket
import stat
from contextlib import closing

import pytest
from lesion.agent.night.board import Board
from lesion.agent.night.client import NotRunning, ask, follow, live
from lesion.agent.night.control import Control
from lesion.agent.night.server import LARGEST, NAME, listening, listening_socket
from lesion.executor.errors import LesionError

NO_ANSWER = 77


@pytest.fixture
def control():
    return Control()


@pytest.fixture
def board(control):
    return Board(control, [("tiny", "lesion.toml")], command="run")


@pytest.fixture
def server(tmp_path, board, control):
    with listening([tmp_path], board, control) as server:
        yield server


def connected(state):
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(10)
    connection.connect(str(state / NAME))
    return connection


def asked_as_another_user(state):
    os.chdir(state)
    os.setuid(65534)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(NAME)
        try:
            connection.sendall(b'{"do": "stop"}\n')
            return 1 if connection.recv(100) else NO_ANSWER
        except OSError:
            return NO_ANSWER


def test_only_its_user_may_open_the_socket_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        with closing(listening_socket(tmp_path)):
            found = (tmp_path / NAME).stat()
    finally:
        os.umask(before)
    assert stat.S_ISSOCK(found.st_mode)
    assert (stat.S_IMODE(found.st_mode), found.st_uid) == (0o600, os.getuid())


@pytest.mark.skipif(os.geteuid() != 0, reason="another user can be had by root alone")
def test_another_user_gets_no_answer_even_where_the_mode_was_loosened(tmp_path, server, control):
    tmp_path.chmod(0o755)
    (tmp_path / NAME).chmod(0o666)
    child = os.fork()
    if not child:
        os._exit(asked_as_another_user(tmp_path))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == NO_ANSWER
    assert control.stopping is None
    assert ask(tmp_path, {"do": "status"})["phase"] == "checking"


def test_a_state_folder_may_have_a_long_path(tmp_path, board, control):
    state = tmp_path / ("deep" * 40) / ("deeper" * 20)
    state.mkdir(parents=True)
    assert len(str(state)) > 200
    with listening([state], board, control):
        assert ask(state, {"do": "status"})["studies"][0]["name"] == "tiny"
    assert list(state.iterdir()) == []


def test_every_study_of_a_night_can_be_asked(tmp_path, board, control):
    states = [tmp_path / "a", tmp_path / "b"]
    for state in states:
        state.mkdir()
    with listening(states, board, control):
        assert ask(states[0], {"do": "pause"})["done"] is True
        assert ask(states[1], {"do": "status"})["phase"] == "paused"


def test_a_socket_that_a_dead_run_left_is_replaced(tmp_path, board, control):
    with closing(listening_socket(tmp_path)):
        pass
    with pytest.raises(NotRunning):
        ask(tmp_path, {"do": "status"})
    with listening([tmp_path], board, control):
        assert live(tmp_path) is not None
    assert live(tmp_path) is None


def test_a_place_that_takes_no_socket_is_said_and_the_run_goes_on(tmp_path, board, control):
    (tmp_path / NAME).mkdir()
    with listening([tmp_path], board, control):
        assert "cannot be watched or steered" in board.snapshot().attention[0]


def test_where_nothing_runs_it_says_what_starts_it(tmp_path):
    for state in (tmp_path, tmp_path / "absent"):
        with pytest.raises(NotRunning, match="lesion run") as caught:
            ask(state, {"do": "pause"})
        assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    "sent",
    [
        b"\n",
        b"nonsense\n",
        b"\xff\xfe\x00\n",
        b"[]\n",
        b'"do"\n',
        b"null\n",
        b'{"do": ["stop"]}\n',
        b'{"do": "dance"}\n',
        b"[" * 50_000 + b"\n",
        b"x" * (LARGEST + 10),
    ],
)
def test_nonsense_is_refused_and_stalls_nobody(tmp_path, server, control, sent):
    with connected(tmp_path) as nonsense, connected(tmp_path):
        nonsense.sendall(sent)
        answer = nonsense.makefile("rb").readline()
        assert "error" in json.loads(answer)
        assert nonsense.recv(10) == b""
        assert ask(tmp_path, {"do": "status"})["phase"] == "checking"
    assert (control.stopping, control.paused) == (None, False)


def test_a_refusal_reaches_who_asked(tmp_path, server):
    with pytest.raises(LesionError, match="known are status"):
        ask(tmp_path, {"do": "dance"})


def test_one_that_asks_and_never_reads_is_left(tmp_path, server):
    with connected(tmp_path) as slow:
        with pytest.raises(OSError, match=r"Broken pipe|reset"):
            for _ in range(100_000):
                slow.sendall(b'{"do": "status"}\n' * 20)
        assert ask(tmp_path, {"do": "status"})["phase"] == "checking"


def test_many_that_say_nothing_keep_nobody_out_for_long(tmp_path, server):
    crowd = [connected(tmp_path) for _ in range(50)]
    try:
        assert sum(one.fileno() >= 0 for one in crowd) == 50
    finally:
        for one in crowd:
            one.close()
    assert ask(tmp_path, {"do": "status"})["phase"] == "checking"


def test_watchers_see_changes_and_the_end(tmp_path, board, control):
    with listening([tmp_path], board, control):
        told = follow(tmp_path)
        assert next(told).phase == "checking"
        ask(tmp_path, {"do": "pause"})
        assert next(told).phase == "paused"
        ask(tmp_path, {"do": "resume"})
        assert next(told).phase == "checking"
        board.study("tiny", state="complete", reason="complete")
    *_, last = told
    assert last.studies[0].state == "complete"


@pytest.mark.parametrize(("error", "state"), [(KeyboardInterrupt("enough"), "stopped"), (ValueError("bad"), "failed")])
def test_watchers_are_told_what_broke_the_run_off(tmp_path, board, control, error, state):
    told = None
    with pytest.raises(type(error)), listening([tmp_path], board, control):
        told = follow(tmp_path)
        next(told)
        raise error
    *_, last = told
    assert (last.studies[0].state, last.studies[0].reason) == (state, str(error))


def test_a_stop_halts_what_is_no_trial_and_waits_for_one(tmp_path, server, control):
    halted = []
    control.halt = lambda: halted.append(True)
    control.busy = lambda: True
    assert ask(tmp_path, {"do": "stop"})["snapshot"]["phase"] == "stopping"
    assert halted == []
    ask(tmp_path, {"do": "stop", "now": True})
    assert halted == [True]
    control.busy = lambda: False
    ask(tmp_path, {"do": "stop"})
    assert halted == [True, True]
