"""The queue of requests on disk: names that are given once, whole files, and what became of each."""

import resource
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from lesion.agent.components import Component
from lesion.agent.ledger import Ledger
from lesion.agent.planning.plan import Plan
from lesion.agent.queue import Queue
from lesion.agent.requests import Ground, fitted
from lesion.executor.interventions import ConfigOverride
from ruamel.yaml import YAML

from .requests import BROUGHT, DROPOUT, LEFT, OFF, RIGHT, asked, edit, removal


@pytest.fixture
def queue(tmp_path):
    return Queue(tmp_path)


def test_a_request_reads_as_a_plan(queue):
    plan = asked(removal(LEFT), remarks=["“why not”"])
    name = queue.add(plan)
    written = YAML(typ="safe").load(queue.path(name))
    assert written["ablations"][0]["id"] == LEFT and "request" not in written
    (waiting,) = queue.waiting(())
    assert (waiting.name, waiting.plan, waiting.plan.hash) == (name, plan, plan.hash)
    assert queue.waiting({name}) == []


def test_names_are_never_given_twice(queue):
    names = [queue.add(asked(removal(LEFT))) for _ in range(3)]
    assert names == ["0001", "0002", "0003"]
    assert queue.withdraw("0003") and not queue.withdraw("0003")
    queue.refuse("0002", ["too\nmuch", "of it"])
    assert [one.name for one in queue.waiting(())] == ["0001"]
    assert [one.reasons for one in queue.refused()] == [("too much", "of it")]
    assert queue.add(asked(removal(LEFT))) == "0004"
    ledger = Ledger(queue.state, write=True)
    sealed = asked(removal(LEFT), request="0007")
    ledger.seal("v", 1, sealed.hash, sealed.model_dump_json())
    ledger.close()
    queue.path("0004").unlink()
    assert queue.add(asked(removal(LEFT))) == "0008"


def test_what_was_sealed_cannot_be_withdrawn(queue):
    name = queue.add(asked(removal(LEFT)))
    sealed = asked(removal(LEFT), request=name)
    ledger = Ledger(queue.state, write=True)
    ledger.seal("of another source", 1, sealed.hash, sealed.model_dump_json())
    assert ledger.requests() == {name} and queue.waiting(ledger.requests()) == []
    ledger.close()
    assert not queue.withdraw(name)


def test_many_may_ask_at_once(queue):
    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(lambda _: queue.add(asked(removal(LEFT))), range(24)))
    assert sorted(names) == [f"{one + 1:04d}" for one in range(24)]
    assert len(queue.waiting(())) == 24


def test_one_that_was_set_aside_when_its_process_died_waits_no_more(queue):
    name = queue.add(asked(removal(LEFT)))
    text = queue.path(name).read_text()
    queue.refuse(name, ["no"])
    queue.path(name).write_text(text)  # as if killed before the first file was gone
    assert queue.waiting(()) == [] and [one.name for one in queue.refused()] == [name]


FILLS = """
import sys
from pathlib import Path
from lesion.agent.queue import Queue
from lesion.executor.errors import LedgerError
sys.path.insert(0, sys.argv[2])
from tests.agent.requests import LEFT, asked, removal
try:
    Queue(Path(sys.argv[1])).add(asked(removal(LEFT)))
except LedgerError as error:
    print(error)
"""


def test_a_disk_that_takes_nothing_is_one_clear_error_and_leaves_no_half_request(queue):
    def no_room():
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    root = Path(__file__).parents[2]
    ended = subprocess.run(
        [sys.executable, "-c", FILLS, str(queue.state), str(root)],
        preexec_fn=no_room,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0 and "cannot be used" in ended.stdout, ended.stderr
    assert queue.waiting(()) == [] and queue.add(asked(removal(LEFT))) == "0001"


def test_a_plan_without_a_request_keeps_the_hash_that_was_sealed():
    plan = asked(removal(LEFT))
    assert '"request"' not in plan.model_dump_json()
    assert Plan.model_validate_json(plan.model_dump_json()).hash == plan.hash
    assert plan.model_copy(update={"request": "0001"}).hash != plan.hash


class Anywhere:
    """Where everything has a place."""

    def problem(self, intervention, *, proposed=False):
        return None


def ground(*earlier, complete_before=False):
    known = {
        name: Component(
            id=name,
            kind="other",
            label=name,
            evidence="",
            interventions=[ConfigOverride(key=name.removeprefix("config:"), value=value)],
        )
        for name, value in OFF.items()
    }
    return Ground("tiny", known, earlier, Anywhere(), ["retrain"], complete_before)


def test_a_request_gets_its_number_its_roles_and_what_is_new_of_it():
    first = fitted(asked(removal(LEFT), removal(LEFT, RIGHT), round=9), "0001", ground())
    assert [(one.id, one.role) for one in first.ablations] == [
        (LEFT, "confirmatory"),
        (f"{LEFT} + {RIGHT}", "exploratory"),
    ]
    halved = removal(DROPOUT).model_copy(
        update={"id": f"{DROPOUT}@half", "interventions": [ConfigOverride(key="unused_dropout", value=0.15)]}
    )
    renamed = removal(LEFT).model_copy(update={"id": "config:other_name"})
    edited, brought = edit()
    again = asked(
        removal(LEFT),
        renamed,
        removal(RIGHT).model_copy(update={"why": "search"}),
        removal(RIGHT),
        halved,
        edited,
        removal(DROPOUT).model_copy(update={"id": "x", "components": ["config:unused_dropuot"]}),
        components=[brought],
        more_seeds=[LEFT, "nowhere"],
    )
    second = fitted(again, "0002", ground(first, complete_before=True))
    assert (second.round, second.request, second.more_seeds) == (2, "0002", [LEFT])
    assert [(one.id, one.role, one.why) for one in second.ablations] == [
        (RIGHT, "exploratory", ""),
        (f"{DROPOUT}@half", "sensitivity", ""),
        (BROUGHT, "exploratory", ""),
    ]
    assert second.components == [brought] and "results" in second.remarks[0]
    dropped = {one.id: one.reason for one in second.dropped}
    assert "round 1" in dropped[LEFT] and "the same as config:use_left" in dropped["config:other_name"]
    assert "did you mean config:unused_dropout" in dropped["x"] and "more seeds" in dropped["nowhere"]


def test_a_component_that_takes_the_name_of_another_is_refused_with_what_it_is_in():
    edited, brought = edit()
    clashing = brought.model_copy(update={"id": LEFT})
    named = edited.model_copy(update={"id": "edit:left", "components": [LEFT]})
    found = fitted(asked(named, removal(RIGHT), components=[clashing]), "0001", ground())
    assert ([one.id for one in found.ablations], found.components) == ([RIGHT], [])
    assert "another component of this name" in found.dropped[0].reason
