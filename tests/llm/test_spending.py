"""Caps hold before a call is made, over all processes of a study, and what is unknown is not nothing."""

import pytest
from lesion.agent.llm.client import Message, estimate_tokens
from lesion.executor.errors import ModelError, PlanningOver

from .asked import GOOD, QUESTION, Items
from .server import ModelServer, says

MORE = [Message("user", "More.")]


def test_a_cap_on_tokens_ends_planning_before_the_call(desk):
    with ModelServer(says(GOOD, sent=900, received=600), says(GOOD)) as server:
        desk.model(server, answer_tokens=500, max_tokens_total=2000).ask("plan", QUESTION, Items)
        with pytest.raises(PlanningOver, match=r"after 1,500 so far, and max_tokens_total = 2,000"):
            desk.model(server, answer_tokens=500, max_tokens_total=2000).ask("more", MORE, Items)
    assert len(server.asked) == 1


def test_a_cap_on_dollars_does(desk):
    prices = {"max_cost": 0.02, "price_input": 1.0, "price_output": 10.0, "answer_tokens": 1000}
    with ModelServer(says(GOOD, sent=1000, received=1000), says(GOOD)) as server:
        model = desk.model(server, **prices)
        model.ask("plan", QUESTION, Items)
        assert str(model.usage.cost) == "0.011"
        with pytest.raises(PlanningOver, match=r"\$0\.01.* after \$0\.0110 so far, and max_cost = 0\.02"):
            model.ask("more", MORE, Items)


@pytest.mark.parametrize(
    "cap", [{"max_tokens_total": 900}, {"max_cost": 0.001, "price_input": 1.0, "price_output": 10.0}]
)
def test_a_budget_too_small_for_one_call_is_said_before_anything_is_sent(desk, cap):
    with ModelServer() as server:
        model = desk.model(server, answer_tokens=1000, **cap)
        for call in (model.preflight, lambda: model.ask("plan", QUESTION, Items)):
            with pytest.raises(ModelError, match=r"too small for one call.*\n.*raise \[planner\] max_"):
                call()
    assert server.requests == []


def test_exchanges_without_usage_count_by_estimate_and_have_no_cost(desk):
    with ModelServer(says(GOOD, sent=None), says(GOOD)) as server:
        model = desk.model(server, price_input=1.0, price_output=1.0, answer_tokens=500, max_tokens_total=800)
        model.ask("plan", QUESTION, Items)
        usage = model.usage
        assert (usage.exchanges, usage.unknown, usage.tokens_sent, usage.cost) == (1, 1, 0, None)
        assert 60 < usage.tokens_estimated < 300
        with pytest.raises(PlanningOver):
            model.ask("more", MORE, Items)


def test_a_question_beyond_the_context_is_not_sent(desk):
    with ModelServer() as server:
        model = desk.model(server, context_tokens=2000, answer_tokens=500)
        with pytest.raises(ModelError, match=r"\[planner\]: too long.*context_tokens = 2,000"):
            model.ask("plan", [Message("user", "word " * 1200)], Items)
        assert 0 < model.room(Items) < 1300
        fitting = [Message("user", "x" * (3 * (model.room(Items) - 1)))]
        server._script.append(says(GOOD))
        assert model.ask("plan", fitting, Items).items


def test_estimates_are_on_the_cautious_side():
    assert estimate_tokens("") == 0
    assert estimate_tokens("x = model(batch)\n") == 6
    assert estimate_tokens("注意力") == 3
