"""Flags before the environment before the study file; whatever is missing is said at once, before anything is sent."""

import subprocess
import sys

import pytest
from lesion.agent.llm.settings import is_configured, model_settings
from lesion.agent.spec import PlannerSection
from lesion.executor.errors import ModelError

from .asked import QUESTION, Items
from .server import ModelServer, fails, says

KEY = "sk-very-secret-key-0123456789"


def test_flags_come_before_the_environment_before_the_file():
    section = PlannerSection(model="file", base_url="http://file/v1")
    environment = {"LESION_MODEL": "environment", "OPENAI_BASE_URL": "http://environment/v1"}
    for flags, variables, expected in [
        ({"model": "flag", "base_url": "http://flag/v1"}, environment, "flag"),
        ({}, environment, "environment"),
        ({}, {"LESION_MODEL": " "}, "file"),
    ]:
        found = model_settings(section, variables, **flags)
        assert (found.model, found.base_url) == (expected, f"http://{expected}/v1")
    assert found.key is None, "a server of one's own needs none"


def test_everything_missing_is_named_at_once():
    with pytest.raises(ModelError) as raised:
        model_settings(PlannerSection(max_cost=1.0, price_input=1.0), {})
    for part in ("LESION_MODEL", "OPENAI_API_KEY", "OPENAI_BASE_URL", "price_output", "--planner rules"):
        assert part in str(raised.value)
    assert "price_input" not in str(raised.value)


@pytest.mark.parametrize(
    "address", ["localhost:8000", "ftp://host/v1", "http://", "http://host:99999/v1", "not an address"]
)
def test_an_address_is_looked_at(address):
    with pytest.raises(ModelError, match="base_url is no address"):
        model_settings(PlannerSection(model="m"), {"OPENAI_BASE_URL": address})


def test_an_address_that_goes_too_far_is_named():
    with pytest.raises(ModelError, match="leave out /chat/completions"):
        model_settings(PlannerSection(model="m"), {"OPENAI_BASE_URL": "http://host/v1/chat/completions"})


def test_the_key_is_not_shown():
    settings = model_settings(PlannerSection(model="m"), {"OPENAI_API_KEY": KEY})
    assert KEY not in repr(settings)
    assert settings.key == KEY
    with pytest.raises(ModelError) as raised:
        model_settings(PlannerSection(model="m"), {"OPENAI_API_KEY": KEY + " ünd"})
    assert KEY not in str(raised.value)


def test_a_password_in_the_address_is_not_written_down():
    settings = model_settings(
        PlannerSection(model="m"), {"OPENAI_BASE_URL": "https://me:secret@host:8/v1/?token=secret"}
    )
    assert settings.server == "https://host:8/v1"


@pytest.mark.parametrize(
    ("environment", "configured"),
    [
        ({}, False),
        ({"LESION_MODEL": "m"}, False),
        ({"OPENAI_API_KEY": KEY}, False),
        ({"LESION_MODEL": "m", "OPENAI_API_KEY": KEY}, True),
        ({"LESION_MODEL": "m", "OPENAI_BASE_URL": "http://localhost/v1"}, True),
    ],
)
def test_a_model_is_configured_when_it_has_a_name_and_a_door(environment, configured):
    assert is_configured(PlannerSection(), environment) is configured


def test_preflight_finds_a_good_server_good(desk):
    with ModelServer(key=KEY, models=("scripted", "other")) as server:
        desk.model(server).preflight()
    assert [request.path for request in server.requests] == ["/v1/models"], "nothing is spent"
    assert not desk.path.exists()


def test_preflight_names_the_near_models(desk):
    with ModelServer(models=("scripted-large", "unlike")) as server, pytest.raises(ModelError) as raised:
        desk.model(server).preflight()
    assert "no model 'scripted' here; near: scripted-large" in str(raised.value)
    assert server.url in str(raised.value)


def test_preflight_asks_for_a_model_that_is_not_listed(desk):
    with ModelServer(models=("alias",)) as server:
        server._listed = lambda request: (
            says("") if request.path.endswith("/scripted") else ModelServer._listed(server, request)
        )
        desk.model(server).preflight()


def test_preflight_refuses_a_wrong_key(desk):
    with ModelServer(key="another") as server, pytest.raises(ModelError, match="access denied"):
        desk.model(server).preflight()


def test_preflight_refuses_an_address_where_nobody_is(desk):
    with ModelServer() as server:
        pass
    with pytest.raises(ModelError, match="OPENAI_BASE_URL"):
        desk.model(server).preflight()


def test_servers_without_a_list_of_models_pass(desk):
    with ModelServer(models=None) as server:
        desk.model(server).preflight()
    with ModelServer() as server:
        server._listed = lambda _: fails(503, "later")
        desk.model(server).preflight()


def test_a_server_that_is_gone_at_the_first_question_is_an_error(desk):
    with ModelServer() as server:
        pass
    with pytest.raises(ModelError, match="no connection"):
        desk.model(server).ask("plan", QUESTION, Items)
    assert len(desk.slept) == 4


def test_nothing_of_this_is_imported_before_it_is_used():
    code = "import sys; import lesion.agent.cli, lesion.agent.llm.client; sys.exit(any(m in sys.modules for m in ('openai', 'httpx2')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_key_that_may_ask_and_not_list_passes(desk):
    with ModelServer() as server:
        server._listed = lambda _: fails(403, "insufficient permissions: missing scopes: api.model.read")
        desk.model(server).preflight()
