"""A tiny study, surveyed once, whose planner is a scripted model: the `lesion` program as a subprocess, each time on a state of its own."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.experiments import LESION, STUDY, Ended, Project, project
from tests.llm.models import first
from tests.llm.server import ModelServer

from .llm.answers import proposal

KEY = "word-that-opens-the-server-7x9q2"
"""Of a shape that nothing could take for a secret."""
ALLOWED = ("config:use_left", "config:use_right", "config:use_scale", "config:unused_dropout")
GOOD = first(proposal("config:use_left"), proposal("config:unused_dropout", direction="none", size=0.0))
SHORT = STUDY.replace("seeds = 3", "seeds = 2")
SURVEYED = "surveyed"


@dataclass(frozen=True)
class Desk:
    """One project and one state folder."""

    project: Project
    state: Path

    def lesion(self, *arguments: str, server: ModelServer | None = None, **more: Any) -> Ended:
        """The program on this state; `more`: `before`, and the environment beside the model's."""
        return self.project.lesion(*arguments, "--state", str(self.state), **environment(server, **more))

    def plan(self, server: ModelServer, *arguments: str, **more: Any) -> Ended:
        """`lesion plan`, with its plan on stdout."""
        return self.lesion("plan", "--planner", "llm", "--json", *arguments, server=server, **more)

    def run(self, server: ModelServer | None, *arguments: str, **more: Any) -> Ended:
        """`lesion run` by the model."""
        return self.lesion("run", "--planner", "llm", *arguments, server=server, **more)

    def start(self, server: ModelServer, *arguments: str, **streams: Any) -> "subprocess.Popen[str]":
        """The program, still running."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("LESION", "OPENAI"))}
        return subprocess.Popen(
            [*LESION, *arguments, "--state", str(self.state)],
            cwd=self.project.folder,
            env={**clean, **environment(server)},
            stdin=subprocess.DEVNULL,
            text=True,
            **{"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, **streams},
        )

    @property
    def exchanges(self) -> list[dict[str, Any]]:
        """The transcript."""
        return [json.loads(line) for line in (self.state / "transcript.jsonl").read_text().splitlines()]

    def report(self) -> dict[str, Any]:
        """The report as data; every planned trial is accounted for."""
        found = self.project.results("--state", str(self.state))
        counted = found["accounting"]
        told = counted["ok"] + sum(counted["failed"].values()) + counted["skipped"]
        assert counted["planned"] == told + counted["pending"]
        return found

    @property
    def text(self) -> str:
        """The report as people read it."""
        return (self.state / "report" / "report.md").read_text()

    @property
    def hashes(self) -> list[str]:
        """Of the sealed plans."""
        return [row[0] for row in self.project.rows("SELECT hash FROM plans ORDER BY round", self.state)]

    def everything(self) -> bytes:
        """All that the state folder holds."""
        return b"\n".join(path.read_bytes() for path in sorted(self.state.rglob("*")) if path.is_file())


def environment(server: ModelServer | None, **more: Any) -> dict[str, Any]:
    """The model's, where there is one."""
    asked = {"OPENAI_BASE_URL": server.url, "LESION_MODEL": "scripted", "OPENAI_API_KEY": KEY} if server else {}
    return {**asked, **more}


def surveyed(folder: Path, **files: str) -> Project:
    """The project, with a state that holds its survey and nothing else."""
    made = project(folder, **{"study": SHORT, **files})
    ended = made.lesion("plan", "--planner", "rules", "--state", SURVEYED)
    assert ended.code == 0, ended.err
    shutil.rmtree(made.folder / SURVEYED / "plans")
    return made


def desk_on(made: Project, state: Path) -> Desk:
    """A copy of the surveyed state."""
    shutil.copytree(made.folder / SURVEYED, state)
    return Desk(made, state)


def plan_of(ended: Ended) -> dict[str, Any]:
    """The plan that `lesion plan --json` printed."""
    assert ended.code == 0, ended.err
    assert "Traceback" not in ended.err
    return ended.records[-1]


def ids(plan: dict[str, Any]) -> list[str]:
    return [one["id"] for one in plan["ablations"]]


def by_rules(plan: dict[str, Any]) -> bool:
    """Whether the rules planned all of it, and the plan says so."""
    return plan["planner"] == "rules" and "in place of the language model" in plan["remarks"][0]
