"""Texts that the tool writes by its own rules are not flagged by its own checker."""

import pytest
from hitrate import STUDIES
from lesion.agent.prose.checking.check import check
from lesion.agent.writing.byrules import words_of_rules

MOST = 0.05


@pytest.mark.parametrize("style", ["terse", "narrative", "rebuttal"])
@pytest.mark.parametrize("study", STUDIES)
def test_words_of_rules_are_backed(study, style, capsys):
    facts = STUDIES[study]
    question = f"Does {facts.results.effects[0].labels[0]} matter?" if style == "rebuttal" else ""
    found = check(words_of_rules(facts.results, style, question), facts)
    bad = [one for one in found if one.outcome != "backed"]
    with capsys.disabled():
        print(f"\n{study} {style}: {len(bad)} of {len(found)} findings not backed", end="")
    assert found
    assert len(bad) <= MOST * len(found), [(one.piece, one.why) for one in bad]
