"""What a reader of the paper and the page would trip over: digits, what Δ is paired with, failed runs, labels, widths."""

import re

import pytest
from lesion.agent.report.beside import name_points
from lesion.agent.report.digits import Ends
from lesion.agent.report.figures import figures
from lesion.agent.report.html.tables import html_table
from lesion.agent.report.labels import drawn, told_apart, without_classes
from lesion.agent.report.latex.section import section
from lesion.agent.report.latex.standalone import latex_files
from lesion.agent.report.markdown import markdown_report
from lesion.agent.report.numbers import interval, number
from lesion.agent.report.table import Table, columns
from lesion.agent.report.text import shortened
from lesion.agent.writing.byrules import words_of_rules
from matplotlib.figure import Figure
from simulated_results import effect, effects, floor, joint, results, study
from test_report_figures import texts
from test_report_latex import caption, row
from test_report_pdf import complaints, logs, needs_tex

CROWD = [
    ["attention.0 (Attention)", "embedding (Embedding)"],
    ["attention.1 (Attention)", "embedding (Embedding)"],
    ["attention.0 (Attention)", "attention.1 (Attention)"],
]


def alone(*found, **changes):
    return results(effects=[*found], interactions=[], predictions=[], **changes)


def two_metrics(*found, first=0.05, second=0.1):
    floors = {"accuracy": floor(smallest_effect=first), "loss": floor(smallest_effect=second, goal="minimize")}
    return alone(*found, baseline={"retrain": floors})


def test_the_caption_has_the_delta_of_every_metric_of_the_table():
    told = caption(section(two_metrics(effect("a", "matters", -0.06))))
    assert r"$\delta=0.05$ (accuracy: declared), $0.1$ (loss: declared)" in told


def test_rows_with_fewer_runs_stand_under_the_full_model_at_these_runs():
    found = effect("a", "negligible", -0.0005, baseline=0.8994, ablated=0.8989)
    text = section(alone(found, baseline={"retrain": {"accuracy": floor(mean=0.8978, n=10)}}))
    lines = [line for line in text.splitlines() if line.startswith(r"\ablationlabel{Full model")]
    assert [line.split(" & ")[1] for line in lines] == ["0.8978", "0.8994"]
    assert [re.search(r"(\d+) \\\\$", line)[1] for line in lines] == ["10", "5"]
    assert "5 to 10 seeds" in caption(text)


def test_rows_whose_baselines_differ_at_one_n_have_notes_of_their_own():
    found = [
        effect("a", "negligible", -0.0005, baseline=0.8994, ablated=0.8989),
        effect("b", "negligible", -0.0005, baseline=0.8951, ablated=0.8946),
    ]
    text = section(alone(*found, baseline={"retrain": {"accuracy": floor(mean=0.8978, n=10)}}))
    for name, mean in (("a", "0.8994"), ("b", "0.8951")):
        letter = re.search(r",(\w)\}", row(text, name))[1]
        assert rf"\textsuperscript{{{letter}}}\,paired with the full model at the seeds of this row" in text
        assert f"where its accuracy is {mean}" in text


def test_failed_runs_are_told_of_rows_without_a_number_and_of_joint_removals():
    found = [effect("a", "structural", n=0, failed=1), effect("b", "matters", -0.05)]
    together = joint(["a", "b"], "additive", failed=5)
    text = section(results(effects=found, interactions=[together]))
    assert re.search(r"\{\w,\w\}", row(text, "a"))
    assert "1 of 1 runs failed." in text
    assert "5 of 10 runs failed and are not averaged in" in text


def test_no_figure_is_finer_than_two_below_delta():
    together = joint(["a", "b"], "additive", 0.04271296, 0.04271294, interval=(-1.2e-7, 1.7e-7))
    found = effect("a", "negligible", 0.000788, interval=(0.000751, 0.000825))
    for told in (section, markdown_report):
        text = told(results(effects=[found, effect("b", "matters", -0.05)], interactions=[together]))
        line = next(line for line in text.splitlines() if ("a + b" in line and "&" in line) or "| a + b" in line)
        assert "+0.0427" in line
        assert "0.0000 " in line
        assert not re.search(r"\d\.\d{5}|\de", line)
        assert "+0.0008" in text


def test_an_interval_that_knows_delta_decides_digits_only_where_it_is_narrow():
    assert number(0.04271296, Ends.beside((0.0427128, 0.0427131), 0.01)) == "0.0427"
    assert number(1e-8, Ends.beside((-5e-8, 7e-8), 0.01), signed=True) == "0.0000"
    assert interval(Ends.beside((-0.12, 0.1), 0.01)) == "[−0.12, 0.10]"
    assert interval(Ends.beside((1.1e-7, 1.9e-7), 1e-7)) == interval((1.1e-7, 1.9e-7))


def test_the_notes_say_what_marks_and_intervals_go_by_and_whose_verdicts_agree():
    counts = {"matters": 2, "detected": 1}
    text = section(
        results(
            effects=[effect("a", "matters", -0.05, agreement=counts), effect("b", "matters", -0.05)],
            interactions=[joint(["a", "b"], "additive", agreement={"additive": 3})],
        )
    )
    notes = [line for line in text.splitlines() if line.startswith(r"$\dagger$\,")]
    assert len(notes) == 2
    assert all("Holm" in note and "Bonferroni" in note for note in notes)
    assert "verdict on accuracy, of all that were tested" in text


def test_an_arm_without_variance_says_whose_variance_its_interval_takes():
    equal = effect("a", "undecided", 0.0, by_seed=dict.fromkeys(range(5), 0.0))
    varying = effect("a", "undecided", 0.0, by_seed={0: 0.001, 1: -0.001})
    said = "takes the variance pooled over all arms"
    assert said in section(alone(equal, study=study(method="paired")))
    assert said not in section(alone(equal, study=study(method="pooled")))
    assert said not in section(alone(varying, study=study(method="paired")))


def test_a_draft_is_followed_by_references_to_the_tables_and_has_names_in_one_font():
    found = results(effects=effects(), interactions=[joint(["head 1", "head b"], "additive")])
    text = section(found, "Removing `head 1` and head b within ±δ each; `pip install` stays code.")
    assert r"Table~\ref{tab:ablation-retrain} has the removals one by one" in text
    assert r"Table~\ref{tab:ablation-retrain-joint}." in text
    assert "Removing head 1 and head b" in text
    assert r"\texttt{pip install}" in text
    assert r"$\pm\delta$ each" in text


def test_the_rules_name_the_metric_of_a_joint_loss_apart_from_the_word_loss():
    told = words_of_rules(results(), "narrative")
    assert "the joint loss, in accuracy, is 0.0" in told


def test_names_lose_their_class_where_the_rest_names_one_module():
    assert without_classes(["a.b (Linear)", "c (Conv)"]) == {"a.b (Linear)": "a.b", "c (Conv)": "c"}
    both = ["a (Linear)", "a (Conv)", "a"]
    assert without_classes(both) == dict(zip(both, both, strict=True))
    assert without_classes(["dropout (config:dropout)"]) == {"dropout (config:dropout)": "dropout (config:dropout)"}


@pytest.mark.parametrize(
    "names",
    [
        [f"{'x' * 30}{middle}{'y' * 30}" for middle in "abc"],
        [f"{'x' * 60}{i}{'y' * 60}{j}{'z' * 30}" for i in range(2) for j in range(2)],
        ["same" * 20, "same" * 20, "other"],
    ],
)
def test_labels_of_different_names_differ_and_keep_their_length(names):
    labels = told_apart(names, [shortened(name, 40) for name in names], 40)
    assert len(set(labels)) == len(set(names))
    assert max(map(len, labels)) <= 40


def test_every_figure_tells_its_rows_apart():
    joints = [
        joint(names, "synergy", components=[f"module:{name}" for name in names], ablation=f"joint {at}")
        for at, names in enumerate(CROWD)
    ]
    single = [effect(name, "matters", -0.05) for name in ("attention.0 (Attention)", "attention.1 (Attention)")]
    checks = [
        each.model_copy(update={"ablation": f"mean {at}", "role": "sensitivity", "intervention_kind": "mean"})
        for at, each in enumerate(single)
    ]
    images = figures(results(effects=[*single, *checks], interactions=joints))
    told = texts(images["interactions"]["svg"])
    assert {"attention.0 + embedding", "attention.1 + embedding", "attention.0 + attention.1"} <= {*told}
    assert {"attention.0 · mean · sensitivity", "attention.1 · mean · sensitivity"} <= {*texts(images["forest"]["svg"])}
    assert drawn(results(effects=single)).effects[0].labels == ["attention.0"]


def test_a_name_beside_a_point_covers_neither_a_point_nor_a_name():
    figure = Figure(figsize=(5, 4), dpi=150)
    axes = figure.subplots()
    points = [(1.0, 1.0), (1.2, 1.0), (1.4, 1.0), (5.0, 5.0), (1.3, 4.0)]
    axes.scatter(*zip(*points, strict=True))
    name_points(axes, [(point, "a long name") for point in points], points, (1.0, 5.0))
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in axes.texts]
    assert len(boxes) >= 2
    for at, box in enumerate(boxes):
        assert not any(box.contains(*axes.transData.transform(point)) for point in points)
        assert not any(box.overlaps(other) for other in boxes[:at])


def test_no_figure_waits_for_a_page_while_a_table_spans_pages():
    text = latex_files(results(), figures(results()))["appendix.tex"].decode()
    starts = [at for at, line in enumerate(text.splitlines()) if line.startswith(r"\begin{longtable}")]
    lines = text.splitlines()
    assert starts
    assert all(lines[at - 2] == r"\ablationflush" for at in starts)
    assert r"\def\ablationflush{\par\ifx\@deferlist\@empty\else\clearpage\fi}" in lines


@needs_tex
def test_a_forest_of_many_rows_keeps_within_its_page(tmp_path):
    found = results(effects=[effect(f"part {i}", "matters", -0.05 - i / 1000) for i in range(120)], interactions=[])
    (tmp_path / "figures").mkdir()
    for name, content in latex_files(found, figures(found)).items():
        (tmp_path / name).write_bytes(content)
    told = logs(tmp_path)
    assert complaints(told) == []
    assert "Overfull" not in told


def test_a_wide_table_of_the_page_wraps_before_its_intervals_and_breaks_no_word_of_usual_length():
    keys = "role round metric component intervention baseline ablated delta p_adjusted p_equivalence verdict"
    cells = (
        "x",
        "1",
        "loss",
        "attention.0 (Attention)",
        "zero attention.0 of it",
        "1",
        "2",
        "+1 [0.5, 1.5]",
        "",
        "",
        "matters",
    )
    table = Table(columns(keys, ["delta"]), (cells,))
    page = html_table(table, "caption", str)
    assert '<table class="wide">' in page
    assert "+1 [0.5,\u00a01.5]" in page
    assert "endless" not in page
    longer = Table(columns("component delta", ["delta"]), (("x" * 60, "1"),))
    assert "endless" in html_table(longer, "caption", str)


def test_the_graph_counts_what_it_draws():
    names = [[f"m{i}", f"m{i + 1}"] for i in range(7)]
    joints = [joint(each, "additive", metric=metric) for each in names for metric in ("accuracy", "macro_f1")]
    text = markdown_report(results(interactions=joints), figures=["graph"])
    assert "7 additive" in re.search(r"!\[Graph of the joint removals[^]]*\]", text)[0]
