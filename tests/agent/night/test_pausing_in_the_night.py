"""A night that is paused while a trial runs: the trial ends, nothing starts, and at the deadline there is a report."""

import pytest

from tests.agent.chat.program import HELD, hold
from tests.experiments import STUDY, project
from tests.faults.clock import fake_clock
from tests.faults.night import QUICK, Night, last_record

SMALL = (
    STUDY.replace('["config:use_*", "config:unused_dropout"]', '["config:use_left"]')
    .replace("= 3", "= 2")
    .replace("workers = 2", "workers = 1")
)
HOUR = 3600
ENDED = "SELECT arm, seed, status FROM trials WHERE started_at IS NOT NULL ORDER BY started_at"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Paused during its second trial; then its deadline comes, since the clock is set to that."""
    made = project(tmp_path_factory.mktemp("night"), experiment=HELD, study=SMALL)
    assert made.lesion("run", "--max-trials", "1", "--planner", "rules").code == 4
    held = hold(made)
    clock, faked = fake_clock(made.folder.parent / "clock")
    with Night(made.folder, [made.folder / "lesion.toml"], made.state, faked) as night:
        night.begin(*QUICK, "--planner", "rules")
        night.until(lambda: night.runs and night.live().get("running"))
        assert "1 running trial goes on" in night.steer("pause").out
        held.unlink()
        paused = night.until(lambda: (now := night.live()).get("next") and not now["running"] and now)
        clock.write_text(str(HOUR))
        assert night.ends() == 4, night.log.read_text()
    return made, paused, night


def test_the_trial_ends_and_nothing_starts(made):
    made, paused, _ = made
    assert paused["phase"] == "paused"
    assert made.rows(ENDED) == [("baseline", 0, "ok"), ("baseline", 1, "ok")]


def test_at_the_deadline_it_ends_with_its_report(made):
    made, _, night = made
    last = last_record(made.state)
    assert (last["event"], last["code"]) == ("ended", 4) and "the deadline is" in last["reason"]
    assert {one.name for one in (made.state / "report").iterdir()} >= {"report.md", "report.html", "summary.txt"}
    assert "the deadline is" in night.told.read_text() and "paused" not in night.told.read_text()
    counted = made.results()["accounting"]
    assert (counted["ok"], counted["planned"]) == (2, 2 + counted["skipped"])
