"""Every number of a report comes from its results: one that changes is seen to change wherever it is told."""

import json
import re

import pytest
from lesion.agent.report.figures import figures
from lesion.agent.report.html.page import html_report
from lesion.agent.report.markdown import markdown_report
from lesion.agent.results import Effect
from simulated_results import DELTA, effect, joint, results


def told(found):
    """A report's parts by name: sections of the Markdown and of the page, figures, the JSON inside."""
    drawn = figures(found)
    page = html_report(found, drawn)
    text = markdown_report(found, drawn.keys())
    inside = re.search(r'id="results">(.*?)</script>', page, re.DOTALL)
    words = re.sub(r"<svg.*?</svg>|<script.*?</script>", "", page, flags=re.DOTALL)
    return {
        **{f"md: {name}": part for name, part in _sections(text, r"\n## (.*)\n")},
        **{f"html: {name}": part for name, part in _sections(words, r"<h2[^>]*>(.*?)</h2>")},
        **{f"svg: {name}": images["svg"].decode() for name, images in drawn.items()},
        **{f"inline: {name}": _drawing(page, name) for name in drawn},
        "json": inside[1],
    }


def _sections(text, heading):
    parts = re.split(heading, text)
    return zip(["opening", *parts[1::2]], parts[::2], strict=True)


def _drawing(page, name):
    return re.search(rf'<figure id="figure-{name}">.*?</figure>', page, re.DOTALL)[0]


def changes(before, after):
    first, second = told(before), told(after)
    assert first.keys() == second.keys()
    return {name for name in first if first[name] != second[name]}, second


FOUND = [
    effect("dropout", "matters", -0.0412),
    effect("warmup", "negligible", -0.0009),
    effect("mixup", "undecided", -0.0061, seeds_to_settle=34),
]
JOINTS = [joint(["dropout", "warmup"], "redundancy")]
BOTH = ("md", "html")


def study_of(effects=FOUND, joints=JOINTS):
    return results(effects=effects, interactions=joints, planned=[], predictions=[])


@pytest.fixture(scope="module")
def usual():
    return study_of()


def test_a_loss_is_told_where_it_stands_and_nowhere_else(usual):
    moved = FOUND[0].model_copy(update={"delta": -0.0777, "interval": (-0.0817, -0.0737), "ablated": 0.8348})
    where, after = changes(usual, study_of([moved, *FOUND[1:]]))
    words = {
        f"{kind}: {name}" for kind in BOTH for name in ("What was found", "The effects", "Predictions and outcomes")
    }
    drawn = {f"{kind}: {name}" for kind in ("svg", "inline") for name in ("forest", "predictions")}
    assert where == {*words, *drawn, "json"}
    for name in ("What was found", "The effects"):
        assert all("−0.0777 [−0.0817, −0.0737]" in after[f"{kind}: {name}"].replace("\u00a0", " ") for kind in BOTH)
        assert all("−0.0412" not in after[f"{kind}: {name}"].replace("\u00a0", " ") for kind in BOTH)
    assert all(f"+{0.0777 / DELTA:.2f}" in after[f"{kind}: Predictions and outcomes"] for kind in BOTH)
    assert "−0.0777" in after["inline: forest"]  # the largest loss is told to who does not see the figure
    assert 'data-value="-0.0777"' in after["html: The effects"]
    assert json.loads(after["json"])["effects"][0]["delta"] == -0.0777


def test_a_verdict_is_told_in_words_in_tables_and_by_its_marker(usual):
    turned = Effect.model_validate(FOUND[1].model_dump() | {"verdict": "detected"})
    where, after = changes(usual, study_of([FOUND[0], turned, FOUND[2]]))
    names = ("What was found", "What to do next", "The effects", "For the reviewer")
    assert {f"{kind}: {name}" for kind in BOTH for name in names} <= where
    assert {"svg: forest", "inline: forest", "json"} <= where
    assert "svg: interactions" not in where
    for kind in BOTH:
        assert "What makes a difference of uncertain size" in after[f"{kind}: What was found"]
        assert "What was shown negligible" not in after[f"{kind}: What was found"]
    assert ">detected<" in after["svg: forest"]
    assert ">negligible<" not in after["svg: forest"]
    assert ">detected</td>" in after["html: The effects"]


def test_an_interaction_is_told_in_findings_table_and_figure(usual):
    moved = joint(["dropout", "warmup"], "redundancy", observed=0.1234, additive=0.0421)
    where, after = changes(usual, study_of(joints=[moved]))
    words = {f"{kind}: {name}" for kind in BOTH for name in ("What was found", "Interactions")}
    assert where == {*words, "svg: interactions", "inline: interactions", "json"}
    for name in words:
        assert "+0.1234" in after[name]
        assert "+0.042" in after[name]
        assert "+0.081" in after[name]
    assert "+0.1234" in after["inline: interactions"]


def test_what_more_seeds_would_cost_follows_from_the_runs(usual):
    slower = usual.model_copy(update={"compute": {**usual.compute, "seconds_per_trial": 710.0}})
    where, after = changes(usual, slower)
    assert where == {
        *(f"{kind}: {name}" for kind in BOTH for name in ("What to do next", "For the reviewer")),
        "json",
    }
    for kind in BOTH:  # 29 further seeds, two at a time
        assert "29 more, about 2 h 51 min" in after[f"{kind}: What to do next"]
