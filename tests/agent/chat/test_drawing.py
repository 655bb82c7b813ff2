"""What a conversation shows, drawn: at any width, in colours or without, and safe whatever a text holds."""

import io
import math
from collections import Counter

import pytest
from lesion.agent.chat.approval import Approval, Asked, Price
from lesion.agent.chat.screen.ascii import ascii_stream, is_ascii_only
from lesion.agent.chat.screen.drawforest import shortened
from lesion.agent.chat.screen.drawing import Drawing
from lesion.agent.chat.shown import Diff, Forest, Interval, Note, Prose, Source, Step, Table
from rich.cells import cell_len
from rich.console import Console

WIDTHS = [200, 80, 40, 24]
LONG = "module:blocks.3.attention.projection"
HOSTILE = "\x1b[2J\x1b]8;;http://evil\x07link\x1b]8;;\x07 [red]x[/] [/nothing] \x9b1m \u202ereversed\u202c \r over"

TABLE = Table(
    title="Components",
    columns=["id", "kind", "size", "where"],
    rows=[["config:dropout", "regularization", "0.1", "train.py:12"], [LONG, "attention", "1234567", "model.py:120"]],
    more="and 3 more",
)
FOREST = Forest(
    title="Retraining: accuracy",
    band=0.01,
    rows=[
        Interval(name="config:dropout", delta=-0.031, low=-0.04, high=-0.022, verdict="matters"),
        Interval(name=LONG, delta=0.001, low=-0.004, high=0.006, verdict="negligible"),
        Interval(name="module:one-sided", delta=0.003, low=-0.02, high=math.inf, verdict="undecided"),
        Interval(name="module:gone", delta=math.nan, low=None, high=None, verdict="structural"),
    ],
)
APPROVAL = Approval(
    what="Run 2 ablations of this study",
    ablations=(
        Asked(
            id=LONG,
            how="bypass",
            expected="worse, by about 2 δ",
            hypothesis="It carries the signal between heads.",
            diff=Diff(title="model.py", text="@@ -1 +1 @@\n-a = f(x) + some_rather_long_expression(of_things)\n+a = x"),
        ),
    ),
    price=Price(first_look=10, most=40, seconds=125.0, most_seconds=500.0, dollars=0.034, most_dollars=2.5),
    notes=("A night run holds the study.",),
)
ALL = {
    "note": Note(text="one\ntwo", tone="error"),
    "prose": Prose(
        text=f"# Head\n\nSome *text* on `{LONG}`.\n\n- a\n  - b\n\n| a | b |\n|-|-|\n| 1 | 2 |\n\n> quoted\n"
    ),
    "table": TABLE,
    "forest": FOREST,
    "diff": Diff(title="t", text="--- a\n+++ b\n@@ -1 +1 @@\n-old\n+new"),
    "source": Source(path="train.py", first=98, text="def f(x):\n    return x\n"),
    "step": Step(tool="look", text="at a component " * 20),
    "approval": APPROVAL,
}


def drawn(thing, width=80, *, is_ascii=False, colours=False):
    text = io.StringIO()
    console = Console(
        file=ascii_stream(text) if is_ascii else text,
        width=width,
        force_terminal=colours,
        color_system="truecolor" if colours else None,
        highlight=False,
        _environ={},
    )
    console.print(Drawing(is_ascii).draw(thing))
    return text.getvalue()


def together(text):
    """Without line breaks, as a text that was wrapped anywhere."""
    return "".join(text.split())


@pytest.mark.parametrize("is_ascii", [False, True])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", ALL)
def test_nothing_is_wider_than_the_terminal(kind, width, is_ascii):
    shown = drawn(ALL[kind], width, is_ascii=is_ascii)
    assert max(cell_len(line) for line in shown.splitlines()) <= width
    assert not is_ascii or shown.isascii()


@pytest.mark.parametrize("width", WIDTHS)
def test_a_table_keeps_its_first_columns_and_says_what_it_left_out(width):
    shown = together(drawn(TABLE, width))
    for part in ("Components", "config:dropout", "regularization", "1234567", "and3more"):
        assert part in shown
    assert ("model.py:120" in shown) != ("notshownonthiswidth:" in shown)


@pytest.mark.parametrize("width", range(56, 80, 3))
def test_a_table_that_wraps_loses_no_text(width):
    rows = [["config:label_smoothing", "regularization", "label_smoothing = 0.0"], ["config:b", "layer", "bypass " * 9]]
    shown = drawn(Table(title="", columns=["id", "kind", "how"], rows=rows), width)
    assert not Counter(together("".join(cell for row in rows for cell in row))) - Counter(shown)
    assert max(map(cell_len, shown.splitlines())) <= width


def test_a_table_too_narrow_becomes_a_list():
    shown = drawn(TABLE, 24)
    assert "  kind: regularization\n  size: 0.1\n  where: train.py:12\n" in shown
    assert together(LONG) in together(shown)


def test_numbers_stand_to_the_right():
    lines = drawn(TABLE, 120).splitlines()
    ends = {line.index(number) + len(number) for line in lines for number in ("0.1", "1234567") if number in line}
    assert len(ends) == 1


@pytest.mark.parametrize("width", WIDTHS)
def test_a_forest_shows_every_effect_against_the_band(width):
    shown = drawn(FOREST, width)
    assert "●" in next(line for line in shown.splitlines() if "──●──" in line)
    for verdict in ("matters", "negligible", "undecided", "structural"):
        assert verdict in shown
    assert "config:dropout" in shown
    assert "±δ = 0.01" in shown
    assert shown.count("●") == 1  # a shown difference is filled
    assert shown.count("○") == 2
    assert ">" in shown  # an interval without an end


def test_a_forest_places_points_on_one_scale():
    matters, negligible, _, structural = drawn(FOREST, 80).splitlines()[1:5]
    zero = structural.index("│")
    band = [place for place, mark in enumerate(structural) if mark == "░"]
    assert matters.index("●") < min(band) < zero < max(band)
    assert abs((zero - min(band)) - (max(band) - zero)) <= 1
    assert zero <= negligible.index("○") < max(band)
    assert set(structural[max(band) + 1 :].strip()) == set("structural")


def test_a_wide_forest_also_gives_the_numbers():
    assert "−0.0310 [−0.0400, −0.0220]" in drawn(FOREST, 120)


def test_a_forest_in_ascii():
    shown = drawn(FOREST, 80, is_ascii=True)
    assert "--*--" in shown
    assert ": +/-delta = 0.01" in shown
    assert "module:block...n.projection" in shown


@pytest.mark.parametrize(("width", "short"), [(36, LONG), (11, "modul…ction"), (10, "modul…tion"), (1, "…")])
def test_an_id_loses_its_middle(width, short):
    assert shortened(LONG, width, "…") == short


@pytest.mark.parametrize("width", WIDTHS)
def test_an_approval_holds_everything_that_is_said_yes_to(width):
    shown = together(drawn(APPROVAL, width))
    for part in (
        "Run 2 ablations of this study", LONG, "bypass", "worse, by about 2 δ", "It carries the signal between heads.",
        "-a = f(x) + some_rather_long_expression(of_things)", "+a = x", "10 for the first look, at most 40",
        "2m 5s for the first look, at most 8m 20s", "$0.034 for the first look, at most $2.50", "A night run holds the study.",
    ):  # fmt: skip
        assert together(part) in shown


def test_what_is_not_known_of_a_price_is_said():
    shown = drawn(Approval(what="Run", price=Price(first_look=5, most=5)))
    assert "trials: 5\n" in shown
    assert "time: not known before something was measured" in shown
    assert "$" not in shown
    assert "finished already" in drawn(Approval(what="Run", price=Price(first_look=0, most=0)))


def test_lines_of_a_diff_and_tones_of_a_note_have_colours_and_marks():
    shown = drawn(ALL["diff"], colours=True)
    assert "\x1b[31m-old" in shown
    assert "\x1b[32m+new" in shown
    assert "error: one" in drawn(ALL["note"])
    assert "\x1b[1;31m" in drawn(ALL["note"], colours=True)


def test_source_has_its_own_line_numbers():
    shown = drawn(ALL["source"])
    assert shown.splitlines()[0].rstrip() == "train.py"
    assert "98 def f(x):" in shown
    assert "99     return x" in shown


def test_a_step_is_one_line():
    assert drawn(ALL["step"], 40).count("\n") == 1
    assert drawn(ALL["step"], 40).rstrip().endswith("…")


def test_markdown_hides_nothing():
    shown = drawn(
        Prose(text="[click](http://evil/x) <b>bold</b> ![alt](http://img) <http://auto>\n\n<div>\nkept\n</div>")
    )
    for part in ("click (http://evil/x)", "<b>bold</b>", "http://img", "http://auto", "<div>", "kept"):
        assert part in shown


def test_a_wide_table_of_an_answer_becomes_a_list_on_a_narrow_terminal():
    names = [f"column{number}" for number in range(8)]
    text = f"| {' | '.join(names)} |\n|{'-|' * 8}\n| {' | '.join(f'cell{number}' for number in range(8))} |\n"
    shown = drawn(Prose(text=text), 24)
    assert all(f"cell{number}" in shown for number in range(8))


@pytest.mark.parametrize("colours", [False, True])
@pytest.mark.parametrize(
    "thing",
    [
        Note(text=HOSTILE),
        Prose(text=HOSTILE),
        Prose(text=f"```\n{HOSTILE}\n```"),
        Table(title=HOSTILE, columns=[HOSTILE, "b"], rows=[[HOSTILE, HOSTILE]], more=HOSTILE),
        Table(title=HOSTILE, columns=["a" * 90, HOSTILE], rows=[[HOSTILE, HOSTILE]]),
        Forest(title=HOSTILE, band=1, rows=[Interval(name=HOSTILE, delta=1, low=0, high=2, verdict="detected")]),
        Diff(title=HOSTILE, text=f"+{HOSTILE}"),
        Source(path=HOSTILE, first=1, text=HOSTILE),
        Step(tool=HOSTILE, text=HOSTILE),
        Approval(
            what=HOSTILE,
            ablations=(
                Asked(id=HOSTILE, how=HOSTILE, expected=HOSTILE, hypothesis=HOSTILE, diff=Diff(title="", text=HOSTILE)),
            ),
            notes=(HOSTILE,),
        ),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_no_text_commands_the_terminal_or_is_read_as_markup(thing, colours):
    shown = drawn(thing, 400, colours=colours)
    for command in ("\x1b[2J", "\x1b]", "\x07", "\x9b", "\u202e", "\r"):
        assert command not in shown
    if not colours:
        assert "[red]x[/]" in shown or not isinstance(thing, Note | Diff)
        assert all(character.isprintable() or character == "\n" for character in shown)


def test_what_an_output_can_show():
    utf, latin = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "iso-8859-1")
    assert not is_ascii_only(utf, {})
    assert not is_ascii_only(utf, {"LANG": "de_DE.UTF-8"})
    assert is_ascii_only(utf, {"LC_ALL": "C", "LANG": "de_DE.UTF-8"})
    assert not is_ascii_only(utf, {"LC_ALL": "C.UTF-8", "LANG": "C"})
    assert is_ascii_only(latin, {})
