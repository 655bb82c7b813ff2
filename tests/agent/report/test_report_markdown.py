"""The Markdown report: everything is in it, nothing is claimed that was not shown, nothing in a label is markup."""

import re

import pytest
from lesion.agent.report.markdown import markdown_report
from lesion.agent.report.text import markdown
from markdown_it import MarkdownIt
from simulated_results import effect, effects, floor, joint, minimising, random_results, results, study

PARSER = MarkdownIt("commonmark").enable("table")
HOSTILE = [
    "a|b*c*_d_ <script>alert(1)</script> `code` \\| $x$ [l](http://x) &lt;",
    "# heading\n\n- item\n| cell |",
    "---",
    "1. first",
    "\\",
    "**bold** ~~gone~~ ``",
    "val_loss and _em_",
]


def shown(text):
    """What a reader of the rendered report sees, a line per block or cell."""
    lines = []
    for token in PARSER.parse(text):
        if token.type == "inline":
            lines.append("".join(child.content if child.content else " " * child.hidden for child in token.children))
    return lines


def section(text, title):
    return text.split(f"## {title}")[1].split("\n## ")[0]


def line_with(text, *parts):
    return [line for line in text.splitlines() if all(part in line for part in parts)]


def test_every_effect_interaction_proposal_and_failure_is_there():
    text = markdown_report(results())
    for each in effects():
        assert line_with(text, each.intervention, each.verdict), each.ablation
        assert each.reason is None or each.reason in text
    for names in ("head a + head b", "dropout + warmup", "dropout + blocks.3.mlp"):
        assert names in section(text, "Interactions")
    assert line_with(text, "drop pooling", "dropped", "could not be mended")
    assert line_with(text, "70 planned = 64 ok + 4 failed + 2 skipped", "3 crashed", "1 timed-out")
    assert line_with(text, "blocks.3.mlp", "4 (1 failed)")
    assert "do not add up" not in text


def test_the_sections_come_in_order_and_the_baseline_is_the_first_row():
    text = markdown_report(results(), figures=["forest", "interactions"])
    titles = re.findall(r"^## (.+)$", text, re.M)
    order = ["found", "next", "effects", "Interactions", "Predictions", "planned", "Noise", "reviewer"]
    assert [next(word for word in order if word in title) for title in titles] == order
    assert text.index("figures/forest.svg") < text.index("| *baseline*") < text.index("| blocks.3.mlp")
    assert "figures/interactions.svg" in text


def test_a_number_is_the_same_wherever_it_stands():
    changed = [e.model_copy(update={"delta": -0.0777, "interval": (-0.082, -0.0734)}) for e in effects()[:1]]
    before, after = (markdown_report(results(effects=found)) for found in (effects()[:1], changed))
    assert before.count("−0.0412 [−0.0455, −0.0369]") == after.count("−0.0777 [−0.0820, −0.0734]") >= 2
    assert "0.0412" not in after
    assert line_with(after, "dropout", "+7.77")


@pytest.mark.parametrize("text", HOSTILE)
def test_escaped_text_is_shown_as_it_was_written(text):
    as_one_line = " ".join(text.split())
    (cell,) = list(shown(f"| h |\n| - |\n| {markdown(text)} |"))[1:]
    assert cell == as_one_line
    assert shown(f"- {markdown(text)}") == [as_one_line]


def test_no_field_can_put_markup_into_the_report():
    hostile = HOSTILE[0] + "\n" + HOSTILE[1]
    fields = {"labels": [hostile], "intervention": hostile, "reason": hostile, "ablation": hostile, "metric": hostile}
    text = markdown_report(
        results(
            study=study(name=hostile, question=hostile, state=hostile, complete=False, primary=hostile, split=hostile),
            baseline={"retrain": {hostile: floor()}},
            effects=[effect("x", verdict, -0.02, **fields) for verdict in ("matters", "undecided")],
            interactions=[joint(["x", "y"], "compensation", labels=[hostile, "y"], metric=hostile)],
            environment={"python": hostile},
            coverage={"note": hostile},
            notes=[hostile],
        )
    )
    tokens = PARSER.parse(text)
    children = {child.type for token in tokens for child in token.children or []}
    assert children <= {"text", "text_special", "softbreak", "strong_open", "strong_close", "em_open", "em_close"}
    assert not any(token.type in ("html_block", "fence", "code_block") for token in tokens)
    assert [token.tag for token in tokens if token.type == "heading_open"].count("h1") == 1
    assert any("<script>alert(1)</script>" in line for line in shown(text))


def test_an_unfinished_study_says_so_before_anything_else():
    unfinished = study(complete=False, state="two ablations have not run")
    text = markdown_report(results(study=unfinished, effects=[], interactions=[], baseline={}, planned=[]))
    assert text.index("not complete") < text.index("Primary metric") < text.index("## ")
    assert "two ablations have not run" in text
    assert "The baseline has not been measured yet" in text
    assert "No ablation has been measured yet" in text
    assert "The study is complete" not in text


def test_without_interactions_the_report_says_what_that_hides():
    text = markdown_report(results(interactions=[]), figures=["forest", "interactions"])
    assert "would not have been seen" in section(text, "Interactions")
    assert "interactions.svg" not in text


def test_structural_parts_never_get_a_delta():
    found = [effect(f"layer {i}", "structural", -0.5, reason="RuntimeError") for i in range(3)]
    text = markdown_report(results(effects=found, interactions=[]))
    assert "stop the program when removed" in section(text, "What was found")
    assert "0.5" not in section(text, "The effects").replace("99.5", "")


def test_a_loss_counts_upwards():
    text = markdown_report(minimising())
    assert line_with(section(text, "What was found"), "attention", "+0.3100")
    assert "a positive Δ is a loss" in text
    predicted = section(text, "Predictions")
    assert line_with(predicted, "attention", "worse", "+31.00", "hit")
    assert line_with(predicted, "weight decay", "better", "−4.00", "miss")
    main = section(text, "The effects")
    assert main.index("| attention") < main.index("| weight decay")


def test_where_nothing_matters_the_words_stay_careful():
    found = [effect("a", "undecided", -0.004, seeds_to_settle=34), effect("b", "undecided", 0.001)]
    text = section(markdown_report(results(effects=found, interactions=[])), "What was found")
    assert "does not say that these parts are unimportant" in text
    assert line_with(text, "**a**", "[−0.0083, 0.0003]", "about 34 seeds", "beyond the 20")
    assert line_with(text, "**b**", "how many seeds would settle it is unknown")
    assert "could not be settled" in text


@pytest.mark.parametrize("seed", range(12))
def test_no_effect_is_never_claimed(seed):
    modes = ["retrain", "reevaluate", "recover"][: 1 + seed % 3]
    text = markdown_report(random_results(seed, 25, modes)).lower()
    for claim in ("no effect", "not significant", "insignificant", "does not matter", "has no influence"):
        assert claim not in text


def test_modes_never_share_a_table():
    examples = effect("head 3", "matters", -0.021, mode="reevaluate", n=800, unit="example")
    text = markdown_report(results(effects=[*effects(), examples]))
    tables = section(text, "The effects").split("\n\n")
    assert not any("head 3" in table and "blocks.3.mlp" in table for table in tables)
    assert "n counts evaluation examples" in text
    assert "n counts seeds" in text


def test_equal_labels_are_told_apart_by_their_ids():
    found = [effect("x", "matters", -0.02, labels=["mlp"]), effect("y", "matters", -0.03, labels=["mlp"])]
    text = markdown_report(results(effects=found))
    assert "mlp (module:x)" in text
    assert "mlp (module:y)" in text


def test_equal_results_and_other_kinds_of_removal_are_named():
    text = section(markdown_report(results()), "What was found")
    assert line_with(text, "bit for bit", "head b and head a")
    assert "matters by bypass" not in text, "what is merely undecided contradicts nothing"
    gone = effect("dropout", "structural", role="sensitivity", intervention_kind="zero", ablation="dropout@zero")
    text = section(markdown_report(results(effects=[*effects(), gone])), "What was found")
    assert line_with(text, "**dropout**", "matters by bypass", "structural by zero")


def test_what_noise_puts_out_of_reach_is_said():
    noisy = floor(sd=0.02, seeds_for_negligible=None, smallest_effect_proposed=True, smallest_effect=0.04)
    text = markdown_report(results(baseline={"retrain": {"accuracy": noisy}}))
    assert "out of reach" in section(text, "Noise floor")
    assert "2σ of the baseline was proposed" in section(text, "Noise floor")
    assert "δ was taken from the baseline's own noise" in section(text, "For the reviewer")


def test_the_reviewer_finds_what_the_checklist_asks_for():
    text = section(markdown_report(results()), "For the reviewer")
    asked = "initialisation, Holm, Two one-sided, n = 5: .01, SE, normal, seed, untuned|none was tuned, 3f9ac1d2, "
    asked += "1 h 27 min, 16 GiB, torch, bubblewrap, Stopping rule, minimum detectable effect, Bartlett, test split"
    for each in asked.split(", "):
        assert any(option in text for option in each.split("|")), each


def test_counts_that_do_not_add_up_are_not_hidden():
    accounting = results().accounting.model_copy(update={"ok": 60})
    assert "do not add up" in markdown_report(results(accounting=accounting))
