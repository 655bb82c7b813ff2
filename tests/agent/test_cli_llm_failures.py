"""A server that is slow, busy, broken or gone: the study ends as one would want, and no trial is lost."""

import json
import os
import pty
import resource
import subprocess
import threading

import pytest

from tests.llm.models import asked_for, scripted, upon
from tests.llm.server import drops, fails, hangs, says

from .llm.answers import follow_up
from .planning_desk import GOOD, desk_on, ids, plan_of, surveyed

PLANNED = ["config:use_left", "config:unused_dropout"]
QUOTA = fails(429, "You exceeded your current quota", code="insufficient_quota", type="insufficient_quota")
ALONE = ("--interactions", "none")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return surveyed(tmp_path_factory.mktemp("failures"))


@pytest.fixture
def desk(made, tmp_path):
    return desk_on(made, tmp_path / "state")


def planner(desk, tmp_path, keys):
    """A study of the same project, with more under [planner]."""
    study = tmp_path / "study" / "lesion.toml"
    study.parent.mkdir()
    text = (desk.project.folder / "lesion.toml").read_text()
    more = f'[project]\nroot = "{desk.project.folder}"\n\n[planner]\n{keys}\n\n[experiment]'
    study.write_text(text.replace("[experiment]", more))
    return str(study)


def outcomes(desk):
    """What the transcript says of each request."""
    return [one["outcome"] for one in desk.exchanges]


@pytest.mark.parametrize("headers", [{"Retry-After": "1"}, {}], ids=["retry-after", "without"])
def test_a_rate_limit_is_waited_for_and_said(desk, headers):
    with scripted({"FirstPlan": [fails(429, "Slow down", headers=headers), GOOD]}) as server:
        ended = desk.plan(server)
        assert len(server.asked) == 3
    assert ids(plan_of(ended)) == PLANNED
    assert "Slow down: asked again in" in ended.err
    assert outcomes(desk) == ["refused", "answered", "answered"]


def test_errors_of_the_server_and_broken_connections_are_tried_again(desk):
    with scripted({"FirstPlan": [fails(500, "oops"), drops(), GOOD]}) as server:
        ended = desk.plan(server)
    assert ids(plan_of(ended)) == PLANNED
    assert outcomes(desk) == ["refused", "broken", "answered", "answered"]


def test_an_answer_that_never_comes_is_asked_for_again(desk, tmp_path):
    study = planner(desk, tmp_path, 'timeout = "1s"')
    with scripted({"FirstPlan": [hangs(), GOOD]}) as server:
        ended = desk.lesion("plan", study, "--planner", "llm", "--json", server=server)
    assert ids(plan_of(ended)) == PLANNED
    assert "did not answer in time" in ended.err


def test_a_server_that_only_fails_ends_before_anything_is_run(desk):
    with scripted({"FirstPlan": lambda _: fails(503, "overloaded")}) as server:
        ended = desk.run(server)
        assert len(server.asked) == 5
    assert ended.code == 2 and "Traceback" not in ended.err and "overloaded" in ended.err
    assert desk.project.rows("SELECT * FROM trials", desk.state) == []
    with scripted({"FirstPlan": GOOD}) as server:
        assert ids(plan_of(desk.plan(server))) == PLANNED


def test_a_stream_that_breaks_off_is_asked_for_again_and_a_person_sees_it(desk):
    """Streaming, where stderr is a terminal."""
    ours, theirs = pty.openpty()
    shown: list[bytes] = []

    def read():
        try:
            while piece := os.read(ours, 4096):
                shown.append(piece)
        except OSError:
            return  # the terminal is closed

    reader = threading.Thread(target=read)
    reader.start()
    with scripted({"FirstPlan": [drops('{"removals": [{"target": "config:use_'), GOOD]}) as server:
        program = desk.start(server, "plan", "--planner", "llm", "--json", stdout=subprocess.PIPE, stderr=theirs)
        os.close(theirs)
        out, _ = program.communicate(timeout=120)
        reader.join()
        os.close(ours)
        assert all(request.body["stream"] for request in server.asked)
    said = b"".join(shown).decode(errors="replace")
    assert program.returncode == 0 and "Traceback" not in said
    assert '"config:use_left"' in out and "asked again in" in said
    assert outcomes(desk) == ["broken", "answered", "answered"]
    assert desk.exchanges[0]["response"]["text"].startswith('{"removals"')


def test_with_the_quota_used_up_at_first_the_rules_plan_and_the_report_says_so(desk):
    with scripted({"FirstPlan": QUOTA}) as server:
        ended = desk.run(server, *ALONE)
        assert len(server.asked) == 1
    assert ended.code == 3, ended.err  # config:use_scale crashes
    found = desk.report()
    assert {one["by"] for one in found["planned"]} == {"rules"}
    assert "quota" in found["planning"]["ended"] and found["planning"]["exchanges"] == 0
    assert "in place of the language model" in desk.text and "quota" in desk.text


def test_with_the_quota_used_up_later_what_is_planned_runs_on_and_the_next_run_asks_again(desk):
    with scripted({"FirstPlan": GOOD, "NextRound": lambda _: QUOTA}) as server:
        ended = desk.run(server, *ALONE)
        assert [asked_for(one) for one in server.asked].count("NextRound") == 1
    assert ended.code == 0, ended.err
    found = desk.report()
    assert {one["ablation"]: one["fate"] for one in found["planned"] if one["by"] == "llm:scripted"}[
        "config:use_left"
    ] == "ran"
    assert found["accounting"]["ok"] >= 4 and found["accounting"]["pending"] == 0
    assert "quota" in found["planning"]["ended"] and "quota" in desk.text
    with scripted({"NextRound": [upon(follow_up("together", *PLANNED))]}) as server:
        again = desk.run(server, *ALONE)
        assert "FirstPlan" not in [asked_for(one) for one in server.asked]
    assert again.code == 0, again.err
    found = desk.report()
    assert found["planning"]["ended"] is None
    assert "config:unused_dropout + config:use_left" in {one["ablation"] for one in found["planned"]}


def test_without_usage_the_cost_is_unknown_and_not_zero(desk, tmp_path):
    study = planner(desk, tmp_path, "price_input = 1.0\nprice_output = 1.0\nmax_cost = 5.0")
    with scripted({"FirstPlan": says(json.dumps(GOOD), sent=None)}) as server:
        ended = desk.lesion("run", study, "--planner", "llm", *ALONE, server=server)
    assert ended.code == 0, ended.err
    found = desk.lesion("report", study, "--format", "json", "-o", "-")
    planning = json.loads(found.out)["planning"]
    assert planning["cost"] is None and planning["unknown"] == 1


def test_no_wait_goes_beyond_the_deadline_and_the_next_run_asks(desk):
    """With no plan yet, the run stops: the rules' plan would be sealed for good where the model was asked for."""
    with scripted({"FirstPlan": [fails(429, "Slow down", headers={"Retry-After": "3600"})]}) as server:
        ended = desk.run(server, "--for", "30s")
        assert len(server.asked) == 1
    assert ended.code == 4 and "Traceback" not in ended.err
    assert "Slow down" in ended.err and "lesion run" in ended.err
    assert desk.project.rows("SELECT * FROM plans", desk.state) == []
    with scripted({"FirstPlan": GOOD}) as server:
        assert desk.run(server, *ALONE).code == 0
    planned = [one for one in desk.report()["planned"] if one["fate"] not in ("dropped", "left out")]
    assert {one["by"] for one in planned if one["round"] == 1} == {"llm:scripted"}


def test_after_round_1_the_rules_follow_up_within_the_deadline(desk):
    limit = fails(429, "Slow down", headers={"Retry-After": "36000"})
    with scripted({"FirstPlan": GOOD, "NextRound": lambda _: limit}) as server:
        ended = desk.run(server, *ALONE, "--for", "30m")
        assert [asked_for(one) for one in server.asked].count("NextRound") == 1
    assert ended.code == 0, ended.err
    assert "Slow down" in desk.report()["planning"]["ended"]


def test_a_server_that_never_answers_does_not_outlast_the_deadline(desk):
    with scripted({"FirstPlan": lambda _: hangs()}) as server:
        ended = desk.run(server, "--for", "8s")
    assert ended.code == 4 and "Traceback" not in ended.err
    assert desk.project.rows("SELECT * FROM plans", desk.state) == []


def test_a_full_disk_costs_the_answer_that_could_not_be_written_and_nothing_else(desk):
    """The answer is longer than a file may become."""
    room = max(one.stat().st_size for one in desk.state.rglob("*") if one.is_file()) + 4000

    def full():
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    long = says("{" + " " * room)
    with scripted({"FirstPlan": [long]}) as server:
        ended = desk.plan(server, before=full)
    assert ended.code == 2 and "Traceback" not in ended.err
    assert "cannot be written down" in ended.err and "transcript.jsonl" in ended.err
    with scripted({"FirstPlan": GOOD}) as server:
        assert ids(plan_of(desk.plan(server))) == PLANNED
        assert len(server.asked) == 2
