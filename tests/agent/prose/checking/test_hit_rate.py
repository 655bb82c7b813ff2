"""How many planted falsehoods are caught, and how many true sentences are flagged: the figures are printed."""

import pytest
from hitrate import STUDIES, refused, sentences
from lesion.agent.prose.checking.check import check
from lesion.agent.prose.checking.finding import offending

TRUE, FALSE = sentences("true.txt"), sentences("false.txt")


def test_falsehoods_are_caught_and_true_sentences_pass(capsys):
    flagged = [one for one in TRUE if refused(one)]
    missed = [one for one in FALSE if not refused(one)]
    caught_share, flagged_share = 1 - len(missed) / len(FALSE), len(flagged) / len(TRUE)
    with capsys.disabled():
        print(f"\n{caught_share:.1%} of {len(FALSE)} false sentences caught, ", end="")
        print(f"{flagged_share:.1%} of {len(TRUE)} true sentences flagged")
    assert caught_share >= 0.95, [one.text for one in missed]
    assert flagged_share <= 0.05, [one.text for one in flagged]


def test_there_are_enough_of_both_and_in_both_formats():
    assert len(TRUE) >= 150 and len(FALSE) >= 200
    assert all(sum(one.kind == "tex" for one in each) >= 10 for each in (TRUE, FALSE))
    assert {one.study for one in TRUE} >= {one.study for one in FALSE} >= {"S", "M", "L", "I"}


@pytest.mark.parametrize("kind", ["md", "tex"])
def test_many_sentences_in_one_text_are_judged_as_each_alone(kind):
    """In paragraphs of their own, sentences do not help or hurt each other."""
    chosen = [one for one in (*TRUE, *FALSE) if one.study == "S" and one.kind == kind and " & " not in one.text]
    text = "\n\n".join(one.text for one in chosen)
    cut = [text[one.start : one.end] for one in offending(check(text, STUDIES["S"], kind))]
    wrong = [one.text for one in chosen if refused(one) != any(part in one.text for part in cut)]
    assert wrong == []
