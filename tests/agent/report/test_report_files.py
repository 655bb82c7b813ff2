"""What is written to disk: which files, the same bytes every time, all or nothing; and the figures and the summary."""

import csv
import errno
import io
import json
import math

import pytest
from lesion.agent.report.forest import forest_plot
from lesion.agent.report.joint import joint_plot
from lesion.agent.report.summary import summary_lines
from lesion.agent.report.write import write_report
from lesion.agent.results import Results
from lesion.executor.errors import ReportError
from PIL import Image
from simulated_results import effect, effects, joint, minimising, random_results, results, study

ALL = ["md", "json", "csv", "html"]
PLOTS = ("forest", "interactions", "predictions")
FIGURES = {f"figures/{plot}.{kind}" for plot in PLOTS for kind in ("svg", "png", "pdf")}


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_holds_everything_and_nothing_else(tmp_path):
    written = write_report(results(), ALL, tmp_path / "new" / "report")
    found = files(tmp_path / "new" / "report")
    assert set(found) == {"report.md", "report.html", "report.json", "effects.csv", "interactions.csv", *FIGURES}
    assert {str(path.relative_to(tmp_path / "new" / "report")) for path in written} == set(found)
    text = found["report.md"].decode()
    assert all(f"({name})" in text for name in FIGURES if name.endswith("svg"))


def test_the_same_results_give_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        write_report(results(), ALL, tmp_path / name)
    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_one_format_and_a_suffix_make_a_file(tmp_path):
    assert write_report(results(), ["md"], tmp_path / "out.md") == [tmp_path / "out.md"]
    assert "figures/" not in (tmp_path / "out.md").read_text()
    write_report(results(), ["csv"], tmp_path / "out.csv")
    assert set(files(tmp_path)) == {"out.md", "out.csv", "out-interactions.csv"}


def test_an_existing_folder_whose_name_has_a_dot_stays_a_folder(tmp_path):
    (tmp_path / "run.1").mkdir()
    write_report(results(), ["json"], tmp_path / "run.1")
    assert set(files(tmp_path)) == {"run.1/report.json"}


def test_json_is_the_contract_and_csv_agrees_with_it(tmp_path):
    write_report(results(), ["json", "csv"], tmp_path)
    assert Results.model_validate_json((tmp_path / "report.json").read_text()) == results()
    data = json.loads((tmp_path / "report.json").read_text())
    rows = list(csv.DictReader(io.StringIO((tmp_path / "effects.csv").read_text())))
    assert [row["ablation"] for row in rows] == [each["ablation"] for each in data["effects"]]
    for row, each in zip(rows, data["effects"], strict=True):
        assert row["delta"] == ("" if each["delta"] is None else str(each["delta"]))
        assert row["interval_low"] == ("" if each["interval"] is None else str(each["interval"][0]))
        assert row["verdict"] == each["verdict"]
    joints = list(csv.DictReader(io.StringIO((tmp_path / "interactions.csv").read_text())))
    assert [row["verdict"] for row in joints] == ["compensation", "additive", "undecided"]


def test_changing_one_number_changes_every_format(tmp_path):
    changed = [effects()[0].model_copy(update={"delta": -0.0777}), *effects()[1:]]
    write_report(results(), ALL, tmp_path / "before")
    write_report(results(effects=changed), ALL, tmp_path / "after")
    before, after = files(tmp_path / "before"), files(tmp_path / "after")
    different = {name for name in before if before[name] != after[name]}
    drawn = {name for name in FIGURES if "interactions" not in name}
    assert different == {"report.md", "report.html", "report.json", "effects.csv", *drawn}
    assert all(b"0.0777" in after[name] for name in ("report.md", "report.html", "report.json", "effects.csv"))


@pytest.mark.parametrize("place", ["file/report", "file/deeper/out.json"])
def test_a_place_that_cannot_be_written_is_one_expected_error(tmp_path, place):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ReportError, match="cannot be written"):
        write_report(results(), ["json"], tmp_path / place)
    assert set(files(tmp_path)) == {"file"}


def test_nothing_is_replaced_unless_everything_could_be_written(tmp_path):
    (tmp_path / "report.json").write_text("old")
    (tmp_path / "figures").write_text("in the way")
    with pytest.raises(ReportError):
        write_report(results(), ["json", "md"], tmp_path)
    assert files(tmp_path) == {"report.json": b"old", "figures": b"in the way"}


def test_no_empty_folder_is_left_of_a_report_that_could_not_be_written(tmp_path, monkeypatch):
    def full(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("lesion.agent.report.write.os.fsync", full)
    with pytest.raises(ReportError, match="No space left"):
        write_report(results(), ["md"], tmp_path / "new" / "report")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("formats", [["docx"], ["md", "odt"], []])
def test_unknown_formats_are_named_with_the_known_ones(tmp_path, formats):
    with pytest.raises(ReportError) as caught:
        write_report(results(), formats, tmp_path / "out")
    assert "md, json, csv" in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("count", [1, 100])
def test_the_forest_names_every_row(count):
    found = [effect(f"part {i}", "matters", -0.02 - i / 1000) for i in range(count)]
    images = forest_plot(results(effects=[*found, effect("emb", "structural")]))
    svg = images["svg"].decode()
    assert all(f">part {i}<" in svg for i in range(count))
    assert "stops the program when removed" in svg
    assert Image.open(io.BytesIO(images["png"])).height > count * 20


@pytest.mark.parametrize(
    "found",
    [
        [],
        [effect("a", "structural")],
        [effect("a", "undecided", -0.01, interval=(-math.inf, math.inf))],
        [effect("a", "undecided", -0.01, interval=None)],
        [effect("a", "undecided", math.nan, interval=None)],
        [effect("$x$ <b> & 日本\x1b[0m\n" * 20, "matters", -0.02)],
    ],
    ids=["nothing", "structural", "endless", "no interval", "not finite", "hostile label"],
)
def test_the_forest_draws_whatever_was_found(found):
    images = forest_plot(results(effects=found))
    assert images["png"].startswith(b"\x89PNG")
    assert b"</svg>" in images["svg"]


def test_the_forest_says_which_side_is_worse():
    assert "← worse" in forest_plot(results())["svg"].decode()
    assert "worse without it →" in forest_plot(minimising())["svg"].decode()


def test_joint_removals_are_drawn_where_there_are_any():
    assert joint_plot(results(interactions=[])) is None
    long = joint(["a" * 80, "b" * 80, "c" * 80], "irreducible")
    images = joint_plot(results(interactions=[long, *results().interactions]))
    assert images is not None
    svg = images["svg"].decode()
    assert all(text in svg for text in ("aaa", "bbb", "ccc", "head a + head b", "undecided: no estimate"))


def test_the_summary_counts_verdicts_and_trials():
    lines = "\n".join(summary_lines(results()))
    for part in ("2 matters", "1 structural", "blocks.3.mlp", "70 planned = 64 ok + 4 failed", "compensation"):
        assert part in lines


def test_the_summary_of_nothing_and_of_hostile_labels_is_safe_for_a_terminal():
    nothing = results(study=study(complete=False, state="waiting"), effects=[], interactions=[], baseline={})
    assert "waiting" in summary_lines(nothing)[0]
    lines = summary_lines(results(effects=[effect("\x1b[31mred\nx", "matters", -0.02)]))
    assert all(line.isprintable() for line in lines)


def test_a_large_study_is_written_whole(tmp_path):
    write_report(random_results(3, 500), ALL, tmp_path)
    text = (tmp_path / "report.md").read_text()
    assert all(f"bypass part {i} " in text for i in range(500))
