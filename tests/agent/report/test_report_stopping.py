"""What a report says of removals that stopped early, and that it says nothing of it where none could."""

import csv
import io
import json

from lesion.agent.prose.attributes import of_effect
from lesion.agent.records.stopping import EarlyStopping, Replay
from lesion.agent.report.csv import effects_csv
from lesion.agent.report.markdown import markdown_report
from lesion.agent.report.summary import summary_lines
from lesion.agent.results import Results
from simulated_results import by_examples, head, joint, results, study
from test_report_markdown import line_with, section

RULE = EarlyStopping(alpha=0.05, share=0.2, trials=48, stopped=40, evaluations=12_345, of=100_000)


def stopped(**changes):
    """One head stopped after 96 of 800 examples, one went through the set, one never ran under the rule."""
    found = [
        head(1, "matters", -0.0512, n=96, of=800),
        head(2, "negligible", 0.0001, n=800, of=800),
        head(3, "negligible", 0.0001),
    ]
    fields = {
        "study": study(modes=["reevaluate"]),
        "effects": found,
        "interactions": [joint(("a", "b"), "compensation", mode="reevaluate", unit="example", n=120, of=800)],
        "baseline": {"reevaluate": {"accuracy": by_examples()}},
        "stopping": RULE,
    }
    return results(**{**fields, **changes})


def test_tables_say_how_far_a_removal_was_evaluated():
    text = markdown_report(stopped())
    effects = section(text, "The effects")
    assert line_with(effects, "| head 1 ", "96 of 800 |")
    assert line_with(effects, "| head 2 ", " 800 |") and line_with(effects, "| head 3 ", " 800 |")
    assert "120 of 800 |" in section(text, "Interactions")


def test_the_reviewer_reads_the_rule_and_what_it_saved():
    text = section(
        markdown_report(stopped(replay=Replay(trials=48, share=0.31, held_memory=2**27))), "For the reviewer"
    )
    for part in (
        "A share of 20% of α",
        "α = .04, is spent on the usual test",
        "arXiv:2310.03722",
        "Waudby-Smith and Ramdas",
        "40 of 48 evaluations of removals",
        "12,345 of 100,000 examples (12%)",
        "31% of a removal's module calls",
        "with 128 MiB held at most",
        "Removals stopped early: ",
        "exchangeable",
    ):
        assert part in text, part
    assert "no arm was stopped early" not in text


def test_the_status_says_what_was_saved():
    told = " ".join(" ".join(summary_lines(stopped())).split())
    assert "stopped early: 40 of 48 evaluations of removals, after 12% of the examples" in told
    assert "stopped early" not in " ".join(summary_lines(stopped(stopping=None)))


def test_a_study_in_which_nothing_stops_reads_as_ever():
    text = markdown_report(stopped(stopping=None, effects=[head(1, "matters", -0.0512)], interactions=[]))
    assert "no arm was stopped early and none was given more examples" in text
    for word in ("always-valid", "Stopped early", "Replay", " of 800"):
        assert word not in text, word


def test_data_and_prose_have_both_numbers():
    found = stopped()
    rows = list(csv.DictReader(io.StringIO(effects_csv(found))))
    assert [(row["n"], row["of"]) for row in rows] == [("96", "800"), ("800", "800"), ("800", "")]
    again = Results.model_validate_json(found.model_dump_json())
    assert (again, json.loads(found.model_dump_json())["stopping"]["stopped"]) == (found, 40)
    assert of_effect(found, found.effects[0])["units"] == "96 of 800 evaluation examples"
    assert of_effect(found, found.effects[1])["units"] == "800 evaluation examples"


def test_results_of_before_still_load():
    data = json.loads(stopped(stopping=None).model_dump_json())
    for one in (*data["effects"], *data["interactions"]):
        del one["of"]
    del data["stopping"], data["replay"]
    assert {one.of for one in Results.model_validate(data).effects} == {None}
