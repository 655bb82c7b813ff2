"""The transcript: on disk before anything is made of an answer, whole after any death, and an answer to the same question."""

import json
import resource
import signal

import pytest
from lesion.agent.llm.client import LanguageModel, Message
from lesion.agent.llm.settings import model_settings
from lesion.agent.llm.transcript import Transcript
from lesion.agent.spec import PlannerSection
from lesion.executor.errors import BadAnswerError, LedgerError, ModelError

from .asked import GOOD, QUESTION, Items
from .server import ModelServer, fails, says


def test_a_line_says_all_of_an_exchange(desk):
    with ModelServer(says(GOOD, sent=11, received=7)) as server:
        desk.model(server).ask("plan", QUESTION, Items)
        (line,) = [json.loads(each) for each in desk.path.read_text().splitlines()]
        assert line["server"] == server.url
    assert line["request"] == server.asked[0].body
    assert line["response"] == {"text": GOOD, "finish_reason": "stop", "sent": 11, "received": 7}
    assert (line["purpose"], line["model"], line["outcome"]) == ("plan", "scripted", "answered")
    assert {"time", "seconds", "attempt", "repair", "estimate"} <= set(line)


def test_the_same_question_costs_nothing_in_the_next_process(desk):
    with ModelServer(fails(500), says('{"items": 0}'), says(GOOD)) as server:
        first = desk.model(server).ask("plan", QUESTION, Items)
        model = desk.model(server)
        assert model.ask("plan", QUESTION, Items) == first
        assert len(server.asked) == 3
    assert (model.usage.exchanges, model.usage.repaired) == (2, 1), "counted once"


def test_a_study_is_replayed_without_a_server(desk):
    with ModelServer(says('{"items": 0}'), says(GOOD), refuses=("json_schema",)) as server:
        asked = desk.model(server).ask("plan", QUESTION, Items)
    settings = model_settings(PlannerSection(model="scripted"), {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"})
    before = desk.path.read_bytes()
    model = LanguageModel(settings, Transcript.replaying(desk.path), desk.watcher, sleep=desk.slept.append)
    model.preflight()
    assert model.ask("plan", QUESTION, Items) == asked
    with pytest.raises(ModelError, match="does not hold this question"):
        model.ask("plan", [Message("user", "Something else.")], Items)
    assert desk.path.read_bytes() == before


def test_a_replay_needs_a_transcript(tmp_path):
    with pytest.raises(ModelError, match="no transcript"):
        Transcript.replaying(tmp_path / "none.jsonl")


def test_room_and_bad_answers_are_the_same_again(desk):
    question = [Message("user", "words " * 2000)]
    with ModelServer(*[says("no", sent=6000)] * 3) as server:
        rooms = []
        for _ in range(2):
            model = desk.model(server)
            rooms.append([model.room()])
            with pytest.raises(BadAnswerError):
                model.ask("plan", question, Items)
            rooms[-1].append(model.room())
    assert rooms[0] == rooms[1]
    assert rooms[0][0] != rooms[0][1], "corrected by what the server reported"
    assert len(server.asked) == 3


@pytest.mark.parametrize("rest", ['{"time": "2026', '{"time": "2026-01-01T00:00:00"}'])
def test_a_half_written_last_line_is_left_out_and_written_over(desk, rest):
    with ModelServer(says(GOOD), says(GOOD)) as server:
        desk.model(server).ask("plan", QUESTION, Items)
        with desk.path.open("a") as file:
            file.write(rest)
        model = desk.model(server)
        model.ask("more", [Message("user", "More.")], Items)
    lines = [json.loads(line) for line in desk.path.read_text().splitlines()]
    assert [line["purpose"] for line in lines] == ["plan", "more"]


def test_a_line_that_is_no_exchange_is_named(desk):
    desk.path.write_text("{}\n")
    with pytest.raises(LedgerError, match=r"transcript\.jsonl:1"):
        Transcript(desk.path)


def test_a_full_disk_leaves_whole_lines(desk):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with ModelServer(says(GOOD), says(GOOD)) as server:
        model = desk.model(server)
        model.ask("plan", QUESTION, Items)
        whole = desk.path.read_bytes()
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + 100, before[1]))
            with pytest.raises(LedgerError, match="cannot be written down"):
                model.ask("more", [Message("user", "More.")], Items)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            signal.signal(signal.SIGXFSZ, handler)
    assert desk.path.read_bytes() == whole


def test_only_its_owner_reads_it(desk):
    with ModelServer(says(GOOD)) as server:
        desk.model(server).ask("plan", QUESTION, Items)
    assert desk.path.stat().st_mode & 0o077 == 0
