"""A server that does not answer is waited for as it asks, and never takes a planned study down with it."""

import os
import signal
import threading
import time
from email.utils import formatdate

import pytest
from lesion.agent.llm.allotted import Allotted
from lesion.agent.llm.client import Message
from lesion.executor.errors import BadAnswerError, ModelError, OutOfTime, PlanningOver

from .asked import GOOD, QUESTION, Items
from .server import Answer, ModelServer, drips, drops, fails, hangs, says

SECOND = [Message("user", "And two more.")]


@pytest.mark.parametrize(
    "header",
    [
        {"Retry-After": "37"},
        {"Retry-After": formatdate(1_800_000_037, usegmt=True), "Date": formatdate(1_800_000_000, usegmt=True)},
    ],
    ids=["seconds", "date"],
)
def test_a_rate_limit_is_waited_for_exactly(desk, header):
    def limited(_):
        return fails(429, "Slow down", headers=header)

    with ModelServer(limited, says(GOOD)) as server:
        model = desk.model(server)
        assert model.ask("plan", QUESTION, Items).items
    assert desk.slept == [37.0]
    assert "Slow down" in desk.watcher.waits[0]
    assert "37s" in desk.watcher.waits[0]
    assert model.usage.exchanges == 1


def test_without_a_time_the_waits_grow_and_end(desk):
    with ModelServer(*[fails(429, "Slow down")] * 20) as server, pytest.raises(ModelError, match="Slow down"):
        desk.model(server).ask("plan", QUESTION, Items)
    assert len(server.asked) == 8
    bounds = [2, 4, 8, 16, 32, 60, 60]
    assert all(bound / 2 <= seconds <= bound for seconds, bound in zip(desk.slept, bounds, strict=True))


def test_a_server_that_says_at_once_for_ever_is_not_asked_for_ever(desk):
    with (
        ModelServer(*[fails(429, "Slow down", headers={"Retry-After": "0"})] * 20) as server,
        pytest.raises(ModelError),
    ):
        desk.model(server).ask("plan", QUESTION, Items)
    assert len(server.asked) == 8


def test_no_wait_goes_beyond_the_end_of_the_study(desk):
    with ModelServer(says(GOOD), fails(429, "Slow down", headers={"Retry-After": "900"})) as server:
        model = desk.model(server, time_left=lambda: 600)
        model.ask("plan", QUESTION, Items)
        with pytest.raises(PlanningOver, match="time ends"):
            model.ask("more", SECOND, Items)
    assert desk.slept == []


def test_a_wait_of_a_day_is_none(desk):
    limit = fails(429, "Daily limit", headers={"Retry-After": "86000"})
    with ModelServer(limit) as server, pytest.raises(ModelError, match="Daily limit"):
        desk.model(server).ask("plan", QUESTION, Items)
    assert desk.slept == []


@pytest.mark.parametrize(
    "failure",
    [
        fails(429, "You exceeded your current quota", code="insufficient_quota", type="insufficient_quota"),
        fails(402, "Insufficient credits"),
    ],
)
def test_a_quota_used_up_ends_planning_at_once(desk, failure):
    with ModelServer(failure) as server, pytest.raises(PlanningOver, match="quota"):
        desk.model(server).ask("plan", QUESTION, Items)
    assert (len(server.asked), desk.slept) == (1, [])


@pytest.mark.parametrize(
    "failure", [fails(500, "oops"), fails(503, "overloaded"), Answer(status=502, body="<html>bad gateway")]
)
def test_a_server_error_is_tried_again(desk, failure):
    with ModelServer(failure, failure, says(GOOD)) as server:
        assert desk.model(server).ask("plan", QUESTION, Items).items
    assert len(desk.slept) == 2


def test_a_server_that_stays_broken_stops_only_a_study_without_a_plan(desk):
    with ModelServer(*[fails(500, "oops")] * 5, says(GOOD), *[fails(500, "oops")] * 5) as server:
        model = desk.model(server)
        with pytest.raises(ModelError, match="oops"):
            model.ask("plan", QUESTION, Items)
        model.ask("plan", QUESTION, Items)
        with pytest.raises(PlanningOver, match="oops"):
            model.ask("more", SECOND, Items)
    assert len(server.asked) == 11


@pytest.mark.parametrize("stream", [False, True])
def test_a_dropped_connection_is_tried_again_and_its_cost_is_unknown(desk, stream):
    with ModelServer(drops(GOOD[:40]), says(GOOD)) as server:
        model = desk.model(server, stream=stream, price_input=1.0, price_output=1.0)
        assert len(model.ask("plan", QUESTION, Items).items) == 2
    usage = model.usage
    assert (usage.exchanges, usage.unknown, usage.cost) == (2, 1, None)
    assert usage.tokens_estimated > 8000, "as many as it may have been"
    assert str(usage.cost_at_least) == "0.00015"
    assert '"outcome":"broken"' in desk.path.read_text()


@pytest.mark.parametrize("stream", [False, True])
def test_a_server_that_never_answers_is_asked_again_and_given_up(desk, stream):
    with ModelServer(*[hangs()] * 9) as server, pytest.raises(ModelError, match="did not answer in time"):
        desk.model(server, stream=stream, timeout=0.15).ask("plan", QUESTION, Items)
    assert len(server.asked) == 3


def test_an_answer_that_trickles_in_is_given_up_as_silence(desk):
    with ModelServer(*[drips()] * 9) as server, pytest.raises(ModelError, match="did not answer in time"):
        desk.model(server, timeout=0.15).ask("plan", QUESTION, Items)
    assert len(server.asked) == 3
    assert "silent: the server did not answer in time" in desk.path.read_text()


def test_a_list_of_models_that_trickles_in_is_given_up(desk, monkeypatch):
    monkeypatch.setattr("lesion.agent.llm.connection.LISTED_WITHIN", 0.3)
    with ModelServer() as server, pytest.raises(ModelError, match="did not answer in time"):
        monkeypatch.setattr(server, "answer", lambda request: drips())
        desk.model(server).preflight()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("silent", [hangs(), drips()], ids=["hangs", "drips"])
def test_a_model_is_waited_for_no_longer_than_it_is_allotted(desk, stream, silent):
    with ModelServer(*[silent] * 9) as server:
        model = desk.model(server, stream=stream, allotted=Allotted(0.3))
        with pytest.raises(PlanningOver, match=r"within 0\.3s"):
            model.ask("plan", QUESTION, Items)
        with pytest.raises(PlanningOver, match=r"more than 0\.3s"):
            model.ask("more", SECOND, Items)
    assert len(server.asked) == 1
    assert desk.slept == []


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_trickles_in_ends_with_the_time_of_the_run(desk, stream):
    end = time.monotonic() + 0.4
    with ModelServer(*[drips()] * 9) as server, pytest.raises(OutOfTime):
        desk.model(server, stream=stream, time_left=lambda: end - time.monotonic()).ask("plan", QUESTION, Items)
    assert len(server.asked) == 1


def test_what_is_allotted_passes_only_while_the_model_is_asked():
    now = [0.0]
    allotted = Allotted(10.0, lambda: now[0])
    with allotted.passing():
        now[0] = 4.0
        assert allotted.left == 6.0
    now[0] = 100.0
    assert allotted.left == 6.0
    with allotted.passing():
        now[0] = 107.0
        assert allotted.left == 0.0


def test_an_error_in_the_midst_of_a_good_status_is_an_error(desk):
    inside = Answer(body={"error": {"message": "upstream is down", "code": 502}})
    with ModelServer(inside, says(GOOD)) as server:
        assert desk.model(server).ask("plan", QUESTION, Items).items
    assert "upstream is down" in desk.watcher.waits[0]


@pytest.mark.parametrize(
    ("failure", "says_so"),
    [
        (fails(401, "Incorrect API key provided", code="invalid_api_key"), "OPENAI_API_KEY"),
        (fails(403, "Country not supported"), "Country not supported"),
        (fails(404, "The model `x` does not exist", code="model_not_found"), "no model 'scripted'"),
        (Answer(body="<html>Welcome to my home page</html>"), "no such address"),
    ],
)
def test_what_waiting_does_not_mend_is_said_at_once(desk, failure, says_so):
    with ModelServer(failure) as server, pytest.raises(ModelError, match=says_so):
        desk.model(server).ask("plan", QUESTION, Items)
    assert (len(server.asked), desk.slept) == (1, [])


def test_a_content_filter_is_a_bad_answer(desk):
    with (
        ModelServer(fails(400, "filtered", code="content_filter")) as server,
        pytest.raises(BadAnswerError, match="filter"),
    ):
        desk.model(server).ask("plan", QUESTION, Items)


def test_a_server_that_echoes_the_key_does_not_get_it_printed(desk):
    key = "sk-very-secret-key-0123456789"
    with ModelServer(fails(401, f"Incorrect API key provided: {key}")) as server, pytest.raises(ModelError) as raised:
        desk.model(server).ask("plan", QUESTION, Items)
    assert key not in str(raised.value)
    assert key not in desk.path.read_text()


class Stopped(BaseException):
    pass


def _stop(*_):
    raise Stopped


@pytest.mark.parametrize("where", ["silence", "stream"])
def test_ctrl_c_works_at_once_and_leaves_a_line(desk, where):
    started = threading.Event()

    def endless(_):
        started.set()
        return hangs()

    class Pressing:
        def asking(self, text): ...

        def waiting(self, text): ...

        def streaming(self, tokens, delta):
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, _stop)
    try:
        with ModelServer(endless if where == "silence" else says(GOOD)) as server:
            if where == "stream":
                desk.watcher = Pressing()
            else:
                threading.Thread(target=lambda: started.wait(20) and os.kill(os.getpid(), signal.SIGINT)).start()
            with pytest.raises(Stopped):
                desk.model(server, stream=True, timeout=20.0).ask("plan", QUESTION, Items)
    finally:
        signal.signal(signal.SIGINT, before)
    assert '"outcome":"broken"' in desk.path.read_text()
