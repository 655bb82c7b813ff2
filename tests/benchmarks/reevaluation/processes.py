"""The contenders as processes in the peers' environment, asked in turn: what each measured, by its own CPU clock."""

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from lesion.agent.analysis.arrays import Floats

HERE = Path(__file__).parent
PYTHON = HERE.parents[2] / ".venv-peers" / "bin" / "python"


@dataclass(frozen=True)
class Measured:
    """One piece of work, done once."""

    losses: Floats
    """Shape [sets, examples]; NaN where an example was not looked at."""
    seconds: float
    """Of CPU, without the loading of the model."""
    peak: int
    """Bytes that the process has held at most."""
    held: int
    """Bytes of results that were held to be replayed."""
    remarks: tuple[str, ...]
    """What the engine says of how it measured; nothing where all went as it should."""


@dataclass(frozen=True)
class Contender:
    """A running process that removes sets of heads when it is asked."""

    name: str
    process: "subprocess.Popen[str]"
    log: Path

    def ask(self, sets: Sequence[Sequence[Sequence[int]]], **more: Any) -> Measured:
        """The losses without each set."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"sets": sets, **more}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"{self.name} ended:\n{self.log.read_text()[-3000:]}"
        told = json.loads(line)
        losses = np.array(told["losses"], dtype=np.float64)
        return Measured(losses, told["seconds"], told["peak"], told.get("held", 0), tuple(told.get("remarks", ())))


@contextmanager
def running(name: str, config: dict[str, Any], folder: Path) -> Iterator[Contender]:
    """A contender that has loaded its model; it ends with the block, and when its input does."""
    assert PYTHON.exists(), f"no {PYTHON}: run `make bench`, which installs it"
    written, log = folder / f"{name}.json", folder / f"{name}.log"
    written.write_text(json.dumps(config))
    script = HERE / "contenders" / f"{name}.py"
    threads = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [PYTHON, script, written],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, **threads},
        ) as process,
    ):
        yield Contender(name, process, log)
        assert process.stdin is not None
        process.stdin.close()


def best(measured: Sequence[Measured]) -> Measured:
    """The repetition that took least."""
    return min(measured, key=lambda one: one.seconds)


def told(remarks: Sequence[str]) -> None:
    """Print what the engine says of how it measured, such as that it gave up replaying."""
    for remark in remarks:
        print(f"the engine's remark: {remark}")
