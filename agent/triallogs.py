"""What trials have printed, as files below `trials/` in the state folder."""

from contextlib import suppress
from pathlib import Path

from ..executor.outcomes import Outcome

FOLDER = "trials"
NAME = "output.log"


def with_log(outcome: Outcome, state: Path, key: str) -> Outcome:
    """The outcome with its log's path: the end of the output of a trial or check that failed, as `trials/<key>/output.log`.

    A disk that is full keeps no log, and that is no reason to lose the outcome.
    """
    plain = outcome.model_copy(update={"log": None})
    if outcome.status in ("ok", "no-op", "refused") or not outcome.output.strip():
        return plain
    file = state / FOLDER / key / NAME
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(outcome.output, encoding="utf-8", errors="replace")
        return plain.model_copy(update={"log": str(file)})
    return plain
