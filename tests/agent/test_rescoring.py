import os
import signal
import subprocess

import pytest
from lesion.agent.components import overlap
from lesion.agent.jobs import check_jobs
from lesion.agent.ledger import Facts, Trial
from lesion.agent.rescoring import Rescoring, differences, nothing_left, scored_anew
from lesion.agent.setting import prepare
from lesion.agent.studyfile import load_study
from lesion.executor.interventions import Block, ConfigOverride, SourceEdit
from lesion.executor.outcomes import Outcome

from tests.executor.laboratory import poll
from tests.experiments import LESION
from tests.planted.source import AUXILIARY, CLIP, EDITS, SKIP, ablation, component, planned, planted

OWN = {"validation": {"error": 0.5}, "test": {"error": 0.25}}
TRAINED = Outcome(
    status="ok", metrics=OWN, fingerprint="forged", wall_seconds=3.0, forwards=7, seconds={"train": 2.0}, peak_memory=9
)


def test_figures_come_from_the_unedited_evaluation_and_costs_from_the_training():
    scored = Outcome(status="ok", metrics=OWN, fingerprint="true", wall_seconds=1.0, forwards=0, seconds={"build": 0.1})
    found = scored_anew(TRAINED, scored)
    assert (found.status, found.message, found.own, found.scored_by) == ("ok", None, {}, "unedited")
    assert (found.fingerprint, found.forwards, found.seconds, found.peak_memory) == ("true", 7, {"train": 2.0}, 9)
    assert found.wall_seconds == 4.0


def test_where_the_two_differ_both_are_kept_and_the_message_says_so():
    scored = Outcome(status="ok", metrics={**OWN, "test": {"error": 0.75}})
    found = scored_anew(TRAINED, scored)
    assert found.metrics["test"] == {"error": 0.75}
    assert found.own == OWN
    assert found.message == (
        "the trial's own figures differ from those of the unedited evaluation: error on test 0.25, unedited 0.75"
    )


@pytest.mark.parametrize(
    ("status", "becomes"),
    [
        ("killed", "killed"),
        ("timed-out", "timed-out"),
        ("diverged", "diverged"),
        ("crashed", "invalid"),
        ("invalid", "invalid"),
    ],
)
def test_weights_that_cannot_be_evaluated_give_no_figures(status, becomes):
    found = scored_anew(TRAINED, Outcome(status=status, message="why"))
    assert (found.status, found.metrics, found.scored_by) == (becomes, {}, None)
    assert found.message == "its weights could not be evaluated with the unedited source: why"


def test_evaluations_agree_up_to_rounding_and_a_metric_that_is_not_there_never():
    assert differences({"test": {"a": 1.0}}, {"test": {"a": 1.0 + 1e-9}}) == []
    assert differences({"test": {"a": 1.0, "b": 2.0}}, {"test": {"a": 1.0}}) == [("b on test", 2.0, None)]


def test_ledgers_without_these_facts_still_load():
    assert Facts.model_validate_json('{"forwards": 3}') == Facts(forwards=3, scored_by=None, own={})


@pytest.fixture(scope="module")
def setting(tmp_path_factory):
    made = planted(tmp_path_factory.mktemp("source"))
    return prepare(load_study(made.folder / "lesion.toml"))


@pytest.mark.parametrize(
    ("mode", "edits", "expected"),
    [
        ("retrain", [AUXILIARY], True),
        ("retrain", [SKIP], False),
        ("retrain", [AUXILIARY, SKIP], False),
        ("retrain", [], False),
        ("reevaluate", [AUXILIARY], False),
    ],
)
def test_what_builds_the_model_decides_who_scores(setting, tmp_path, mode, edits, expected):
    assert Rescoring(setting, tmp_path).applies(Trial("key", "arm", mode, 0), edits) is expected


def test_checks_of_edits_share_no_process(setting):
    jobs = check_jobs(setting, [ablation(name, edit) for name, edit in EDITS.items()], workers=1)
    assert [len(one.parts) for one in jobs] == [1] * len(EDITS)
    assert all(one.overlay for one in jobs)


def test_edits_of_which_one_holds_the_other_are_no_pair():
    def made(file, search):
        return component("edit:x", SourceEdit(blocks=[Block(file=file, search=search, replace="")]))

    line = CLIP.blocks[0].search
    assert overlap(made("training.py", line), made("./training.py", f"{line}        optimizer.step()\n"))
    assert not overlap(made("training.py", line), made("other.py", line))
    assert not overlap(made("training.py", "a = 1\n"), made("training.py", "b = 2\n"))
    assert not overlap(made("training.py", "a = 1\n"), component("config:a", ConfigOverride(key="a")))


def test_weights_of_a_killed_run_are_cleared_away(tmp_path):
    folder = tmp_path / "edited"
    folder.mkdir()
    (folder / "old.pt").write_text("x")
    with nothing_left(folder):
        assert not folder.exists()
        folder.mkdir()
        (folder / "new.pt").write_text("x")
    assert not folder.exists()


def test_a_study_killed_between_training_and_scoring_loses_that_trial_alone(tmp_path):
    made = planted(tmp_path, seeds=2)
    plan = planned([ablation("edit:auxiliary", AUXILIARY)], [component("edit:auxiliary", AUXILIARY)])
    (made.folder / "plan.yaml").write_text(plan.as_yaml())
    asked = ("run", "--plan", "plan.yaml", "--planner", "rules", "--interactions", "none", "--workers", "1")
    handed_over = made.state / "checkpoints" / "edited"
    first = subprocess.Popen([*LESION, *asked], cwd=made.folder, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        poll(lambda: list(handed_over.glob("[!.]*.pt")) or first.poll() is not None)
        os.kill(first.pid, signal.SIGKILL)
    finally:
        first.kill()
        first.wait()
    finished = set(made.rows("SELECT key FROM trials WHERE status = 'ok'"))
    assert list(handed_over.glob("*.pt"))
    ended = made.lesion(*asked)
    assert ended.code == 0, ended.err
    assert not list(made.state.rglob("*.pt"))
    attempts = dict(made.rows("SELECT key, COUNT(*) FROM attempts WHERE key NOT LIKE 'check:%' GROUP BY key"))
    assert finished
    assert set(attempts.values()) == {1}
    assert len(made.rows("SELECT key FROM trials WHERE status = 'ok'")) == 4
    assert made.results()["effects"][0]["scored_by"] == "unedited"
