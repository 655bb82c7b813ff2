"""A conversation's events: on the disk at once, read again after any kind of death, told to the model with no call left open."""

import os
import resource
import signal

import pytest
from lesion.agent.chat import events
from lesion.agent.chat.draft import PERSON
from lesion.agent.chat.session import Session
from lesion.agent.planning.rules import single
from lesion.executor.errors import LedgerError

from ..llm.answers import module, setting


def drafted(*components, by="rules"):
    made = [single(one, ["retrain"]).model_copy(update={"by": by}) for one in components]
    return events.Drafted(by=by, ablations=tuple(one.model_dump(mode="json") for one in made))


def asked(*names):
    return tuple(events.CallMade(id=f"call-{name}", name=name, arguments="{}") for name in names)


@pytest.fixture
def again(tmp_path):
    """The session as the next process finds it."""

    def opened(**arguments):
        return Session(tmp_path, **arguments)

    return opened


def test_what_was_said_is_there_again_after_the_process_has_died(again):
    first = again()
    first.tell(events.Said(text="what is in here?"))
    first.tell(events.Answered(text="two layers"))
    first.tell(drafted(setting("dropout"), module("net.0")))
    first.tell(events.Moded(mode="auto", trials=7))
    first.tell(events.Told(key="baseline", count=3, text="the noise floor is there"))
    first.tell(events.Consented(server="http://there/v1"))
    os.close(first._lock)  # as a death does
    second = again()
    assert [one.event for one in second.events] == ["said", "answered", "drafted", "mode", "told", "consented"]
    assert list(second.draft.ablations) == ["config:dropout", "module:net.0"]
    assert (second.mode.mode, second.mode.trials) == ("auto", 7)
    assert second.told == {"baseline": 3}
    assert second.servers == {"http://there/v1"}
    assert second.turns == 1


def test_a_half_written_line_is_not_read_and_the_next_event_follows_the_last_whole_one(again, tmp_path):
    first = again()
    first.tell(events.Said(text="one"))
    first.close()
    path = tmp_path / "chat" / "events.jsonl"
    with path.open("ab") as file:
        file.write(b'{"at": "now", "what": {"event": "said", "te')
    second = again()
    assert [one.text for one in second.events] == ["one"]
    second.tell(events.Said(text="two"))
    second.close()
    assert [one.text for one in again().events] == ["one", "two"]


def test_a_line_that_is_no_event_is_named_and_a_new_conversation_can_begin(again, tmp_path):
    again().close()
    path = tmp_path / "chat" / "events.jsonl"
    path.write_text('{"at": "now", "what": {"event": "sung"}}\n')
    with pytest.raises(LedgerError, match="no event of a conversation") as caught:
        again()
    assert str(caught.value.where) == f"{path}:1"
    fresh = again(new=True)
    assert fresh.events == []
    assert (tmp_path / "chat" / "events.1.jsonl").read_text().startswith('{"at"')


def test_one_process_holds_the_conversation(again):
    first = again()
    with pytest.raises(LedgerError, match=f"holds this study's conversation .pid {os.getpid()}"):
        again()
    first.close()
    again().close()


def test_what_the_disk_does_not_take_did_not_happen(again, tmp_path):
    session = again()
    session.tell(events.Said(text="one"))
    path = tmp_path / "chat" / "events.jsonl"
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 20, before[1]))
        with pytest.raises(LedgerError, match="cannot be written down"):
            session.tell(events.Said(text="two"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    session.tell(events.Said(text="three"))
    assert [one.text for one in session.events] == ["one", "three"]
    session.close()
    assert [one.text for one in again().events] == ["one", "three"]


def test_every_call_has_its_answer_also_where_a_turn_was_cut_off(again):
    session = again()
    session.tell(events.Said(text="look"))
    session.tell(events.Answered(text="I look.", calls=asked("read", "search")))
    session.tell(events.Returned(call="call-read", text="line 1"))
    # a death here
    session.tell(events.Said(text="are you there?"))
    roles = [(one.role, one.answers) for one in session.messages]
    assert roles == [
        ("user", ""),
        ("assistant", ""),
        ("tool", "call-read"),
        ("tool", "call-search"),
        ("user", ""),
    ]
    assert "cut off" in session.messages[3].content


@pytest.mark.parametrize("ended, word", [("cancelled", "interrupted"), ("broken", "broke"), ("cut", "length")])
def test_an_answer_that_broke_off_is_kept_and_says_so(again, ended, word):
    session = again()
    session.tell(events.Said(text="look"))
    session.tell(events.Answered(text="I was about", ended=ended))
    session.tell(events.Said(text="go on"))
    answer = session.messages[1]
    assert (answer.role, answer.calls) == ("assistant", ())
    assert answer.content.startswith("I was about")
    assert word in answer.content
    assert [one.role for one in session.messages] == ["user", "assistant", "user"]


def test_what_the_calls_of_a_cut_answer_gave_is_told(again):
    session = again()
    session.tell(events.Said(text="look"))
    session.tell(events.Answered(text="I look, and", calls=asked("read"), ended="cut"))
    session.tell(events.Returned(call="call-read", text="line 1"))
    assert [(one.role, one.answers) for one in session.messages] == [
        ("user", ""),
        ("assistant", ""),
        ("tool", "call-read"),
    ]
    assert [one.name for one in session.messages[1].calls] == ["read"]


def test_what_happened_in_between_is_told_with_the_next_message(again):
    session = again()
    session.tell(events.Said(text="run it"))
    session.tell(events.Answered(text="done", calls=asked("run")))
    session.tell(events.Refused(what="run 2 ablations", reason="too dear"))
    session.tell(events.Returned(call="call-run", text="the person said no: too dear"))
    session.tell(events.Answered(text="as you like"))
    session.tell(events.Told(key="a", count=3, text="config:dropout is negligible"))
    session.tell(events.Refused(what="run 1 ablation", reason="not now"))
    session.tell(events.Said(text="what now?"))
    last = session.messages[-1]
    assert last.role == "user"
    assert last.content.endswith("what now?")
    assert "config:dropout is negligible" in last.content
    assert "not now" in last.content
    assert "too dear" not in last.content  # the tool's answer has said so


def test_results_that_come_while_nobody_speaks_are_a_message_of_their_own(again):
    session = again()
    session.tell(events.Said(text="run it"))
    session.tell(events.Answered(text="it runs"))
    session.tell(events.Told(key="a", count=3, text="config:dropout matters"))
    assert session.messages[-1].role == "user"
    assert "config:dropout matters" in session.messages[-1].content


def test_the_draft_follows_its_events(again):
    session = again()
    session.tell(drafted(setting("a"), setting("b"), by="llm:x"))
    session.tell(drafted(setting("c")))
    session.tell(events.Withdrawn(ids=("config:b",)))
    assert list(session.draft.ablations) == ["config:a", "config:c"]
    plan = session.draft.plan("digits")
    assert (plan.planner, [one.id for one in plan.ablations]) == ("llm:x, rules", ["config:a", "config:c"])
    session.tell(events.Approved(request="0001", ids=("config:a",), by="person"))
    assert list(session.draft.ablations) == ["config:c"]
    session.tell(events.Withdrawn())
    assert not session.draft
    assert session.draft.plan("digits").planner == PERSON
