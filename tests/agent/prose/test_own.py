"""A number that no reference backs carries a mark, however it is written; names and code do not."""

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lesion.agent.prose.own import MARK, is_numeric
from lesion.agent.prose.streaming import Filter, marked
from simulated_results import results
from visible import Wordy, unmarked

FACTS = Wordy(results())
BASELINE = "{{ baseline().mean }}"


def shown(text):
    return marked(text, FACTS).text.partition(f"\n\n{MARK} ")[0]


@pytest.mark.parametrize(
    "number",
    "1|0.93|1e-3|12%|12 %|3×|1,234|½|٣|20ms|10x|−0.4|1–3|x²|p=.04|acc93|twenty percent|two points|threefold|half of the accuracy"
    "|two standard deviations|Ninety-three|one third|a hundred|zero point nine|twice|two **percentage points|three-fold"
    "|five seeds|halved|half a point|one percent".split("|"),
)
def test_a_number_is_marked_at_its_end(number):
    whole = marked(f"It is {number} so", FACTS)
    assert whole.text.startswith(f"It is {number}{MARK} so\n\n{MARK} ")
    assert len(whole.own_numbers) == 1
    assert whole.own_numbers[0] in number


@pytest.mark.parametrize(
    "text",
    [
        "blocks.3.mlp",
        "module:blocks.3.mlp",
        "config:dropout",
        "train.py:12",
        "src/net2/train.py",
        "round-1",
        "c1",
        "2.13.0",
        "v1.2",
        "GPT-2",
        "ResNet-18",
        "L2",
        "F1",
        "macro_f1",
        "fp16",
        "`dropout = 0.1`",
        "`--seed 3`",
        "1. one\n2. two modes\n",
        "## 2. Setup\n",
        "```\n0.93\n```\n",
        "~~~py\nx = 3\n~~~",
        "one of the parts, the third layer, and a second look",
        "at one point, for one example, in several runs and three modes",
        "an interval [low, high]: what it says",
    ],
)
def test_names_code_and_markers_are_not_marked(text):
    assert shown(text) == text
    assert marked(text, FACTS).own_numbers == ()


@pytest.mark.parametrize(
    "text",
    [
        "&#48;.&#x39;&#51;",
        "&frac12;",
        "０．９３",
        "𝟗𝟑",
        "9\u200b3",
        "9&shy;3",
        "9\r3",
        r"0\.93",
        "9**3**",
        "9<!-- -->3",
        "<b>93</b>",
        "$\\frac{93}{100}$",
        "[93](http://x)",
        "![93](x)",
        "[^93]",
        "[x]: 93",
        "`93`",
        "` 93 % `",
        "`a\nb` 93 `c`",
        "\\`93\\`",
        "| `a | 93 | b` |\n| - | - | - |\n",
        "[x](`a) 93 `b",
        "  ```\nx\n```\n93",
        "- ```\n  x\n  ```\n93",
        "> ~~~\n> x\n> ~~~\n93",
        "```x `\n93",
        "it is\n93. So",
        "it is\n2. So",
        "# 93. So",
        "to93.And",
        "accuracy:0.93",
        "accuracy-93",
    ],
)
def test_nothing_disguises_a_number(text):
    whole = marked(text, FACTS)
    assert MARK in whole.text
    assert whole.own_numbers
    assert unmarked(whole.text, FACTS.ids) == []


@pytest.mark.parametrize(
    "text",
    [
        f"−{BASELINE}",
        f"**−**{BASELINE}",
        f"0.{BASELINE}",
        f"{BASELINE}%",
        f"{BASELINE} %",
        f"{BASELINE}**0**",
        f"{BASELINE} percent",
    ],
)
def test_a_measured_value_cannot_be_made_into_another(text):
    assert marked(text, FACTS).own_numbers


@pytest.mark.parametrize(
    "text",
    [f"({BASELINE})", f"= {BASELINE}, and", f"**{BASELINE}**", f"- {BASELINE}", f"{BASELINE}.\n", f"`{BASELINE}`"],
)
def test_a_measured_value_stands_unmarked(text):
    assert marked(text, FACTS).own_numbers == ()
    assert BASELINE not in shown(text)
    assert "measured" in shown(text)


def test_control_characters_are_spelled_out_and_markup_that_hides_is_not_markup():
    assert "\\x1b" in shown("a\x1b[2Jb")
    assert shown("<div>[a](http://x)") == "\\<div>[a]\\(http://x)"
    assert shown("[what\nit hides]: x") == "[what\nit hides]\\: x"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2Jgone", r"\x1b[2Jgone(?)"),
        ("a\x07\x00b and `\x1b`", r"a\x07\x00b and `\x1b`"),
        ("\x1b93 left", r"\x1b93(?) left"),
        (r"\x1b and \u202e but \x39 and \x", r"\x1b and \u202e but \x39(?) and \x"),
    ],
)
def test_the_spelling_of_a_control_character_is_no_number_and_hides_none(text, shown):
    whole = Filter(FACTS)
    pieces = "".join(whole.add(letter) for letter in text) + whole.end().rest
    assert marked(text, FACTS).text.split("\n")[0] == pieces.split("\n")[0] == shown


def test_a_code_block_that_was_left_open_does_not_swallow_the_explanation():
    whole = marked("3\n```\n4", FACTS)
    assert whole.text.startswith(f"3{MARK}\n```\n4\n```\n")
    assert whole.text.rstrip().splitlines()[-1].startswith(MARK)


def test_every_numeral_of_unicode_is_marked():
    numerals = [chr(i) for i in range(sys.maxunicode + 1) if chr(i).isnumeric()]
    assert len(numerals) > 1500
    assert len(marked(" ".join(numerals), FACTS).own_numbers) == len(numerals)
    assert not is_numeric("abc")


PIECES = (
    "0.93|7|twenty| percent|`|``|```|~~~|\n|\n\n|    |  | |- |> |1. |2. |3) |[|](|]: |<b>|<!--|-->|&#48;|&shy;|&#8203;|&amp;|&|\\"
    "|{{ baseline().mean }}|{{|}}|{{ x }}|**|_|word|GPT-2|c1|config:dropout|blocks.3.mlp|.|:|%|\u200b|９|½|# |\t|e|-|−|(|)|\"|'|=|---"
    "|\r|half|of the|points|http://x/|①|!|$|×|```py\n|\n```\n"
).split("|")
PIECES += ["\x1b", "\x00", "\\x39", "\\x1b", "\\u202e", "x1", "|", "| - | - |\n"]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=25).map("".join) | st.text(max_size=40)


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_no_number_that_a_reader_sees_lacks_its_mark(text):
    assert unmarked(marked(text, FACTS).text, FACTS.ids) == []


@settings(max_examples=400, deadline=None)
@given(TEXTS, st.data())
def test_any_split_into_pieces_gives_the_same(text, data):
    stream, handed, at = Filter(FACTS), "", 0
    while at < len(text):
        size = data.draw(st.integers(1, 8))
        handed += stream.add(text[at : at + size])
        at += size
    rest, prose = stream.end()
    assert prose == marked(text, FACTS)
    assert prose.text.startswith(handed + rest)
    assert prose.text[len(handed + rest) :].strip() == "" or prose.own_numbers


WORDS = st.lists(
    st.sampled_from("the two of Removing half dropout, third. one (so) twenty".split()), min_size=1, max_size=60
)


@given(WORDS)
def test_of_ordinary_prose_less_than_a_line_is_held_back(words):
    text = " ".join(words)
    stream, handed = Filter(FACTS), 0
    for at, character in enumerate(text, 1):
        handed += len(stream.add(character).replace(MARK, ""))
        assert at - handed < 80


@pytest.mark.parametrize("token", ["The", "Re", " model", "So", "Drop"])
def test_a_first_token_without_a_number_is_shown_at_once(token):
    assert Filter(FACTS).add(token) == token


def test_problems_are_kept_for_the_next_turn():
    stream = Filter(FACTS)
    stream.add(f'{BASELINE} {{{{ effect("module:dropuot").p }}}} {{{{ open')
    stream.end()
    assert stream.cited == (BASELINE,)
    assert ["did you mean" in problem for problem in stream.problems] == [True, False]
