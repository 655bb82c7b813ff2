"""How many removals were sealed and how many tested, and at which noise an effect could be detected: said alike everywhere."""

import pytest
from lesion.agent.prose.paragraph import paragraph
from lesion.agent.report.latex.section import section
from lesion.agent.report.markdown import markdown_report
from lesion.agent.report.noisy import far_noisier
from lesion.agent.writing.byrules import words_of_rules
from simulated_results import by_examples, effect, floor, results, study


def told(found):
    return {
        "narrative": words_of_rules(found, "narrative"),
        "terse": paragraph(found),
        "report": markdown_report(found),
        "paper": section(found),
    }


def one_stopped(**changes):
    family = [effect("a", "matters", -0.05), effect("b", "negligible", 0.0), effect("c", "structural")]
    return results(study=study(family_size=2, family_sizes={"retrain": 2}, **changes), effects=family)


def test_what_its_check_stopped_is_sealed_and_in_no_family():
    texts = told(one_stopped())
    assert "The 3 removals were sealed before any ran; 1 was stopped by its check" in texts["narrative"]
    assert "corrected (Holm, Bonferroni) over the other 2" in texts["narrative"]
    assert "2 of 3 confirmatory ablations, sealed with the plan of round 1" in texts["report"]
    assert "1 of the 3 sealed removals have no Δ" in texts["report"]
    assert "Holm's correction over 2 of 3 removals sealed before" in texts["paper"]
    whole = told(results(study=study(family_sizes={"retrain": 1}), effects=[effect("a", "matters", -0.05)]))
    assert "stopped by" not in whole["narrative"] + whole["report"]
    assert "Holm's correction over the 1 removals sealed before" in whole["paper"]


@pytest.mark.parametrize(("half", "noisy"), [(0.02, False), (0.5, True)])
def test_what_could_be_detected_holds_at_the_noise_of_the_baseline(half, noisy):
    family = [effect(name, "undecided", -0.01, interval=(-0.01 - half, -0.01 + half)) for name in "abc"]
    found = results(baseline={"retrain": {"accuracy": floor(minimum_detectable_effect=0.011)}}, effects=family)
    assert far_noisier(found, "retrain") == (pytest.approx(half) if noisy else None)
    for name, text in told(found).items():
        assert "at the baseline's noise" in text, name
        assert ("the arms were far noisier" in text) is noisy, name
    examples = results(
        study=study(modes=["reevaluate"]),
        baseline={"reevaluate": {"accuracy": by_examples(minimum_detectable_effect=0.011)}},
        effects=[one.model_copy(update={"mode": "reevaluate", "unit": "example"}) for one in family],
    )
    text = words_of_rules(examples, "narrative")
    assert "at the noise of the median arm" in text and "far noisier" not in text
