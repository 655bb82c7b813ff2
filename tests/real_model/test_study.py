"""A study that a small real model plans, through the command line: it plans badly, and the study is right all the same.

What is asserted holds whatever the model says, but for one thing: that something it proposed itself could run.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.experiments import STUDY, Ended, Project, project

from .conftest import CONTEXT, Served

pytestmark = pytest.mark.real_model
CAP = 10_000
"""Tokens: bounds what the model may take where it has no end of ideas; then the study goes on without it."""
PLANNER = f"""
[planner]
kind = "llm"
context_tokens = {CONTEXT}
answer_tokens = 700
max_tokens_total = {CAP}
seed = 1
timeout = "10m"
"""
TRUTH = {
    "config:use_left": "matters",
    "config:use_right": "matters",
    "config:unused_dropout": "no-op",
    "config:use_scale": "structural",
}
RAN = {"ran", "no-op", "structural"}


@dataclass(frozen=True)
class Study:
    """A finished study, and what its report says."""

    made: Project
    ended: Ended
    results: dict[str, Any]
    planner: str


@pytest.fixture(scope="module")
def study(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The tiny study, planned by the served model."""
    made = project(tmp_path_factory.mktemp("study") / "tiny", study=STUDY + PLANNER)
    ended = made.lesion("run", OPENAI_BASE_URL=served.base_url, LESION_MODEL=served.model)
    assert ended.code in (0, 3), ended.err
    return Study(made, ended, made.results(), f"llm:{served.model}")


def test_something_that_the_model_proposed_itself_ran(study: Study):
    own = [one for one in study.results["planned"] if one["by"] == study.planner]
    assert any(one["fate"] in RAN for one in own), study.results["rounds"]
    for one in own:
        assert one["fate"] in RAN or one["reason"], "nothing falls away in silence"


def test_every_verdict_is_right(study: Study):
    found = {one["ablation"]: one["verdict"] for one in study.results["effects"] if one["metric"] == "score"}
    known = {name: verdict for name, verdict in found.items() if name in TRUTH}
    assert known
    assert known == {name: TRUTH[name] for name in known}
    assert study.results["study"]["complete"]
    assert "Traceback" not in study.ended.err


def test_the_ledger_adds_up(study: Study):
    accounting = study.results["accounting"]
    counted = accounting["ok"] + sum(accounting["failed"].values()) + accounting["skipped"]
    assert accounting["planned"] == counted == study.made.rows("SELECT COUNT(*) FROM trials")[0][0]
    assert accounting["pending"] == 0
    assert study.ended.code == (3 if accounting["failed"] else 0)


def test_the_report_says_what_the_models_proposals_were_worth_and_what_they_took(study: Study):
    told = study.made.lesion("report", "--format", "md", "-o", "-").out
    assert study.planner in told
    own = [one for one in study.results["planned"] if one["by"] == study.planner]
    assert f"planned by {study.planner}: " in study.ended.err
    assert f" of {len(own)} proposals ran" in study.ended.err
    planning = study.results["planning"]
    assert (planning["model"], planning["unknown"]) == (study.planner.removeprefix("llm:"), 0)
    assert planning["exchanges"] == len((study.made.state / "transcript.jsonl").read_text().splitlines())
    assert 0 < planning["tokens_received"] < planning["tokens_sent"]
    assert planning["tokens_sent"] + planning["tokens_received"] <= CAP


def test_the_doctor_knows_the_model_and_what_it_holds(study: Study, served: Served, tmp_path: Path):
    where = {"OPENAI_BASE_URL": served.base_url, "LESION_MODEL": served.model}
    told = study.made.lesion("doctor", **where)
    assert f"{CONTEXT:,} tokens; context_tokens = {CONTEXT:,}" in told.out
    too_much = project(tmp_path / "tiny", study=STUDY)
    told = too_much.lesion("run", "--planner", "llm", **where)
    assert told.code == 2 and f"set [planner] context_tokens = {CONTEXT}" in told.err
    assert not (too_much.state / "transcript.jsonl").exists(), "nothing was asked"
