"""A language model writes about simulated results: what it may not say goes back twice, and what still fails is left out and said."""

import json
import re

import pytest
from lesion.agent.llm.client import LanguageModel, estimate_tokens
from lesion.agent.llm.settings import model_settings
from lesion.agent.llm.transcript import Transcript
from lesion.agent.prose.facts import Facts
from lesion.agent.records.drafts import Draft
from lesion.agent.report.markdown import markdown_report
from lesion.agent.spec import PlannerSection
from lesion.agent.writing.asking import Wish, ask_for_draft
from lesion.agent.writing.byrules import words_of_rules
from lesion.agent.writing.questions import found_on
from lesion.agent.writing.shown import shown, with_drafts
from lesion.agent.writing.store import keep, kept
from lesion.executor.errors import ReportError
from simulated_results import effect, effects, minimising, random_results, results

from tests.llm.conftest import Watching
from tests.llm.server import ModelServer, says

OUTCOME = (
    'Removing dropout {{ effect("module:dropout").outcome }} ({{ effect("module:dropout").delta_with_interval }}).'
)
SETUP = "Each component of {{ study().name }} was removed by itself, and everything else stayed as it was."
SET_UP = "Each component of simulated was removed by itself, and everything else stayed as it was."


def section(*sentences, **more):
    return says(json.dumps({"paragraphs": [{"sentences": list(sentences)}], **more}))


def mended(**sentences):
    given = [{"number": int(number[1:]), "sentence": text} for number, text in sentences.items()]
    return says(json.dumps({"sentences": given}))


@pytest.fixture
def write(tmp_path):
    """Has a scripted model write; gives the draft and what it was asked."""

    def run(*answers, found=None, wish=None, room=20_000):
        with ModelServer(*answers) as server:
            settings = model_settings(
                PlannerSection(model="scripted"),
                {"OPENAI_API_KEY": "word", "OPENAI_BASE_URL": server.url},
                stream=False,
            )
            model = LanguageModel(settings, Transcript(tmp_path / "transcript.jsonl"), Watching())
            wish = wish or Wish("narrative")
            draft = ask_for_draft(wish, Facts(found or results()), model, room, estimate_tokens)
        return draft, server.asked

    return run


def test_the_values_come_from_the_results_and_the_words_from_the_model(write):
    draft, asked = write(section(SETUP, OUTCOME))
    assert (draft.by, draft.left_out, draft.sent_back) == ("llm:scripted", [], 0)
    text = shown(draft, Facts(results())).text
    assert text == f"{SET_UP} Removing dropout costs more than δ (−0.0412 [−0.0455, −0.0369])."
    assert '"verdict": "matters"' in asked[0].text and "typed" not in asked[0].text


def test_a_number_of_its_own_goes_back_with_the_reference_that_gives_it(write):
    draft, asked = write(section("Without dropout accuracy moves by −0.0412."), mended(_1=OUTCOME))
    assert draft.paragraphs == [[OUTCOME]] and draft.sent_back == 1
    assert '{{ effect("module:dropout").delta }}' in asked[1].text


def test_verdicts_and_directions_of_its_own_go_back(write):
    draft, asked = write(
        section("Dropout is `crucial` here.", "Dropout is crucial here.", "Removing dropout lowers accuracy."),
        mended(_1=OUTCOME, _2=""),
    )
    assert '"crucial"' in asked[1].text and '"lowers"' in asked[1].text
    assert OUTCOME in draft.paragraphs[0] and all("lowers" not in one for one in draft.paragraphs[0])


@pytest.mark.parametrize(
    ("sentence", "told"),
    [
        ('Removing dropout moves accuracy by {{ effect("module:warmup").delta }}.', "this is a value of module:warmup"),
        (
            'Dropout ({{ effect("module:dropout").delta }}) is the component that this model relies on most.',
            "it is blocks.3.mlp",
        ),
        ("Everything else is fine and can be thrown away.", "holds no reference"),
        (f"It is not true that r{OUTCOME[1:]}", '"not" may turn around'),
        (f"{OUTCOME[:-1]}, because it prevents overfitting.", "causal"),
    ],
)
def test_what_no_number_or_verdict_gives_away_is_held_against_the_results_too(write, sentence, told):
    draft, asked = write(section(SETUP, sentence), mended(_1=sentence), mended(_1=sentence))
    assert told in asked[1].text
    assert draft.paragraphs == [[SETUP]] and [one.sentence for one in draft.left_out] == [sentence]


def test_what_still_fails_after_two_turns_is_left_out_and_said(write):
    stubborn = 'Removing dropout costs {{ effect("module:dorpout").delta }}.'
    draft, asked = write(section(OUTCOME, stubborn), mended(_1=stubborn), mended(_1=stubborn))
    assert len(asked) == 3 and draft.sent_back == 2
    assert draft.paragraphs == [[OUTCOME]]
    assert [one.sentence for one in draft.left_out] == [stubborn]
    assert 'did you mean "module:dropout"' in draft.left_out[0].reason
    report = markdown_report(with_drafts(results(), [draft]))
    assert "Left out of it" in report and "dorpout" in report


def test_a_draft_of_which_nothing_holds_is_an_error_with_the_reasons(write):
    with pytest.raises(ReportError, match="nothing of what scripted wrote can be said") as caught:
        write(section("Dropout gains 3%."), mended(_1="Dropout gains 3%."), mended(_1="Dropout gains 3%."))
    assert '"3%" is typed' in str(caught.value) or "a number that no reference gives" in str(caught.value)


def test_new_results_fill_the_same_draft_anew(write):
    draft, _ = write(section(OUTCOME))
    changed = results(effects=[effect("dropout", "undecided", -0.0061), *effects()[1:]])
    text = shown(draft, Facts(changed)).text
    assert "could not be settled" in text and "−0.0061" in text and "costs more" not in text


def test_what_the_results_no_longer_hold_is_left_out_and_said(write):
    draft, _ = write(section(SETUP, OUTCOME))
    gone = results(effects=[one for one in effects() if one.components != ["module:dropout"]], interactions=[])
    now = shown(draft, Facts(gone))
    assert now.text == SET_UP
    assert [one.sentence for one in now.left_out] == [OUTCOME]


def test_markup_of_a_model_does_nothing_in_a_report(write):
    hostile = "See <script>alert()</script> ![here](http://example.org/x.png) and [this](http://example.org) of {{ study().name }}."
    draft, _ = write(section(hostile, OUTCOME))
    report = markdown_report(with_drafts(results(), [draft]))
    assert "<script" not in report.replace("\\<script", "")
    assert not re.search(r"(?<!\\)\]\(http", report)
    assert "x.png" in report


def test_a_reply_names_the_runs_that_would_answer(write):
    wish = Wish("rebuttal", "What if dropout and warmup go together?", ["module:dropout", "module:warmup"])
    answer = section(OUTCOME, runs=[{"components": ["module:warmup", "module:dropout"], "why": "nobody measured it"}])
    draft, asked = write(answer, wish=wish)
    assert draft.wanted == ["module:dropout+module:warmup"]
    assert wish.question in asked[0].text and "module:warmup" in asked[0].text


def test_a_context_without_room_for_results_says_so(write):
    with pytest.raises(ReportError, match="context holds no results"):
        write(section(OUTCOME), room=100)


def test_large_studies_are_told_as_far_as_the_context_goes(write):
    draft, asked = write(section(SETUP), found=random_results(3, 300, ["retrain"]), room=12_000)
    assert draft.paragraphs == [[SETUP]]
    assert "more records had no room here" in asked[0].text


@pytest.mark.parametrize("style", ["terse", "narrative"])
@pytest.mark.parametrize("found", [results(), minimising(), random_results(7, 40, ["reevaluate", "recover"])])
def test_the_rules_write_in_every_style_without_a_model(style, found):
    text = words_of_rules(found, style)
    assert not re.search(r"\bNone\b(?! of these)", text) and "{{" not in text and "No effect" not in text
    assert all(paragraph.strip() for paragraph in text.split("\n\n"))
    assert text == words_of_rules(found, style)


@pytest.mark.parametrize(
    ("question", "told", "untold"),
    [
        ("Does dropout help?", ["removing dropout costs more than δ", "−0.0412"], []),
        ("Is `module:dropout` needed?", ["removing dropout costs more than δ"], []),
        ("What happens to head a and head b together?", ["they hide each other", "+0.088"], []),
        ("And dropout with label smoothing?", ["could not be settled"], ["dropout and label smoothing together"]),
        ("Why this learning rate?", ["names no component"], []),
    ],
)
def test_the_rules_answer_a_reviewer_from_what_was_measured(question, told, untold):
    text = words_of_rules(results(), "rebuttal", question)
    for words in (*told, *untold):
        assert words.replace("dropout and label smoothing", "module:dropout and module:label smoothing") in text, text
    assert ("Not measured" in text) == bool(untold)


def test_a_setting_and_the_module_of_its_name_are_not_asked_for_together():
    found = results(effects=[*effects(), effect("x.gate", "matters", -0.05, components=["config:x.gate"])])
    question = "Would it work without x.gate, module:y.gate and label smoothing? And did you tune the learning rate?"
    answer = found_on(question, found, [("module:y.gate", "y gate")])
    assert answer.wanted == [["module:y.gate"], ["config:x.gate", "module:label smoothing"]]
    assert answer.unanswered == ["And did you tune the learning rate?"]
    nested = found_on("And module:y with module:y.gate?", found, [("module:y.gate", "y gate"), ("module:y", "whole")])
    assert nested.wanted == [["module:y"], ["module:y.gate"]]
    text = words_of_rules(results(), "rebuttal", "Is dropout needed? And did you tune the learning rate?")
    assert "Not answered here, since it names no component of this study: “And did you tune the learning rate?”" in text
    assert "Not answered" not in words_of_rules(results(), "rebuttal", "Is dropout needed? We liked the paper.")


def test_a_draft_that_is_no_draft_is_named(tmp_path):
    path = keep(tmp_path, Draft(style="terse", by="rules", paragraphs=[], written="2026-01-01T00:00:00+00:00"))
    assert [one.style for one in kept(tmp_path)] == ["terse"]
    path.write_text("{")
    with pytest.raises(ReportError, match="cannot be read"):
        kept(tmp_path)
