"""Studies that ask two or three questions: what stands side by side, what never does, and what each mode has of its own."""

import csv
import io

import pytest
from lesion.agent.records.kinds import KindContrast
from lesion.agent.report.csv import effects_csv
from lesion.agent.report.forest import forest_plot
from lesion.agent.report.markdown import markdown_report
from lesion.agent.report.summary import summary_lines
from simulated_results import (
    advice,
    by_examples,
    drawn,
    effect,
    floor,
    head,
    joint,
    placebo,
    recovered,
    results,
    study,
    three_modes,
)
from test_report_markdown import HOSTILE, PARSER, line_with, section, shown

MODES = {"reevaluate": "### Re-evaluation", "retrain": "### Retraining", "recover": "### Recovery"}


def part(text, title, mode):
    """What one section says about one mode."""
    return section(text, title).split(MODES[mode])[1].split("\n### ")[0]


def side(text):
    return section(text, "What was found").split("side by side")[1].split("\n### ")[0]


def test_three_questions_stand_side_by_side_in_one_place_only():
    text = markdown_report(three_modes())
    assert text.count("Three questions, side by side") == 1
    assert text.index("## What was found") < text.index("Three questions") < text.index("**What matters.**")
    found = side(text)
    assert line_with(found, "| head 1 ", "−0.0512 [", "matters", "−0.0032 [", "undecided", "0.870 [0.810, 0.940]")
    assert line_with(found, "| head 2 ", "negligible (2 of 3)", "1.20 (no interval)")
    assert line_with(found, "| augmentation ", "| – ")
    assert found.index("| augmentation") < found.index("| head 1") < found.index("| head 2") < found.index("| head 5")
    assert "never averaged and never tested against each other" in found
    assert line_with(found, "*Re-evaluation*", "one evaluation example", "first of 3 trained models")
    assert line_with(found, "*Recovery*", "200 steps", "control that was fine-tuned equally long")


def test_two_questions_are_called_two():
    effects = [e for e in three_modes().effects if e.mode != "recover"]
    text = markdown_report(three_modes(effects=effects, study=study(modes=["reevaluate", "retrain"])))
    assert "### Two questions, side by side" in text
    assert "given back" not in side(text)


def test_one_question_stands_beside_nothing():
    for one in (results(), results(study=study(modes=["retrain", "reevaluate"]))):
        assert "side by side" not in markdown_report(one)


def test_of_many_components_the_largest_losses_stand_side_by_side():
    found = [head(i, "matters", -0.02 - i / 1000, mode) for i in range(55) for mode in ("reevaluate", "recover")]
    text = side(markdown_report(three_modes(effects=found)))
    assert text.count("| zero head") == 40
    assert "| head 54 " in text
    assert "| head 14 " not in text
    assert "15 more components" in text


def test_kinds_of_removal_are_named_where_modes_differ_in_them():
    cut = {"intervention": "mean head 1", "intervention_kind": "mean"}
    found = [head(1, "matters", -0.03, **cut), head(1, "negligible", 0.001, "retrain")]
    text = side(markdown_report(three_modes(effects=found)))
    assert line_with(text, "mean head 1; zero head 1", "mean: −0.0300", "zero: +0.0010")


def test_what_to_do_next_says_what_was_tested_together():
    text = markdown_report(three_modes())
    fixed, tuned = (part(text, "What to do next", mode) for mode in ("reevaluate", "recover"))
    assert line_with(
        fixed, "head 2, head 3", "shown negligible together", "40,000 parameters (3.33% of all)", "1 G FLOPs"
    )
    assert line_with(fixed, "relies most on", "head 1 (accuracy −0.0512 [")
    assert line_with(fixed, "does better without", "head 4 (accuracy +0.0231 [")
    assert line_with(fixed, "head 2, head 3", "Trained models disagree about head 2.")
    assert "not for training a new one" in fixed
    assert line_with(tuned, "head 2, head 3", "all at once they were not tested")
    assert "fine-tuning" in tuned
    anew = part(text, "What to do next", "retrain")
    assert "left out" not in anew
    assert line_with(anew, "Beyond what this study allows", "head 1 at 31 (26 more, about 15 min 26 s)")


def test_without_advice_nothing_is_advised():
    settled = effect("dropout", "negligible", 0.0)
    text = section(markdown_report(results(effects=[settled], interactions=[])), "What to do next")
    assert text.strip() == "Nothing was shown that calls for action."
    one = markdown_report(results(advice=[advice("prune", "retrain", 1)]))
    assert line_with(section(one, "What to do next"), "left out when training anew:** head 1. It was shown negligible.")
    assert "None" not in section(one, "What to do next")


def test_a_reevaluation_shows_agreement_and_no_paired_t():
    text = markdown_report(three_modes())
    fixed, trained = (part(text, "The effects", mode) for mode in ("reevaluate", "retrain"))
    assert line_with(fixed, "| Component", "n (examples)", "Agreement")
    assert "paired t" not in fixed
    assert line_with(fixed, "| head 2 ", "2 of 3 (1 undecided)")
    assert line_with(fixed, "| head 1 ", "3 of 3")
    assert line_with(fixed, "| head 3 ", "0 [0, 0]", "negligible, masked")
    assert "The table is for the first trained model. The other 2 were each tested alone" in fixed
    assert line_with(trained, "| Component", "n (seeds)", "p (paired t)")
    assert "Agreement" not in trained
    disagree = section(text, "What was found").split("Where trained models disagree.")[1].split("**Where")[0]
    assert line_with(disagree, "**head 2**", "negligible at 2, undecided at 1")
    assert "joint removals: 1 came to different verdicts" in disagree
    assert line_with(section(text, "Interactions"), "head 2 + head 3", "2 of 3 (1 additive)")


def test_a_single_trained_model_agrees_with_nobody():
    found = [head(1, "matters", -0.05, agreement=None, unit="cluster", n=40, failed=1)]
    one = results(
        study=study(modes=["reevaluate"]),
        effects=found,
        interactions=[],
        baseline={"reevaluate": {"accuracy": by_examples(unit="cluster", n=40)}},
    )
    text = markdown_report(one)
    assert "Agreement" not in section(text, "The effects")
    assert line_with(text, "n (clusters)")
    assert "n counts clusters of evaluation examples" in text
    assert line_with(text, "| head 1 ", "40 (1 trained model failed)")
    assert "One trained model was evaluated" in text
    assert "cluster-robust" in text


def test_metrics_without_values_per_example_say_that_models_are_counted():
    whole = {"metric": "perplexity", "unit": "checkpoint", "n": 3, "p_paired": 0.2, "agreement": None}
    one = three_modes(
        effects=[*three_modes().effects, head(1, "detected", -0.4, **whole)],
        baseline={"reevaluate": {"accuracy": by_examples(), "perplexity": floor(unit="checkpoint", n=3)}},
    )
    text = markdown_report(one)
    assert line_with(text, "**Further metrics**", "perplexity", "n counts trained models")
    assert line_with(part(text, "The effects", "reevaluate"), "| Metric", "n (trained models)", "p (paired t)")
    assert line_with(section(text, "For the reviewer"), "perplexity", "each trained model is one unit")
    assert line_with(section(text, "Noise floor"), "| perplexity", "3 trained models")


def test_recovery_shows_the_cut_and_what_came_back():
    text = part(markdown_report(three_modes()), "The effects", "recover")
    assert line_with(
        text, "What fine-tuning gave back", "200 steps", "equally long without a cut", "Fieller", "unadjusted"
    )
    assert line_with(text, "| head 1 ", "0.620 (Δ −0.292)", "0.8934 (Δ −0.0191 [", "0.870 [0.810, 0.940]", "matters")
    assert line_with(text, "- head 2, head 3: the cut cost nothing, so there is nothing to give back")
    assert "gave back" not in part(markdown_report(three_modes()), "The effects", "retrain")


def test_a_placebo_that_moved_is_loud_and_one_that_did_not_is_no_row():
    text = markdown_report(three_modes())
    fixed, tuned = (part(text, "The effects", mode) for mode in ("reevaluate", "recover"))
    assert line_with(fixed, "Placebo (placebo blocks.0.attn", "changed nothing: results equal bit for bit")
    assert "PLACEBO MOVED" not in fixed
    assert line_with(tuned, "THE PLACEBO MOVED", "accuracy −0.0004 [−0.0021, 0.0013] (negligible)")
    assert "| placebo blocks.0.attn" not in fixed
    assert "| placebo blocks.0.attn" in tuned
    waiting = three_modes(effects=[head(1, "matters", -0.05), placebo("reevaluate", verdict="undecided", reason=None)])
    assert line_with(markdown_report(waiting), "Placebo (", "not known, undecided (not run yet)")


def test_a_component_stands_out_of_random_groups_or_does_not():
    text = part(markdown_report(three_modes()), "The effects", "reevaluate")
    assert line_with(text, "**head 1** stands out", "every random group of the same kind and size (3)")
    assert line_with(text, "| head 1 ", "−0.0512 [", "| head 7 ", "−0.0101 [")
    assert "Sensitivity checks" not in text
    found = [head(1, "matters", -0.05), drawn(2, 1, 1, -0.001), drawn(7, 2, 1, -0.0466, verdict="matters")]
    text = markdown_report(three_modes(effects=found))
    assert line_with(text, "**head 1** does not stand out", "random groups", "(head 7)")
    found[2] = drawn(7, 2, 1, None, verdict="structural")
    assert line_with(markdown_report(three_modes(effects=found)), "**head 1** cannot be held against random groups")


def test_a_control_written_by_hand_is_not_lost():
    found = [head(1, "matters", -0.05), head(8, "undecided", -0.002, role="control", ablation="my own control")]
    text = markdown_report(results(effects=found, study=study(modes=["reevaluate"])))
    assert line_with(text.split("**Controls.**")[1], "| –", "| head 8 ", "undecided")


@pytest.mark.parametrize(("delta", "verdict"), [(-0.0007, "negligible"), (-0.04, "matters")])
def test_of_the_controls_only_a_placebo_that_moved_is_drawn(delta, verdict):
    found = [head(1, "matters", -0.05), drawn(9, 1, 1, delta, verdict=verdict), placebo("reevaluate")]
    svg = forest_plot(three_modes(effects=found, interactions=[]))["svg"].decode()
    assert "head 9" not in svg
    assert "placebo" not in svg
    moved = [
        head(1, "matters", -0.05),
        placebo("reevaluate", verdict="detected", delta=-0.01, interval=(-0.02, -0.001)),
    ]
    assert "placebo · control" in forest_plot(three_modes(effects=moved, interactions=[]))["svg"].decode()


def test_costs_are_shown_where_they_are_known():
    text = markdown_report(three_modes())
    fixed, trained = (part(text, "What each arm takes", mode) for mode in ("reevaluate", "retrain"))
    assert line_with(fixed, "*nothing removed*", "1,200,000", "24 G", "0.5 s")
    assert line_with(fixed, "| head 1 ", "1,180,000", "23 G", "0.4 s")
    assert "Training steps" not in fixed
    assert line_with(trained, "| head 1 ", "900")
    assert "augmentation" not in trained
    assert "as if the cut part were not there" in section(text, "What each arm takes")
    assert "What each arm takes" not in markdown_report(results())


def kinds(outcome, verdict="matters", other="negligible", **changes):
    fields = {
        "components": ["head:1"],
        "labels": ["head 1"],
        "mode": "reevaluate",
        "metric": "accuracy",
        "ablation": "head:1",
        "other": "head:1@mean",
        "kind": "zero",
        "other_kind": "mean",
        "verdict": verdict,
        "other_verdict": other,
        "contrast": 0.05,
        "interval": (0.03, 0.07),
        "p_adjusted": 0.001,
        "p_equivalence": 1.0,
        "n": 2000,
        "unit": "example",
        "outcome": outcome,
    }
    return KindContrast(**{**fields, **changes})


def test_conflicting_kinds_of_removal_are_told_in_the_first_lines():
    found = [kinds("conflict", why="verdicts"), kinds("not-told-apart", other="undecided", other_kind="resample")]
    text = markdown_report(three_modes(kinds=found))
    told = line_with(text.split("## What was found")[0], "Kinds of removal conflict", "re-evaluation: head 1")
    assert "matters by zero and negligible by mean" in told[0]
    assert "Not told apart: 1 of 2" in told[0]
    table = part(text, "The effects", "reevaluate")
    assert line_with(table, "zero (matters) against mean (negligible)", "+0.050 [0.030, 0.070]", "conflict")
    assert line_with(table, "zero (matters) against resample (undecided)", "not told apart")


def test_kinds_that_differ_in_power_alone_are_no_conflict():
    first = markdown_report(three_modes(kinds=[kinds("not-told-apart", other="undecided")])).split("## What was found")[
        0
    ]
    assert line_with(first, "No kinds of removal conflict", "1 of 1")
    agreeing = markdown_report(three_modes(kinds=[kinds("agree", other="matters")])).split("## What was found")[0]
    assert "inds of removal" not in agreeing


def test_the_reviewer_finds_every_modes_own_tests_and_threats():
    text = section(markdown_report(three_modes()), "For the reviewer")
    asked = "McNemar's exact p|Tango|Clopper and Pearson|fewer than 10 discordant|Always one look|Fieller|block model"
    asked += "|6 in re-evaluation, 3 in retraining, 3 in recovery|*Agreement* counts verdicts|that of the median arm"
    asked += "|disagree about 1 of the components|this length of fine-tuning (200 steps)|Arms were not tuned apart (retraining)"
    for each in asked.split("|"):
        assert each in text, each
    assert "could often not be shown" not in text
    noise = section(markdown_report(three_modes()), "Noise floor")
    assert "out of reach" not in noise.split("### Retraining")[0]
    trained = section(markdown_report(results()), "For the reviewer")
    assert not any(word in trained for word in ("McNemar", "Fieller", "Tango", "fine-tun", "Agreement"))


def test_a_reason_that_many_share_is_told_once_with_their_names():
    text = part(markdown_report(three_modes()), "The effects", "reevaluate")
    assert line_with(text, "- head 5, head 6: the weight was what it is set to already")
    assert text.count("the weight was what it is set to already") == 1
    found = [head(i, "no-op", None, reason=f"{i}: never called") for i in (2, 3)]
    assert "- head 2, head 3: never called" in markdown_report(three_modes(effects=found))


def test_the_summary_keeps_modes_apart_and_short():
    found = [head(i, "matters", -0.02 - i / 1000, mode) for i in range(30) for mode in ("reevaluate", "recover")]
    found += [head(40, "matters", -0.9, agreement={"matters": 2, "hurts": 1})]
    pairs = [joint([f"head {i}", "head 0"], "redundancy", mode="reevaluate") for i in range(1, 30)]
    lines = summary_lines(three_modes(effects=found, interactions=pairs))
    assert len(lines) < 20
    assert line_with("\n".join(lines), "head 40", "2 of 3 trained models")
    assert line_with("\n".join(lines), "verdicts (reevaluate): 31 matters")
    assert line_with("\n".join(lines), "verdicts (recover): 30 matters")


def test_nested_records_are_columns_of_the_csv():
    rows = list(csv.DictReader(io.StringIO(effects_csv(three_modes()))))
    first = next(row for row in rows if row["mode"] == "recover")
    assert (first["recovered_fraction"], first["recovered_interval_low"], first["cost_parameters"]) == (
        "0.87",
        "0.81",
        "1180000",
    )
    assert rows[1]["agreement"] == "negligible 2; undecided 1"
    assert rows[0]["recovered_cut"] == rows[0]["recovered_interval_high"] == rows[0]["recovered_reason"] == ""


@pytest.mark.parametrize("hostile", [HOSTILE[0], HOSTILE[1], *HOSTILE[4:]])
def test_no_label_puts_markup_into_the_tables_of_modes(hostile):
    names = {"labels": [hostile], "intervention": hostile, "reason": hostile}
    found = [
        *(head(1, "matters", -0.05, mode, **names) for mode in MODES if mode != "recover"),
        head(1, "matters", -0.05, "recover", recovered=recovered(interval=None, reason=hostile), **names),
        drawn(2, 1, 1, -0.06).model_copy(update=names),
        placebo("reevaluate", **names),
        placebo("retrain", verdict="detected", delta=-0.1, **names),
        head(1, "hurts", 0.05, role="sensitivity", ablation="other", intervention_kind=hostile, labels=[hostile]),
    ]
    advised = [
        each.model_copy(update={"labels": [hostile]})
        for each in (advice("prune", "retrain", 1), advice("bottleneck", "reevaluate", 1))
    ]
    text = markdown_report(three_modes(effects=found, advice=advised))
    tokens = PARSER.parse(text)
    children = {child.type for token in tokens for child in token.children or []}
    assert children <= {"text", "text_special", "softbreak", "strong_open", "strong_close", "em_open", "em_close"}
    assert not any(token.type in ("html_block", "fence", "code_block") for token in tokens)
    assert any(" ".join(hostile.split()) in line for line in shown(text))
    widths = {line.count("<td") for line in PARSER.render(text).split("</tr>")}
    assert max(widths) <= 15


def test_equal_labels_in_advice_are_told_apart():
    found = [effect(key, "negligible", 0.0, labels=["mlp"]) for key in ("x", "y")]
    both = {"components": ["module:x", "module:y"], "labels": ["mlp", "mlp"]}
    text = markdown_report(results(effects=found, advice=[advice("prune", "retrain", **both)]))
    assert "mlp (module:x), mlp (module:y)" in section(text, "What to do next")
