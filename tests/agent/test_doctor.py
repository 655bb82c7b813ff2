"""`lesion doctor` and the language model's server: what it says of key, model and context, before a study needs them."""

import json

import pytest

from tests.experiments import lesion
from tests.llm.server import ModelServer

HOLDS = {"scripted": 8192}
PLANNER = '[planner]\nkind = "llm"\ncontext_tokens = 8192\nanswer_tokens = 800\n'
STUDY = '[study]\nname = "tiny"\n[experiment]\npython = "experiment.py"\n[metrics.score]\ngoal = "maximize"\n'


def endpoint(folder, **environment):
    ended = lesion("doctor", "--json", cwd=folder, **environment)
    (found,) = [one for one in json.loads(ended.out)["findings"] if one["what"] == "model endpoint"]
    return found["works"], f"{found['detail']}; {found['to_do']}"


def test_without_a_model_the_rules_plan_and_nothing_is_asked(tmp_path):
    with ModelServer() as server:
        works, said = endpoint(tmp_path, OPENAI_BASE_URL=server.url)
        assert works is None and "LESION_MODEL" in said and server.requests == []


@pytest.mark.parametrize(
    ("server", "model", "works", "said"),
    [
        ({"contexts": {"scripted": 128_000}}, "scripted", True, "holds 128,000 tokens; context_tokens = 64,000"),
        ({}, "scripted", True, "does not say how much it holds, and context_tokens = 64,000"),
        ({"models": None}, "scripted", True, "keeps no list of models"),
        ({"contexts": HOLDS}, "scripted", False, "holds 8,192 tokens of 'scripted', and context_tokens = 64,000"),
        ({"models": ("scripted", "other")}, "scirpted", False, "near: scripted"),
        ({"key": "sk-right"}, "scripted", False, "access denied (OPENAI_API_KEY is not set)"),
    ],
    ids=["fits", "untold", "unlisted", "too small", "unknown", "key"],
)
def test_a_server_is_asked_for_its_models(tmp_path, server, model, works, said):
    with ModelServer(**server) as running:
        found, told = endpoint(tmp_path, OPENAI_BASE_URL=running.url, LESION_MODEL=model)
    assert found is works and said in told
    assert running.asked == [], "nothing is spent"


def test_the_study_file_in_the_folder_counts(tmp_path):
    (tmp_path / "experiment.py").write_text("")
    (tmp_path / "lesion.toml").write_text(STUDY + PLANNER)
    with ModelServer(contexts=HOLDS) as server:
        works, said = endpoint(tmp_path, OPENAI_BASE_URL=server.url, LESION_MODEL="scripted")
        assert works is True and "context_tokens = 8,192" in said
    works, said = endpoint(tmp_path, OPENAI_BASE_URL=server.url, LESION_MODEL="scripted")
    assert works is False and "OPENAI_BASE_URL" in said, "the server is gone"
    (tmp_path / "lesion.toml").write_text(STUDY + PLANNER.replace('"llm"', '"rules"'))
    assert endpoint(tmp_path)[0] is None
