"""A night without a terminal: a process of its own that says once that it is really running."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ...executor.errors import NightError
from ..ledgerfile import explained

LOG = "night.log"
LAST_LINES = 12


def launch(words: Sequence[str], log: Path) -> dict[str, Any]:
    """Start `lesion` with `words` in a session of its own; its launch record, once it is really running.

    Args:
        words: of the command line; the number of a descriptor is added, on which the record is written as one line of JSON.
        log: what it says from then on.

    Raises:
        NightError: it ended before it ran; with the end of its log.
        LedgerError: the log cannot be written.
    """
    read, write = os.pipe()
    with explained(log), log.open("ab") as output, os.fdopen(read, "rb") as answer:
        begin = output.tell()
        process = subprocess.Popen(
            [sys.executable, "-m", "lesion.agent", *words, "--launched-to", str(write)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=(write,),
        )
        os.close(write)
        line = answer.readline()
    if not line.endswith(b"\n"):
        code = process.wait()
        raise NightError(f"the night did not start (exit code {code})", where=str(log), to_do=_end_of(log, begin))
    process.returncode = 0  # nobody waits for it any more
    return json.loads(line)


def announce(descriptor: int, record: dict[str, Any]) -> None:
    """Say to whoever launched this process that it is really running; the terminal may be gone by now."""
    with suppress(BrokenPipeError), os.fdopen(descriptor, "wb") as file:
        file.write(json.dumps(record).encode() + b"\n")


def _end_of(log: Path, begin: int) -> str:
    with log.open("rb") as file:
        file.seek(begin)
        lines = file.read().decode(errors="replace").splitlines()
    return "\n".join(["its log ends:", *lines[-LAST_LINES:]])
