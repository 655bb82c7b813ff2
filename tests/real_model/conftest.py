"""The served model as a fixture; its server lives in an environment of its own (`make test-llm`)."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CONTEXT = 8192
"""Tokens, as the server is started with."""
PYTHON = HERE.parents[1] / ".venv-llm" / "bin" / "python"


@dataclass(frozen=True)
class Served:
    """Where a model answers, and its name there."""

    base_url: str
    model: str


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """SmolLM2-135M-Instruct behind an OpenAI-compatible server; it ends when its stdin does, however this process ends."""
    assert PYTHON.exists(), f"no {PYTHON}: run `make test-llm`, which installs it"
    log = tmp_path_factory.mktemp("server") / "log"
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [PYTHON, HERE / "server.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as server,
    ):
        assert server.stdout is not None
        address = server.stdout.readline()
        assert address, f"the server ended before it answered:\n{log.read_text()}"
        yield Served(**json.loads(address))
        assert server.poll() is None, f"the server ended during the tests:\n{log.read_text()}"
