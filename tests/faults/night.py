"""`lesion overnight`, started again and again until the night is over, and what it noted of itself."""

import json
import os
import subprocess
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from lesion.agent.night.client import live

from tests.experiments import LESION, Ended, lesion

PATIENCE = 90.0
"""Seconds that something is waited for."""
QUICK = ("--for", "1h", "--keep-free", "1MB", "--interactions", "none")
"""Options of a night that has nothing to fear."""


def clean_environment() -> dict[str, str]:
    """This process's, without a language model."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("LESION", "OPENAI"))}


def last_record(state: Path) -> dict[str, Any]:
    """The last launch or end that was noted in a state folder; empty before any."""
    file = state / "night.jsonl"
    found = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    return next((one for one in reversed(found) if one["event"] in ("launched", "ended")), {})


class Night(AbstractContextManager["Night"]):
    """One night of studies in folders below one; killed at the end where it still runs."""

    def __init__(self, folder: Path, studies: list[Path], state: Path, environment: dict[str, str]) -> None:
        """`state`: the first study's."""
        self.folder, self.studies, self.state, self.environment = folder, studies, state, environment
        self.log, self.told = folder / "log", folder / "told"
        self.process: subprocess.Popen[bytes] | None = None
        self._launched: float | None = None

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def begin(self, *options: str) -> None:
        """In the evening; the summary goes to `told`."""
        self._start("overnight", *map(str, self.studies), *options, "--notify", f"cat > {self.told}")

    def again(self) -> None:
        """`lesion resume`."""
        self._start("resume", str(self.studies[0]))

    def _start(self, *words: str) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*LESION, *words], cwd=self.folder, env={**clean_environment(), **self.environment},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    @property
    def pid(self) -> int:
        """Of the driver that was started last."""
        assert self.process is not None
        return self.process.pid

    @property
    def code(self) -> int | None:
        """Its exit code; None while it is there."""
        assert self.process is not None
        return self.process.poll()

    @property
    def runs(self) -> bool:
        """Whether its preflight is over: a worker that dies before that is a reason not to begin."""
        last = last_record(self.state)
        runs = self.code is None and last.get("event") == "launched" and last["pid"] == self.pid
        if runs and self._launched is None:
            self._launched = time.monotonic()
        return runs

    def until(self, holds: Callable[[], Any]) -> Any:
        """What `holds` gives once that is true; the night may be over by then."""
        latest = time.monotonic() + PATIENCE
        while not (found := holds()) and time.monotonic() < latest and self.code is None:
            time.sleep(0.05)
        found = found or holds()
        assert found, self.log.read_text()
        return found

    def ends(self) -> int:
        """Its exit code."""
        assert self.process is not None
        return self.process.wait(PATIENCE)

    def live(self) -> dict[str, Any]:
        """What it says of itself; `phase` is empty where it does not answer."""
        found = live(self.state)
        return {"phase": ""} if found is None else found.model_dump(mode="json")

    @property
    def seconds(self) -> float:
        """Since it ran for the first time."""
        return 0.0 if self._launched is None else time.monotonic() - self._launched

    def steer(self, *words: str) -> Ended:
        """A command on the first study, from another terminal."""
        return lesion(words[0], str(self.studies[0]), *words[1:], cwd=self.folder, **self.environment)
