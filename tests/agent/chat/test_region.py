"""Lines redrawn in place: whatever is drawn after whatever, the screen holds what was left and what is drawn."""

import io

import pyte
from hypothesis import given, settings
from hypothesis import strategies as st
from lesion.agent.chat.screen.region import Region
from rich.console import Console
from rich.text import Text

COLUMNS, ROWS = 12, 40
LINES = st.lists(st.text("ab ", max_size=COLUMNS).map(str.rstrip), max_size=6)


def console_of(columns=COLUMNS, rows=ROWS):
    return Console(file=io.StringIO(), width=columns, height=rows, force_terminal=True, _environ={})


def shown(console):
    screen = pyte.HistoryScreen(console.width, ROWS, history=1000)
    pyte.Stream(screen).feed(console.file.getvalue().replace("\r\n", "\n").replace("\n", "\r\n"))
    above = ["".join(line[x].data for x in range(console.width)) for line in screen.history.top]
    return [line.rstrip() for line in (*above, *screen.display)]


def rendered(region, lines):
    return [line for text in lines for line in region.rendered(Text(text))]


@given(st.lists(st.tuples(st.booleans(), LINES), max_size=8))
@settings(max_examples=150, deadline=None)
def test_the_screen_holds_what_was_left_and_what_is_drawn(steps):
    console = console_of()
    region = Region(console)
    left, drawn = [], []
    for leaves, lines in steps:
        if leaves:
            region.leave(rendered(region, lines))
            left, drawn = [*left, *lines], []
        else:
            region.draw(rendered(region, lines))
            drawn = lines
    expected = [*left, *drawn]
    seen = shown(console)
    assert seen[: len(expected)] == expected
    assert not any(seen[len(expected) :])


def test_only_what_changed_is_written():
    console = console_of()
    region = Region(console)
    region.draw(rendered(region, ["first", "second"]))
    before = len(console.file.getvalue())
    region.draw(rendered(region, ["first", "second"]))
    assert len(console.file.getvalue()) == before
    region.draw(rendered(region, ["first", "second a"]))
    written = console.file.getvalue()[before:]
    assert "second a" in written
    assert "first" not in written


def test_more_than_the_screen_holds_shows_its_end_and_leaves_all():
    console = console_of(rows=5)
    region = Region(console)
    lines = [str(number) for number in range(9)]
    region.draw(rendered(region, lines))
    assert console.file.getvalue().count("\n") == 3
    region.leave(rendered(region, lines))
    assert shown(console)[:9] == lines


def test_a_narrower_terminal_may_have_wrapped_so_nothing_above_is_written_over():
    console = console_of(columns=80)
    region = Region(console)
    region.draw(rendered(region, ["a" * 60]))
    before = len(console.file.getvalue())
    console.width = 30
    region.draw(rendered(region, ["b"]))
    assert console.file.getvalue()[before:].startswith("\r\nb")
    before = len(console.file.getvalue())
    console.width = 20
    region.draw(rendered(region, ["c"]))
    assert console.file.getvalue()[before:].startswith("\rc")
