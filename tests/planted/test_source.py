"""Truths that only source edits reach are found, by a whole study through the command line."""

import json

import pytest
from lesion.executor.interventions import Block, ConfigOverride, ModuleIntervention, SourceEdit

from .source import CLIP, EDITS, PAIR, PAIR_BESIDE, SCORED_BY, SKIP, TRUTH, ablation, component, planted, whole_plan

QUIET, MUTED = ModuleIntervention(path="quiet", removal="bypass"), ModuleIntervention(path="muted", removal="zero")
UNREAD = ConfigOverride(key="unread", value=2)
MIXED = {
    "nothing at all": (CLIP, QUIET, UNREAD),
    "masked": (CLIP, MUTED),
    "something": (EDITS["edit:auxiliary"], QUIET, UNREAD),
}
STEP = "torch.nn.utils.clip_grad_norm_(model.parameters(), 1e6)\n        optimizer.step()\n"
OVERLAPS = SourceEdit(blocks=[Block(file="training.py", search=STEP, replace="optimizer.step()\n")])
"""Fits, and not beside `CLIP`."""
CRASHES = SourceEdit(blocks=[CLIP.blocks[0].model_copy(update={"replace": "        fail()\n"})])


PARTS = {"part:quiet": QUIET, "part:muted": MUTED, "part:unread": UNREAD}


def mixed_plan(*more):
    """The whole plan, and removals of several kinds at once."""
    names = {one.model_dump_json(): name for name, one in {**EDITS, **PARTS}.items()}
    joint = [
        ablation(name, *each, parts=tuple(names[one.model_dump_json()] for one in each)) for name, each in MIXED.items()
    ]
    plan = whole_plan(*joint, *more)
    found = [component(name, one) for name, one in PARTS.items()]
    return plan.model_copy(update={"components": [*plan.components, *found]})


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The project, how its run ended, and its report."""
    made = planted(tmp_path_factory.mktemp("source"))
    broken = ablation("edits that overlap", CLIP, OVERLAPS, parts=("edit:clip", "edit:skip"))
    crashing = ablation("edit that crashes", CRASHES, parts=("edit:clip",))
    (made.folder / "plan.yaml").write_text(mixed_plan(broken, crashing).as_yaml())
    before = {path.name: path.read_bytes() for path in made.folder.glob("*.py")}
    ended = made.lesion("run", "--plan", "plan.yaml", "--planner", "rules", "--interactions", "none")
    assert ended.code == 0, ended.err
    after = {path.name: path.read_bytes() for path in made.folder.glob("*.py")}
    return made, ended, made.results(), before == after


def effects(results):
    return {one["ablation"]: one for one in results["effects"]}


def test_every_part_is_worth_what_it_is_worth(study):
    found = effects(study[2])
    assert {name: found[name]["verdict"] for name in TRUTH} == TRUTH
    assert {found[name]["intervention_kind"] for name in TRUTH} == {"edit"}
    assert found["edit:auxiliary"]["delta"] == pytest.approx(1, abs=0.2)


def test_two_tricks_that_hide_each_other_are_told_apart(study):
    (pair,) = (one for one in study[2]["interactions"] if tuple(one["components"]) == PAIR)
    assert pair["verdict"] == PAIR_BESIDE
    assert pair["observed"] == pytest.approx(1, abs=0.2)


def test_the_figures_that_count_are_the_unedited_evaluations(study):
    found = effects(study[2])
    assert {name: found[name]["scored_by"] for name in SCORED_BY} == SCORED_BY
    assert not any("own figures differ" in note for note in study[2]["notes"])
    assert not list(study[0].state.rglob("*.pt"))


def test_scoring_anew_gives_what_the_edited_program_gave(study):
    """To the last bit, as long as the edit leaves evaluation alone: the mark of an honest one."""
    rows = study[0].rows("SELECT facts FROM trials WHERE arm LIKE 'edit:%' AND status IN ('ok', 'no-op')")
    facts = [json.loads(facts) for (facts,) in rows]
    assert len(facts) > 10
    assert all("own" not in one for one in facts)
    assert {one["forwards"] for one in facts} == {200}
    assert all("train" in one["seconds"] for one in facts)


def test_mixed_removals_are_judged_by_all_of_their_parts(study):
    rows = study[0].rows(
        "SELECT arm, status, reason FROM trials WHERE arm IN ('nothing at all', 'masked', 'something')"
    )
    found = {arm: (status, reason) for arm, status, reason in rows}
    assert found["nothing at all"] == ("no-op", "results equal the baseline's, bit for bit")
    assert found["masked"] == ("ok", "masked")
    assert found["something"][0] == "ok"
    assert effects(study[2])["masked"]["masked"]


def test_what_does_not_apply_is_dropped_and_what_crashes_is_structural(study):
    planned = {one["ablation"]: one for one in study[2]["planned"]}
    assert planned["edits that overlap"]["fate"] == "dropped"
    assert planned["edits that overlap"]["reason"] == "training.py: two blocks overlap at line 22"
    crashed = effects(study[2])["edit that crashes"]
    assert crashed["verdict"] == "structural"
    assert "NameError" in crashed["reason"]


def test_the_files_are_what_they_were(study):
    assert study[3]


def test_without_a_sandbox_no_edit_runs(tmp_path):
    made = planted(tmp_path)
    (made.folder / "plan.yaml").write_text(whole_plan().as_yaml())
    ended = made.lesion(
        "run", "--plan", "plan.yaml", "--planner", "rules", "--interactions", "none", "--unsafe-no-sandbox"
    )
    assert "source edits run only in a sandbox" in ended.err
    assert made.rows("SELECT DISTINCT arm FROM trials WHERE status = 'ok'") == [("baseline",)]


def test_an_edited_forward_is_asked_of_the_trained_weights_where_the_plan_says_so(tmp_path):
    made = planted(tmp_path, modes='["reevaluate", "retrain"]')
    plan = whole_plan()
    everywhere = [
        one.model_copy(update={"modes": ["reevaluate", "retrain"]}) if one.id == "edit:skip" else one
        for one in plan.ablations
    ]
    odd = SKIP.model_copy(
        update={
            "blocks": [
                SKIP.blocks[0].model_copy(
                    update={
                        "search": "nn.Linear(1, 1), nn.Linear(1, 1)\n",
                        "replace": "nn.Linear(1, 1), nn.Linear(1, 2)\n",
                    }
                )
            ]
        }
    )
    unfit = ablation("other weights", odd, parts=("edit:skip",), modes=["reevaluate"])
    (made.folder / "plan.yaml").write_text(plan.model_copy(update={"ablations": [*everywhere[3:5], unfit]}).as_yaml())
    ended = made.lesion("run", "--plan", "plan.yaml", "--planner", "rules", "--interactions", "none")
    assert ended.code in (0, 3), ended.err
    results = made.results()
    skips = {one["mode"]: one for one in results["effects"] if one["ablation"] == "edit:skip"}
    assert {mode: (one["verdict"], one["scored_by"], one["unit"]) for mode, one in skips.items()} == {
        "reevaluate": ("matters", "edited", "example"),
        "retrain": ("matters", "edited", "seed"),
    }
    assert [one["mode"] for one in results["effects"] if one["ablation"] == "edit:clip"] == ["retrain"]
    (unable,) = (one for one in results["effects"] if one["ablation"] == "other weights")
    assert unable["verdict"] == "untestable"
    assert "the edited model cannot take the trained weights" in unable["reason"]


def test_the_model_is_weighed_in_evaluation_also_where_its_training_was_stopped_after_a_step(tmp_path):
    """600 examples through three layers of one weight, where a training step has 64: what edited arms are compared with."""
    made = planted(tmp_path / "p", seeds=2)
    assert made.lesion("plan", "--planner", "rules").code == 0
    ((weighed,),) = made.rows("SELECT value FROM meta WHERE key = 'weighed'")
    assert json.loads(weighed)["flops"] == 2 * 600 * 3
