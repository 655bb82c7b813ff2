import pytest
from lesion.agent.analysis.estimates import Estimate
from lesion.agent.analysis.looks import Look, Rules
from lesion.agent.analysis.verdicts import EffectFacts, JointFacts, effect_verdict, interaction_verdict

LOOK = Look(5, 0.05)
RULES = Rules(1.0, (LOOK,), 0.05)
UNKNOWN = Estimate(None, 0)
PLAIN = EffectFacts()


def estimate(low, high, p=0.01, p_equivalence=1.0, n=5):
    return Estimate(
        (low + high) / 2,
        n,
        LOOK,
        0.1,
        4,
        p,
        p,
        p_adjusted=p,
        p_equivalence=p_equivalence,
        interval=(low, high),
        level=0.95,
    )


LARGE, HELPFUL = estimate(1.1, 2), estimate(-2, -1.1)
SMALL, TINY = estimate(-0.5, 0.5, 0.9, 0.01), estimate(0.1, 0.5, 0.01, 0.01)
SURE, OPEN = estimate(0.5, 2), estimate(-2, 2, 0.5)


@pytest.mark.parametrize(
    ("found", "facts", "verdict", "nonzero"),
    [
        (LARGE, EffectFacts(structural=True, no_op=True), "structural", False),
        (UNKNOWN, EffectFacts(structural=True), "structural", False),
        (LARGE, EffectFacts(no_op=True, at_floor=True), "no-op", False),
        (UNKNOWN, PLAIN, "untestable", False),
        (estimate(1.1, 2, n=2), PLAIN, "untestable", False),
        (LARGE, EffectFacts(at_floor=True), "untestable", False),
        (LARGE, EffectFacts(finite=False), "untestable", False),
        (LARGE, PLAIN, "matters", False),
        (estimate(1.0, 2), PLAIN, "detected", False),
        (estimate(1.1, 2, p=0.051), PLAIN, "undecided", False),
        (HELPFUL, PLAIN, "hurts", False),
        (estimate(-2, -1.0), PLAIN, "detected", False),
        (SMALL, PLAIN, "negligible", False),
        (TINY, PLAIN, "negligible", True),
        (estimate(1.1, 2, 0.01, 0.01), PLAIN, "matters", False),
        (SURE, PLAIN, "detected", False),
        (estimate(-2, -0.5), PLAIN, "detected", False),
        (OPEN, PLAIN, "undecided", False),
        (Estimate(5.0, 4), PLAIN, "undecided", False),
    ],
)
def test_effect_first_match_wins(found, facts, verdict, nonzero):
    finding = effect_verdict(found, facts, RULES)
    assert (finding.verdict, finding.nonzero) == (verdict, nonzero)
    assert (finding.reason is not None) is (verdict == "untestable")


PAIR, BACKUPS = JointFacts(2), JointFacts(2, singles_negligible=True, subsets_negligible=True)
CAPPED = JointFacts(2, saturated=True)
TRIPLE = JointFacts(3, singles_negligible=True, subsets_negligible=True)


@pytest.mark.parametrize(
    ("contrast", "joint", "facts", "verdict"),
    [
        (LARGE, LARGE, BACKUPS, "compensation"),
        (LARGE, LARGE, PAIR, "redundancy"),
        (LARGE, LARGE, CAPPED, "redundancy"),
        (HELPFUL, LARGE, PAIR, "synergy"),
        (SMALL, LARGE, PAIR, "additive"),
        (TINY, LARGE, PAIR, "additive"),
        (HELPFUL, LARGE, CAPPED, "saturation-limited"),
        (SMALL, LARGE, CAPPED, "saturation-limited"),
        (OPEN, LARGE, PAIR, "undecided"),
        (OPEN, LARGE, CAPPED, "undecided"),
        (SURE, LARGE, PAIR, "undecided"),
        (UNKNOWN, LARGE, PAIR, "untestable"),
        (LARGE, LARGE, JointFacts(2, at_floor=True), "untestable"),
        (LARGE, LARGE, JointFacts(2, finite=False), "untestable"),
        (LARGE, LARGE, TRIPLE, "irreducible"),
        (OPEN, LARGE, TRIPLE, "irreducible"),
        (LARGE, LARGE, JointFacts(3, singles_negligible=True), "compensation"),
        (LARGE, LARGE, JointFacts(3), "redundancy"),
        (LARGE, SURE, TRIPLE, "compensation"),
        (SMALL, SMALL, TRIPLE, "additive"),
        (LARGE, LARGE, TRIPLE._replace(at_floor=True), "untestable"),
    ],
)
def test_interaction_first_match_wins(contrast, joint, facts, verdict):
    assert interaction_verdict(contrast, joint, facts, RULES).verdict == verdict
