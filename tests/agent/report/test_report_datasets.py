"""How data sets and classes are told; every figure is made up."""

import csv
import io
import re

import pytest
from lesion.agent.records.classes import ClassEffect, ClassScores, ConfusionShift, MovedCell
from lesion.agent.records.datasets import DatasetContrast
from lesion.agent.report.csv import further_csv
from lesion.agent.report.markdown import markdown_report
from lesion.agent.report.summary import summary_lines
from lesion.agent.results import Results
from simulated_results import effect, floor, results


def contrast(name, verdict, on_public, on_own, **changes):
    """A component's losses on `public/accuracy` and `own/accuracy`."""
    difference = on_public - on_own
    fields = {
        **{
            "ablation": f"drop {name}",
            "components": [f"module:{name}"],
            "labels": [name],
            "mode": "retrain",
            "metric": "accuracy",
        },
        **{"first": "public/accuracy", "second": "own/accuracy", "first_loss": on_public, "second_loss": on_own},
        **{"first_verdict": "negligible", "second_verdict": "matters", "difference": difference},
        "interval": (difference - 0.01, difference + 0.01),
        **{"level": 0.99, "p": 0.0001, "p_adjusted": 0.0004, "p_equivalence": 1.0, "smallest_effect": 0.005},
        **{"first_n": 5, "second_n": 5, "unit": "seed", "verdict": verdict},
    }
    return DatasetContrast(**{**fields, **changes})


def of_class(name, target, verdict, before, after, **changes):
    fields = {
        **{
            "ablation": f"drop {name}",
            "components": [f"module:{name}"],
            "labels": [name],
            "mode": "retrain",
            "dataset": "own",
        },
        **{"target": target, "support": 60, "unit": "seed", "n": 5, "verdict": verdict, "level": 0.98},
        "baseline": ClassScores(recall=before, precision=0.9, f1=0.91),
        "ablated": ClassScores(recall=after, precision=None, f1=0.12),
        **{"recall_delta": after - before, "recall_interval": (after - before - 0.05, after - before + 0.05)},
        **{"precision_delta": None, "precision_interval": None, "f1_delta": -0.79, "f1_interval": (-0.85, -0.7)},
        **{"p": 0.0001, "p_adjusted": 0.0008},
    }
    return ClassEffect(**{**fields, **changes})


def several(**changes):
    names = {"study": results().study.model_copy(update={"primary": "public/accuracy"})}
    fields = {
        "baseline": {"retrain": {"public/accuracy": floor(), "own/accuracy": floor()}},
        "effects": [
            effect("encoder", "negligible", -0.001, metric="public/accuracy"),
            effect("encoder", "matters", -0.2, metric="own/accuracy"),
            effect("decoder", "matters", -0.3, metric="public/accuracy"),
            effect("norm", "undecided", -0.01, metric="public/accuracy"),
        ],
        "interactions": [],
        "datasets": [
            contrast("encoder", "differs", 0.001, 0.2),
            contrast("decoder", "differs", 0.3, 0.1, first_verdict="matters", second_verdict="detected"),
            contrast("norm", "undecided", 0.01, 0.05, p_adjusted=0.2, reason="a reason of its own"),
        ],
        "classes": [
            of_class("encoder", 3, "loses", 0.95, 0.1),
            of_class("encoder", 1, "undecided", 0.95, 0.93, p_adjusted=0.6),
            of_class("norm", 0, "undecided", 0.9, 0.8, p_adjusted=0.4),
        ],
        "confusions": [
            ConfusionShift(
                **{
                    "ablation": "drop encoder",
                    "components": ["module:encoder"],
                    "labels": ["encoder"],
                    "mode": "retrain",
                },
                dataset="own",
                trials=5,
                cells=[
                    MovedCell(target=3, prediction=1, baseline=4, ablated=251),
                    MovedCell(target=1, prediction=3, baseline=9, ablated=2),
                ],
            )
        ],
    }
    return results(**{**names, **fields, **changes})


def section(text, title):
    """From a heading to the next of its level."""
    return re.split(r"^## ", text, flags=re.MULTILINE)[[*re.findall(r"^## (.*)$", text, re.MULTILINE)].index(title) + 1]


def test_what_moves_one_data_set_is_led_with_and_what_is_open_is_not_claimed():
    found = section(markdown_report(several()), "What was found")
    (one,) = re.findall(r"- \*\*encoder\*\* moves .*", found)
    assert "moves own/accuracy (+0.200) and not public/accuracy (+0.001, shown negligible)" in one
    assert "differ by +0.199 [0.189, 0.209], adjusted p <.001" in one
    assert "**decoder** moves public/accuracy (+0.300) more than own/accuracy (+0.100)" in found
    assert "norm** moves" not in found
    assert any("differs (retrain): encoder" in line for line in summary_lines(several()))


def test_the_table_of_data_sets_has_both_losses_their_difference_and_reasons():
    told = section(markdown_report(several()), "Data sets: what moves one and not the other")
    (row,) = (line for line in told.splitlines() if line.startswith("| encoder"))
    for part in ("public/accuracy: +0.001, negligible", "own/accuracy: +0.200, matters", "−0.199 [−0.209, −0.189]"):
        assert part in row
    assert "norm: a reason of its own" in told


def test_classes_that_fall_stand_with_the_confusions_that_make_them_fall():
    text = markdown_report(several())
    assert "recall of class 3 of own 0.950 → 0.100, p (screen) <.001" in section(text, "What was found")
    told = section(text, "Classes (exploratory)")
    rows = [line for line in told.splitlines() if line.startswith("| encoder")]
    assert len(rows) == 2
    assert "3 read as 1: 4 → 251 (+247); 1 read as 3: 9 → 2 (−7)" in told
    assert "0.900 → –" in rows[0], "no precision where nothing is predicted to be of the class"
    assert "| norm" not in told, "neither matters nor has a class that falls"


def test_a_class_is_told_once_and_not_again_under_other_kinds_or_what_is_removed_with_it():
    both = {"ablation": "both", "components": ["module:encoder", "module:norm"], "labels": ["encoder", "norm"]}
    text = markdown_report(
        several(
            effects=[
                *several().effects,
                effect("encoder", "matters", -0.2, ablation="mean encoder", role="sensitivity"),
            ],
            classes=[
                *several().classes,
                of_class("encoder", 3, "loses", 0.95, 0.2, ablation="mean encoder"),
                of_class("", 3, "loses", 0.95, 0.05, **both),
                of_class("", 2, "loses", 0.95, 0.3, **both),
            ],
        )
    )
    fallen = re.findall(r"- \*\*(.*)\*\*: recall of class (\d)", section(text, "What was found"))
    assert fallen == [("encoder", "3"), ("encoder + norm", "2")]
    rows = [line.split("|")[1:4] for line in section(text, "Classes (exploratory)").splitlines() if "own" in line]
    assert [(row[0].strip(), row[2].strip()) for row in rows if len(row) == 3] == [
        *(("encoder", "3"), ("encoder", "1"), ("encoder + norm", "2")),
    ]
    assert "6 tests" in text


def test_without_data_sets_or_classes_there_is_nothing_about_them():
    text = markdown_report(results())
    assert "Data sets: what moves" not in text
    assert "## Classes" not in text
    assert "one data set and one implementation" in text
    assert "one data set and one implementation" not in markdown_report(several())
    assert further_csv(results()) == {}


def test_results_from_before_there_were_data_sets_still_load():
    old = results().model_dump(mode="json", exclude={"datasets", "classes", "confusions"})
    assert Results.model_validate(old).datasets == []


def test_csv_has_every_field_of_data_sets_and_classes():
    files = {name: list(csv.DictReader(io.StringIO(text))) for name, text in further_csv(several()).items()}
    assert float(files["datasets"][0]["interval_low"]) == pytest.approx(-0.209)
    first = files["classes"][0]
    assert (first["baseline_recall"], first["ablated_precision"], first["dataset"]) == ("0.95", "", "own")
    assert len(files["classes"]) == 3


def test_names_cannot_put_markup_into_these_sections():
    evil = "<b>|x|</b>"
    hostile = several(
        datasets=[contrast(evil, "differs", 0.0, 0.2, second=f"{evil}/accuracy")],
        classes=[of_class(evil, 3, "loses", 0.95, 0.1, dataset=evil)],
    )
    assert not re.search(r"(?<!\\)<b>", markdown_report(hostile))
