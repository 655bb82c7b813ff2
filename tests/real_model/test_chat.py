"""A conversation with a small real model, through the command line: whatever it answers, nothing breaks and nothing runs unasked."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pexpect
import pytest

from tests.experiments import LESION, STUDY, Ended, Project, project

from .conftest import CONTEXT, Served

pytestmark = pytest.mark.real_model
MODEL = f"""
[planner]
context_tokens = {CONTEXT}
answer_tokens = 200
seed = 1
timeout = "10m"
"""
QUESTIONS = (
    "What is in here?",
    "Look at the source: where is the learning rate set?",
    "Propose to remove config:use_left.",
    "Run it.",
    "What do the results mean?",
    "Write me the paragraph.",
)
LONG = "Here is what I noted down about the linear fit while it trained, step by step, before I ask you again. " * 50
"""About 1,700 tokens by lesion's count: three do not fit beside the study."""
AUTO = ("--mode", "auto", "--max-trials", "30", "--for", "10m")


@dataclass(frozen=True)
class Talked:
    """A conversation that has ended."""

    made: Project
    ended: Ended
    asked: int
    """Messages that went to the model."""

    def of(self, event: str) -> list[dict[str, Any]]:
        return [one for one in self.ended.records if one["event"] == event]

    def lines(self, name: str) -> list[dict[str, Any]]:
        """Of a file of the conversation."""
        return [json.loads(line) for line in (self.made.state / "chat" / name).read_text().splitlines()]


def talk(served: Served, folder: Path, *messages: str, flags: tuple[str, ...] = ()) -> Talked:
    """Through the pipe, in a study of its own."""
    made = project(folder / "tiny", study=STUDY + MODEL)
    said = [part for message in messages for part in ("--message", message)]
    where = {"OPENAI_BASE_URL": served.base_url, "LESION_MODEL": served.model}
    ended = made.lesion("chat", *said, *flags, "--json", **where)
    return Talked(made, ended, sum(not message.startswith("/") for message in messages))


@pytest.fixture(scope="module")
def asking(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Talked:
    """In ask mode, with nobody there to say yes."""
    return talk(served, tmp_path_factory.mktemp("ask"), *QUESTIONS, *[f"{LONG}{at}?" for at in range(3)])


@pytest.fixture(scope="module")
def by_itself(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Talked:
    """In auto; the person has one removal run, so that there are results, whatever the model does."""
    first = "/plan config:use_left"
    return talk(served, tmp_path_factory.mktemp("auto"), first, "/run", *QUESTIONS[2:], flags=AUTO)


@pytest.fixture(params=["asking", "by_itself"])
def talked(request: pytest.FixtureRequest) -> Talked:
    """Each of the two."""
    return request.getfixturevalue(request.param)


def test_it_comes_to_its_end_with_what_every_turn_took(talked: Talked):
    assert talked.ended.code in (0, 2), talked.ended.err
    assert "Traceback" not in talked.ended.err + talked.ended.out
    spent = [one["text"] for one in talked.of("note") if re.match(r"[\d,]+ tokens sent, ", one["text"])]
    assert len(spent) >= talked.asked


def test_the_context_is_never_too_small(talked: Talked):
    exchanges = [one for one in talked.lines("transcript.jsonl") if one["outcome"] == "answered"]
    assert exchanges
    for one in exchanges:
        assert one["response"]["sent"] + one["response"]["received"] <= CONTEXT
    errors = " ".join(one["text"] for one in talked.of("note") if one["tone"] == "error")
    assert "context" not in errors


def test_every_answer_is_in_the_transcript_and_in_the_log(talked: Talked):
    answered = [one["what"] for one in talked.lines("events.jsonl") if one["what"]["event"] == "answered"]
    assert len(answered) >= talked.asked
    questions = {one["question"] for one in talked.lines("transcript.jsonl") if one["purpose"] == "chat"}
    assert len(questions) >= talked.asked
    calls = [call["id"] for one in answered for call in one["calls"]]
    returned = [one["what"]["call"] for one in talked.lines("events.jsonl") if one["what"]["event"] == "returned"]
    assert sorted(returned) == sorted(calls), "every call has its answer"


def test_old_messages_are_left_out_and_the_last_one_is_there(asking: Talked):
    chats = [one for one in asking.lines("transcript.jsonl") if one["purpose"] == "chat" and not one["repair"]]
    opening, last = (chats[-1]["request"]["messages"][at]["content"] for at in (1, -1))
    assert "earliest messages of this conversation are left out" in opening
    assert any("step by step, before I ask you again. 2?" in one["content"] for one in chats[-1]["request"]["messages"])
    assert last
    assert QUESTIONS[0] not in json.dumps(chats[-1]["request"]["messages"])


def test_numbers_that_it_typed_are_marked(talked: Talked):
    for prose in talked.of("prose"):
        typed = re.findall(r"(?<![\w.])\d+\.\d+(?![\w.])", re.sub(r"`[^`]*`", "", prose["text"]))
        filled = talked.made.results() if (talked.made.state / "ledger.db").exists() else {}
        for number in typed:
            assert number in prose["own_numbers"] or number in json.dumps(filled), prose


def test_where_nobody_says_yes_nothing_runs(asking: Talked):
    assert not (asking.made.state / "ledger.db").exists()
    assert not [one for one in asking.lines("events.jsonl") if one["what"]["event"] == "approved"]


def test_in_auto_only_what_was_approved_runs(by_itself: Talked):
    approved = [one["what"] for one in by_itself.lines("events.jsonl") if one["what"]["event"] == "approved"]
    assert approved[0]["ids"] == ["config:use_left"]
    ran = {name for (name,) in by_itself.made.rows("SELECT DISTINCT arm FROM trials")}
    assert ran <= {"baseline", *(name for one in approved for name in one["ids"])}
    assert by_itself.made.rows("SELECT COUNT(*) FROM trials")[0][0] <= 30
    found = {one["ablation"]: one["verdict"] for one in by_itself.made.results()["effects"] if one["metric"] == "score"}
    assert found["config:use_left"] == "matters", "whatever the model says of it"


def test_at_a_terminal(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made = project(tmp_path / "tiny", study=STUDY + MODEL)
    monkeypatch.setenv("OPENAI_BASE_URL", served.base_url)
    monkeypatch.setenv("LESION_MODEL", served.model)
    monkeypatch.setenv("TERM", "xterm-256color")
    child = pexpect.spawn(LESION[0], [*LESION[1:], "chat"], cwd=str(made.folder), dimensions=(40, 100), timeout=300)
    said = b""
    try:
        for seen, typed in (("/help lists", QUESTIONS[0] + "\r"), ("Enter: yes", "\r"), ("tokens sent", "\x04")):
            child.expect_exact(seen)
            said += child.before or b""
            child.send(typed)
        child.expect(pexpect.EOF)
        said += child.before or b""
    finally:
        child.close(force=True)
    assert child.exitstatus == 0, said.decode()
    assert b"Traceback" not in said
    assert not (made.state / "ledger.db").exists()
