"""Whole studies through the command line, of an experiment whose truth is known."""

import csv
import json

import pytest
from lesion.agent.ledger import Ledger
from ruamel.yaml import YAML

from tests.experiments import FINISHED, certain, project

BOTH = "config:use_left + config:use_right"
SINGLES = ["config:unused_dropout", "config:use_left", "config:use_right", "config:use_scale"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A project and its study, run at once and to the end."""
    made = project(tmp_path_factory.mktemp("whole"))
    return made, made.lesion("run")


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """The same without joint removals, as records, stopped after two trials and then run to its end."""
    made = project(tmp_path_factory.mktemp("stopped"))
    first = made.lesion("run", "--json", "--interactions", "none", "--max-trials", "2")
    kept = made.rows(FINISHED)
    return made, first, kept, made.lesion("run", "--json", "--interactions", "none")


@pytest.fixture(scope="module")
def edited(tmp_path_factory):
    """A plan with half its ablations deleted and another hypothesis, sealed by a run that may start no trial."""
    made = project(tmp_path_factory.mktemp("edited"))
    assert made.lesion("plan").code == 0
    plan = YAML().load(made.plan)
    plan["ablations"] = [one for one in plan["ablations"] if one["id"] in ("config:use_left", "config:use_right")]
    plan["ablations"][0]["hypothesis"] = "The left feature carries most of the signal."
    YAML().dump(plan, made.plan)
    return made, made.lesion("run", "--max-trials", "0")


def by_ablation(results, metric="score"):
    return {one["ablation"]: one for one in results["effects"] if one["metric"] == metric}


def test_it_finds_the_planted_truth(whole):
    made, ended = whole
    assert (ended.code, ended.out) == (3, "")
    assert "Traceback" not in ended.err
    for told in ("noise floor: score", "minimum detectable effect", "no scale to divide by", "report: .lesion/tiny"):
        assert told in ended.err
    results = made.results()
    effects = by_ablation(results)
    verdicts = {name: effects[name]["verdict"] for name in SINGLES}
    assert verdicts == dict(zip(SINGLES, ["no-op", "matters", "matters", "structural"], strict=True))
    for name in ("config:unused_dropout", "config:use_scale"):
        assert (effects[name]["delta"], effects[name]["ablated"], effects[name]["interval"]) == (None, None, None)
    assert effects["config:use_scale"]["reason"] == "RuntimeError: there is no scale to divide by"
    assert {effects[name]["role"] for name in SINGLES} == {"confirmatory"}
    assert results["study"]["complete"]


def test_the_numbers_agree_with_the_ledger_on_the_test_split(whole):
    made, _ = whole
    results = made.results()
    assert results["study"]["split"] == "test"
    for metric in ("score", "error"):
        values = {
            (arm, seed): json.loads(metrics)["test"][metric]
            for _, arm, seed, status, metrics, _ in made.rows(FINISHED)
            if status == "ok"
        }
        for name in ("config:use_left", "config:use_right", BOTH):
            effect = by_ablation(results, metric)[name]
            deltas = [values[name, seed] - values["baseline", seed] for seed in range(3)]
            assert effect["delta"] == pytest.approx(sum(deltas) / 3, abs=1e-12)
            assert effect["ablated"] - effect["baseline"] == pytest.approx(effect["delta"], abs=1e-12)
            assert effect["interval"][0] < effect["delta"] < effect["interval"][1]
            assert effect["n"] == 3
    assert (
        by_ablation(results)["config:use_left"]["delta"]
        < -0.3
        < 0.3
        < (by_ablation(results, "error")["config:use_left"]["delta"])
    )


def test_everything_planned_is_accounted_for(whole):
    made, _ = whole
    results = made.results()
    accounting = results["accounting"]
    assert accounting["failed"] == {"crashed": 3}
    assert accounting["planned"] == accounting["ok"] + 3 + accounting["skipped"] == 18
    assert (accounting["pending"], accounting["checks"]) == (0, 6)
    assert made.rows("SELECT COUNT(*) FROM trials") == [(18,)]
    assert [one["ablation"] for one in results["planned"]] == [*SINGLES, BOTH]
    assert {one["fate"] for one in results["planned"]} == {"no-op", "ran", "structural"}


def test_what_matters_is_removed_together_too(whole):
    made, _ = whole
    results = made.results()
    joint = {one["metric"]: one for one in results["interactions"]}
    assert [one["components"] for one in results["interactions"]] == [["config:use_left", "config:use_right"]] * 2
    assert joint["score"]["verdict"] == "saturation-limited"  # nothing is left above the floor
    assert joint["error"]["verdict"] == "additive"
    for one in joint.values():
        assert one["contrast"] == pytest.approx(one["observed"] - one["additive"], abs=1e-12)
        assert one["observed"] > 0.8
    assert by_ablation(results)[BOTH]["role"] == "exploratory"


def test_plans_are_on_disk_with_the_hashes_that_were_sealed(whole):
    made, _ = whole
    sealed = made.rows("SELECT round, hash, document FROM plans ORDER BY round")
    assert [number for number, *_ in sealed] == [1, 2]
    assert made.results()["study"]["plan_hashes"] == [digest for _, digest, _ in sealed]
    for number, _, document in sealed:
        written = YAML(typ="safe").load(made.state / "plans" / f"round-{number}.yaml")
        assert written == json.loads(document)


def test_predictions_are_scored_against_what_came_out(whole):
    made, _ = whole
    (score,) = made.results()["predictions"]
    assert (score["planner"], score["n"], score["direction_hits"]) == ("rules", 3, 1)
    assert score["mean_absolute_error"] > 1


def test_reports_are_on_disk_and_say_the_same(whole):
    made, _ = whole
    report = made.state / "report"
    assert {path.name for path in report.iterdir()} == {
        *("report.md", "report.html", "report.json", "effects.csv", "interactions.csv", "figures")
    }
    results = made.results()
    written = json.loads((report / "report.json").read_text())
    assert (written["effects"], written["interactions"]) == (results["effects"], results["interactions"])
    with (report / "effects.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["ablation"] for row in rows] == [one["ablation"] for one in results["effects"]]
    assert [row["delta"] for row in rows] == [
        "" if one["delta"] is None else repr(one["delta"]) for one in results["effects"]
    ]
    assert "no scale to divide by" in (report / "report.md").read_text()


def test_status_says_it_briefly_and_as_data(whole):
    made, _ = whole
    told = made.lesion("status")
    assert (told.code, told.err) == (0, "")
    assert "tiny: complete" in told.out
    counted = made.results()["accounting"]
    assert f"18 planned = {counted['ok']} ok + 3 failed (3 crashed) + {counted['skipped']} skipped" in told.out
    status = json.loads(made.lesion("status", "--json").out)
    assert status["verdicts"] == {name: one["verdict"] for name, one in by_ablation(made.results()).items()}
    assert (status["study"]["state"], status["accounting"]["planned"]) == ("complete", 18)


def test_reports_go_where_they_are_wanted(whole, tmp_path):
    made, _ = whole
    ended = made.lesion("report", "--format", "csv", "--format", "md", "-o", str(tmp_path / "out"))
    assert ended.code == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        *("effects.csv", "interactions.csv", "report.md", "figures")
    }
    assert made.lesion("report", "--format", "json", "-o", str(tmp_path / "one.json")).code == 0
    assert json.loads((tmp_path / "one.json").read_text())["study"]["name"] == "tiny"
    assert made.lesion("report", "-o", str(tmp_path / "paper.md")).code == 0
    assert (tmp_path / "paper.md").read_text().startswith("# ")
    for formats in (["tex"], ["md", "json"]):
        asked = [word for one in formats for word in ("--format", one)]
        ended = made.lesion("report", *asked, "-o", str(tmp_path / "other.md"))
        assert (ended.code, (tmp_path / "other.md").exists()) == (2, False)
        assert "single md file" in ended.err and ", ".join(formats) in ended.err
    assert "# " in made.lesion("report", "--format", "md", "-o", "-").out
    assert made.lesion("report", "--format", "tex", "-o", "-").out.startswith("% An ablation section")
    both = made.lesion("report", "--format", "md", "--format", "json", "-o", "-")
    assert (both.code, both.out) == (2, "")


def test_a_second_run_starts_nothing_and_ends_the_same(whole):
    made, first = whole
    before = made.rows("SELECT * FROM trials ORDER BY key")
    attempts = made.rows("SELECT COUNT(*) FROM attempts")
    again = made.lesion("run", "--json")
    assert again.code == first.code == 3
    assert made.rows("SELECT * FROM trials ORDER BY key") == before
    assert made.rows("SELECT COUNT(*) FROM attempts") == attempts
    assert [one for one in again.records if one["event"] == "trial"] == []
    assert again.records[-1]["complete"]


def test_a_stopped_study_says_so_and_starts_no_more_than_allowed(stopped):
    _, first, kept, _ = stopped
    assert first.code == 4
    assert len(kept) == 2
    assert [one["event"] for one in first.records if one["event"] == "trial"] == ["trial"] * 2
    assert (
        first.records[-1] | {"complete": False, "reason": "2 trials were allowed (--max-trials)"} == (first.records[-1])
    )
    accounting = first.records[-1]["accounting"]
    assert accounting["planned"] == 2 + accounting["skipped"]
    assert accounting["pending"] == accounting["skipped"] > 0


def test_a_resumed_study_has_the_numbers_of_one_that_was_left_alone(stopped, whole):
    made, _, kept, second = stopped
    rows = made.rows(FINISHED)
    assert second.code == 3
    assert set(kept) <= set(rows)
    alone = {row for row in whole[0].rows(FINISHED) if row[1] != BOTH}
    assert certain(rows) == certain(alone)
    of_round_one = [one for one in whole[0].results()["planned"] if one["round"] == 1]
    assert made.results()["planned"] == of_round_one


def test_stdout_of_json_is_records_and_nothing_else(stopped):
    made, first, _, second = stopped
    for ended in (first, second):
        assert {one["event"] for one in ended.records} == {"stage", "trial", "end"}
        assert ended.records[-1]["event"] == "end"
        assert "noise floor" in ended.err
        assert "Traceback" not in ended.err
    trials = [one for one in first.records + second.records if one["event"] == "trial"]
    assert {one["key"] for one in trials} == {key for key, *_ in made.rows(FINISHED)}
    assert len(trials) == len(made.rows(FINISHED))


def test_without_interactions_there_is_one_round(stopped):
    made, *_ = stopped
    assert made.rows("SELECT round FROM plans") == [(1,)]
    assert made.results()["interactions"] == []


def test_an_edited_plan_is_what_is_sealed_and_checked(edited):
    made, ended = edited
    assert ended.code == 4
    ((document,),) = made.rows("SELECT document FROM plans")
    sealed = json.loads(document)["ablations"]
    assert [one["id"] for one in sealed] == ["config:use_left", "config:use_right"]
    assert sealed[0]["hypothesis"] == "The left feature carries most of the signal."
    assert {arm for (arm,) in made.rows("SELECT arm FROM checks")} == {"baseline", *(one["id"] for one in sealed)}


def test_a_sealed_plan_cannot_be_edited_and_comes_back_when_deleted(edited):
    made, _ = edited
    text = made.plan.read_text()
    ((digest,),) = made.rows("SELECT hash FROM plans")
    made.plan.write_text("# a comment changes nothing\n" + text)
    assert made.lesion("run", "--max-trials", "0").code == 4
    made.plan.write_text(text.replace("most of the signal", "none of the signal"))
    for arguments in (["run"], ["plan"], ["run", "--plan", str(made.plan)]):
        refused = made.lesion(*arguments)
        assert (refused.code, refused.out) == (2, "")
        assert digest[:12] in refused.err
        assert str(made.plan) in refused.err
        assert "delete the file" in refused.err
        assert "Traceback" not in refused.err
    assert made.rows("SELECT COUNT(*) FROM trials WHERE status != 'planned'") == [(0,)]
    made.plan.unlink()
    assert made.lesion("run", "--max-trials", "0").code == 4
    assert YAML(typ="safe").load(made.plan) == YAML(typ="safe").load(text)


def test_a_dry_run_lists_what_is_still_to_run_and_runs_nothing(edited):
    made, _ = edited
    before = made.rows("SELECT * FROM trials")
    listed = made.lesion("run", "--dry-run")
    assert listed.code == 0
    arms = ("baseline", "config:use_left", "config:use_right")
    assert sorted(listed.out.splitlines()) == sorted(
        f"{arm}\tretrain\tseed {seed}" for arm in arms for seed in range(3)
    )
    assert "9 trials in round 1" in listed.err
    assert made.rows("SELECT * FROM trials") == before


@pytest.fixture(scope="module")
def completed(edited):
    """The edited plan, run to its end with every pair."""
    made, _ = edited
    return made, made.lesion("run", "--interactions", "pairs"), made.rows(FINISHED)


def test_an_edited_plan_is_what_runs(completed):
    _, ended, finished = completed
    assert ended.code == 0
    assert {arm for _, arm, *_ in finished} == {"baseline", "config:use_left", "config:use_right", BOTH}
    assert {status for _, _, _, status, *_ in finished} == {"ok"}
    assert len(finished) == 12


def test_what_is_no_source_reruns_nothing(completed):
    made, _, finished = completed
    (made.folder / "README.md").write_text("# Now with a comment")
    made.edit("lesion.toml", 'trial_time = "2m"', 'trial_time = "3m"  # longer')
    made.edit("config.yaml", "device: cpu", "device: cuda  # a comment too")
    assert made.lesion("run", "--interactions", "pairs").code == 0
    assert made.rows(FINISHED) == finished


def test_another_source_reruns_everything_and_is_not_complete_before_it_is(completed):
    made, _, finished = completed
    made.edit("experiment.py", "range(60)", "range(61)")
    listed = made.lesion("run", "--dry-run")
    assert (listed.code, len(listed.out.splitlines())) == (0, 15)
    assert made.lesion("run", "--max-trials", "3").code == 4
    rows = made.rows(FINISHED)
    assert set(finished) < set(rows)
    assert {arm for _, arm, *_ in set(rows) - set(finished)} == {"baseline"}
    study = made.results()["study"]
    assert (study["complete"], study["split"]) == (False, "validation")


def test_a_study_that_is_being_run_can_be_read(stopped):
    made, *_ = stopped
    ledger = Ledger(made.state, write=True)
    try:
        assert made.lesion("status").code == 0
    finally:
        ledger.close()
