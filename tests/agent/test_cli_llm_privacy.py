"""What leaves the machine is what `lesion plan --show-prompt` shows, and none of what was to stay."""

import shutil

import pytest
from lesion.agent.planning.plan import parse_plan

from tests.experiments import CONFIG, EXPERIMENT
from tests.llm.models import scripted, upon
from tests.llm.server import says

from .llm.answers import follow_up
from .planning_desk import GOOD, KEY, SHORT, Desk, desk_on, ids, plan_of, surveyed

TOKEN = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
PASSWORD = "correct-horse-battery-staple-77"
IGNORED, EXCLUDED, DOTENV = "an ignored idea", "an excluded idea", "a-value-of-the-environment-file"
CODE = EXPERIMENT.replace("import torch\n", f'import torch\n\nTOKEN = "{TOKEN}"\npassword = "{PASSWORD}"\n', 1)
SECRETS = (TOKEN, PASSWORD, KEY, IGNORED, EXCLUDED, DOTENV, "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("private")
    for name, text in (
        (".gitignore", "notes/\n"),
        (".env", f"DATABASE={DOTENV}\n"),
        ("notes/idea.py", f'"""{IGNORED}"""\n'),
        ("hidden/idea.py", f'"""{EXCLUDED}"""\n'),
    ):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    study = SHORT.replace("[experiment]", '[project]\nexclude = ["hidden/"]\n\n[experiment]')
    config = f"{CONFIG}api_key: sk-proj-abcdefghijklmnopqrstuvwxyz0123456789\n"
    return surveyed(folder, experiment=CODE, config=config, study=study)


@pytest.fixture
def desk(made, tmp_path):
    return desk_on(made, tmp_path / "state")


def test_what_is_shown_is_what_is_sent_and_holds_nothing_that_was_to_stay(made, tmp_path):
    desk = Desk(type(made)(shutil.copytree(made.folder, tmp_path / "copy")), tmp_path / "state")
    desk.project.edit("experiment.py", "def build_model", f'WORD = "{KEY}"\n\n\ndef build_model')
    with scripted({"FirstPlan": GOOD}, refuses=("json_schema",)) as server:
        shown = desk.lesion("plan", "--show-prompt", OPENAI_API_KEY=KEY)
        assert server.requests == [] and shown.code == 0, shown.err
        plan_of(desk.plan(server))
        sent = server.asked[0].body["messages"]
    assert shown.out == "".join(f"── {one['role']} {'─' * 60}\n{one['content']}\n" for one in sent)
    assert "use_left" in shown.out and "build_model" in shown.out
    assert desk.lesion("plan", "--show-prompt").code == 0
    for place, text in (
        ("prompt", shown.out),
        *((f"request {at}", one.raw) for at, one in enumerate(server.requests)),
        ("transcript", (desk.state / "transcript.jsonl").read_text()),
    ):
        assert [one for one in SECRETS if one in text] == [], place


def test_show_prompt_writes_nothing(made, tmp_path):
    state = tmp_path / "none"
    assert made.lesion("plan", "--show-prompt", "--state", str(state)).code == 0
    assert not state.exists() and not made.state.exists()


def test_a_server_that_says_the_key_back_does_not_get_it_into_the_report(desk):
    tattling = {**GOOD, "removals": [{**GOOD["removals"][0], "hypothesis": f"the key is {KEY}"}]}
    with scripted({"FirstPlan": tattling}) as server:
        ended = desk.run(server, "--interactions", "none")
        assert ended.code == 0, ended.err
    assert KEY.encode() not in desk.everything()
    assert KEY not in ended.out + ended.err
    assert '"hypothesis":"the key is [key]"' in desk.project.rows("SELECT document FROM plans", desk.state)[0][0]


def test_a_transcript_plans_the_whole_study_again_without_a_server(desk, made, tmp_path):
    pair = upon(follow_up("together", "config:use_left", "config:unused_dropout"))
    with scripted({"FirstPlan": [says("nonsense"), GOOD], "NextRound": [pair]}) as server:
        ended = desk.run(server, "--interactions", "none")
        assert ended.code == 0, ended.err
    fresh = Desk(made, tmp_path / "fresh")
    replayed = fresh.lesion("run", "--replay", str(desk.state / "transcript.jsonl"), "--interactions", "none")
    assert replayed.code == 0, replayed.err
    assert fresh.hashes == desk.hashes and len(desk.hashes) >= 2
    assert fresh.report()["planning"]["exchanges"] == desk.report()["planning"]["exchanges"]


def test_a_transcript_of_another_source_is_told_from_this_one(desk, made, tmp_path):
    with scripted({"FirstPlan": GOOD}) as server:
        plan = plan_of(desk.plan(server))
    transcript = str(desk.state / "transcript.jsonl")
    fresh = Desk(made, tmp_path / "fresh")
    assert ids(plan_of(fresh.lesion("plan", "--json", "--replay", transcript))) == ids(plan)
    path = "plans/round-1.yaml"
    assert parse_plan(fresh.state / path).hash == parse_plan(desk.state / path).hash
    other = Desk(type(made)(shutil.copytree(made.folder, tmp_path / "other")), tmp_path / "changed")
    other.project.edit("experiment.py", "for step in range(60)", "for step in range(61)")
    ended = other.lesion("plan", "--json", "--replay", transcript)
    assert ended.code == 2 and "Traceback" not in ended.err
    assert "does not hold this question" in ended.err and "changed" in ended.err
