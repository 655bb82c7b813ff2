"""A disk that fills up while a night runs: it ends before the disk is full, says why, and goes on once there is room."""

import pytest
from lesion.agent.night.disk import free_bytes

from tests.agent.chat.program import HELD, hold
from tests.experiments import STUDY, project
from tests.faults.disk import Ballast
from tests.faults.night import Night, last_record

SMALL = STUDY.replace('["config:use_*", "config:unused_dropout"]', '["config:use_left"]').replace("= 3", "= 2")
MARGIN = 1 << 30
DOUBLED = "SELECT key FROM attempts WHERE status = 'ok' AND key NOT LIKE 'check:%' GROUP BY key HAVING COUNT(*) > 1"


@pytest.fixture(autouse=True)
def room(tmp_path):
    """Bytes that are to be kept free, so that some are left."""
    free = free_bytes(tmp_path)
    if free < 3 * MARGIN:
        pytest.skip("too little room on this disk to fill some of it")
    return free - MARGIN


def test_a_disk_that_fills_up_ends_the_night_which_goes_on_later(tmp_path, room):
    made = project(tmp_path / "tiny", experiment=HELD, study=SMALL)
    assert made.lesion("run", "--max-trials", "1", "--planner", "rules").code == 4
    held = hold(made)
    options = ("--for", "1h", "--keep-free", f"{room}B", "--planner", "rules")
    with (
        Ballast(tmp_path / "ballast", 2 * MARGIN) as ballast,
        Night(tmp_path, [made.folder / "lesion.toml"], made.state, {}) as night,
    ):
        night.begin(*options, "--interactions", "none")
        night.until(lambda: night.runs and night.live().get("running"))
        ballast.take()
        held.unlink()
        assert night.ends() == 4, night.log.read_text()
        reason = last_record(made.state)["reason"]
        assert "is free on" in reason and "is kept free (--keep-free)" in reason
        assert reason.split(":")[0] in " ".join(night.told.read_text().split())
        assert "NOT RUN" in night.told.read_text() and (made.state / "report" / "report.md").exists()
        refused = night.steer("resume")
        assert refused.code == 2 and "FAIL disk" in refused.out
        ballast.drop()
        night.again()
        assert night.ends() == 0, night.log.read_text()
    assert last_record(made.state)["reason"] == "complete"
    assert made.rows(DOUBLED) == []
    counted = made.results()["accounting"]
    assert counted["planned"] == counted["ok"] == 4


def test_it_ends_the_whole_night_before_another_study_writes_anything(tmp_path, room):
    made = project(tmp_path / "tiny", experiment=HELD, study=SMALL)
    other = project(tmp_path / "other", study=SMALL.replace('"tiny"', '"other"'), name="other")
    assert made.lesion("run", "--max-trials", "1", "--planner", "rules").code == 4
    held = hold(made)
    with (
        Ballast(tmp_path / "ballast", 2 * MARGIN) as ballast,
        Night(tmp_path, [made.folder / "lesion.toml", other.folder / "lesion.toml"], made.state, {}) as night,
    ):
        night.begin("--for", "1h", "--keep-free", f"{room}B", "--planner", "rules", "--interactions", "none")
        night.until(lambda: night.runs and night.live().get("running"))
        ballast.take()
        held.unlink()
        assert night.ends() == 4, night.log.read_text()
    assert "is free on" in last_record(other.state)["reason"]
    assert other.rows("SELECT * FROM plans") == [], "it was planned on a disk that is full"
