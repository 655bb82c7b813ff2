"""What evaluations are told, from the plan to the worker's message, and what is made of what comes back in any order."""

from base64 import b64encode
from collections import deque
from types import SimpleNamespace

import numpy as np
import pytest
from lesion.agent.budget import Budget
from lesion.agent.dispatch import REMARKS, Dispatcher
from lesion.agent.jobs import Workshop
from lesion.agent.ledger import Ledger
from lesion.agent.setting import prepare
from lesion.agent.stopping import Asking, Part
from lesion.agent.studyfile import load_study
from lesion.executor.interventions import ModuleIntervention, SourceEdit
from lesion.executor.outcomes import Outcome, Packed, Proof, Seen

STUDY = """
[study]
name = "s"
modes = ["reevaluate"]
{more}
[experiment]
python = "e.py"
[metrics.score]
goal = "maximize"
"""
N = 8


class Watcher:
    """Nobody who says anything."""

    def __getattr__(self, _name):
        return lambda *_args, **_more: None


class Workers:
    """In a pool's place: keeps every job's message, and gives each part a made-up outcome, the last one first."""

    def __init__(self, outcomes):
        self.outcomes, self.messages = outcomes, []
        self.workers, self.station = 1, SimpleNamespace(sandbox=SimpleNamespace(name="made-up"))
        self._ended = deque()

    @property
    def free(self):
        return 0 if self._ended else 1

    def submit(self, job, *_):
        self.messages.append(job.message)
        self._ended.extend(reversed([(one, self.outcomes[one]) for one in job.parts]))

    def wait(self, _seconds):
        return [self._ended.popleft()] if self._ended else []


@pytest.fixture
def lab(tmp_path):
    """Given arms with their removals, and their outcomes: a dispatcher on a real ledger, and its workers."""
    (tmp_path / "e.py").write_text("def build_model(config): ...\n")
    opened = []

    def make(removals, outcomes, more=""):
        (tmp_path / "lesion.toml").write_text(STUDY.format(more=more))
        setting = prepare(load_study(tmp_path))
        ledger = Ledger(tmp_path / "state", write=True)
        opened.append(ledger)
        removed = {"baseline": [], **removals}
        trials = {arm: setting.trial("reevaluate", arm, gone, 0) for arm, gone in removed.items()}
        workers = Workers({trials[arm].key: outcome for arm, outcome in outcomes.items()})
        workshop = Workshop(setting, tmp_path / "weights", removed, loads=True)
        return Dispatcher(workshop, ledger, workers, Budget(), Watcher()), trials, workers

    yield make
    for ledger in opened:
        ledger.close()


def zero(name):
    return [ModuleIntervention(path=name, removal="zero")]


def outcome(value=1.0, *, changed=True, **more):
    packed = Packed(length=N, data=_packed(np.full(N, value)))
    proof = Proof(target="m", removal="zero", calls=1, changed=changed)
    return Outcome(
        status="ok",
        metrics={"validation": {"score": value}},
        examples={"validation": {"score": packed}},
        proofs=[proof],
        **more,
    )


def _packed(values):
    return b64encode(values.astype("<f8").tobytes()).decode()


BATCHES = {"validation": [4, 4]}
RULE = {"alpha": 0.05, "share": 0.2, "deltas": {"validation": {"score": 0.1}}, "order": 0}
ASKING = Asking(
    stream=BATCHES,
    memory=1000,
    stopping=RULE,
    families={"a": 3, "a + b": 1},
    parts={"a + b": [Part("a", [zero("a")[0].model_dump()])]},
)


def test_a_job_is_told_its_rule_and_each_arm_its_family_and_parts(lab):
    arms = {"a": zero("a"), "a + b": [*zero("a"), *zero("b")], "search:1": zero("b")}
    dispatcher, trials, workers = lab(arms, dict.fromkeys(arms, outcome()))
    dispatcher.run([trials[one] for one in arms], asked_at=lambda _seed: ASKING)
    (message,) = workers.messages
    assert (message["stream"], message["memory"], message["stopping"]) == (BATCHES, 1000, RULE)
    assert [one["family"] for one in message["arms"]] == [3, 1, None]
    assert [one["parts"] for one in message["arms"]] == [{}, {"a": [zero("a")[0].model_dump()]}, {}]
    assert all(dispatcher.is_done(trials[one]) for one in arms)


def test_baselines_are_sent_as_ever(lab):
    dispatcher, trials, workers = lab({}, {"baseline": outcome()})
    dispatcher.run([trials["baseline"]])
    assert {"stream", "memory", "stopping"}.isdisjoint(workers.messages[0])
    assert {"family", "parts"}.isdisjoint(workers.messages[0]["arms"][0])


def test_an_edited_source_streams_nothing(lab):
    edit = SourceEdit(blocks=[{"file": "e.py", "search": "def build_model(config): ...", "replace": "x = 1"}])
    arms = {"a": zero("a"), "edited": [edit]}
    dispatcher, trials, workers = lab(arms, dict.fromkeys(arms, outcome()))
    dispatcher.run([trials[one] for one in arms], asked_at=lambda _seed: ASKING)
    told = {bool(one["edited"]): (one["stream"], one["stopping"]) for one in workers.messages}
    assert told == {False: (BATCHES, RULE), True: ({}, None)}


def test_what_equals_the_baseline_is_told_by_who_saw_both(lab):
    """Fingerprints of a streamed arm are of what it saw: they equal nothing, and the worker's own word counts."""
    arms = {"masked": zero("a"), "idle": zero("b"), "other": zero("c")}
    seen = {"validation": Seen(examples=2, of=N)}
    outcomes = {
        "baseline": outcome(fingerprint="all"),
        "masked": outcome(fingerprint="some", same=True, seen=seen),
        "idle": outcome(fingerprint="some", same=True, changed=False, seen=seen),
        "other": outcome(fingerprint="all", same=False, seen=seen),
    }
    dispatcher, trials, _ = lab(arms, outcomes)
    dispatcher.run([trials[one] for one in ("baseline", *arms)], asked_at=lambda _seed: ASKING)
    rows = {name: dispatcher.arm("reevaluate", name).trials[0] for name in arms}
    assert {name: (one.status, one.reason) for name, one in rows.items()} == {
        "masked": ("ok", "masked"),
        "idle": ("no-op", ""),
        "other": ("ok", None),
    }


def test_what_an_evaluation_says_of_itself_is_said_once_and_kept(lab):
    arms = {"a": zero("a"), "b": zero("b")}
    told = "replaying was given up for the plain way: m came to another result"
    dispatcher, trials, _ = lab(arms, dict.fromkeys(arms, outcome(remarks=[told])))
    heard = []
    dispatcher.observer.learnt = heard.append
    dispatcher.run([trials[one] for one in arms], asked_at=lambda _seed: ASKING)
    assert heard == [[told]]
    assert dispatcher.ledger.recall(REMARKS) == {dispatcher.setting.version: [told]}


def test_what_stopped_early_is_evaluated_whole_once_the_study_wants_that(lab):
    short = outcome(seen={"validation": Seen(examples=2, of=N)})
    arms = {"a": zero("a"), "b": zero("b")}
    dispatcher, trials, _ = lab(arms, {"a": short, "b": outcome(seen={"validation": Seen(examples=N, of=N)})})
    dispatcher.run([trials[one] for one in arms], asked_at=lambda _seed: ASKING)
    assert dispatcher.is_done(trials["a"])
    dispatcher.ledger.close()
    again, trials, workers = lab(arms, {"a": outcome()}, "stop_early = false")
    assert [again.is_done(trials[one]) for one in arms] == [False, True]
    again.run([trials[one] for one in arms])
    assert len(workers.messages) == 1 and again.is_done(trials["a"])
    assert again.ledger.trials(again.setting.version)[0].facts.seen == {}
