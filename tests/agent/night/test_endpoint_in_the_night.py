"""The language model's server in the night: it hangs while it plans, it goes away, it comes back."""

import json
import threading

import pytest

from tests.agent.planning_desk import GOOD
from tests.experiments import STUDY, project
from tests.faults.endpoint import Endpoint
from tests.faults.night import QUICK, Night, last_record
from tests.llm.models import answering, asked_for
from tests.llm.server import fails, hangs
from tests.processes import left_behind

SMALL = STUDY.replace("= 3", "= 2").replace('"config:use_*"', '"config:use_left"')
ASKED = {"LESION_MODEL": "scripted", "OPENAI_API_KEY": "word-that-opens-the-server"}


def night_of(made, endpoint):
    """Planned by the model that is there."""
    return Night(made.folder, [made.folder / "lesion.toml"], made.state, {**ASKED, "OPENAI_BASE_URL": endpoint.url})


@pytest.mark.parametrize("now", [(), ("--now",)])
def test_a_stop_while_the_model_is_waited_for_ends_the_night_at_once(tmp_path, now):
    made, arrived = project(tmp_path / "tiny", study=SMALL), threading.Event()

    def hanging(_):
        arrived.set()
        return hangs()

    with Endpoint(answering({"FirstPlan": hanging})) as endpoint, night_of(made, endpoint) as night:
        night.begin(*QUICK)
        night.until(arrived.is_set)
        night.until(lambda: night.runs and night.live()["phase"] == "planning")
        stopped = night.steer("stop", *now)
        assert (stopped.code, stopped.err) == (0, "")
        assert night.ends() == 4, night.log.read_text()
        assert [asked_for(one) for one in endpoint.asked] == ["Hello", "FirstPlan"]
    last = last_record(made.state)
    assert (last["event"], last["code"]) == ("ended", 4) and "`lesion stop`" in last["reason"]
    assert left_behind(made.folder) == []
    assert made.rows("SELECT * FROM plans") == []
    assert "`lesion stop`" in night.told.read_text()


def test_a_model_that_goes_away_leaves_the_rules_in_charge_and_that_is_said(tmp_path):
    made = project(tmp_path / "tiny", study=SMALL)
    gone = {"FirstPlan": fails(401, "no such key any more")}
    with Endpoint(answering(gone)) as endpoint, night_of(made, endpoint) as night:
        night.begin(*QUICK)
        assert night.ends() == 0, night.log.read_text()
        assert "FirstPlan" in [asked_for(one) for one in endpoint.asked]
    said = "in place of the language model"
    assert " ".join(night.told.read_text().split()).count(f"TROUBLE the built-in rules plan {said}") == 1
    assert [said in one for one in last_record(made.state)["told"]] == [True]
    assert said in (made.state / "report" / "report.md").read_text()
    assert made.rows("SELECT count(*) FROM plans") == [(1,)]


def test_a_night_that_died_goes_on_without_the_model_and_asks_it_again_once_it_is_back(tmp_path):
    made, review = project(tmp_path / "tiny", study=SMALL), threading.Event()

    def last_answer(_):
        review.set()
        return hangs()

    script = {"FirstPlan": [GOOD, GOOD], "Review": [last_answer]}
    with Endpoint(answering(script)) as endpoint, night_of(made, endpoint) as night:
        night.begin(*QUICK)
        night.until(review.is_set)
        night.process.kill()
        night.process.wait()
        endpoint.down()
        night.again()
        night.until(lambda: night.runs)
        endpoint.up()
        assert night.ends() == 0, night.log.read_text()
        assert [asked_for(one) for one in endpoint.asked][-2:] == ["Review", "NextRound"]
    assert last_record(made.state)["reason"] == "complete"
    planning = made.results()["planning"]
    assert planning["model"] == "scripted", json.dumps(planning)
