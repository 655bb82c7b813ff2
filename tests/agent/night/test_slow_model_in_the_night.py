"""A model that takes too long does not take the night: the rules plan in its place, and the morning says so."""

import io
import time

from lesion.agent.cli.watching import Lines
from lesion.agent.night.board import Board
from lesion.agent.night.clock import Deadline
from lesion.agent.night.control import Control
from lesion.agent.night.guests import guests_of
from lesion.agent.night.morning import tell
from lesion.agent.night.night import Night
from lesion.agent.night.wishes import Wishes
from lesion.agent.planners import Asked

from tests.agent.planning_desk import GOOD
from tests.experiments import STUDY
from tests.faults.night import last_record
from tests.llm.models import answering, asked_for
from tests.llm.server import ModelServer, drips, hangs

from .readied import short, without_environment

SMALL = STUDY.replace("= 3", "= 2").replace('"config:use_*"', '"config:use_left"')
INSTEAD = "the built-in rules plan in place of the language model:"


def night_of(folder, monkeypatch, script, seconds):
    """What is left of a night in whose turns the model may take some seconds: project, questions, problems, summary."""
    made = short(folder, study=SMALL)
    without_environment(monkeypatch)
    with ModelServer(each=answering(script)) as server:
        for name, value in {"LESION_MODEL": "scripted", "OPENAI_API_KEY": "k", "OPENAI_BASE_URL": server.url}.items():
            monkeypatch.setenv(name, value)
        deadline, control, log = Deadline(time.time() + 600), Control(), io.StringIO()
        wishes = Wishes(
            studies=[made.folder], state=None, deadline=deadline, max_cost=None, notify=None, keep_free=0, workers=1,
            asked=Asked(interactions="none"), unsafe=False, as_json=False,
        )  # fmt: skip
        with guests_of(wishes) as guests:
            board = Board(control, [(one.name, "") for one in guests], deadline=deadline)
            night = Night(guests, deadline, control, board, lambda metric: Lines(metric, log), workers=1)
            night.asking_seconds = seconds
            lines, code = tell(night, night.run(), None)
        assert code == 0, log.getvalue()
        text = " ".join(" ".join(lines).split())
        return made, [asked_for(one) for one in server.asked], night.guests[0].problems, text


def test_a_model_that_does_not_answer_is_waited_for_so_long_and_then_the_rules_plan(tmp_path, monkeypatch):
    made, questions, problems, text = night_of(tmp_path / "tiny", monkeypatch, {"FirstPlan": drips()}, 0.5)
    assert questions == ["FirstPlan"], "not asked again"
    assert [one.startswith(INSTEAD) for one in problems] == [True]
    assert "gives no answer (within 0.5s)" in problems[0]
    assert INSTEAD in text and "TROUBLE" in text
    assert last_record(made.state)["told"] == problems
    results = made.results()
    assert results["accounting"]["planned"] == results["accounting"]["ok"] > 0


def test_a_model_that_falls_silent_later_is_said_too(tmp_path, monkeypatch):
    script = {"FirstPlan": GOOD, "NextRound": hangs()}
    made, questions, problems, text = night_of(tmp_path / "tiny", monkeypatch, script, 2.0)
    assert questions == ["FirstPlan", "Review", "NextRound"]
    assert len(problems) == 1 and INSTEAD in text
    assert "within 2" in made.results()["planning"]["ended"]
