"""Metrics from files and from output, in every shape in which scripts leave them."""

import json

import pytest
from lesion.executor.inside.reading import Missing, NotFinite, Reader, number
from lesion.executor.inside.running import Lines
from lesion.executor.outcomes import Packed

GOALS = {"loss": "minimize", "acc": "maximize"}


def reader(file=None, patterns=(), reduce="last", goals=None):
    reading = {"file": file, "patterns": patterns, "reduce": reduce, "goals": goals or GOALS}
    return Reader(reading, file)


def read(path, text, **how):
    """What is found in a file that a run writes."""
    one = reader(str(path), **how)
    path.write_text(text)
    return one.found()


TEXTS = {
    "object.json": json.dumps({"loss": 0.5, "acc": 0.9, "note": "x"}),
    "nested.json": json.dumps({"eval": {"loss": 0.5, "acc": 0.9}}),
    "rows.json": json.dumps([{"step": 0, "loss": 1.0, "acc": 0.1}, {"step": 5, "loss": 0.5, "acc": 0.9}]),
    "history.json": json.dumps({"loss": [1.0, 0.5], "acc": [0.1, 0.9]}),
    "lines.jsonl": '{"epoch": 1, "loss": 1.0}\n{"epoch": 1, "acc": 0.1}\n{"epoch": 2, "loss": 0.5}\n{"epoch": 2, "acc": 0.9}\n',
    "table.csv": "epoch,loss,acc,name\n1,1.0,,a\n1,,0.1,a\n2,0.5,,b\n2,,0.9,b\n",
    "percent.csv": "loss,acc\n5e-1,0.9%\n",
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_file_gives_the_metrics_of_the_study(tmp_path, name):
    found = read(tmp_path / name, TEXTS[name])["metrics"]
    assert (found["loss"], found["acc"]) == (0.5, 0.9)


@pytest.mark.parametrize("name", ["rows.json", "history.json", "lines.jsonl", "table.csv"])
def test_its_rows_are_a_curve(tmp_path, name):
    curve = read(tmp_path / name, TEXTS[name])["curves"]["loss"]
    assert Packed(**curve["value"]).values().tolist() == [1.0, 0.5]
    assert ("step" in curve) == (name != "history.json")


@pytest.mark.parametrize(("reduce", "loss", "acc"), [("last", 0.6, 0.7), ("best", 0.5, 0.9), ("mean:2", 0.55, 0.8)])
def test_rows_are_reduced_as_the_study_says(reduce, loss, acc):
    one = reader(patterns=[r"loss (?P<loss>\S+), acc (?P<acc>\S+)"], reduce=reduce)
    for line in ("loss 0.9, acc 0.1", "loss 0.5, acc 0.9", "loss 0.6, acc 0.7"):
        one.line(line)
    found = one.found()["metrics"]
    assert (found["loss"], found["acc"]) == pytest.approx((loss, acc))


def test_carriage_returns_and_colours_are_not_in_the_way():
    one = reader(patterns=[r"^loss=(?P<loss>\S+)$", r"^(?P<acc>[\d.]+)% right"])
    lines = Lines(one.line)
    lines.feed(b"10%|#   |\rloss=0.7\rlo")
    lines.feed(b"ss=0.5\r\n\x1b[32m90.5% right\x1b[0m")
    lines.end()
    assert one.found()["metrics"] == {"loss": 0.5, "acc": 90.5}


def test_a_file_that_was_there_before_is_no_result(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("loss,acc\n0.1,0.99\n")
    with pytest.raises(Missing, match="was there before and was not written"):
        reader(str(path)).found()
    one = reader(str(path), reduce="best")
    path.write_text("loss,acc\n0.1,0.99\n0.5,0.9\n")
    assert one.found()["metrics"] == {"loss": 0.5, "acc": 0.9}


def test_the_newest_of_several_files_counts(tmp_path):
    one = reader(str(tmp_path / "*" / "metrics.json"))
    (tmp_path / "run-17").mkdir()
    (tmp_path / "run-17" / "metrics.json").write_text(TEXTS["object.json"])
    assert one.found()["metrics"] == {"loss": 0.5, "acc": 0.9}


def test_a_name_with_a_slash_is_a_group_with_an_underscore():
    one = reader(patterns=[r"val loss (?P<val_loss>\S+)"], goals={"val/loss": "minimize"})
    one.line("val loss 0.5")
    assert one.found()["metrics"] == {"val/loss": 0.5}


def test_two_that_may_be_meant_are_named(tmp_path):
    text = json.dumps({"train": {"loss": 0.1}, "test": {"loss": 0.5}, "acc": 0.9})
    with pytest.raises(Missing, match="loss may be train/loss or test/loss: name it in full"):
        read(tmp_path / "metrics.json", text)


@pytest.mark.parametrize(("reduce", "diverges"), [("last", True), ("mean:2", True), ("best", False)])
def test_a_metric_that_is_not_finite_diverges(reduce, diverges):
    one = reader(patterns=[r"(?P<loss>\S+)"], reduce=reduce, goals={"loss": "minimize"})
    for line in ("0.5", "nan"):
        one.line(line)
    if diverges:
        with pytest.raises(NotFinite, match="loss is nan"):
            one.found()
    else:
        assert one.found()["metrics"] == {"loss": 0.5}


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (r"loss[ =:]+(?P<loss>[\d.]+)", "info: loss nan"),
        (r"train (?P<train>[0-9.]+), val (?P<loss>[^\s)]+\d)", "train 1.5, val -inf"),
        (r"\((?P<loss>(?:\d+)[.]\d+)\)", "(NaN)"),
    ],
)
def test_what_is_not_finite_is_seen_where_a_pattern_asks_for_digits(pattern, line):
    one = reader(patterns=[pattern], goals={"loss": "minimize"})
    for text in (
        line.replace("nan", "0.5").replace("-inf", "0.5").replace("NaN", "0.5"),
        line,
        "infinite finance loss",
    ):
        one.line(text)
    with pytest.raises(NotFinite, match="loss is"):
        one.found()


def test_a_long_curve_is_thinned_and_keeps_its_ends():
    one = reader(patterns=[r"(?P<loss>\S+)"], goals={"loss": "minimize"})
    for value in range(10_000):
        one.line(str(value))
    values = Packed(**one.found()["curves"]["loss"]["value"]).values()
    assert (len(values), values[0], values[-1]) == (2000, 0.0, 9999.0)


@pytest.mark.parametrize(
    ("text", "value"),
    [("97%", 97.0), ("1e-3", 0.001), ("-.5,", -0.5), ("inf", float("inf")), ("1,000", None), ("", None), (True, None)],
)
def test_numbers(text, value):
    assert number(text) == value
