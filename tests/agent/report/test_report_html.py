"""The HTML report: one file that fetches nothing, in which nothing of the study's is markup, and every table can be sorted."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from lesion.agent.report.html.order import sort_value
from lesion.agent.report.html.page import html_report
from lesion.agent.results import Results
from rich_results import rich
from simulated_results import effect, joint, results, study, three_modes

HOSTILE = [
    "</script><script>alert(1)</script>",
    "<img src=http://evil.example/x.png onerror=alert(1)>",
    "![x](http://evil.example/a.png) [l](javascript:alert(1))",
    '" onmouseover="alert(1)" x="',
    "<!--<script>",
    "]]></svg><script>",
    "&lt;b&gt; \u2028 ${x} `y` --> {{ results }}",
]
VOID = {"meta", "br", "hr", "img", "link", "input"}
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Page(HTMLParser):
    """Every element with its attributes, in order, and the text by the element it stands in."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.open, self.texts, self.unbalanced = [], [], {}, []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data):
        where = self.open[-1] if self.open else ""
        self.texts[where] = [*self.texts.get(where, []), data]

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def whole():
    return html_report(rich())


@pytest.fixture(scope="module")
def page(whole):
    return Page(whole)


def test_every_element_is_closed_and_every_id_is_its_own(page):
    assert page.unbalanced == []
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {
        value.removeprefix("url(").strip("#)")
        for _, attributes in page.elements
        for key, value in attributes.items()
        if value and (key == "href" or "url(#" in value)
    }
    assert {target for target in targets if re.fullmatch(r"[\w-]+", target)} <= set(ids)


def test_a_screen_reader_finds_its_way(page):
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("main")) == len(page.all("footer")) == len(page.all("nav")) == len(page.all("h1")) == 1
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(each["role"] == "img" and each["aria-labelledby"] for each in page.all("svg"))
    assert len(page.all("svg")) == len(page.all("figure")) == len(page.all("title")) - 1 == len(page.all("desc"))
    anchors = {each["href"] for each in page.all("a")}
    assert {"#what-was-found", "#what-to-do-next", "#the-effects", "#for-the-reviewer"} <= anchors


def test_tables_have_captions_and_scopes(page):
    assert len(page.all("table")) == len(page.all("caption")) > 4
    assert all("scope" in each for each in page.all("th"))
    assert {each["scope"] for each in page.all("th")} == {"col", "row"}
    heads = [each for each in page.all("th") if each["scope"] == "col"]
    assert all(each["aria-sort"] == "none" for each in heads)
    captions = "".join(page.texts["caption"])
    assert "Table 1. The effects, accuracy" in captions
    assert "Interactions" in captions


def test_nothing_is_fetched(whole, page):
    for tag, attributes in page.elements:
        assert tag not in {"link", "iframe", "object", "embed", "base", "form", "img"}
        for key, value in attributes.items():
            assert not re.search(r"(?i)https?:|//|javascript:", value or "") or value.startswith("data:image/png")
            assert key != "src"
            assert not key.startswith("on")
    assert not re.search(r"(?i)https?:|@import|url\((?!#)", "".join(page.texts["style"]))
    policy = next(each["content"] for each in page.all("meta") if each.get("http-equiv"))
    assert "default-src 'none'" in policy
    assert not re.search(r"https?:|\*", policy)
    script = re.findall(r"<script>(.*?)</script>", whole, re.DOTALL)
    assert len(script) == 1
    digest = base64.b64encode(hashlib.sha256(script[0].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_name_becomes_markup(hostile):
    def named(text):
        return results(
            study=study(name=text, question=text, planner=text, split_note=text, state=text, complete=False),
            effects=[effect(text, "matters", -0.04), effect(f"{text}2", "structural", reason=text)],
            interactions=[joint([text, "b"], "compensation")],
            notes=[text],
        )

    told, usual = Page(html_report(named(hostile))), Page(html_report(named("harmless")))
    assert told.unbalanced == []
    assert [tag for tag, _ in told.elements if tag != "tspan"] == [tag for tag, _ in usual.elements if tag != "tspan"]
    assert [sorted(set(each) - {"class"}) for _, each in told.elements] == [
        sorted(set(each) - {"class"}) for _, each in usual.elements
    ]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_the_results_inside_are_the_results(hostile):
    found = results(effects=[effect(hostile, "matters", -0.04)], notes=[hostile])
    text = html_report(found, {})
    inside = re.findall(r'<script type="application/json" id="results">(.*?)</script>', text, re.DOTALL)
    assert len(inside) == 1
    assert not re.search("[<>&\u2028\u2029]", inside[0])
    assert Results.model_validate(json.loads(inside[0])) == found


def test_where_it_comes_from_is_said(whole):
    foot = whole.partition("<footer>")[2].partition("</footer>")[0]
    for told in (
        "simulated",
        "3f9ac1d2",
        "2026-01-02T03:04:05",
        "0.1.0",
        "rules",
        "test",
        "lesion report --format html",
    ):
        assert told in foot


def test_the_same_results_are_the_same_page(whole):
    assert html_report(rich()) == whole


def test_modes_stand_apart_in_captions():
    captions = "".join(Page(html_report(three_modes(), {})).texts["caption"])
    assert "The effects, Re-evaluation, accuracy" in captions
    assert "The effects, Recovery, What fine-tuning gave back" in captions


def test_an_unfinished_study_is_a_page_as_well():
    nothing = results(
        **{"study": study(complete=False, state="waiting for the baseline"), "baseline": {}, "effects": []},
        **{"interactions": [], "predictions": [], "planned": []},
    )
    page = Page(html_report(nothing))
    assert page.unbalanced == []
    text = " ".join(part for parts in page.texts.values() for part in parts)
    assert "waiting for the baseline" in text
    assert "the baseline has not been measured" in text


@pytest.mark.parametrize(
    ("lower", "higher"),
    [
        ("−0.012 [−0.020, −0.004]", "+0.0004 [−0.001, 0.002]"),
        ("<.001", ".001"),
        (".999", ">.999"),
        ("2", "10 of 800"),
        ("59 s", "2 min 05 s"),
        ("59 min 59 s", "1 h 00 min"),
        ("999,999", "1.5 M"),
        ("900 MiB", "1.2 GiB"),
        ("−∞", "−3"),
        ("1.00e−09", "0.1"),
        ("−2.50e+08", "0"),
    ],
)
def test_cells_are_sorted_by_what_they_mean(lower, higher):
    assert sort_value(lower) < sort_value(higher)


@pytest.mark.parametrize("text", ["–", "", "nan", "undecided"])
def test_what_is_no_number_has_none(text):
    assert sort_value(text) is None


CLICK = """
const table = document.querySelectorAll("table")[0];
const head = [...table.tHead.rows[0].cells].find((each) => each.textContent.includes("Δ"));
const column = [...table.tHead.rows[0].cells].indexOf(head);
const shown = () => [...table.querySelectorAll("tr")].slice(1).map((row) => row.cells[column].textContent).join("|");
head.firstChild.click();
document.body.dataset.up = shown() + "#" + head.getAttribute("aria-sort");
head.firstChild.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
document.body.dataset.down = shown() + "#" + head.getAttribute("aria-sort");
document.body.dataset.wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
"""


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_a_browser_sorts_by_click_and_key_and_never_scrolls_sideways(whole, tmp_path):
    policy = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
    clicked = policy.sub("", whole).replace("</body>", f"<script>{CLICK}</script></body>")
    (tmp_path / "page.html").write_text(clicked)
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--window-size=375,800", f"--user-data-dir={tmp_path}/user"]
    run = [CHROMIUM, *flags, "--dump-dom", (tmp_path / "page.html").as_uri()]
    dom = Page(subprocess.run(run, capture_output=True, text=True, check=True, timeout=120).stdout)
    body = dom.all("body")[0]
    for key, order, state in (("data-up", 1, "ascending"), ("data-down", -1, "descending")):
        cells, _, told = body[key].partition("#")
        first, *others = cells.split("|")
        values = [sort_value(cell) for cell in others]
        known = [value for value in values if value is not None]
        assert first == "–"
        assert known == sorted(known, reverse=order < 0)
        assert None not in values[: len(known)]
        assert len(known) < len(values)
        assert told == state
    assert int(body["data-wide"]) <= 0
