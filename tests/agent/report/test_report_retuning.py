"""Simulated results of equally tuned arms: both effects stand in the report, and what is said of tuning is true."""

import csv
import io

import pytest
from lesion.agent.records.retuning import Retuned, Retuning, TriedSetting
from lesion.agent.report.csv import effects_csv
from lesion.agent.report.markdown import markdown_report
from lesion.agent.report.summary import summary_lines
from lesion.agent.results import Results
from simulated_results import effect, results

UNTUNED = "none was tuned for its arm"
NOT_APART = "Arms were not tuned apart"


def retuned(verdict, delta, **changes):
    fields = {
        "setting": {"optimizer.lr": 0.3},
        "baseline_setting": {"optimizer.lr": 0.1},
        "baseline": 0.91,
        "ablated": 0.91 + delta,
        "delta": delta,
        "interval": (delta - 0.004, delta + 0.004),
        "level": 0.975,
        "p": 0.5,
        "p_adjusted": 0.77,
        "p_equivalence": 0.01,
        "n": 5,
        "verdict": verdict,
        "runs": 6,
        "grid": [
            TriedSetting(setting={"optimizer.lr": 0.1}, mean=0.87),
            TriedSetting(setting={"optimizer.lr": 0.3}, mean=0.92, chosen=True),
            TriedSetting(setting={"optimizer.lr": 3.0}, mean=None, failed={"diverged": 2}),
        ],
    }
    return Retuned(**{**fields, **changes})


def tuning(**changes):
    fields = {
        "own": {"optimizer.lr": 0.1},
        "values": {"optimizer.lr": [0.1, 0.3, 3.0]},
        "seeds": 2,
        "measured": 5,
        "split": "validation",
        "arms": ["drop warmup", "drop norm"],
        "grid": [TriedSetting(setting={"optimizer.lr": 0.1}, mean=0.91, chosen=True)],
        "runs": 6,
    }
    return Retuning(**{**fields, **changes})


def some(*found, **changes):
    return results(effects=list(found), retuning=tuning(**changes), interactions=[], planned=[])


WARMUP = effect("warmup", "matters", -0.041, retuned=retuned("negligible", -0.0013))
NORM = effect("norm", "matters", -0.052, retuned=retuned("undecided", -0.02, n=3, failed=2))
SAME = effect("mlp", "matters", -0.061, retuned=retuned("matters", -0.06))


def test_both_effects_stand_in_one_row_and_another_verdict_in_the_first_lines():
    text = markdown_report(some(WARMUP, NORM, SAME))
    (row,) = [
        line for line in text.splitlines() if "| warmup" in line and "optimizer.lr = 0.3 " in line and "bypass" in line
    ]
    assert "−0.0410 [−0.0453, −0.0367], matters" in row
    assert row.index("−0.0013 [−0.0053, 0.0027]") > row.index("matters") and row.index("negligible") > row.index(".77")
    opening = text.partition("## What was found")[0]
    changed, lost = (line for line in opening.splitlines() if line.startswith("> **Equally tuned"))
    assert "warmup, matters → negligible" in changed and "norm, matters → undecided" in lost
    assert "mlp" not in opening
    assert any("warmup" in line and "matters → negligible" in line for line in summary_lines(some(WARMUP, SAME)))


def test_settings_that_failed_are_told():
    text = markdown_report(some(WARMUP))
    assert [line for line in text.splitlines() if "optimizer.lr = 3 " in line and "2 diverged" in line]
    assert [
        line
        for line in text.splitlines()
        if "| *baseline*" in line and "optimizer.lr = 0.1" in line and "chosen" in line
    ]


@pytest.mark.parametrize(
    ("found", "untuned", "named"),
    [
        (results(effects=[effect("a", "matters", -0.04)]), True, False),
        (some(WARMUP, SAME), False, False),
        (some(WARMUP, effect("embedding", "structural", reason="stops")), False, False),
        (some(WARMUP, effect("bias", "undecided", -0.01)), False, True),
    ],
)
def test_that_no_arm_was_tuned_is_said_exactly_where_it_is_true(found, untuned, named):
    text = markdown_report(found)
    assert (UNTUNED in text, NOT_APART in text) == (untuned, untuned)
    assert ("Not tuned: bias" in text, "1 arm was not tuned apart" in text) == (named, named)


def test_a_single_split_is_owned_up_to():
    one_split = results(effects=[WARMUP], retuning=tuning(split="test"), interactions=[])
    assert "the split is the one that chose" in markdown_report(one_split)
    assert "the split is the one that chose" not in markdown_report(some(WARMUP))


def test_names_of_hyperparameters_are_no_markup():
    hostile = "<b>*lr*|"
    record = retuned("negligible", 0.0, setting={hostile: "`x`|"}, kept=[hostile])
    found = some(effect("warmup", "matters", -0.04, retuned=record), own={hostile: 1}, values={hostile: [1, "`x`|"]})
    text = markdown_report(found)
    assert "<b>" not in text.replace("\\<b", "") and "*lr*|" not in text.replace("\\*lr\\*\\|", "")


def test_the_data_has_both_and_older_data_loads():
    found = some(WARMUP, effect("bias", "undecided", -0.01))
    assert Results.model_validate_json(found.model_dump_json()) == found
    before = results().model_dump(exclude={"retuning"})
    before["effects"] = [{key: value for key, value in one.items() if key != "retuned"} for one in before["effects"]]
    assert Results.model_validate(before).retuning is None
    first, second = csv.DictReader(io.StringIO(effects_csv(found)))
    assert (first["verdict"], first["retuned_verdict"], first["retuned_setting"]) == (
        "matters",
        "negligible",
        "optimizer.lr 0.3",
    )
    assert second["retuned_verdict"] == ""
