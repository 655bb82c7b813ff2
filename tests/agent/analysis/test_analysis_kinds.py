"""Two kinds of removal held against each other, on made-up estimates."""

import pytest
from lesion.agent.analysis.estimates import Estimate
from lesion.agent.analysis.kinds import Kind, compare_kinds
from lesion.agent.analysis.looks import Look, Rules

RULES = Rules(1.0, (Look(10, 0.05),), 0.05)
OPEN = {"loss": 0.6, "p_adjusted": 0.4, "p_equivalence": 0.3, "interval": (-0.8, 2.0)}
EQUAL = {"loss": 0.1, "p_adjusted": 0.6, "p_equivalence": 0.001, "interval": (-0.4, 0.6)}
APART = {"loss": 3.0, "p_adjusted": 0.001, "p_equivalence": 1.0, "interval": (2.0, 4.0)}
UNTESTED = {"loss": 0.5}


@pytest.mark.parametrize(
    ("first", "second", "contrast", "outcome"),
    [
        (("matters", 5.0), ("negligible", 0.1), OPEN, ("conflict", "verdicts")),
        (("matters", 2.0), ("hurts", -2.0), APART, ("conflict", "verdicts")),
        (("detected", 0.9), ("hurts", -2.0), OPEN, ("conflict", "verdicts")),
        (("negligible", 0.0), ("hurts", -2.0), OPEN, ("conflict", "verdicts")),
        (("matters", 5.0), ("matters", 2.0), APART, ("conflict", "sizes")),
        (("matters", 5.0), ("undecided", 2.0), APART, ("conflict", "sizes")),
        (("matters", 5.0), ("matters", 4.4), OPEN, ("agree", None)),
        (("detected", 0.9), ("detected", 0.8), OPEN, ("agree", None)),
        (("undecided", 0.9), ("undecided", 0.8), EQUAL, ("agree", None)),
        (("matters", 1.5), ("undecided", 0.9), OPEN, ("not-told-apart", None)),
        (("undecided", 0.9), ("undecided", 0.3), OPEN, ("not-told-apart", None)),
        (("detected", 0.9), ("negligible", 0.3), OPEN, ("not-told-apart", None)),
        (("matters", 1.5), ("undecided", 0.9), UNTESTED, ("not-told-apart", None)),
    ],
)
def test_only_what_cannot_both_be_true_is_a_conflict(first, second, contrast, outcome):
    estimate = Estimate(n=10 if len(contrast) > 1 else 2, **contrast)
    assert compare_kinds(Kind(*first), Kind(*second), estimate, RULES) == outcome
    turned = {**contrast, "loss": -contrast["loss"]}
    if "interval" in contrast:
        turned["interval"] = (-contrast["interval"][1], -contrast["interval"][0])
    assert compare_kinds(Kind(*second), Kind(*first), Estimate(n=estimate.n, **turned), RULES) == outcome
