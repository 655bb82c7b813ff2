"""What the checker says of a text: where, of what, why, and what to write instead."""

import pytest
from hitrate import STUDIES
from hypothesis import given, settings
from hypothesis import strategies as st
from lesion.agent.prose.checking.check import check
from lesion.agent.prose.checking.finding import offending
from lesion.agent.prose.facts import Facts
from lesion.agent.prose.paragraph import paragraph
from simulated_results import effect, results

FACTS = STUDIES["S"]


def bad(text, kind="md", facts=FACTS):
    return [one for one in check(text, facts, kind) if one.outcome != "backed"]


def test_a_wrong_number_is_told_with_its_line_and_with_what_says_it_right():
    text = "# Results\n\nDropout matters.\nRemoving it costs 0.0412.\n\nRemoving `warmup`\nlowers accuracy by 0.0412."
    (found,) = bad(text)
    assert (found.line, found.kind, found.outcome, found.piece) == (7, "number", "contradicted", "0.0412")
    assert found.reference == '{{ effect("module:warmup").delta }}'
    assert "0.00870" in found.why
    assert text[found.start : found.end].startswith("Removing `warmup`")


def test_a_bad_sentence_can_be_cut_out_and_the_rest_is_backed():
    text = "Dropout matters. Label smoothing has no effect. Augmentation hurts."
    (cut,) = offending(check(text, FACTS))
    assert text[cut.start : cut.end] == "Label smoothing has no effect."
    assert not bad(text[: cut.start] + text[cut.end :])


@pytest.mark.parametrize(
    "text, outcome",
    [
        ("Label smoothing has no effect.", "contradicted"),
        ("Label smoothing is unimportant.", "contradicted"),
        ("Label smoothing matters.", "unbacked"),
        ("Head b has no effect.", "unbacked"),
        ("Head b is negligible.", None),
        ("Warmup matters.", "unbacked"),
        ("Removing the embedding costs nothing.", "contradicted"),
        ("Identity is unimportant.", "contradicted"),
        ("Removing dropout costs more than removing warmup.", None),
        ("Removing warmup costs more than removing label smoothing.", "unbacked"),
        ("Removing warmup costs more than removing dropout.", "contradicted"),
        ("Dropout prevents co-adaptation.", "unbacked"),
    ],
)
def test_absence_of_evidence_is_told_from_evidence_of_absence(text, outcome):
    assert ({one.outcome for one in bad(text)} or {None}) == {outcome}


def test_a_value_of_a_reference_is_backed_where_the_sentence_is_about_the_same():
    right = 'Removing dropout costs {{ effect("module:dropout").loss }}.'
    assert not bad(right) and all(one.filled for one in check(right, FACTS) if one.kind == "number")
    (wrong,) = bad('Removing warmup costs {{ effect("module:dropout").loss }}.')
    assert wrong.outcome == "contradicted" and wrong.filled
    assert bad('Removing dropout helps by {{ effect("module:dropout").loss }}.')


def test_the_end_of_a_sentence_that_ends_in_a_reference_is_that_of_the_reference():
    text = 'Removing warmup costs {{ effect("module:dropout").loss }}'
    (cut,) = offending(check(text, FACTS))
    assert text[cut.start : cut.end] == text


def test_every_broken_reference_is_told_with_its_line():
    text = 'A {{ effect("module:nothing").delta }}.\n\nB {{ effect("module:dropout").detla }}, C {{ 1 }}.'
    assert [(one.line, one.kind) for one in bad(text)] == [(1, "reference"), (3, "reference"), (3, "reference")]


def test_latex_is_read_as_it_is_printed():
    text = "% Removing dropout costs 0.5.\n\\label{tab:0.7}\nRemoving \\texttt{dropout} costs\n$0.05$~\\cite[p.~99]{a2019}."
    (found,) = bad(text, "tex")
    assert (found.line, found.piece) == (4, "0.05")


def test_what_is_no_claim_is_left_alone():
    text = """---
date: 2024-05-06
---
## 4.2 Setup

As in Table 3 and [12], we follow Smith et al. (2021) and use GPT-2 with PyTorch 2.9 at seed 3.

```python
accuracy = 0.99
```

![figure 7](a_0.77.png) See [the code](https://example.org/0.55).
"""
    assert check(text, FACTS) == ()


def test_an_unknown_name_is_told():
    (found,) = bad("We leave `module:unheard_of` alone.")
    assert (found.kind, found.outcome) == ("name", "unbacked")


def test_a_paragraph_without_a_writer_is_mostly_backed():
    found = check(paragraph(results()), FACTS)
    wrong = [one for one in found if one.outcome == "contradicted"]
    assert len(found) > 20 and len(wrong) <= 2, wrong


NUMBERS = [
    ("Removing dropout lowers accuracy by {}.", 0.0412),
    ("Removing blocks.3.mlp costs {} accuracy.", 0.1731),
    ("Without augmentation, accuracy rises by {}.", 0.0271),
    ("Removing head a and head b together costs {}.", 0.0900),
    ("The smallest effect of interest is δ = {}.", 0.0100),
    ("The baseline reaches an accuracy of {}.", 0.9125),
]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(NUMBERS), st.integers(2, 4), st.integers(-300, 300))
def test_a_number_changed_by_more_than_its_rounding_is_no_longer_backed(sentence, decimals, steps):
    form, value = sentence
    shown = round(value, decimals)
    assert not bad(form.format(f"{shown:.{decimals}f}"))
    changed = shown + steps * 10.0**-decimals
    if steps and changed > 0:
        assert bad(form.format(f"{changed:.{decimals}f}")), changed


PIECES = (
    "dropout|head a| not |0.04|−|\\texttt{|}|{{|}}|$|`|%|\n\n| & |[|more than|the most|twice|because|\\begin{tabular}"
    "|(|)|all heads|[^1]|5%|δ|together"
).split("|")


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.one_of(st.text(max_size=12), st.sampled_from([*PIECES, " | "])), max_size=40),
    st.sampled_from(["md", "tex"]),
)
def test_no_text_stops_the_checker(pieces, kind):
    text = " ".join(pieces)
    for one in check(text, FACTS, kind):
        assert 1 <= one.line <= text.count("\n") + 1
        assert 0 <= one.start <= one.end <= len(text)


LONG = ["{", "\\", "`", "[", "$", "(", "a.", "\\begin{", "0", "| ", "` `"]


@pytest.mark.parametrize("piece", LONG)
def test_no_nesting_stops_it(piece):
    for kind in ("md", "tex"):
        check(piece * 3000, FACTS, kind)


def test_a_study_of_nothing_backs_nothing():
    nothing = Facts(results(effects=[], interactions=[], baseline={}, predictions=[]))
    assert bad("Accuracy falls by 0.04.", facts=nothing)


def test_a_changed_result_changes_what_is_backed():
    changed = Facts(results(effects=[effect("dropout", "negligible", -0.0003)]))
    assert not bad("Dropout matters.")
    assert bad("Dropout matters.", facts=changed)
