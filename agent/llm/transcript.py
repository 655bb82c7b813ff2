"""`transcript.jsonl`: every exchange with a language model, on disk at once; what was answered before is answered from here."""

import errno
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ...executor.errors import LedgerError, ModelError
from ..appended import AppendedLines, whole_lines
from .connection import Reply
from .dialect import Dialect


class Exchange(BaseModel):
    """One request to a server and what came of it: a line of the transcript."""

    model_config = ConfigDict(frozen=True)

    time: str
    """When it was sent, UTC, ISO 8601."""
    purpose: str
    question: str
    """What was asked, as a hash over model, messages, answer and sampling: the same however a server wants to be spoken to."""
    model: str
    server: str
    repair: int
    """0 for a question, 1 and 2 for the repair turns after it."""
    attempt: int
    """Requests for the same answer before this one."""
    request: dict[str, Any]
    """Messages and parameters."""
    outcome: Literal["answered", "refused", "broken"]
    """refused: nothing was computed. broken: it may have been, and is billed perhaps."""
    response: Reply | None = None
    error: str | None = None
    estimate: tuple[int, int]
    """Tokens of question and answer, estimated; they stand in for a usage that the server did not report."""
    seconds: float
    dialect: Dialect
    """How this server is spoken to, after this exchange."""

    @property
    def reply(self) -> Reply:
        """What was answered, empty where nothing was."""
        return self.response or Reply()


class Transcript:
    """The exchanges of a study, of this process and earlier ones.

    Only one process may write a file. Where several ask for one study, each has a transcript of its own.

    Args:
        path: of the file, which need not exist.
        beside: transcripts that other processes write: what they took counts, and they answer nothing.
        replay: there is no server.

    Raises:
        LedgerError: the file cannot be read, or holds a line that is no exchange.
    """

    def __init__(self, path: Path, *, beside: Sequence[Path] = (), replay: bool = False) -> None:
        self.path = path
        self.is_replay = replay
        """There is no server: what is not in the transcript cannot be asked."""
        with _readable(path):
            self._file = AppendedLines(path)
        self._exchanges = _exchanges(path, self._file.lines)
        self._beside = [_Beside(each) for each in beside]
        self._answers = {each.question: each for each in reversed(self._exchanges) if each.outcome == "answered"}

    @classmethod
    def replaying(cls, path: Path) -> "Transcript":
        """A transcript that answers in place of a server. Raises `ModelError` where there is no such file."""
        if not path.is_file():
            raise ModelError(
                "there is no transcript to replay", where=str(path), to_do="name a study's transcript.jsonl"
            )
        return cls(path, replay=True)

    def asked_anew(self) -> "Transcript":
        """The same, which takes no answer of an earlier process; what those cost still counts."""
        self._answers.clear()
        return self

    @property
    def exchanges(self) -> Sequence[Exchange]:
        """All of them, in their order."""
        return self._exchanges

    @property
    def counted(self) -> Sequence[Exchange]:
        """Those that count for usage and caps: all of this transcript's, and what is by now in the files beside it.

        Raises `LedgerError` where one of these cannot be read.
        """
        return [each for other in self._beside for each in other.exchanges()] + self._exchanges

    @property
    def answered(self) -> int:
        """How many questions have an answer."""
        return len(self._answers)

    def answer_to(self, question: str) -> Exchange | None:
        """The exchange that answered this question before, if one did."""
        return self._answers.get(question)

    def append(self, exchange: Exchange) -> None:
        """Write one exchange, and have it on the disk before this returns. Raises `LedgerError` where that fails."""
        try:
            self._file.append(exchange.model_dump_json(exclude_defaults=True).encode())
        except OSError as error:
            raise LedgerError(
                f"the exchange with the model cannot be written down: {error.strerror or error}",
                where=str(self.path),
                to_do="free some disk space; what was answered before is kept, and `lesion run` goes on where it stopped"
                if error.errno in {errno.ENOSPC, errno.EDQUOT}
                else "make the file writable, or name another state folder with --state DIR",
            ) from error
        self._exchanges.append(exchange)
        if exchange.outcome == "answered":
            self._answers.setdefault(exchange.question, exchange)


class _Beside:
    """A transcript that another process writes, read on where it grew."""

    def __init__(self, path: Path) -> None:
        self._path, self._size, self._end = path, 0, 0
        self._exchanges: list[Exchange] = []

    def exchanges(self) -> Sequence[Exchange]:
        """All whole lines that it has by now."""
        size = self._path.stat().st_size if self._path.exists() else 0
        if size == self._size:
            return self._exchanges
        if size < self._end:
            self._exchanges, self._end = [], 0
        with _readable(self._path):
            lines, self._end = whole_lines(self._path, self._end)
        self._exchanges += _exchanges(self._path, lines, len(self._exchanges))
        self._size = size
        return self._exchanges


@contextmanager
def _readable(path: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise LedgerError(f"the transcript cannot be read: {error.strerror}", where=str(path)) from error


def _exchanges(path: Path, lines: Sequence[bytes], before: int = 0) -> list[Exchange]:
    """What lines hold, `before` others of their file."""
    found: list[Exchange] = []
    for number, line in enumerate(lines, start=before + 1):
        try:
            found.append(Exchange.model_validate_json(line))
        except ValidationError:
            raise LedgerError(
                "this line is no exchange with a model",
                where=f"{path}:{number}",
                to_do="put it right, or move the file away",
            ) from None
    return found
