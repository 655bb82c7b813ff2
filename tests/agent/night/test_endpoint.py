"""The language model before a night: one call of a few tokens, its price, and what the night may spend."""

import time
from contextlib import ExitStack

import pytest
from lesion.agent.night.endpoint import caps, endpoint
from lesion.agent.night.money import Purse
from lesion.agent.planners import TRANSCRIPT
from lesion.executor.errors import PlanningOver
from lesion.executor.pool import Pool

from tests.experiments import STUDY
from tests.llm.asked import QUESTION, Items
from tests.llm.server import ModelServer, fails, says

from .readied import readied, said, short

PRICES = "[planner]\nprice_input = 1.0\nprice_output = 10.0\nanswer_tokens = 1000\n"
READY = '{"ready": true}'


@pytest.fixture
def stack():
    with ExitStack() as stack:
        yield stack


def opened(stack, folder, server, planner=PRICES, purse=None):
    short(folder, study=STUDY + planner)
    environment = {"OPENAI_BASE_URL": server.url, "LESION_MODEL": "scripted"}
    (ready,) = readied(stack, folder, environment=environment, allowance=purse.left if purse else None)
    return ready


def test_the_model_is_called_once_and_that_is_recorded_and_paid_for(tmp_path, stack):
    purse = Purse(0.02, time.time())
    with ModelServer(says(READY, sent=100, received=10), says(READY, sent=1000, received=900)) as server:
        ready = opened(stack, tmp_path, server, purse=purse)
        (found,) = endpoint(ready, purse)
        assert found.works and "'scripted' answers" in found.detail
        assert str(purse.spent()) == "0.0002"
        (found,) = endpoint(ready, purse)
        assert found.works and len(server.asked) == 2, "a question that was never asked before"
        assert str(purse.left()) == "0.0098"
        with pytest.raises(PlanningOver, match=r"\$0\.0098 is left of --max-cost"):
            ready.study.planner.model.ask("plan", QUESTION, Items)
        assert len(server.asked) == 2, "checked before the call"
    assert len((ready.state / TRANSCRIPT).read_text().splitlines()) == 2


@pytest.mark.parametrize("answer", [fails(401, "no such key"), fails(500, "out of order"), says("never", sent=9)])
def test_a_model_that_does_not_answer_keeps_the_night_from_starting(tmp_path, stack, answer):
    with ModelServer(each=lambda _: answer) as server:
        (found,) = endpoint(opened(stack, tmp_path, server), Purse(None, 0.0))
    assert found.works is False and found.to_do + found.detail


def test_a_cap_without_prices_is_a_problem(tmp_path, stack):
    with ModelServer(says(READY)) as server:
        ready = opened(stack, tmp_path, server, "")
        found = list(endpoint(ready, Purse(5.0, 0.0)))
        with Pool(ready.station, 1) as pool:
            ready.study.survey(pool)
        assert list(caps(ready, Purse(5.0, 0.0))) == [], "within caps that nobody can count is nothing to be said"
        (within,) = caps(ready, Purse(None, 0.0))
    assert [one.works for one in found] == [False, True]
    assert "price_input" in found[0].to_do
    assert within.works


def test_what_planning_is_expected_to_take_is_held_against_the_caps(tmp_path, stack):
    with ModelServer() as server:
        ready = opened(stack, tmp_path, server)
        with Pool(ready.station, 1) as pool:
            ready.study.survey(pool)
        (enough,) = caps(ready, Purse(5.0, 0.0))
        (short_of,) = caps(ready, Purse(0.001, 0.0))
    assert enough.works and "$" in enough.detail
    assert short_of.works is None and "rules plan once it is spent" in short_of.detail
    assert server.asked == []


def test_several_studies_have_one_purse_and_a_crash_opens_no_second(tmp_path, stack):
    began = time.time()
    purse = Purse(0.05, began)
    with ModelServer(each=lambda _: says(READY, sent=100, received=100)) as server:
        first = opened(stack, tmp_path / "a", server, purse=purse)
        second = opened(stack, tmp_path / "b", server, purse=purse)
        for one in (first, second):
            assert said(list(endpoint(one, purse)), "language model")[0].works
    assert str(purse.spent()) == "0.0022"
    again, later = Purse(0.05, began), Purse(0.05, time.time() + 1)
    for each in (again, later):
        each.open(first.state / TRANSCRIPT, first.model)
    assert (str(again.spent()), str(later.spent())) == ("0.0011", "0")
