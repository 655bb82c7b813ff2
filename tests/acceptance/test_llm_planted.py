"""A language model that plans well, on a project whose truth only source edits reach: the whole loop, through the command line.

The model is scripted. Of its first proposals one does not apply and is mended, one is idle in the check and stands by it; the pair
of tricks that hide each other is found by a follow-up that only the model asks for.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import pytest
from lesion.agent.planfiles import plan_path
from lesion.agent.planning.plan import parse_plan

from tests.agent.llm.answers import edit, follow_up
from tests.experiments import Ended, Project
from tests.llm.models import asked_for, first, proposed, scripted, upon
from tests.llm.server import ModelServer, Request
from tests.planted.source import EDITS, KINDS, PAIR, PAIR_TRUTH, SCORED_BY, TRUTH, planted

CLAIMS = (
    "The auxiliary loss is what teaches the side branch.",
    "Training needs the warm start.",
    "Either warm start or refinement is enough, and one of them is needed.",
)
PLANNER = "llm:scripted"
KEY = "sk-" + "a1B2" * 8
JOINT = " + ".join(PAIR)
RUN = ("run", "--planner", "llm", "--interactions", "none")
EXPECTED = {
    "edit:auxiliary": {
        "direction": "worse",
        "size": 10,
        "confidence": 90,
        "claims": [{"claim": "c1", "outcome": "worse"}],
    },
    "edit:warm-start": {
        "direction": "worse",
        "size": 5,
        "confidence": 60,
        "claims": [{"claim": "c2", "outcome": "worse"}],
    },
    "edit:refinement": {"direction": "none", "size": 0, "confidence": 60},
    "edit:skip": {"direction": "worse", "size": 10, "confidence": 95},
    "edit:clip": {"direction": "none", "size": 0, "confidence": 70},
}


def well(name: str, misspelled: str | None = None):
    """A good proposal of one of the parts; or one whose search text is not there."""
    block = EDITS[name].blocks[0]
    given = (block.file, misspelled or block.search, block.replace)
    return edit(name.removeprefix("edit:"), given, **EXPECTED[name], kind=KINDS[name])


def mending(request: Request) -> dict[str, Any]:
    """What was sent back comes back as it should have been."""
    asked = request.body["messages"][-1]["content"]
    return proposed(*(well(name) for name in EDITS if f"## {name}\n" in asked))


SCRIPT = {
    "FirstPlan": first(
        well("edit:auxiliary", misspelled="        loss = loss + auxillary(model, x, y)\n"),
        *(well(name) for name in EDITS if name != "edit:auxiliary"),
    ),
    "Mending": mending,
    "NextRound": [
        upon(
            follow_up("together", "edit:auxiliary", "edit:clip", priority=1, size=10, confidence=80),
            follow_up("together", *PAIR, priority=5, size=10, claims=[{"claim": "c3", "outcome": "worse"}]),
            reason="Two parts that look negligible alone teach one branch.",
        )
    ],
}


@dataclass(frozen=True)
class Study:
    """The project, its run, and what the model was asked."""

    project: Project
    ended: Ended
    server: ModelServer
    results: dict[str, Any]
    report: str
    files: tuple[str, str]
    """A hash of the project's files, before and after."""

    @property
    def effects(self) -> dict[str, dict[str, Any]]:
        return {one["ablation"]: one for one in self.results["effects"]}


def tree(project: Project) -> str:
    """A hash of every file that is the project's own."""
    digest = hashlib.sha256()
    for path in sorted(project.folder.rglob("*")):
        name = path.relative_to(project.folder)
        if path.is_file() and name.parts[0] != ".lesion":
            digest.update(f"{name}\0{path.stat().st_mode}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Run once, for all of the tests."""
    project = planted(tmp_path_factory.mktemp("planted"))
    project.edit("lesion.toml", "[experiment]", f"claims = {json.dumps(CLAIMS)}\n\n[experiment]", 1)
    before = tree(project)
    with scripted(SCRIPT) as server:
        ended = project.lesion(*RUN, OPENAI_BASE_URL=server.url, LESION_MODEL="scripted", OPENAI_API_KEY=KEY)
        assert ended.code == 0, ended.err
        report = project.lesion("report", "--format", "md", "-o", "-").out
        yield Study(project, ended, server, project.results(), report, (before, tree(project)))


def test_every_part_is_worth_what_it_is_worth(study):
    assert {name: study.effects[name]["verdict"] for name in TRUTH} == TRUTH
    assert {name: study.effects[name]["scored_by"] for name in EDITS} == SCORED_BY


def test_the_pair_that_only_the_model_asked_for_is_found(study):
    (pair,) = (one for one in study.results["interactions"] if tuple(one["components"]) == PAIR)
    assert pair["verdict"] == PAIR_TRUTH
    (planned,) = (one for one in study.results["planned"] if one["ablation"] == JOINT)
    assert (planned["by"], planned["round"], planned["fate"]) == (PLANNER, 2, "ran")


def test_an_edit_that_does_not_apply_is_mended_and_an_idle_one_that_is_confirmed_runs(study):
    planned = {one["ablation"]: one for one in study.results["planned"]}
    (problem,) = planned["edit:auxiliary"]["problems"]
    assert "the search text is not there" in problem
    assert planned["edit:auxiliary"]["fate"] == "ran"
    (problem,) = planned["edit:clip"]["problems"]
    assert "its full runs will tell" in problem
    assert planned["edit:clip"]["fate"] == "no-op"
    assert not [one for one in study.results["planned"] if one["fate"] == "dropped" and one["by"] == PLANNER]


def test_claims_are_supported_contradicted_and_the_one_left_untested_is_planned_first(study):
    assert {one["id"]: one["status"] for one in study.results["claims"]} == {
        "c1": "supported",
        "c2": "contradicted",
        "c3": "supported",
    }
    plans = [parse_plan(plan_path(study.project.state, number)) for number in (1, 2)]
    assert not [each for one in plans[0].ablations for each in one.claims if each.claim == "c3"]
    assert [one.id for one in plans[1].ablations if one.by == PLANNER] == [JOINT, "edit:auxiliary + edit:clip"]
    asked = next(one.text for one in study.server.asked if asked_for(one) == "NextRound")
    assert f"## Claims that are still untested\n- c3: {CLAIMS[2]}" in asked


def test_predictions_are_scored_for_who_made_them(study):
    (score,) = (one for one in study.results["predictions"] if one["planner"] == PLANNER)
    assert score["n"] == score["n_confidence"] >= len(EDITS) - 1
    assert score["direction_hits"] == score["n"] - 1  # all but the warm start's
    assert score["brier"] < score["brier_of_most_frequent"]


def test_the_projects_files_are_what_they_were(study):
    before, after = study.files
    assert before == after


def test_the_key_is_only_where_it_belongs(study):
    assert all(one.headers["authorization"] == f"Bearer {KEY}" for one in study.server.asked)
    assert not any(KEY in one.raw for one in study.server.requests)
    assert not [path for path in study.project.state.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]


def test_a_second_run_reads_its_plans_again_and_runs_nothing(study):
    trials, asked = study.project.rows("SELECT COUNT(*) FROM trials"), len(study.server.asked)
    ended = study.project.lesion(*RUN, OPENAI_BASE_URL=study.server.url, LESION_MODEL="scripted", OPENAI_API_KEY=KEY)
    assert ended.code == 0, ended.err
    assert study.project.rows("SELECT COUNT(*) FROM trials") == trials
    assert len(study.server.asked) == asked
    again = study.project.results()
    assert (again["effects"], again["claims"]) == (study.results["effects"], study.results["claims"])


def test_the_report_says_who_planned_what_and_how_it_was_mended(study):
    for said in ("Round 1: llm:scripted", "Round 2: llm:scripted", "c2, contradicted", "teach one branch"):
        assert said in study.report
    assert "-        loss = loss + auxiliary(model, x, y)" in study.report
