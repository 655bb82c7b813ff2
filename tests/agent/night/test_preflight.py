"""Before a night: one real trial of the baseline, memory, disk, time; all problems of all studies at once."""

import time
from contextlib import ExitStack

import pytest
from lesion.agent.budget import Budget
from lesion.agent.night import memory
from lesion.agent.night.ahead import ahead_of
from lesion.agent.night.clock import Deadline, running_clock
from lesion.agent.night.diskneeds import need_of
from lesion.agent.night.preflight import night_lines, preflight, told
from lesion.agent.records.ahead import ModeAhead, StudyAhead

from tests.experiments import STUDY

from .readied import readied, said, short

ATTEMPTS = "SELECT COUNT(*) FROM attempts WHERE key NOT LIKE 'check:%'"
BASELINE = "SELECT mode, seed, status, attempts FROM trials WHERE arm = 'baseline' AND attempts > 0"


@pytest.fixture
def stack():
    with ExitStack() as stack:
        yield stack


def night(seconds):
    return Deadline(time.time() + seconds, time.time(), running_clock())


def looked(studies, seconds=3600.0, **changes):
    deadline = night(seconds)
    return list(preflight(studies, deadline, lambda _: Budget(deadline=deadline), **changes))


def test_the_baseline_runs_once_and_its_figures_are_those_of_the_night(tmp_path, stack, monkeypatch):
    tiny = short(tmp_path)
    studies = readied(stack, tmp_path)
    found = looked(studies, keep_free=1)
    assert [one.line for one in found if one.works is False] == []
    (baseline,) = said(found, "tiny: baseline")
    assert baseline.works and "retrain" in baseline.detail and "MiB" in baseline.detail
    assert tiny.rows(BASELINE) == [("retrain", 0, "ok", 1)]
    assert "no GPU" in said(found, "GPU memory")[0].detail
    (ledger,) = {one.ledger for one in studies}
    assert ledger.recall("state").startswith("stopped")

    lines = "\n".join(night_lines(studies, night(3600.0)))
    assert "4 ablations, 14 trials to the first look" in lines and "planned by rules" in lines

    monkeypatch.setattr(memory, "free_memory", lambda: 1 << 20)
    found = looked(studies, 1.0, keep_free=1 << 60)
    bad = {one.what: one for one in found if one.works is False}
    assert set(bad) == {"tiny: memory", "disk", "time"}, "all at once"
    assert "2 workers" in bad["tiny: memory"].detail and "leaves 1 MiB" in bad["tiny: memory"].detail
    assert "--keep-free" in bad["disk"].to_do
    assert "--for" in bad["time"].to_do
    assert tiny.rows(ATTEMPTS) == [(1,)], "the second preflight took the first one's trial"


def test_the_night_goes_on_from_the_trial_of_the_preflight(tmp_path, stack):
    tiny = short(tmp_path, study=STUDY.replace('"config:use_*", "config:unused_dropout"', '"config:use_left"'))
    (ready,) = readied(stack, tmp_path)
    assert all(one.works is not False for one in looked([ready], keep_free=1))
    end = ready.study.run(Budget(max_trials=2), lambda: [])
    assert not end.complete
    assert sorted(tiny.rows(BASELINE)) == [("retrain", seed, "ok", 1) for seed in range(3)]


def test_a_study_that_fails_leaves_the_others_their_findings(tmp_path, stack):
    short(tmp_path / "good")
    bad = short(tmp_path / "bad", study=STUDY.replace('"tiny"', '"broken"'))
    bad.edit("experiment.py", "    for step", "    assert seed > 0, 'no seed'\n    for step")
    found = looked(readied(stack, bad.folder, tmp_path / "good"), keep_free=1)
    (broken,) = said(found, "broken: baseline")
    assert broken.works is False and "no seed" in broken.line
    assert said(found, "tiny: baseline")[0].works and said(found, "disk")[0].works


def test_nothing_is_started_where_the_guards_refuse(tmp_path, stack):
    tiny = short(tmp_path)
    budget = Budget(guards=[lambda _: "only 1 B is free"])
    found = list(preflight(readied(stack, tmp_path), None, lambda _: budget, 1))
    assert said(found, "baseline")[0].works is False and "only 1 B is free" in said(found, "baseline")[0].detail
    assert tiny.rows(ATTEMPTS) == [(0,)]


def test_a_mode_that_needs_weights_trains_them_first_and_their_size_is_planned_for(tmp_path, stack):
    tiny = short(tmp_path, study=STUDY.replace("seeds = 3\nmax", 'modes = ["reevaluate", "retrain"]\nseeds = 3\nmax'))
    (ready,) = readied(stack, tmp_path)
    found = looked([ready], keep_free=1)
    assert [one.line for one in found if one.works is False] == []
    assert tiny.rows(BASELINE) == [("retrain", 0, "ok", 1), ("reevaluate", 0, "ok", 1)]
    rows = ready.ledger.trials(ready.setting.version)
    need = need_of(ready, rows, ahead_of(ready, None))
    (weights,) = (ready.state / "checkpoints").iterdir()
    assert need.checkpoints == 2 * weights.stat().st_size > 0


def test_of_a_first_look_that_is_measured_nothing_is_left_to_be_known():
    one = ModeAhead(mode="retrain", targets=4, first_look=0, one_arm=0, most=12)
    ahead = StudyAhead(study="digits", planner="rules", workers=2, modes=[one])
    assert not [line for line in told([ahead], None) if "what can be settled" in line]
    fresh = ahead.model_copy(update={"modes": [one.model_copy(update={"first_look": 9})]})
    assert [line for line in told([fresh], None) if "what can be settled" in line]
