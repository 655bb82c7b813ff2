"""`--planner llm` from outside: whatever the model answers becomes a plan that runs, or the rules plan and it is said."""

import json

import pytest

from tests.llm.models import EMPTY, NOTHING, asked_for, first, proposed, scripted
from tests.llm.server import fails, says

from .llm.answers import edit, proposal
from .planning_desk import ALLOWED, GOOD, KEY, SHORT, by_rules, desk_on, ids, plan_of, surveyed

PLANNED = ["config:use_left", "config:unused_dropout"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return surveyed(tmp_path_factory.mktemp("planned"))


@pytest.fixture
def desk(made, tmp_path):
    return desk_on(made, tmp_path / "state")


def purposes(server):
    return [asked_for(request) for request in server.asked]


def test_a_good_plan_is_written_for_a_person_to_read_and_nothing_is_run(desk):
    with scripted({"FirstPlan": GOOD}) as server:
        plan = plan_of(desk.plan(server))
        assert purposes(server) == ["FirstPlan", "Review"]
        assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"
        again = desk.plan(server)
        assert plan_of(again)["ablations"] == plan["ablations"]
        assert len(server.asked) == 2
    assert ids(plan) == PLANNED and plan["planner"] == "llm:scripted"
    assert {one["by"] for one in plan["ablations"]} == {"llm:scripted"}
    assert {one["id"] for one in plan["dropped"]} == {"config:use_right", "config:use_scale"}
    assert desk.project.rows("SELECT * FROM trials", desk.state) == []
    assert KEY.encode() not in desk.everything()


@pytest.mark.parametrize(
    "wrapped",
    [
        "Here is the plan:\n```json\n{}\n```\nI hope that it helps.",
        '<think>{{"removals": maybe</think>{}',
        "{}\n\nAnything else?",
    ],
)
def test_json_is_found_where_a_model_puts_it(desk, wrapped):
    with scripted({"FirstPlan": says(wrapped.replace("{}", json.dumps(GOOD)))}) as server:
        assert ids(plan_of(desk.plan(server))) == PLANNED
        assert purposes(server) == ["FirstPlan", "Review"]


def test_an_answer_that_is_cut_is_asked_for_again(desk):
    cut = says(json.dumps(GOOD)[:200], finish="length")
    with scripted({"FirstPlan": [cut, GOOD]}) as server:
        assert ids(plan_of(desk.plan(server))) == PLANNED
        assert purposes(server)[:2] == ["FirstPlan", "FirstPlan"]


def test_of_an_answer_that_is_always_cut_what_is_whole_is_planned(desk):
    text = json.dumps(GOOD)
    cut = says(text[: text.index("config:unused_dropout")], finish="length")
    with scripted({"FirstPlan": lambda _: cut}) as server:
        plan = plan_of(desk.plan(server))
    assert ids(plan) == ["config:use_left"]


def test_of_an_answer_that_is_cut_at_once_the_rules_plan_instead(desk):
    with scripted({"FirstPlan": lambda _: says('{"removals": [{"targ', finish="length")}) as server:
        plan = plan_of(desk.plan(server))
        assert purposes(server) == ["FirstPlan"] * 3
    assert by_rules(plan) and sorted(ids(plan)) == sorted(ALLOWED)
    assert "cut off" in plan["remarks"][0]


def test_a_wrong_schema_is_shown_to_the_model_which_mends_it(desk):
    wrong = first(proposal("config:use_left"))
    wrong["removals"][0]["direction"] = "sideways"
    with scripted({"FirstPlan": [wrong, GOOD]}) as server:
        assert ids(plan_of(desk.plan(server))) == PLANNED
        assert "removals[0].direction" in server.asked[1].text


@pytest.mark.parametrize("answer", ['{"plan": "remove everything"}', "I would rather not say.", ""])
def test_where_it_never_mends_it_the_rules_plan_and_the_study_runs(desk, answer):
    with scripted({"FirstPlan": lambda _: says(answer)}) as server:
        plan = plan_of(desk.plan(server))
        assert len(server.asked) == 3
    assert by_rules(plan) and "no usable answer" in plan["remarks"][0]


def test_an_unknown_id_goes_back_with_the_nearest_one_and_is_mended(desk):
    wrong = first(proposal("config:use_lft"), proposal("config:unused_dropout"))
    with scripted({"FirstPlan": wrong, "Mending": proposed(proposal("config:use_left"))}) as server:
        plan = plan_of(desk.plan(server))
        asked = next(one for one in server.asked if asked_for(one) == "Mending")
    assert "config:use_left" in asked.text.rpartition("Refused:")[2]
    assert set(ids(plan)) == set(PLANNED)
    assert [one["id"] for one in plan["mended"]] == ["config:use_left"]


def test_an_unknown_id_that_nobody_mends_is_listed_with_its_reason(desk):
    wrong = first(proposal("config:use_lft"), proposal("config:unused_dropout"))
    mended = [proposed(proposal("config:use_lef")), proposed(proposal("config:use_lft"))]
    with scripted({"FirstPlan": wrong, "Mending": mended}) as server:
        plan = plan_of(desk.plan(server))
        assert purposes(server).count("Mending") == 2
    assert ids(plan) == ["config:unused_dropout"]
    reason = next(one["reason"] for one in plan["dropped"] if one["id"] == "config:use_lft")
    assert "there is no component" in reason and "config:use_left" in reason


def test_what_comes_back_from_mending_as_it_was_is_not_sent_back_again(desk):
    wrong = first(proposal("config:use_lft"), proposal("config:unused_dropout"))
    with scripted({"FirstPlan": wrong, "Mending": lambda _: proposed(proposal("config:use_lft"))}) as server:
        assert ids(plan_of(desk.plan(server))) == ["config:unused_dropout"]
        assert purposes(server).count("Mending") == 1


def test_what_is_proposed_twice_is_planned_once(desk):
    twice = first(proposal("config:use_left"), proposal("config:use_left", size=9.0), proposal("config:use_*"))
    with scripted({"FirstPlan": twice}) as server:
        plan = plan_of(desk.plan(server))
    assert ids(plan) == ["config:use_left", "config:use_right", "config:use_scale"]
    assert plan["ablations"][0]["prediction"]["size"] == 2.0
    assert {one["reason"] for one in plan["dropped"] if one["id"] == "config:use_left"} == {"proposed twice"}


def test_instead_of_an_empty_plan_the_rules_plan(desk):
    with scripted(NOTHING) as server:
        plan = plan_of(desk.plan(server))
    assert by_rules(plan) and sorted(ids(plan)) == sorted(ALLOWED)


@pytest.mark.parametrize("refused", [("json_schema",), ("json_schema", "json_object"), ("max_tokens", "json_schema")])
def test_a_server_without_schemas_is_asked_in_words_and_only_once_the_hard_way(desk, refused):
    with scripted({"FirstPlan": GOOD}, refuses=refused) as server:
        assert ids(plan_of(desk.plan(server))) == PLANNED
        kinds = [(one.body.get("response_format") or {}).get("type") for one in server.asked]
        assert kinds[-1] != "json_schema" and kinds[-1] == kinds[-2]
        assert len(server.asked) == 2 + len(refused)


def test_a_refusal_of_the_model_is_no_plan(desk):
    with scripted({"FirstPlan": says("", extra={"refusal": "I cannot help with that."})}) as server:
        plan = plan_of(desk.plan(server))
    assert by_rules(plan) and "refused" in plan["remarks"][0]


@pytest.mark.parametrize(
    ("wanted", "kind", "asks"),
    [
        ((), "auto", True),
        (("--planner", "rules"), "llm", False),
        (("--planner", "llm"), "rules", True),
        ((), "rules", False),
    ],
)
def test_flags_and_environment_say_who_plans(desk, tmp_path, wanted, kind, asks):
    study = tmp_path / "study" / "lesion.toml"
    study.parent.mkdir()
    text = (desk.project.folder / "lesion.toml").read_text()
    root = f'[project]\nroot = "{desk.project.folder}"\n\n[planner]\nkind = "{kind}"\n\n[experiment]'
    study.write_text(text.replace("[experiment]", root))
    with scripted({"FirstPlan": GOOD}) as server:
        plan = plan_of(desk.lesion("plan", str(study), "--json", *wanted, server=server))
        assert bool(server.requests) == asks
    assert plan["planner"] == ("llm:scripted" if asks else "rules")


def test_without_a_model_the_rules_plan_of_themselves(desk):
    plan = plan_of(desk.lesion("plan", "--json"))
    assert plan["planner"] == "rules" and not plan.get("remarks")


def test_a_dry_run_asks_nobody(made, tmp_path):
    state = tmp_path / "none"
    with scripted({"FirstPlan": GOOD}) as server:
        ended = made.lesion(
            "run",
            "--planner",
            "llm",
            "--dry-run",
            "--state",
            str(state),
            OPENAI_BASE_URL=server.url,
            LESION_MODEL="scripted",
        )
        assert server.requests == []
    assert ended.code == 2 and "lesion plan" in ended.err and "--planner rules" in ended.err
    assert not state.exists()


def test_planning_again_keeps_the_plan_where_it_fails_and_beside_the_new_one_where_it_does_not(desk):
    path = desk.state / "plans" / "round-1.yaml"
    with scripted({"FirstPlan": [GOOD, fails(401, "no"), first(proposal("config:use_right"))]}) as server:
        plan_of(desk.plan(server))
        before = path.read_text()
        failed = desk.plan(server, "--again")
        assert failed.code == 2 and path.read_text() == before
        assert ids(plan_of(desk.plan(server, "--again"))) == ["config:use_right"]
    assert before in [one.read_text() for one in path.parent.iterdir()] and path.read_text() != before


def test_a_review_that_fails_leaves_the_plan_and_says_so(desk):
    with scripted({"FirstPlan": GOOD, "Review": lambda _: says("nonsense")}) as server:
        plan = plan_of(desk.plan(server))
    assert ids(plan) == PLANNED and "reviewer's pass failed" in plan["remarks"][0]


def test_the_schema_that_is_asked_for_is_the_one_that_is_read(desk):
    with scripted({"FirstPlan": GOOD}) as server:
        plan_of(desk.plan(server))
        assert set(server.asked[0].wants["properties"]) == {*EMPTY, "look_up"}


@pytest.mark.parametrize(("patterns", "edits"), [('"config:use_*", "edit:*"', ["edit:decay"]), ('"config:use_*"', [])])
def test_a_study_that_names_components_may_let_edits_be_proposed(tmp_path, patterns, edits):
    """Edits have no component before they are proposed, so that no pattern for them can fit one."""
    study = SHORT.replace('"config:use_*", "config:unused_dropout"', patterns)
    desk = desk_on(surveyed(tmp_path / "p", study=study), tmp_path / "state")
    decay = edit("decay", ("experiment.py", ', weight_decay=config["weight_decay"]'))
    with scripted({"FirstPlan": first(proposal("config:use_left"), decay)}) as server:
        plan = plan_of(desk.plan(server))
    assert ids(plan) == ["config:use_left", *edits]
    refused = [one["reason"] for one in plan["dropped"] if one["id"] == "edit:decay"]
    assert bool(refused) is not bool(edits) and all('"edit:*" would let edits be proposed' in one for one in refused)
