"""The figures: each only where the results have what it needs, the same bytes every time, and every row told apart."""

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from lesion.agent.report.confusion import confusion_plot
from lesion.agent.report.curves import curves_plot
from lesion.agent.report.figures import PLOTS, figures
from lesion.agent.report.graph import graph_plot
from lesion.agent.report.heads import heads_plot
from lesion.agent.report.html.svg import inline_svg
from lesion.agent.report.predicted import predicted_plot
from lesion.agent.report.seeds import seeds_plot
from lesion.agent.report.text import plain, shortened
from rich_results import LONG, rich
from simulated_results import effect, results, three_modes

HERE = Path(__file__).parent
DIGEST = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
from lesion.agent.report.figures import figures
from rich_results import rich
for name, images in figures(rich()).items():
    print(name, *(hashlib.sha256(image).hexdigest() for image in images.values()))
"""


@pytest.fixture(scope="module")
def drawn():
    return figures(rich())


def texts(image):
    return ["".join(each.itertext()) for each in ElementTree.fromstring(image).iter() if each.tag.endswith("}text")]


def test_a_rich_study_has_every_figure_in_every_kind(drawn):
    assert list(drawn) == list(PLOTS)
    for images in drawn.values():
        assert images["png"].startswith(b"\x89PNG")
        assert images["pdf"].startswith(b"%PDF")
        assert ElementTree.fromstring(images["svg"]).tag.endswith("}svg")


def test_what_the_results_do_not_have_is_not_drawn():
    assert set(figures(results(interactions=[], predictions=[]))) == {"forest", "predictions"}
    bare = results(effects=[effect("a", "matters", -0.02, prediction=None)], interactions=[])
    assert set(figures(bare)) == {"forest"}
    for plot in (seeds_plot, heads_plot, curves_plot, graph_plot, confusion_plot, predicted_plot):
        assert plot(bare) is None


def test_bytes_are_the_same_in_every_process():
    run = [sys.executable, "-c", DIGEST, str(HERE)]
    seen = {
        subprocess.run(
            run, env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(seen) == 1
    assert len(seen.pop().splitlines()) == len(PLOTS)


def test_no_day_and_no_type_3_font_is_in_a_pdf(drawn):
    for images in drawn.values():
        assert b"CreationDate" not in images["pdf"]
        assert b"/Type3" not in images["pdf"]


def test_each_seed_is_a_ring():
    deltas = {0: -0.051, 1: -0.042, 2: -0.048}
    one = effect("dropout", "matters", -0.047, by_seed=deltas)
    images = seeds_plot(results(effects=[one, effect("warmup", "negligible", 0.0)]))
    assert images is not None
    told = texts(images["svg"])
    assert "dropout" in told
    assert "warmup" not in told  # it tells no seeds
    moved = seeds_plot(results(effects=[one.model_copy(update={"by_seed": {**deltas, 1: -0.06}})]))
    assert moved is not None
    assert moved["svg"] != images["svg"]


def test_the_map_of_heads_tells_verdicts_and_what_was_not_measured(drawn):
    told = texts(drawn["heads"]["svg"])
    assert {"blocks.0.attn", "blocks.1.attn", "blocks.2.attn", "matters", "negligible", "no-op", "no Δ"} <= set(told)
    assert [text for text in told if text in map(str, range(8))] == [str(head) for head in range(8)]
    assert heads_plot(three_modes()) is None  # these ids name no layer


def test_steps_are_whole_numbers(drawn):
    root = ElementTree.fromstring(drawn["curves"]["svg"])
    groups = [each for each in root.iter() if (each.get("id") or "").startswith("xtick_")]
    ticks = ["".join(each.itertext()).strip() for each in groups]
    assert ticks
    assert all(tick.isdigit() for tick in ticks)


def test_confusions_carry_their_sign_in_words(drawn):
    told = texts(drawn["confusion"]["svg"])
    assert any(text.startswith("+") for text in told)
    assert any(text.startswith("−") and text[1:].isdigit() for text in told)
    assert "read as (3 smaller changes not shown)" in told


def test_the_graph_names_its_components_and_verdicts(drawn):
    told = texts(drawn["graph"]["svg"])
    assert {"compensation", "synergy", "irreducible", "additive", "undecided", "part 3"} <= set(told)
    assert graph_plot(results()) is None


def test_the_farthest_prediction_is_named(drawn):
    scored = [one for one in rich().effects if one.delta is not None]
    farthest = max(scored, key=lambda one: abs(one.prediction.size + one.delta / 0.01))
    assert farthest.labels[0] in texts(drawn["predictions"]["svg"])


def test_long_paths_keep_the_end_that_tells_them_apart(drawn):
    for name in ("forest", "seeds"):
        told = [text for text in texts(drawn[name]["svg"]) if text.startswith("model.")]
        assert len(told) == len(set(told)) > 1
    assert shortened("short", 40) == "short"
    assert len(shortened(LONG, 21)) == 21
    assert shortened(LONG, 21).endswith("projection"[-10:])


def test_a_hostile_label_is_text_in_every_figure():
    hostile = '$x^2$ <script> & "quoted" id="x" \x1b[0m]]>'
    found = rich()
    named = [one.model_copy(update={"labels": [hostile]}) for one in found.effects[:9]]
    images = figures(results(effects=named, interactions=[]))
    for name, each in images.items():
        inline = inline_svg(each["svg"], name, plain(hostile), plain(hostile))
        assert "<script>" not in inline
        root = ElementTree.fromstring(inline)
        assert [each.text for each in root[:2]] == [plain(hostile)] * 2


def test_drawings_in_one_page_share_no_id(drawn):
    one, other = (inline_svg(drawn["forest"]["svg"], name, "", "") for name in ("a", "b"))
    ids = [{each.get("id") for each in ElementTree.fromstring(text).iter() if each.get("id")} for text in (one, other)]
    assert ids[0]
    assert not ids[0] & ids[1]
    assert "<style" not in one
    assert "http" not in one
