"""A component that looks essential at the baseline's learning rate and is not at its own: through the command line."""

import json

import pytest

from tests.experiments import CONFIG, EXPERIMENT, FINISHED, STUDY, certain, project

RATES = [0.1, 10.0]
ONCE_TUNED = EXPERIMENT
for old, new in {
    "nn.Linear(3, 1)": "nn.Linear(3, 1, bias=False)",
    "lr=0.1": 'lr=config["optimizer"]["lr"]',
    "1.0]), y": '1.0]) * (1.0 if config["use_scale"] else 0.1), y',
}.items():
    assert old in ONCE_TUNED
    ONCE_TUNED = ONCE_TUNED.replace(old, new)
"""Without the scale every input is a tenth: at a hundred times the rate, training is step for step what it was."""
SETTINGS = CONFIG.replace("crash_at: 40", "crash_at: -1") + "optimizer:\n  lr: 0.1\n"
RETUNED = STUDY + '\n[retuning]\ncomponents = ["config:use_*"]\n[retuning.values]\n"optimizer.lr" = [10]\n'
ARMS = ["config:use_left", "config:use_right", "config:use_scale"]
TUNED = [f"{arm} ~ optimizer.lr=10.0" for arm in ("baseline", *ARMS)]


def made(folder):
    return project(folder, experiment=ONCE_TUNED, config=SETTINGS, study=RETUNED)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A study with retuning, run at once and to the end."""
    one = made(tmp_path_factory.mktemp("whole"))
    return one, one.lesion("run", "--interactions", "none")


def by_ablation(results, metric="score"):
    return {one["ablation"]: one for one in results["effects"] if one["metric"] == metric}


def test_what_looks_essential_at_the_baselines_rate_is_not_at_its_own(whole):
    one, ended = whole
    assert "Traceback" not in ended.err
    effects = by_ablation(one.results())
    scale, left = effects["config:use_scale"], effects["config:use_left"]
    assert (scale["verdict"], scale["retuned"]["verdict"]) == ("matters", "negligible")
    assert scale["delta"] < -0.3 and abs(scale["retuned"]["delta"]) < 0.05
    assert scale["retuned"]["setting"] == {"optimizer.lr": 10.0}
    assert scale["retuned"]["baseline_setting"] == {"optimizer.lr": 0.1}
    assert (left["verdict"], left["retuned"]["verdict"]) == ("matters", "matters")
    assert left["retuned"]["setting"] == {"optimizer.lr": 0.1}
    assert {effects[name]["retuned"]["n"] for name in ARMS} == {3}
    assert effects["config:unused_dropout"]["retuned"] is None
    assert {each["retuned"] for each in by_ablation(one.results(), "error").values()} == {None}


def test_the_budget_is_equal_and_what_diverges_is_told(whole):
    one, ended = whole
    assert ended.code == 3
    results = one.results()
    retuning, effects = results["retuning"], by_ablation(results)
    assert (retuning["own"], retuning["values"]) == ({"optimizer.lr": 0.1}, {"optimizer.lr": RATES})
    assert (retuning["arms"], retuning["split"], retuning["seeds"], retuning["measured"]) == (ARMS, "validation", 2, 3)
    assert {retuning["runs"], *(effects[name]["retuned"]["runs"] for name in ARMS)} == {4}
    own, diverged = retuning["grid"]
    assert (own["chosen"], own["failed"]) == (True, {})
    assert (diverged["chosen"], diverged["mean"], diverged["failed"]) == (False, None, {"diverged": 2})
    assert results["accounting"]["failed"] == {"diverged": 6}
    asked = {(arm, seed) for _, arm, seed, *_ in one.rows(FINISHED)}
    assert asked >= {(arm, seed) for arm in TUNED for seed in range(2)}


def test_the_reported_effect_is_of_runs_that_chose_nothing_on_the_test_split(whole):
    one, _ = whole
    values = {
        (arm, seed): json.loads(metrics)["test"]["score"]
        for _, arm, seed, status, metrics, _ in one.rows(FINISHED)
        if status == "ok"
    }
    scale = by_ablation(one.results())["config:use_scale"]
    deltas = [values["config:use_scale ~ optimizer.lr=10.0", seed] - values["baseline", seed] for seed in (2, 3, 4)]
    assert scale["retuned"]["delta"] == pytest.approx(sum(deltas) / 3, abs=1e-12)
    untuned = [values["config:use_scale", seed] - values["baseline", seed] for seed in (0, 1, 2)]
    assert scale["delta"] == pytest.approx(sum(untuned) / 3, abs=1e-12)


def test_the_report_shows_both_and_says_where_the_verdict_changes(whole):
    one, _ = whole
    report = (one.state / "report" / "report.md").read_text()
    opening = report.partition("## What was found")[0]
    assert "scale, matters → negligible" in opening and "left" not in opening
    (row,) = [
        line
        for line in report.splitlines()
        if line.startswith("| scale ") and "optimizer.lr = 10 " in line and "matters" in line
    ]
    assert "matters" in row and "negligible" in row
    assert "none was tuned for its arm" not in report


def test_a_tuning_cut_in_its_middle_goes_on_with_the_same_results(whole, tmp_path):
    one = made(tmp_path / "cut")
    listed = one.lesion("run", "--dry-run", "--interactions", "none")
    assert "15 trials in round 1 up to its first look, 8 in retuning and up to 12 of what it chooses" in listed.err
    first = one.lesion("run", "--interactions", "none", "--max-trials", "17")
    assert first.code == 4
    kept = one.rows(FINISHED)
    tuned = {arm for _, arm, *_ in kept if "~" in arm}
    assert tuned and tuned < set(TUNED)
    assert one.results()["retuning"] is None
    assert one.lesion("run", "--interactions", "none").code == 3
    rows = one.rows(FINISHED)
    assert set(kept) <= set(rows)
    assert certain(rows) == certain(whole[0].rows(FINISHED))
    assert one.rows("SELECT MAX(attempts) FROM trials WHERE status NOT IN ('planned', 'skipped')") == [(1,)]
    results, alone = one.results(), whole[0].results()
    assert results["retuning"] == alone["retuning"]
    for resumed, at_once in zip(results["effects"], alone["effects"], strict=True):
        assert {**resumed, "cost": None} == {**at_once, "cost": None}
    again = one.lesion("run", "--interactions", "none", "--json")
    assert [each for each in again.records if each["event"] == "trial"] == []
    assert one.lesion("run", "--dry-run", "--interactions", "none").out == ""
