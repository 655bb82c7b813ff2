"""What the command line prints of texts that code or a model wrote: a terminal takes none of it for a command."""

import io

import pytest
from lesion.agent.arms import Arm
from lesion.agent.cli import app
from lesion.agent.cli.watching import Lines, Screen
from lesion.agent.ledger import Trial
from lesion.executor.outcomes import Outcome

HOSTILE = "\x1b[2J\x1b]0;title\x07 [red]x[/] [/nothing] \x9b1m \u202ereversed \r over"


def test_lines_of_a_log_hold_no_commands():
    stream = io.StringIO()
    watch = Lines("accuracy", stream)
    watch.stage(HOSTILE)
    watch.finished(
        Trial("k", HOSTILE, "retrain", 0), Outcome(status="crashed", message=HOSTILE), Arm("a"), Arm("baseline")
    )
    said = stream.getvalue()
    assert "crashed" in said
    assert all(character.isprintable() or character == "\n" for character in said)


def test_a_screen_shows_names_as_they_are_and_not_as_markup():
    watch = Screen(HOSTILE)
    try:
        trial = Trial("k", HOSTILE, "retrain", 0)
        watch.started(trial)
        watch._recent["retrain", HOSTILE] = (Arm(HOSTILE), Arm("baseline"))
        with watch.console.capture() as captured:
            watch.console.print(watch._render(), width=400)
    finally:
        watch.close()
    shown = captured.get()
    assert "[red]x[/] [/nothing]" in shown
    assert all(character.isprintable() or character == "\n" for character in shown)


def test_an_error_message_holds_no_commands(capsys):
    with pytest.raises(SystemExit):
        app._fail(f"first\n{HOSTILE}", 2)
    said = capsys.readouterr().err
    assert said.startswith("lesion: first\n\\x1b[2J")
    assert all(character.isprintable() or character == "\n" for character in said)
