"""The prompt in a real terminal: what is typed, shown above it, completed, remembered."""

import re
import stat

import pytest

from .watched import ALT_ENTER, COLOURLESS, CTRL_C, CTRL_D, CTRL_R, TAB, UP, Watched


@pytest.fixture
def watched(tmp_path):
    with Watched(tmp_path) as seen:
        seen.prompted()
        yield seen


def test_a_line_is_said_and_the_toolbar_stands_below(watched):
    watched.enter("hello [red]there[/]")
    watched.until("said 'hello [red]there[/]'")
    watched.until("ask | small-model | 1,234 tokens | 2 running")


def test_a_backslash_and_alt_enter_go_on_and_a_pasted_block_is_one_message(watched):
    watched.enter("one\\")
    watched.until("> one\n.")
    watched.send(f"two{ALT_ENTER}three")
    watched.until("three")
    watched.enter()
    watched.until(r"said 'one\ntwo\nthree'")
    watched.send("\x1b[200~def f():\r    return 1\r\x1b[201~")
    watched.until("return 1")
    watched.enter()
    watched.until(r"said 'def f():\n    return 1'")


def test_what_another_thread_shows_stands_above_what_is_being_typed(watched):
    watched.send("half a sent")
    watched.until("> half a sent")
    watched.side.write("trial 3 finished [b]x[/b]\n")
    watched.until("trial 3 finished [b]x[/b]")
    watched.until(lambda: watched.current == "> half a sent")
    assert watched.text.count("> half a sent") == 1
    assert b"\x1b[32mtrial 3" in watched.raw
    watched.side.write("TABLE\n")
    watched.until("Found")
    watched.until(lambda: watched.current == "> half a sent")
    watched.enter("ence")
    watched.until("said 'half a sentence'")


def test_an_arrival_ends_reading_and_what_was_typed_is_there_again(watched):
    watched.send("not yet")
    watched.until("> not yet")
    watched.side.write("INTERRUPT\n")
    watched.until("something arrived")
    watched.until(lambda: watched.current == "> not yet")
    assert watched.text.count("> not yet") == 1
    watched.enter(" done")
    watched.until("said 'not yet done'")


def test_an_arrival_while_nobody_reads_is_not_lost(watched):
    watched.enter("busy")
    watched.until("thinking")
    watched.side.write("INTERRUPT\nmarked\n")
    watched.until("marked")
    watched.feed("go on")
    watched.until("something arrived")
    assert "thinking" not in watched.text


def test_ctrl_c_clears_the_line_and_says_how_to_leave_and_ctrl_d_leaves(watched):
    watched.send("never mind")
    watched.until("> never mind")
    watched.send(CTRL_C)
    watched.prompted()
    assert "leaves." not in watched.text
    watched.send(CTRL_C)
    watched.until("Ctrl-D or /quit leaves.")
    watched.enter("hello")
    watched.until("said 'hello'")
    watched.until("ask | small-model")  # it stood in the toolbar, for a while
    assert "leaves." not in watched.text
    watched.send(CTRL_D)
    watched.ended()


def test_history_lasts_over_restarts_and_is_searched(tmp_path):
    with Watched(tmp_path) as first:
        first.prompted()
        first.enter("what matters?")
        first.until("said 'what matters?'")
        first.enter("two\\")
        first.until("> two\n.")
        first.enter("lines")
        first.until("said")
        first.send(CTRL_D)
        first.ended()
    assert stat.S_IMODE((tmp_path / "state" / "history").stat().st_mode) == 0o600
    with Watched(tmp_path) as again:
        again.prompted()
        again.send(UP)
        again.until("lines")
        again.send(CTRL_C)
        again.prompted()
        again.send(f"{CTRL_R}matt")
        again.until("what matters?")
        again.enter()
        again.enter()
        again.until("said 'what matters?'")


def test_a_history_that_cannot_be_written_hinders_nothing(tmp_path):
    (tmp_path / "state").write_text("a file where the folder should be")
    with Watched(tmp_path) as watched:
        watched.prompted()
        watched.enter("hello")
        watched.until("said 'hello'")


def test_commands_ids_and_files_are_completed(watched):
    watched.send("/w")
    watched.until("why it came out so")
    watched.send(f"{TAB}drop")
    watched.until("> /why drop")
    watched.until("a rate")
    watched.send(TAB)
    watched.until("> /why config:dropout")
    watched.enter()
    watched.until("said '/why config:dropout'")
    watched.send("look into @mod")
    watched.until("nets/model.py")
    assert "module:blocks.3.mlp" in watched.text


def test_much_that_is_shown_while_one_types_is_all_there_in_order(watched):
    message = "a sentence that takes a while to type"
    for number, letter in enumerate(message):
        watched.side.write(f"note {3 * number}.\nnote {3 * number + 1}.\nnote {3 * number + 2}.\n")
        watched.send(letter)
    last = 3 * len(message) - 1
    watched.until(f"note {last}.")
    watched.until(lambda: watched.current == f"> {message}")
    notes = [int(number) for number in re.findall(r"note (\d+)\.", watched.text)]
    assert notes == list(range(last + 1))
    watched.enter()
    watched.until(f"said '{message}'")


def test_a_narrow_terminal_shows_what_fits(tmp_path):
    with Watched(tmp_path, columns=30, COLUMNS="200") as watched:
        watched.prompted()
        watched.until("ask | small-model")
        assert "tokens" not in watched.text
        watched.enter("approve")
        watched.until("Or type why not:")
        assert "config:dropout" in watched.text
        assert "at most 4m" in " ".join(watched.text.split())


def test_without_colours(tmp_path):
    with Watched(tmp_path, **COLOURLESS) as watched:
        watched.prompted()
        watched.side.write("good news\n")
        watched.until("good news")
        watched.enter("approve")
        watched.until("Or type why not:")
        assert b"\x1b[3" not in watched.raw.replace(b"\x1b[3m", b"").replace(b"\x1b[3h", b"")
        assert b"38;5" not in watched.raw


def test_a_dumb_terminal_still_converses(tmp_path):
    with Watched(tmp_path, TERM="dumb") as watched:
        watched.prompted()
        watched.enter("hello")
        watched.until("said 'hello'")
        watched.enter("stream")
        watched.feed("**first** ", "second", "END")
        watched.until("**first** second")
        watched.until("last words")
        watched.enter("approve")
        watched.until("Or type why not:")
        watched.enter("too dear")
        watched.until("Reply(yes=False, reason='too dear')")
        watched.send("half")
        watched.until("> half")
        watched.side.write("TABLE\nINTERRUPT\n")
        watched.until("something arrived")
        watched.until(lambda: watched.current == "> half")
        watched.send(CTRL_C)
        watched.until("leaves.")
        watched.send(CTRL_D)
        watched.ended()
        library = (b"\x1b[?2004h", b"\x1b[?2004l", b"\x1b[?12l", b"\x1b[?25h")
        assert not any(character < 32 and character not in b"\r\n" for character in _without(watched.raw, library))


def _without(raw, parts):
    for part in parts:
        raw = raw.replace(part, b"")
    return raw


def test_an_ascii_locale_gets_ascii(tmp_path):
    with Watched(tmp_path, LC_ALL="C") as watched:
        watched.prompted()
        watched.side.write("TABLE\n±δ … 漢\n")
        watched.until("+/-delta ...")
        watched.enter("stream")
        watched.feed("- a bullet — ±δ", "END")
        watched.until("* a bullet - +/-delta")
        assert watched.raw.isascii()
