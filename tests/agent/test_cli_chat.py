"""`lesion chat` without a terminal: every command without a model, a scripted model with its tools, approvals, caps, wrong input."""

import json
import os

import pytest
from lesion.agent.planning.plan import parse_plan
from lesion.agent.queue import Queue

from ..experiments import STUDY, project
from ..llm.server import drops, fails, says
from ..llm.talk import speaks, talking
from .llm.answers import EXPECTED

AUTO = ("--mode", "auto", "--max-trials", "60", "--for", "10m")


@pytest.fixture
def tiny(tmp_path):
    return project(tmp_path / "tiny", study=STUDY)


def chat(tiny, *messages, flags=(), **environment):
    said = [part for message in messages for part in ("--message", message)]
    return tiny.lesion("chat", *said, *flags, "--json", **environment)


def told(records, event):
    return [one for one in records if one["event"] == event]


def texts(records):
    return "\n".join(str(one.get("text", "")) for one in records)


def removal(target, **facts):
    return {"target": target, "how": "default", **EXPECTED, **facts}


def proposes(*removals, text="I propose these."):
    return speaks(text, ("propose", {"removals": list(removals), "overrides": [], "edits": []}))


def talk_with(server, tiny, *messages, flags=()):
    return chat(tiny, *messages, flags=flags, OPENAI_BASE_URL=server.url, LESION_MODEL="scripted")


def test_every_command_without_a_model_from_first_look_to_report(tiny):
    looked = chat(
        tiny, "/help", "/components", "/source experiment.py:1-3", "/plan", "/diff", "/status", "/cost", "/model"
    )
    assert looked.code == 0, looked.err
    tables = told(looked.records, "table")
    assert {"/run [all] [N trials] [for 30m]", "/quit"} <= {row[0] for row in tables[0]["rows"]}
    assert "config:use_left" in {row[0] for row in tables[1]["rows"]}
    assert told(looked.records, "source")[0]["text"].startswith('"""A linear fit')
    drafted = {row[0] for row in tables[2]["rows"]}
    assert drafted == {"config:use_left", "config:use_right", "config:use_scale", "config:unused_dropout"}
    assert "draft: 4 ablations" in texts(looked.records)
    assert not (tiny.state / "ledger.db").exists()

    refused = chat(tiny, "/run")
    assert refused.code == 0
    asked = told(refused.records, "approval")[0]
    assert asked["price"]["first_look"] == 15  # five arms, the baseline among them, at three seeds
    assert {one["id"] for one in asked["ablations"]} == drafted
    assert any("confirmatory" in note for note in asked["notes"])
    assert "--mode auto" in texts(refused.records)
    assert not (tiny.state / "ledger.db").exists()

    ran = chat(tiny, "/plan drop config:use_scale", "/run", flags=AUTO)
    assert ran.code == 0, ran.err
    arrived = texts(ran.records)
    assert "config:use_left" in arrived
    assert "matters" in arrived
    assert "The run has ended" in arrived
    assert "unused_dropout" in arrived  # its check has stopped it: nothing reads it
    assert tiny.rows("SELECT COUNT(*) FROM trials WHERE status = 'ok'") == [(9,)]

    joint = chat(tiny, "/interactions config:use_left config:use_right", "/run", flags=AUTO)
    assert joint.code == 0, joint.err
    plans = [json.loads(document) for (document,) in tiny.rows("SELECT document FROM plans ORDER BY round")]
    assert [[one["id"] for one in plan["ablations"]] for plan in plans] == [
        ["config:unused_dropout", "config:use_left", "config:use_right"],
        ["config:use_left + config:use_right"],
    ]
    assert [one["role"] for one in plans[0]["ablations"]] == ["confirmatory"] * 3
    assert plans[1]["ablations"][0]["role"] == "exploratory"

    after = chat(
        tiny, "/results", "/why config:use_left", "/interactions", "/settle", "/draft", "/report md", "/status", "/cost"
    )
    assert after.code == 0, after.err
    assert {row[0]: row[1] for row in told(after.records, "table")[0]["rows"]}["config:use_left"] == "matters"
    assert told(after.records, "forest")[0]["rows"]
    assert (tiny.state / "report" / "report.md").exists()
    assert "not complete" in texts(after.records)  # the test split waits for the end of the study

    ended = chat(tiny, "/run all", flags=AUTO)
    assert ended.code == 0, ended.err
    assert tiny.results()["study"]["complete"] is True


def test_wrong_commands_each_get_one_clear_error(tiny):
    wrong = [
        "/wyh config:use_left",
        "/why config:use_lef",
        "/components module:nowhere.*",
        "/source ../../../etc/passwd",
        "/source experiment.py:9-x",
        "/plan drop config:use_left",
        "/interactions config:use_left",
        "/interactions config:use_left config:use_lefd",
        "/run for ever",
        "/mode always",
        "/report pdf",
        "/why",
        '/why "config:use_left',
    ]
    ended = chat(tiny, *wrong)
    assert ended.code == 2
    assert "Traceback" not in ended.err + ended.out
    errors = [one["text"] for one in told(ended.records, "note") if one["tone"] == "error"]
    assert len(errors) == len(wrong)
    assert "did you mean why" in errors[0]
    assert "did you mean config:use_left" in errors[1]
    assert "root:" not in texts(ended.records)


def test_a_message_without_a_model_says_how_to_name_one(tiny):
    ended = chat(tiny, "what is in here?")
    assert "LESION_MODEL" in texts(ended.records)
    assert ended.code == 2


def test_lines_of_a_pipe_are_messages(tiny, tmp_path):
    import subprocess

    from ..experiments import LESION

    clean = {key: value for key, value in os.environ.items() if not key.startswith(("LESION", "OPENAI"))}
    ended = subprocess.run(
        [*LESION, "chat"],
        check=False,
        cwd=tiny.folder,
        env=clean,
        input="/components\n\n/plan\n",
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    assert "config:use_left" in ended.stdout
    assert "\x1b" not in ended.stdout


@pytest.mark.parametrize(
    "server", [{}, {"refuses": ("tools",)}, {"native": False}], ids=["tools", "refuses", "never calls"]
)
def test_a_model_looks_proposes_and_asks_whatever_way_its_server_has(tiny, server):
    turns = [
        speaks("Let me look.", ("look_at_components", {"pattern": "config:*"})),
        proposes(removal("config:use_left"), removal("config:nothing")),
        speaks("Shall I run it?", ("run", {"reason": "it is the question"})),
        speaks("As you like."),
    ]
    with talking(*turns, **server) as model:
        ended = talk_with(model, tiny, "does the left feature matter?")
        assert ended.code == 0, ended.err
        asked = model.asked
    assert [one["tool"] for one in told(ended.records, "step")] == ["look_at_components"]
    approval = next(one for one in told(ended.records, "approval") if one["ablations"])
    assert [one["id"] for one in approval["ablations"]] == ["config:use_left"]
    assert "it is the question" in " ".join(approval["notes"])
    assert "config:nothing" in texts(ended.records)
    assert any("config:use_right" in one.text for one in asked[1:])  # what it looked at
    assert any("no component 'config:nothing'" in one.text for one in asked[2:])
    assert any("nobody was there" in one.text for one in asked[3:])
    assert not (tiny.state / "ledger.db").exists()
    usage = [one["text"] for one in told(ended.records, "note") if "tokens sent" in one["text"]]
    assert len(usage) == 1


def test_in_auto_the_model_runs_hears_the_results_and_its_numbers_are_checked(tiny):
    def final(request):
        assert "config:use_left" in request.text
        return speaks(
            'It {{ effect("config:use_left").verdict }}: Δ {{ effect("config:use_left").delta }}, about 0.77, '
            '{{ effect("config:never").delta }}.'
        )

    turns = [
        proposes(removal("config:use_left")),
        speaks("", ("run", {"reason": "to see"})),
        speaks("It runs."),
        final,
    ]
    with talking(*turns) as model:
        ended = talk_with(model, tiny, "try it", flags=AUTO)
        assert ended.code == 0, ended.err
    prose = told(ended.records, "prose")[-1]
    assert prose["own_numbers"] == ["0.77"]
    delta = tiny.results()["effects"][0]["delta"]
    assert f"{abs(delta):.1f}"[:3] in prose["text"]
    assert "matters" in prose["text"]
    assert "no such reference" in prose["text"].lower()
    told_to = [json.loads(line) for line in (tiny.state / "chat" / "events.jsonl").read_text().splitlines()]
    assert any(one["what"]["event"] == "noticed" and "config:never" in one["what"]["text"] for one in told_to)


def test_auto_stays_within_its_caps(tiny):
    ended = chat(tiny, "/plan", "/run", flags=("--mode", "auto", "--max-trials", "3", "--for", "10m"))
    assert "beyond auto's caps" in texts(ended.records)
    assert not (tiny.state / "ledger.db").exists()


def test_caps_of_tokens_end_the_asking_and_not_the_conversation(tiny):
    tiny.edit("lesion.toml", "[limits]", "[planner]\nmax_tokens_total = 20000\n\n[limits]")
    with talking(*[lambda _request: says("yes", sent=6000, received=50)] * 50) as model:
        ended = talk_with(model, tiny, *["and then?"] * 6, "/status")
    assert ended.code == 2
    assert "max_tokens_total" in texts(ended.records)
    assert "draft: 0" in texts(ended.records)
    sent = len(model.asked)
    with talking(speaks("no")) as model:
        again = talk_with(model, tiny, "again?")
        assert model.asked == []
    assert again.code == 2
    assert sent < 7


def test_plan_only_runs_nothing_and_writes_the_plan(tiny):
    turns = [proposes(removal("config:use_left")), speaks("", ("run", {"reason": "to see"})), speaks("I see.")]
    with talking(*turns) as model:
        ended = talk_with(model, tiny, "try it", flags=("--mode", "plan-only"))
    assert ended.code == 0
    assert told(ended.records, "approval") == [] or not [
        one for one in told(ended.records, "approval") if one["ablations"]
    ]
    plan = tiny.state / "chat" / "draft.yaml"
    assert plan.exists()
    ran = tiny.lesion("run", "--plan", str(plan), "--interactions", "none")
    assert ran.code == 0, ran.err


def test_a_paragraph_with_typed_numbers_is_sent_back_and_one_with_references_is_shown(tiny):
    chat(tiny, "/plan config:use_left", "/run", flags=AUTO)
    turns = [
        speaks("", ("draft_paragraph", {"text": "Removing it costs 0.5 points."})),
        speaks("", ("draft_paragraph", {"text": 'Removing it: {{ effect("config:use_left").delta_with_interval }}.'})),
        speaks("There it is."),
    ]
    with talking(*turns) as model:
        ended = talk_with(model, tiny, "write me the paragraph")
        assert "0.5" in model.asked[1].text.split("draft_paragraph")[-1] or "no reference" in model.asked[1].text
    assert ended.code == 0, ended.err
    shown = [one["text"] for one in told(ended.records, "prose") if "Removing it" in one["text"]]
    assert len(shown) == 1
    assert "{{" not in shown[0]


def test_a_dropped_connection_is_told_and_what_was_said_is_kept(tiny):
    tiny.edit("lesion.toml", "[limits]", "[planner]\ntimeout = 5\n\n[limits]")
    answers = [drops("The left fea")] * 4 + [says("The left feature matters to you.")]
    with talking(*[lambda _request, each=each: each for each in answers]) as model:
        ended = talk_with(model, tiny, "go")
    assert ended.code in (0, 2)
    events = [json.loads(line)["what"] for line in (tiny.state / "chat" / "events.jsonl").read_text().splitlines()]
    assert any(one["event"] == "answered" and "The left fea" in one["text"] for one in events)


def test_a_wrong_key_is_one_error_and_the_commands_go_on(tiny):
    with talking(lambda _request: fails(401, "Incorrect API key provided", code="invalid_api_key")) as model:
        ended = talk_with(model, tiny, "hello", "/status")
    errors = [one["text"] for one in told(ended.records, "note") if one["tone"] == "error"]
    assert len(errors) == 1
    assert "key" in errors[0]
    assert "draft: 0" in texts(ended.records)


def test_auto_is_said_each_time_where_nobody_can_be_asked(tiny):
    chat(tiny, "/status", flags=AUTO)
    ended = chat(tiny, "/plan config:use_left", "/run")
    assert "nobody was there to say yes" in texts(ended.records)
    assert not (tiny.state / "ledger.db").exists()


def test_nothing_is_sent_for_the_whole_study_without_a_yes_to_sending(tiny):
    with talking() as model:
        ended = talk_with(model, tiny, "/run all", flags=(*AUTO[:2], "--max-trials", "0"))
        assert "by the built-in rules: nothing is sent" in json.dumps(ended.records)
        ran = talk_with(model, tiny, "/run all", flags=AUTO)
        assert model.asked == []
    assert ran.code == 0, ran.err
    assert {one["planner"] for one in tiny.results()["rounds"]} == {"rules"}


def test_plan_only_does_not_start_what_was_approved_before_and_ask_shows_what_it_is(tiny):
    ready = chat(tiny, "/plan config:use_left", flags=("--mode", "plan-only"))
    assert ready.code == 0
    chat(tiny, "/run", flags=("--mode", "plan-only"))
    plan = parse_plan(tiny.state / "chat" / "draft.yaml")
    Queue(tiny.state).add(plan)
    still = chat(tiny, "/run", "/queue", flags=("--mode", "plan-only"))
    assert "nothing runs" in texts(still.records)
    assert told(still.records, "table")[0]["rows"] == [["0001", "config:use_left"]]
    asked = chat(tiny, "/plan drop config:use_left", "/run")
    approval = told(asked.records, "approval")[0]
    assert "go on with what was approved before: 6 trials" in approval["what"]
    assert not (tiny.state / "ledger.db").exists()
    dropped = chat(tiny, "/queue drop 0001 0009", "/queue")
    assert "0001: taken back" in texts(dropped.records)
    assert "0009: no such request" in texts(dropped.records)


def two_batches(*after):
    """A model that asks for one removal, and at once for another."""
    left, right = (
        speaks(
            "", ("propose", {"removals": [removal(one)], "overrides": [], "edits": []}), ("run", {"reason": "it asks"})
        )
        for one in ("config:use_left", "config:use_right")
    )
    return [left, right, *after, speaks("Done.")]


def test_two_batches_at_once_in_auto_run_one_after_the_other(tiny):
    with talking(*two_batches(speaks("Both run."))) as model:
        ended = talk_with(model, tiny, "try both", flags=AUTO)
    assert ended.code == 0, ended.err
    plans = [json.loads(document) for (document,) in tiny.rows("SELECT document FROM plans ORDER BY round")]
    assert [[one["id"] for one in plan["ablations"]] for plan in plans] == [["config:use_left"], ["config:use_right"]]
    assert tiny.rows("SELECT COUNT(*) FROM trials WHERE status = 'ok'") == [(9,)]


def test_what_runs_already_counts_against_the_caps_of_auto(tiny):
    flags = ("--mode", "auto", "--max-trials", "7", "--for", "10m")
    with talking(*two_batches(speaks("One runs."))) as model:
        ended = talk_with(model, tiny, "try both", flags=flags)
        assert any("nobody was there" in one.text for one in model.asked)
    assert any("beyond auto's caps" in note for one in told(ended.records, "approval") for note in one["notes"])
    assert tiny.rows("SELECT COUNT(*) FROM trials") == [(6,)]


def test_what_was_approved_before_counts_once_against_the_caps_of_auto(tiny):
    chat(tiny, "/plan config:use_left", "/run", flags=("--mode", "plan-only"))
    Queue(tiny.state).add(parse_plan(tiny.state / "chat" / "draft.yaml"))
    ended = chat(tiny, "/plan clear", "/run", flags=("--mode", "auto", "--max-trials", "6", "--for", "10m"))
    assert ended.code == 0, ended.err
    assert told(ended.records, "approval") == []
    assert tiny.rows("SELECT COUNT(*) FROM trials WHERE status = 'ok'") == [(6,)]


def test_a_change_of_the_project_is_told_and_a_touched_study_file_is_none(tiny):
    chat(tiny, "/plan config:use_left", "/run", flags=AUTO)
    (tiny.folder / "lesion.toml").touch()
    same = chat(tiny, "/results config:use_left")
    assert "another version" not in texts(same.records)
    assert told(same.records, "table")
    tiny.edit("config.yaml", "weight_decay: 0.0001", "weight_decay: 0.0002")
    other = chat(tiny, "/results")
    assert "Nothing is measured yet of this version" in texts(other.records)
    tiny.edit("lesion.toml", "[limits]", "[limits")
    broken = chat(tiny, "/status")
    assert broken.code == 2
    assert "lesion.toml" in broken.err


def test_a_state_folder_that_cannot_be_is_one_error(tiny):
    for place in ("/dev/null", "/proc/nowhere"):
        ended = chat(tiny, "/status", flags=("--state", place))
        assert ended.code == 2
        assert "Traceback" not in ended.err
        assert "--state" in ended.err


def test_a_run_that_fails_is_told_by_the_exit_code(tiny):
    tiny.edit(
        "experiment.py",
        "def train(model, config, seed):",
        "def train(model, config, seed):\n    config['use_left'] or 1 / 0",
    )
    tiny.edit(
        "experiment.py",
        "    torch.manual_seed(seed)",
        "    torch.manual_seed(seed)\n    if seed == 1: raise RuntimeError('seed one')",
    )
    ended = chat(tiny, "/plan config:use_right", "/run", flags=AUTO)
    assert ended.code in (0, 2)
    assert "Traceback (most recent call last)" not in ended.err


def test_a_cut_answer_and_an_empty_one_are_told_as_such(tiny):
    cut = lambda _request: says("This sentence stops in the mid", finish="length")  # noqa: E731
    with talking(cut, lambda _request: says("")) as model:
        ended = talk_with(model, tiny, "go", "and now?")
    assert "reached its length" in texts(ended.records)
    assert "said nothing" in texts(ended.records)


def test_what_a_model_tried_in_vain_is_seen(tiny):
    calls = [
        ("read_source", {"path": "/etc/passwd", "first": 1, "last": 5}),
        ("read_source", {"path": "experiment.py", "first": 9000, "last": 9001}),
        ("read_source", {"path": "experiment.py", "first": 1, "last": 2}),
        ("format_disk", {}),
        ("run", {"reason": 3}),
    ]
    with talking(speaks("I look.", *calls), speaks("Nothing came of it.")) as server:
        seen = talk_with(server, tiny, "look", flags=("--mode", "plan-only"))
    steps = {one["text"]: one["tool"] for one in told(seen.records, "step")}
    assert steps["lines 1-5 of '/etc/passwd': not shown, outside the project"] == "read_source"
    assert any("lines 9000-9001 of 'experiment.py': not shown, the file has" in one for one in steps)
    assert "lines 1-2 of 'experiment.py'" in steps
    assert any(tool == "format_disk" and "there is no tool" in text for text, tool in steps.items())
    assert any(tool == "run" and "do not fit" in text for text, tool in steps.items())


def test_a_server_that_was_never_there_is_one_error_at_once(tiny):
    with talking() as model:
        pass
    ended = talk_with(model, tiny, "hello")
    assert ended.code == 2
    (error,) = [one["text"] for one in told(ended.records, "note") if one["tone"] == "error"]
    assert "no connection to the server" in error
