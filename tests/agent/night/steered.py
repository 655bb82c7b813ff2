"""A run in a process of its own, steered by those who test it."""

import os
import subprocess
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from lesion.agent.night.client import NotRunning, ask, follow
from lesion.agent.night.snapshot import Snapshot

from tests.experiments import LESION, Project

SECONDS = 90


class Steered(AbstractContextManager["Steered"]):
    """`lesion run` on a project, killed at the end where it still runs."""

    def __init__(self, made: Project, *arguments: str, **environment: str) -> None:
        self.made = made
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("LESION", "OPENAI"))}
        self.log = made.folder / "run.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*LESION, "run", *arguments],
                cwd=made.folder,
                env={**clean, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    def until(self, seen: Callable[[Snapshot], bool]) -> Snapshot:
        """The first snapshot in which something is to be seen."""
        self.listens()
        for now in follow(self.made.state):
            if seen(now):
                return now
        raise AssertionError(self.log.read_text())

    def listens(self) -> None:
        """Until it answers."""
        latest = time.monotonic() + SECONDS
        while time.monotonic() < latest and self.process.poll() is None:
            try:
                ask(self.made.state, {"do": "status"})
            except NotRunning:
                time.sleep(0.05)
            else:
                return
        raise AssertionError(self.log.read_text())

    def ends(self) -> int:
        """Its exit code."""
        return self.process.wait(SECONDS)
