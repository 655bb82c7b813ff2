"""A language model that cannot plan is said in one clear message, before anything is asked, run or written."""

import http.server
import socket
import threading

import pytest

from tests.llm.models import scripted
from tests.llm.server import ModelServer, hangs

from .planning_desk import GOOD, KEY, SHORT, Desk, project

PRICES = "price_input = 1.0\nprice_output = 1.0\n"


@pytest.fixture
def desk(tmp_path):
    return Desk(project(tmp_path / "project", study=SHORT), tmp_path / "state")


def planner(desk, keys):
    desk.project.edit("lesion.toml", "[limits]", f"[planner]\n{keys}\n\n[limits]")


def refused(desk, ended, *told):
    """One message, and nothing else happened."""
    assert ended.code == 2, ended.err
    assert ended.out == "" and "Traceback" not in ended.err
    assert ended.err.startswith("lesion: ") and ended.err.count("lesion: ") == 1
    for words in told:
        assert words in ended.err, ended.err
    assert not desk.state.exists()


def test_without_a_key_it_is_said_what_to_set_and_that_the_rules_need_none(desk):
    ended = desk.lesion("run", "--planner", "llm", LESION_MODEL="scripted")
    refused(desk, ended, "OPENAI_API_KEY", "OPENAI_BASE_URL", "--planner rules")
    ended = desk.lesion("plan", "--planner", "llm")
    refused(desk, ended, "LESION_MODEL", "OPENAI_API_KEY", "--planner rules")


def test_an_address_where_nobody_listens(desk):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        ended = desk.lesion("run", "--planner", "llm", "--base-url", url, LESION_MODEL="scripted")
    refused(desk, ended, url, "OPENAI_BASE_URL", "no connection")


def test_an_address_that_is_none(desk):
    ended = desk.lesion("run", "--planner", "llm", "--base-url", "localhost:8000", LESION_MODEL="scripted")
    refused(desk, ended, "localhost:8000", "http://localhost:8000/v1")


class Page(http.server.BaseHTTPRequestHandler):
    """Every path is the same web page."""

    def do_GET(self):
        page = b"<!doctype html><title>Welcome</title>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    do_POST = do_GET

    def log_message(self, *_):
        pass


def test_a_web_page_is_no_model(desk):
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{web.server_port}"
        ended = desk.lesion("run", "--planner", "llm", "--base-url", url, LESION_MODEL="scripted")
    finally:
        web.shutdown()
        web.server_close()
    refused(desk, ended, url, "/v1")


def test_an_unknown_model_is_named_with_those_that_are_near(desk):
    with ModelServer(models=("scripted-small", "scripted-large", "whisper")) as server:
        ended = desk.run(server)
        assert server.asked == []
    refused(desk, ended, "'scripted'", "scripted-small", "scripted-large", "LESION_MODEL")


def test_a_wrong_key(desk):
    with scripted({"FirstPlan": GOOD}, key="another-key-0123456789") as server:
        ended = desk.run(server)
        assert server.asked == []
    refused(desk, ended, "access denied", "OPENAI_API_KEY")
    assert KEY not in ended.err


def test_a_server_that_never_answers(desk):
    planner(desk, 'timeout = "1s"')
    with ModelServer(each=lambda _: hangs()) as server:
        server._listed = lambda _: hangs()
        ended = desk.run(server)
        assert server.asked == []
    refused(desk, ended, "did not answer in time", server.url)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("context_tokens = 1500\nanswer_tokens = 500", ("context_tokens",)),
        ("context_tokens = 4000\nanswer_tokens = 3000", ("context_tokens", "more than half")),
        ("max_tokens_total = 3000", ("max_tokens_total", "3,000")),
        (f"max_cost = 0.0001\n{PRICES}", ("max_cost", "$")),
        ("max_cost = 1.0", ("price_input", "price_output")),
        ("price_input = -1.0", ("price_input",)),
    ],
)
def test_caps_that_allow_no_single_question(desk, keys, told):
    planner(desk, keys)
    with scripted({"FirstPlan": GOOD}) as server:
        ended = desk.run(server)
        assert server.asked == []
    refused(desk, ended, *told)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ('claims_file = "claims.txt"', ("claims_file", "claims.txt")),
        ('claims = ["it helps"]\nclaims_file = "config.yaml"', ("claims", "claims_file")),
    ],
)
def test_claims_that_cannot_be_read(desk, keys, told):
    desk.project.edit("lesion.toml", 'name = "tiny"\n', f'name = "tiny"\n{keys}\n')
    with scripted({"FirstPlan": GOOD}) as server:
        ended = desk.run(server)
        assert server.requests == []
    refused(desk, ended, *told, "lesion.toml")


def test_a_transcript_that_is_not_there_or_empty_or_something_else(desk, tmp_path):
    for text, told in ((None, "no transcript"), ("", "holds no exchange"), ("hello\n", "no exchange")):
        path = tmp_path / "transcript.jsonl"
        if text is not None:
            path.write_text(text)
        refused(desk, desk.lesion("run", "--replay", str(path)), told, str(path))
