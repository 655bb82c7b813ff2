"""What a model is told at each turn: always within its context, the facts from the ledger, the latest that was said."""

import json

import pytest
from lesion.agent.chat import events
from lesion.agent.chat.context import Context
from lesion.agent.chat.desk import Desk
from lesion.agent.chat.session import Session
from lesion.agent.chat.waits import Waits
from lesion.agent.llm.client import LanguageModel, tokens_of
from lesion.agent.llm.settings import model_settings
from lesion.agent.llm.transcript import Transcript
from lesion.agent.prose.facts import NothingMeasured
from lesion.agent.spec import PlannerSection
from lesion.agent.studyfile import load_study

from ...experiments import project
from ..llm.answers import setting


@pytest.fixture
def told(tmp_path, monkeypatch):
    """A context of so many tokens over a project whose components are known; nothing is measured."""

    def made(tokens):
        tiny = project(tmp_path / "tiny")
        spec = load_study(tiny.folder)
        session = Session(tiny.state)
        desk = Desk(spec, tiny.state)
        monkeypatch.setattr(Desk, "components", {"config:dropout": setting("dropout")})
        planner = PlannerSection(context_tokens=tokens, answer_tokens=tokens // 8)
        settings = model_settings(planner, {}, model="any", base_url="http://localhost/v1")
        model = LanguageModel(settings, Transcript(tmp_path / "transcript.jsonl"), Waits())
        return Context(desk, session, model, NothingMeasured), session, settings

    return made


def room(context, _settings):
    return context.room


@pytest.mark.parametrize("tokens", [12_000, 64_000])
def test_long_conversations_stay_within_the_context_and_keep_the_latest(told, tokens):
    context, session, settings = told(tokens)
    for turn in range(200):
        session.tell(events.Said(text=f"question {turn}: " + "what about this and that? " * 20))
        session.tell(events.Answered(text=f"answer {turn}: " + "it depends. " * 40))
    session.tell(events.Said(text="and now?"))
    messages = context.messages(session.messages, context.state())
    assert tokens_of(messages) <= room(context, settings)
    assert messages[0].role == "system"
    assert messages[-1].role == "user"
    assert messages[-1].content.endswith("and now?")
    said = "\n".join(one.content for one in messages)
    assert "question 199" in said
    assert "question 0:" not in said
    assert "left out for room" in said
    assert "experiment.py" in said  # the project is never forgotten


def test_a_turn_with_many_looks_leaves_the_oldest_of_them_out(told):
    context, session, settings = told(16_000)
    session.tell(events.Said(text="look at everything"))
    for at in range(12):
        call = events.CallMade(id=f"c{at}", name="read_source", arguments=json.dumps({"path": "a.py"}))
        session.tell(events.Answered(text="", calls=(call,)))
        session.tell(events.Returned(call=f"c{at}", text=f"looked {at}\n" + "x = 1\n" * 700))
    messages = context.messages(session.messages, context.state())
    assert tokens_of(messages) <= room(context, settings)
    answers = [one.content for one in messages if one.role == "tool"]
    assert len(answers) == 12  # every call has one
    assert answers[0] == "(left out for room)"
    assert answers[-1].startswith("looked 11")


def test_the_state_stands_at_the_head_of_the_last_question(told):
    context, session, _ = told(64_000)
    session.tell(events.Said(text="first"))
    session.tell(events.Answered(text="yes"))
    session.tell(events.Said(text="second"))
    messages = context.messages(session.messages, context.state())
    assert "nothing is running" in messages[-1].content
    assert messages[-1].content.endswith("second")
    assert sum("nothing is running" in one.content for one in messages) == 1


def test_nothing_was_said_yet_and_the_size_is_known(told):
    context, session, _ = told(64_000)
    session.tell(events.Said(text="hello"))
    assert context.size == tokens_of(context.messages(session.messages, context.state()))
