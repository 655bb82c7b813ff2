import pytest
from lesion.agent.analysis.claims import claim_status, claim_test_status

RULE = """
matters     +2    supports     contradicts  contradicts
hurts       -2    contradicts  contradicts  supports
negligible  +.1   contradicts  supports     contradicts
negligible  -.1   contradicts  supports     contradicts
detected    +.9   supports     open         contradicts
detected    -.9   contradicts  open         supports
structural  None  open         open         open
no-op       None  open         open         open
no-op       0     open         open         open
untestable  None  open         open         open
undecided   +.9   open         open         open
undecided   None  open         open         open
detected    None  open         open         open
"""


@pytest.mark.parametrize("line", RULE.strip().splitlines())
def test_what_a_verdict_says_of_a_claim(line):
    verdict, loss, *expected = line.split()
    size = None if loss == "None" else float(loss)
    assert [claim_test_status(wanted, verdict, size) for wanted in ("worse", "none", "better")] == expected


@pytest.mark.parametrize(
    ("tests", "status"),
    [
        ([], "untested"),
        (["open"], "untested"),
        (["open", "supports"], "supported"),
        (["supports", "contradicts"], "contradicted"),
        (["contradicts", "supports", "supports"], "contradicted"),
        (["open", "contradicts"], "contradicted"),
    ],
)
def test_one_contradiction_outweighs_all_support(tests, status):
    assert claim_status(tests) == status
