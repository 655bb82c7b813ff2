"""Drafts without a number of the writer's own, and the paragraph that needs no writer."""

import re

import pytest
from lesion.agent.prose.draft import Draft, checked_draft
from lesion.agent.prose.facts import Facts
from lesion.agent.prose.paragraph import paragraph
from lesion.agent.records.claims import ClaimTested
from lesion.agent.report.summary import summary_lines
from lesion.agent.results import Accounting
from simulated_results import effect, effects, floor, minimising, random_results, results, study, three_modes

FACTS = Facts(results())


def test_a_draft_of_references_is_filled():
    template = 'Removing dropout from the GPT-2 baseline costs {{ effect("module:dropout").loss }} (p {{ effect("module:dropout").p }}).'
    draft = checked_draft(template, FACTS)
    assert isinstance(draft, Draft)
    assert draft.text == "Removing dropout from the GPT-2 baseline costs +0.0412 (p .004)."
    assert len(draft.cited) == 2


def test_everything_wrong_with_a_draft_is_said_at_once():
    problems = checked_draft(
        'About 17.31% or 0.041 or `99`, two points, {{ effect("module:dropuot").p }}, {{ open', FACTS
    )
    assert isinstance(problems, list) and len(problems) == 6
    joined = "\n".join(problems)
    assert '"17.31%" is typed: write {{ effect("module:blocks.3.mlp").delta }}' in joined
    assert '"0.041" is typed: write {{ effect("module:dropout").delta }}' in joined
    assert '"99" is a number that no reference gives' in joined
    assert '"two points"' in joined
    assert "did you mean" in joined


@pytest.mark.parametrize(
    "text", ["```\n0.93\n```", "twen\u200bty 9", "&#57;", "−{{ baseline().mean }}", "{{ baseline().mean }}%", "½"]
)
def test_no_disguise_gets_into_a_draft(text):
    assert isinstance(checked_draft(text, FACTS), list)


@pytest.mark.parametrize("data", [results(), three_modes(), minimising()])
def test_what_a_draft_is_told_to_write_is_a_reference_that_works(data):
    facts = Facts(data)
    for found in data.effects:
        for problem in checked_draft(f"{found.delta or 0:.4f} {found.n + 100}", facts):
            for reference in re.findall(r"\{\{ (.+?) \}\}", str(problem)):
                assert facts.value(reference)


def sentences(text, *parts):
    return [line for line in text.split(". ") if all(part in line for part in parts)]


def test_the_paragraph_says_what_was_found():
    text = paragraph(results())
    assert sentences(text, "nothing removed", "0.9125", "δ = 0.01", "declared", "0.0131")
    assert sentences(text, "cost more than δ", "blocks.3.mlp", "−0.1731 [−0.1774, −0.1688]", "dropout")
    assert sentences(text, "help", "augmentation", "+0.0271")
    assert sentences(text, "negligible", "head a", "head b", "equivalence")
    assert sentences(text, "head a + head b", "0.0900", "0.002", "compensation")
    assert sentences(text, "stops", "embedding")
    assert sentences(text, "Undecided", "label smoothing", "34 seeds", "more than the 20")
    assert sentences(text, "70 planned", "64 finished", "4 failed")
    assert "not complete" not in text


def test_what_exploratory_removals_showed_is_said_and_called_so():
    """As after a conversation: the one planned removal is undecided, and one that was asked for later matters."""
    found = [
        effect("dropout", "undecided", -0.0061, seeds_to_settle=34),
        effect("pooling", "matters", -0.4361, role="exploratory", round=2),
        effect("warmup", "negligible", 0.0002, role="exploratory", round=3),
        effect("dropout", "hurts", 0.031, role="sensitivity", ablation="mean dropout", intervention="mean of dropout"),
    ]
    text = paragraph(results(effects=found, interactions=[]))
    assert sentences(text, "1 removal was planned before")
    assert "No removal was shown to cost" not in text
    (told,) = sentences(text, "Exploratory", "3 further removals")
    assert "cost more than δ pooling (Δ −0.4361 [−0.4404, −0.4318]" in told
    assert "negligible, within ±δ by a test of equivalence, warmup" in told
    assert "dropout removed otherwise (mean of dropout) (Δ +0.0310" in told
    assert "  exploratory: 1 matters (pooling) · 1 hurts (dropout) · 1 negligible" in summary_lines(
        results(effects=found)
    )
    alone = paragraph(results(effects=found[1:2], interactions=[]))
    assert "No removal has been measured" not in alone and "None of these" not in alone
    assert sentences(alone, "Exploratory", "outside of any family", "pooling")


def test_claims_are_said_with_what_became_of_them():
    claim = ClaimTested(id="c1", text="Pooling is needed", status="untested", reason="nothing tests it", tests=[])
    assert sentences(paragraph(results(claims=[claim])), "claims, `c1` (“Pooling is needed”) is untested")
    assert "claims" not in paragraph(results())


def test_each_mode_has_its_own_paragraph():
    parts = paragraph(three_modes()).split("\n\n")
    assert [part.partition(":")[0] for part in parts[:3]] == ["Re-evaluation", "Retraining", "Recovery"]
    assert "evaluation examples" in parts[0] and "evaluation examples" not in parts[1]


def test_an_unfinished_study_is_called_unfinished():
    waiting = [effect("dropout", "undecided", None, n=0), effect("warmup", "undecided", None, n=0)]
    counts = Accounting(planned=15, ok=5, failed={}, skipped=10, pending=10, checks=2)
    text = paragraph(
        results(
            study=study(complete=False, state="10 trials to run"), effects=waiting, interactions=[], accounting=counts
        )
    )
    assert sentences(text, "Not run yet", "dropout", "warmup")
    assert sentences(text, "not complete (10 trials to run)")
    assert "No removal was shown" not in text
    nothing = paragraph(
        results(study=study(complete=False, state="nothing ran"), effects=[], interactions=[], baseline={})
    )
    assert "baseline has not been measured" in nothing
    assert "No removal has been measured" in nothing


@pytest.mark.parametrize("seed", range(5))
def test_whatever_it_is_given_it_is_one_line_a_mode_and_claims_no_absence(seed):
    text = paragraph(random_results(seed, 40, ("retrain", "reevaluate")))
    assert "no effect" not in text.lower()
    assert len(text.strip().split("\n\n")) == 3
    assert all("\n" not in part for part in text.strip().split("\n\n"))


def test_a_number_of_the_paragraph_changes_with_its_result():
    changed = [e.model_copy(update={"delta": -0.0777, "interval": (-0.082, -0.0734)}) for e in effects()[:1]]
    assert "−0.0777 [−0.0820, −0.0734]" in paragraph(results(effects=changed, interactions=[]))
    assert "0.8000" in paragraph(results(baseline={"retrain": {"accuracy": floor(mean=0.8)}}))
