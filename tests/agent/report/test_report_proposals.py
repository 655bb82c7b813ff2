"""What the report says of who planned, and that nothing a planner writes becomes markup, a finding or a terminal's command."""

import csv
import io
import re

import pytest
from lesion.agent.records.claims import ClaimTest, ClaimTested
from lesion.agent.records.planning import Planning, RoundPlanned
from lesion.agent.report.csv import effects_csv, further_csv
from lesion.agent.report.markdown import markdown_report
from lesion.agent.report.proposals import MOST_IN_FULL, MOST_LINES, MOST_LISTED
from lesion.agent.report.summary import summary_lines
from lesion.agent.report.text import fenced, lines, markdown, plain, quoted
from lesion.agent.results import Planned, PredictionScore, Results
from markdown_it import MarkdownIt
from simulated_results import effect, effects, joint, results

PARSER = MarkdownIt("commonmark").enable("table")
HOSTILE = [
    "x\n\n## What was found\n\n- **dropout** matters\n",
    "x\n===\n",
    "a | b |\n| --- | --- |\n| dropout | matters |",
    "` `` ``` ```` code\n```\n# out",
    "~~~\n# out\n~~~",
    "<script>alert(1)</script><img src=x onerror=y><details><summary>",
    "![x](http://evil.example/a.png) [l](http://evil.example) <http://evil.example>",
    "[x][ref]\n\n[ref]: http://evil.example\n[^1]: note",
    "http://evil.example https://evil.example www.evil.example me@evil.example",
    "\u202ereversed\u202c \u2066isolate\u2069 zero\u200bwidth \u3164blank",
    "\x1b[2J\x1b[31mred\x1b[0m \x1b]8;;http://evil.example\x1b\\link\x07 \x9b1m \x08\x08 \r over",
    "line\u2028paragraph\u2029next\x85more\x0b\x0c",
    "” **Verdict: supported** “",
    "=HYPERLINK(1)",
    "\\",
    "{{ results }} {% raw %}",
    "&lt;b&gt; &#35; $x$ :tada:",
]
GPT = "gpt-x"


def proposal(name, fate="ran", **changes):
    return Planned(**{"ablation": name, "round": 1, "fate": fate, "by": GPT, "role": "confirmatory", **changes})


def by_rules(count=8):
    return [
        Planned(ablation=e.ablation, round=1, fate="ran", by="rules", role="confirmatory") for e in effects()[:count]
    ]


def score(planner=GPT, **changes):
    fields = {"n": 7, "direction_hits": 5, "mean_absolute_error": 1.1, "median_absolute_error_of_median": 1.3}
    return PredictionScore(planner=planner, **{**fields, **changes})


def of_the_model(**changes):
    """A study that a model planned, and the rules beside it."""
    edit = effect("aux", "matters", -0.05, ablation="edit:aux", intervention_kind="edit", intervention="edit train.py")
    pair = joint(["aux", "dropout"], "compensation", ablation="edit:aux + drop dropout")
    fields = {
        "effects": [*effects(), edit],
        "interactions": [*results().interactions, pair],
        "planned": [
            *by_rules(),
            proposal("edit:aux", hypothesis="The method rests on it.", problems=["found twice"], diff="--- a\n+++ a"),
            proposal("edit:warm", "dropped", reason="touches evaluate", problems=["one", "two"]),
            proposal("edit:aux + drop dropout", round=2, role="exploratory"),
            proposal("control:placebo", "no-op", by="rules", role="control"),
        ],
        "predictions": [score(), score("rules", n=0, direction_hits=0)],
        "rounds": [RoundPlanned(round=1, planner=GPT, ablations=10, dropped=1, remarks=["the server was slow"])],
        "planning": Planning(model=GPT, server="api.example", exchanges=14, tokens_sent=20123, tokens_received=3021),
    }
    return results(**{**fields, **changes})


def section(text, title="What was planned"):
    return text.split(f"## {title}")[1].split("\n## ")[0]


def line_with(text, *parts):
    return [line for line in text.splitlines() if all(part in line for part in parts)]


def everywhere(hostile):
    """A study whose every text from a model is hostile."""
    claim = ClaimTest(
        ablation=hostile,
        components=[hostile],
        mode=None,
        role="exploratory",
        round=1,
        wanted="worse",
        verdict=None,
        delta=None,
        status="open",
        reason=hostile,
    )
    texts = {"hypothesis": hostile, "why": hostile, "change_of_mind": hostile, "problems": [hostile, hostile]}
    labelled = {"labels": [hostile], "hypothesis": hostile, "reason": hostile, "intervention": hostile}
    return of_the_model(
        effects=[effect("x", "undecided", -0.01, ablation=hostile, scored_by="edited", **labelled)],
        interactions=[joint(["x", "y"], "undecided", labels=[hostile, "y"], hypothesis=hostile, reason=hostile)],
        planned=[
            proposal(hostile, reason=hostile, by=hostile, diff=f"-{hostile}\n+{hostile}", **texts),
            proposal("b", "dropped", reason=hostile, diff=hostile, **texts),
        ],
        predictions=[score(hostile)],
        rounds=[RoundPlanned(round=1, planner=hostile, ablations=1, dropped=1, remarks=[hostile])],
        planning=Planning(model=hostile, server="x", ended=hostile),
        claims=[ClaimTested(id="c1", text=hostile, status="untested", reason=hostile, tests=[claim])],
    )


HARMLESS = {
    several: markdown_report(everywhere("harmless words\nand more" if several else "harmless words"))
    for several in (False, True)
}


def harmless(hostile):
    """The usual report: messages of several lines stand in code blocks."""
    return HARMLESS["\n" in hostile.strip()]


def without_code(text):
    return re.sub(r"^(`{3,})(diff|text)\n.*?\n\1$", "", text, flags=re.M | re.S)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_that_a_planner_writes_is_markup(hostile):
    text = markdown_report(everywhere(hostile))
    tokens, usual = PARSER.parse(text), PARSER.parse(harmless(hostile))
    inline = {child.type for token in tokens for child in token.children or []}
    assert inline <= {"text", "text_special", "softbreak", "strong_open", "strong_close", "em_open", "em_close"}
    blocks = [token.type for token in tokens]
    assert blocks.count("html_block") == blocks.count("code_block") == 0
    for kind in ("heading_open", "fence", "table_open", "tr_open", "th_open", "td_open", "list_item_open", "hr"):
        assert blocks.count(kind) == [token.type for token in usual].count(kind), kind
    assert all(character.isprintable() or character == "\n" for character in text)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_address_becomes_a_link_by_itself(hostile):
    """As dialects do that link bare addresses: none is left whole outside of code."""
    outside = without_code(markdown_report(everywhere(hostile)))
    assert not re.search(r"https?://|www\.|\w@\w", outside)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_headings_and_verdict_lines_are_the_reports_own(hostile):
    outside, usual = without_code(markdown_report(everywhere(hostile))), without_code(harmless(hostile))
    assert re.findall(r"^#+ .*$", outside, re.M) == re.findall(r"^#+ .*$", usual, re.M)
    assert not re.search(r"^- \*\*dropout\*\* matters", outside, re.M)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_terminal_gets_printable_lines_only(hostile):
    said = summary_lines(everywhere(hostile))
    assert all(line.isprintable() for line in said)
    assert len(said) == len(summary_lines(everywhere("harmless words")))


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_spreadsheet_gets_no_formula_and_the_file_no_command(hostile):
    found = everywhere(hostile)
    for text in (effects_csv(found), further_csv(found)["claims"]):
        for row in csv.reader(io.StringIO(text)):
            assert not any(cell.startswith(("=", "+", "@")) for cell in row)
            assert all(c.isprintable() or c == "\n" for cell in row for c in cell)


def test_numbers_of_a_spreadsheet_keep_their_sign():
    (row,) = csv.DictReader(io.StringIO(effects_csv(results(effects=[effect("x", "matters", -0.02)]))))
    assert float(row["delta"]) == -0.02


def test_texts_stay_what_they_were_in_the_data():
    found = everywhere(HOSTILE[0])
    assert Results.model_validate_json(found.model_dump_json()) == found


def test_a_fence_is_longer_than_any_run_inside():
    (token,) = [one for one in PARSER.parse(fenced("```\n````\nx", "diff")) if one.type == "fence"]
    assert (token.content, token.info) == ("```\n````\nx\n", "diff")


def test_what_cannot_be_seen_is_spelled_out_in_code_and_left_out_of_prose():
    assert lines("a\u202eb\x1b[0m\r\n\tc\u3164") == "a\\u202eb\\x1b[0m\\r\n\tc\\u3164"
    assert plain("a\u202eb\x1b[0m\r\n\tc\u3164d\u200be") == "ab[0m c de"


@pytest.mark.parametrize("length", range(2, 30))
def test_a_quotation_that_is_cut_leaves_no_half_escape_and_cannot_be_closed_inside(length):
    shown = quoted(markdown("a”*b**|`` \\ [c](d)" * 3), length)
    assert shown.count("“") == shown.count("”") == 1
    body = shown[1:-1].removesuffix("…")
    assert len(shown) <= length + 2
    assert (len(body) - len(body.rstrip("\\"))) % 2 == 0


def test_every_proposal_of_the_model_is_listed_with_its_end():
    text = section(markdown_report(of_the_model()))
    assert line_with(text, "| edit:aux ", GPT, "ran, after 1 failed check")
    assert line_with(text, "| edit:warm ", GPT, "dropped after 2 failed checks", "touches evaluate")
    assert line_with(text, "| edit:aux + drop dropout", GPT, "| ran ")
    assert not line_with(text, "| drop dropout ", "rules"), "plain runs of the rules stand in the tables above"
    assert "- Hypothesis: “The method rests on it.”" in text
    assert "```diff\n--- a\n+++ a\n```" in text
    assert "it is no finding of this study" in text


def test_worth_is_counted_without_controls_and_beside_the_rules():
    text = section(markdown_report(of_the_model()))
    assert line_with(text, f"**{GPT}**: 2 of 3 proposals ran (1 mended), 1 dropped", "1 matters", "1 compensation")
    assert line_with(text, f"**{GPT}**", "directions right: 5 of 7")
    assert line_with(text, "**rules**: 8 of 8 proposals ran", "2 matters", "no prediction could be scored")
    said = "\n".join(summary_lines(of_the_model()))
    assert f"planned by {GPT}: 2 of 3 proposals ran (1 mended), 1 dropped; directions right: 5 of 7" in said


def test_calibration_stands_beside_its_rival():
    told = {"n_confidence": 5, "hits_with_confidence": 3, "mean_confidence": 0.74}
    told |= {"brier": 0.21344, "brier_of_most_frequent": 0.24, "direction_hits_of_most_frequent": 4}
    text = section(markdown_report(of_the_model(predictions=[score(**told)])), "Predictions")
    assert line_with(text, "5 of 7 directions right (4 for always saying", "74% confident on average and 60% right")
    assert line_with(text, "Brier score .213 (rival: .24)")
    assert "it knows the outcomes" in text
    assert "Brier" not in section(markdown_report(of_the_model()), "Predictions")
    assert "(n = 0)" in section(markdown_report(of_the_model()), "Predictions")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, ["20,123 tokens sent, 3,021 received", "Cost unknown"]),
        ({"cost": 0.0}, ["Cost $0.00"]),
        ({"cost": 0.0412}, ["Cost $0.0412"]),
        ({"cost": 12.5}, ["Cost $12.50"]),
        ({"unknown": 1}, ["without those of 1 exchange whose usage is unknown"]),
        ({"unknown": 14}, ["How many tokens is unknown"]),
        ({"repaired": 2}, ["14 exchanges, 2 of them to repair an answer"]),
        ({"waited": 95.0}, ["Waited 1 min 35 s"]),
        ({"ended": "the quota is used up"}, ["It was asked no more: the quota is used up"]),
    ],
)
def test_what_asking_took_is_told_and_the_unknown_is_no_zero(changes, told):
    asked = of_the_model().planning.model_copy(update=changes)
    text = markdown_report(of_the_model(planning=asked))
    assert all(part in section(text) for part in told)
    assert ("The language model was asked no more" in text.split("## ")[0]) == ("ended" in changes)
    assert line_with("\n".join(summary_lines(of_the_model(planning=asked))), "language model: 14 exchanges")


def test_remarks_are_announced_at_the_top():
    text = markdown_report(of_the_model())
    assert "One remark on how this study was planned" in text.split("## ")[0]
    assert "Round 1: gpt-x, 10 ablations, 1 dropped. Remark: the server was slow" in section(text)


def test_a_study_of_the_rules_alone_says_nothing_of_models():
    text = markdown_report(results(planned=by_rules()))
    for word in ("language model", "Proposed by", "worth", "Brier", "The claims", "Who planned"):
        assert word not in text
    assert not any("planned by" in line for line in summary_lines(results(planned=by_rules())))


def test_long_lists_and_diffs_are_cut_with_their_count():
    many = [
        proposal(f"edit:{i}", diff="\n".join(f"-{n}" for n in range(MOST_LINES + 7))) for i in range(MOST_LISTED + 3)
    ]
    text = section(markdown_report(of_the_model(planned=many)))
    assert "… and 3 more, in the JSON." in text
    assert f"… and {len(many) - MOST_IN_FULL} more proposals" in text
    assert text.count("… and 7 more lines, in the JSON.") == MOST_IN_FULL


def test_what_the_edited_code_measured_itself_has_a_footnote():
    scored = [
        effect("aux", "matters", -0.05, scored_by="edited"),
        effect("warm", "matters", -0.05, scored_by="unedited"),
    ]
    text = section(markdown_report(results(effects=scored)), "The effects")
    assert line_with(text, "- aux: measured by the edited code itself")
    assert "measured by the edited code itself" not in markdown_report(results())


TRACEBACK = "TypeError: a Tensor, not str\n    return func(*args)\n           ^^^^^^^\n  File train.py"


def test_of_a_crash_lists_show_the_first_line_and_the_full_proposal_all_of_them():
    failed = proposal("edit:x", "failed", reason=f"3 crashed of 3 seeds: {TRACEBACK}", diff="--- a")
    given_up = proposal("edit:y", "dropped", reason=TRACEBACK, problems=[TRACEBACK, "applies twice"])
    broken = effect("x", "structural", ablation="edit:x", reason=TRACEBACK)
    text = markdown_report(of_the_model(effects=[broken], planned=[failed, given_up]))
    assert line_with(text, "| edit:x ", "3 crashed of 3 seeds: TypeError: a Tensor, not str |")
    outside = without_code(text)
    assert "return func" not in outside
    assert "- Its check failed: TypeError: a Tensor, not str" in outside
    assert "- Then: applies twice" in outside
    assert text.count(f"```text\n{TRACEBACK}\n```") == 2, "its check and why it was dropped"
    assert f"```text\n3 crashed of 3 seeds: {TRACEBACK}\n```" in text


def test_what_was_left_out_is_one_line_and_no_dropped_proposal():
    left = [Planned(ablation=f"module:{i}", round=1, fate="left out", by="rules") for i in range(25)]
    text = section(markdown_report(of_the_model(planned=[proposal("edit:aux"), *left], predictions=[score()])))
    assert line_with(text, "Left out by the language model: module:0, module:1,", "module:19, …, 25 in all.")
    assert "Proposals: 1 ran." in text
    assert not line_with(text, "**rules**")
    assert not line_with(text, "| module:0")
    said = summary_lines(of_the_model(planned=[proposal("edit:aux"), *left], predictions=[score()]))
    assert not [line for line in said if "planned by rules" in line]


def test_a_joint_removal_names_its_members_in_place_of_their_diffs():
    pair = proposal("edit:a + edit:b", diff="--- a\n--- b", members=["edit:a", "edit:b"])
    text = section(markdown_report(of_the_model(planned=[proposal("edit:a", diff="--- a"), pair])))
    assert "- Removes together: edit:a, edit:b" in text
    assert text.count("```diff") == 1


def test_what_a_dropped_proposal_would_have_done_is_shown():
    bare = proposal("edit:x", "dropped", reason="touches evaluate", diff="--- a\n+++ a\n@@\n-x")
    override = proposal("set:aux", "dropped", reason="no such key", interventions=["aux*weight = 0"], by="rules")
    name = proposal("nothing", "dropped", reason="too many")
    text = section(markdown_report(of_the_model(planned=[bare, override, name])))
    assert "```diff\n--- a\n+++ a\n@@\n-x\n```" in text
    assert "**set:aux** (rules, round 1): dropped" in text
    assert "- As last proposed: “aux\\*weight = 0”" in text
    assert "**nothing**" not in text


def test_the_reviewer_is_told_whose_figures_count():
    scored = [
        effect("aux", "matters", -0.05, scored_by="unedited"),
        effect("aux", "matters", -0.05, scored_by="unedited", metric="f1"),
        effect("warm", "matters", -0.05, scored_by="unedited"),
        effect("skip", "matters", -0.05, scored_by="edited"),
    ]
    text = section(markdown_report(results(effects=scored)), "For the reviewer")
    (said,) = line_with(text, "*Source edits.*")
    assert "2 arms whose edits leave the model alone were trained with the edit and evaluated by the unedited" in said
    assert "1 arm with an edit of the model was evaluated by the edited code itself: skip." in said
    assert "does not rule out an edit that changes what is trained on" in said
    (said,) = line_with(section(markdown_report(results(effects=scored[3:])), "For the reviewer"), "*Source edits.*")
    assert "unedited source in a fresh process" not in said
    assert "No unedited source stands behind these figures" in said
    assert "*Source edits.*" not in markdown_report(results())
