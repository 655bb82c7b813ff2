"""Every planted truth is found, by a whole study through the command line, in every mode that can see it."""

import pytest

from tests.experiments import project

from .network import CONFIG, EXPERIMENT, HANDMADE, STUDY, TRAINED


def study(seeds, more):
    return STUDY.format(seeds=seeds, more=more)


@pytest.fixture(scope="module")
def handmade(tmp_path_factory):
    """Weights by hand, evaluated again: nothing is trained."""
    made = project(
        tmp_path_factory.mktemp("handmade"),
        experiment=EXPERIMENT + HANDMADE,
        config=CONFIG,
        study=study(1, 'modes = ["reevaluate"]\nkinds = ["mean"]'),
        name="planted",
    )
    return made, made.lesion("run")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The same network, trained: all three questions in one study."""
    made = project(
        tmp_path_factory.mktemp("trained"),
        experiment=EXPERIMENT,
        config=CONFIG,
        study=study(3, TRAINED),
        name="planted",
    )
    return made, made.lesion("run")


def verdicts(results, mode):
    return {
        one["ablation"].partition(":")[2]: one["verdict"]
        for one in results["effects"]
        if one["mode"] == mode and one["role"] == "confirmatory"
    }


def joint(results, mode):
    """Members without their families → the interaction."""
    return {
        " ".join(sorted(part.partition(":")[2] for part in one["components"])): one
        for one in results["interactions"]
        if one["mode"] == mode
    }


def effect(results, mode, name):
    return next(one for one in results["effects"] if one["mode"] == mode and one["ablation"] == name)


def test_a_model_made_by_hand_is_read_without_a_mistake(handmade):
    made, ended = handmade
    assert ended.code == 0, ended.err
    assert verdicts(made.results(), "reevaluate") == {
        **{"stem": "matters", "main": "matters", "harmful": "hurts", "faint": "negligible"},
        **dict.fromkeys(("left", "right", "first", "second", "third"), "negligible"),
        **{"spare": "no-op", "mute": "no-op"},
    }


def test_who_stands_behind_whom_is_found(handmade):
    found = joint(handmade[0].results(), "reevaluate")
    assert found["left right"]["verdict"] == "compensation"
    assert found["left right"]["additive"] == pytest.approx(0, abs=1e-9)
    assert found["left right"]["observed"] == pytest.approx(1, abs=0.2)
    assert found["first second third"]["verdict"] == "irreducible"
    for pair in ("first second", "first third", "second third", "left third"):
        assert (found[pair]["verdict"], found[pair]["negligible_together"]) == ("additive", True), pair
    hidden = [name for name, one in found.items() if one["verdict"] in ("compensation", "irreducible", "redundancy")]
    whole = {"faint first left right second third"}
    assert set(hidden) - whole == {"left right", "first second third"}


def test_a_perfect_backup_is_masked_and_no_no_op(handmade):
    results = handmade[0].results()
    for name in ("left", "right", "first", "second", "third"):
        one = effect(results, "reevaluate", f"module:{name}")
        assert (one["masked"], one["delta"]) == (True, 0.0), name
    spare, mute = effect(results, "reevaluate", "module:spare"), effect(results, "reevaluate", "weight:mute")
    assert (spare["masked"], spare["reason"]) == (False, "the module was never called")
    assert (mute["masked"], mute["reason"]) == (False, "the weight was what it is set to already")


def test_every_delta_names_its_kind_and_kinds_may_disagree(handmade):
    results = handmade[0].results()
    assert {one["intervention_kind"] for one in results["effects"] if one["role"] == "confirmatory"} == {"zero"}
    assert effect(results, "reevaluate", "module:main@mean")["verdict"] == "matters"
    assert effect(results, "reevaluate", "module:harmful@mean")["verdict"] == "hurts"


def test_the_placebo_changes_nothing_at_all(handmade, trained):
    for made, modes in ((handmade[0], ["reevaluate"]), (trained[0], ["reevaluate", "recover", "retrain"])):
        results = made.results()
        assert not any("placebo" in note for note in results["notes"])
        for mode in modes:
            placebo = effect(results, mode, "control:placebo")
            assert (placebo["role"], placebo["verdict"]) == ("control", "no-op")
            assert "bit for bit" in placebo["reason"]


def test_retraining_finds_what_training_needs(trained):
    made, ended = trained
    assert ended.code == 0, ended.err
    results = made.results()
    assert verdicts(results, "retrain") == {
        **{"stem": "matters", "main": "matters", "harmful": "hurts", "left": "negligible", "right": "negligible"},
        **{"spare": "no-op", "quiet": "no-op"},
    }
    assert joint(results, "retrain")["left right"]["verdict"] == "compensation"


def test_the_trained_model_relies_on_what_speaks_first_and_training_gives_it_back(trained):
    """After training only `left` speaks: when it is cut, its untrained deputy takes the floor, and learns it in time."""
    results = trained[0].results()
    reevaluated, recovered = verdicts(results, "reevaluate"), verdicts(results, "recover")
    assert (reevaluated["left"], recovered["left"]) == ("matters", "negligible")
    given_back = effect(results, "recover", "module:left")["recovered"]
    assert given_back["cut_delta"] > 0.3
    assert given_back["fraction"] == pytest.approx(1, abs=0.1)
    assert given_back["interval"] or "3 seeds" in given_back["reason"]
    assert (reevaluated["right"], recovered["right"]) == ("negligible", "negligible")
    assert effect(results, "reevaluate", "module:right")["masked"]
    assert joint(results, "recover")["left right"]["observed"] > 0.5, "nobody is left to learn it"
    for name in ("stem", "main"):
        assert (reevaluated[name], recovered[name]) == ("matters", "matters")
        assert effect(results, "recover", f"module:{name}")["recovered"]["fraction"] < 0.9


def test_modes_are_never_mixed(trained):
    results = trained[0].results()
    units = {(one["mode"], one["unit"]) for one in results["effects"]}
    assert units == {("reevaluate", "example"), ("recover", "seed"), ("retrain", "seed")}
    assert {mode: floors["error"]["unit"] for mode, floors in results["baseline"].items()} == dict(units)
    agreement = effect(results, "reevaluate", "module:main")["agreement"]
    assert agreement == {"matters": 3}
    assert effect(results, "retrain", "module:main")["agreement"] is None


def test_every_arm_says_what_it_takes(trained):
    results = trained[0].results()
    whole = effect(results, "retrain", "module:quiet")["cost"]["parameters"]
    main = effect(results, "retrain", "module:main")["cost"]
    assert main["parameters"] == whole - 2
    assert main["steps"] == 300
    assert main["seconds"] > 0
    assert effect(results, "recover", "module:main")["cost"]["steps"] == 200


def test_what_to_do_next_is_drawn_from_it(handmade, trained):
    advice = handmade[0].results()["advice"]
    assert {(one["what"], *one["components"]) for one in advice if one["what"] != "prune"} == {
        *(("bottleneck", "module:stem"), ("harmful", "module:harmful")),
    }
    (prune,) = (one for one in advice if one["what"] == "prune")
    assert not set(prune["components"]) >= {"module:left", "module:right"}
    assert {one["mode"] for one in trained[0].results()["advice"]} == {"reevaluate", "recover", "retrain"}


def test_trials_and_checks_add_up(handmade, trained):
    for made in (handmade[0], trained[0]):
        accounting = made.results()["accounting"]
        assert accounting["planned"] == accounting["ok"] + sum(accounting["failed"].values()) + accounting["skipped"]
        assert not accounting["failed"]


def test_running_a_finished_study_again_runs_nothing(handmade):
    made, _ = handmade
    before = made.rows("SELECT key, started_at FROM trials ORDER BY key")
    assert made.lesion("run").code == 0
    assert made.rows("SELECT key, started_at FROM trials ORDER BY key") == before
