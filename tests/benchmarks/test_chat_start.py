"""How soon a conversation can begin: from the start of the process to a prompt, beside what it must not wait for."""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pexpect
import pytest

from ..experiments import LESION, project

RUNS = 7


def to_the_prompt(folder) -> tuple[float, bool]:
    """Seconds until the prompt stands there, and whether torch is loaded then."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("LESION", "OPENAI"))}
    began = time.perf_counter()
    child = pexpect.spawn(LESION[0], [*LESION[1:], "chat"], cwd=str(folder), env={**clean, "TERM": "xterm"}, timeout=60)
    child.expect("lists the commands")
    child.expect(">")
    seconds = time.perf_counter() - began
    has_torch = "libtorch" in Path(f"/proc/{child.pid}/maps").read_text()
    child.sendeof()
    child.expect(pexpect.EOF)
    child.close()
    return seconds, has_torch


def importing(module: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
    return time.perf_counter() - began


@pytest.mark.benchmark
def test_start(tmp_path, capsys):
    """Side by side in one run: the prompt, bare Python, the libraries of the prompt, torch."""
    tiny = project(tmp_path / "tiny")
    to_the_prompt(tiny.folder)  # the first finds nothing in the cache of files
    took: dict[str, list[float]] = {
        name: [] for name in ("chat", "sys", "prompt_toolkit, rich.table, pydantic", "torch")
    }
    for _ in range(RUNS):
        seconds, has_torch = to_the_prompt(tiny.folder)
        assert not has_torch
        took["chat"].append(seconds)
        for module in list(took)[1:]:
            took[module].append(importing(module))
    with capsys.disabled():
        print()
        for name, each in took.items():
            label = "lesion chat, to the prompt" if name == "chat" else f"python -c 'import {name}'"
            print(f"{label:<60} median {statistics.median(each):.2f} s, least {min(each):.2f} s")
