"""`lesion watch` before a terminal of 80 columns and 24 rows, while a real night runs and is paused."""

import re

import pytest

from tests.agent.chat.program import HELD, hold
from tests.agent.chat.watched import Seen
from tests.experiments import LESION, STUDY, project
from tests.faults.night import QUICK, Night

COLUMNS, ROWS = 80, 24
SMALL = STUDY.replace("= 3", "= 2").replace("workers = 2", "workers = 1")
NAME = "a_study_whose_name_is_longer_than_any_column_of_a_table_should_be_" * 2
SEQUENCE = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")
CLEARS = re.compile(rb"\x1b\[[0-3]?J|\x1bc|\x1b\[\?1049h|\x1b\[\?47h")
"""Empties the screen, or what is below the cursor, or goes to another screen: each is seen as a flicker."""


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """All that `watch` wrote while a trial ran, ended, and the night was paused, gone on with and stopped."""
    folder = tmp_path_factory.mktemp("night")
    made = project(folder / "tiny", experiment=HELD, study=SMALL.replace('"tiny"', f'"{NAME}"'), name=NAME)
    assert made.lesion("run", "--max-trials", "1", "--planner", "rules").code == 4
    held = hold(made)
    with Night(folder, [made.folder / "lesion.toml"], made.state, {}) as night:
        night.begin(*QUICK, "--planner", "rules")
        night.until(lambda: night.runs and night.live().get("running"))
        with Seen(*LESION, "watch", columns=COLUMNS, rows=ROWS, cwd=made.folder) as seen:
            seen.until("running")
            night.steer("pause")
            seen.until("overnight: paused")
            held.unlink()
            seen.until(lambda: "for" not in seen.text.split() and "paused" in seen.text)
            night.steer("stop")
            seen.until("the run has ended")
            seen.child.wait()
    return seen


def frames(raw):
    """What was written from one redraw to the next, until the table is left: rich goes up to the first line before each."""
    return re.split(rb"(?:\r?\x1b\[2K(?:\x1b\[1A)?)+", raw.split(b"\x1b[?25h")[0])


def test_it_never_clears_the_screen(seen):
    assert len(frames(seen.raw)) > 3, "it was redrawn"
    assert CLEARS.findall(seen.raw) == []


def test_no_line_is_wider_than_the_terminal_nor_the_table_higher(seen):
    for frame in frames(seen.raw):
        lines = [SEQUENCE.sub(b"", one).decode().rstrip("\r") for one in frame.split(b"\n")]
        assert [one for one in lines if len(one) > COLUMNS] == []
        assert len(lines) <= ROWS


def test_the_cursor_is_hidden_meanwhile_and_there_again(seen):
    assert seen.raw.count(b"\x1b[?25l") == seen.raw.count(b"\x1b[?25h") == 1
    assert seen.raw.index(b"\x1b[?25l") < seen.raw.index(b"\x1b[?25h")
