"""What a conversation about a study took counts for whoever plans it: the caps are the study's."""

import json

from lesion.agent.planners import CHAT_TRANSCRIPT

from tests.llm.models import scripted

from .planning_desk import GOOD, desk_on, ids, plan_of, surveyed


def test_the_planner_stays_within_what_a_conversation_left(tmp_path):
    made = surveyed(tmp_path)
    desk, after = desk_on(made, tmp_path / "first"), desk_on(made, tmp_path / "after")
    with scripted({"FirstPlan": GOOD}) as server:
        assert ids(plan_of(desk.plan(server))) == ["config:use_left", "config:unused_dropout"]
    talked = desk.exchanges[0]
    talked["response"]["sent"] = 1_999_000
    chat = after.state / CHAT_TRANSCRIPT
    chat.parent.mkdir(parents=True)
    chat.write_text(json.dumps(talked) + "\n")
    before = chat.read_bytes()
    with scripted({"FirstPlan": GOOD}) as server:
        ended = after.plan(server)
        assert server.asked == []
    assert "max_tokens_total = 2,000,000" in ended.out, "said in the plan, which the rules made"
    assert chat.read_bytes() == before
