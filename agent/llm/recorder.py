"""One request on its way into the transcript: what was sent, when, and what came of it, without the key."""

import time
from datetime import UTC, datetime
from typing import Literal

from .connection import Reply
from .dialect import Dialect
from .failures import Failure
from .question import Question, without_key
from .tokens import estimate_tokens
from .transcript import Exchange, Transcript


class Recorder:
    """Made before the request is sent; writes one line when its end is known."""

    def __init__(self, transcript: Transcript, asked: Question, attempt: int, dialect: Dialect, size: int) -> None:
        self._transcript, self._asked, self._attempt, self._dialect, self._size = (
            transcript,
            asked,
            attempt,
            dialect,
            size,
        )
        self._time, self._began = datetime.now(UTC), time.monotonic()
        self.request = asked.request(dialect)

    def answered(self, reply: Reply, dialect: Dialect) -> Exchange:
        """Write an answer down, and how the server is to be spoken to from now on. Raises `LedgerError`."""
        self._dialect = dialect
        texts = {name: self._clean(getattr(reply, name)) for name in ("text", "refusal", "reasoning")}
        calls = tuple(each.model_copy(update={"arguments": self._clean(each.arguments)}) for each in reply.calls)
        written = "".join(each.name + each.arguments for each in calls)
        received = estimate_tokens(reply.text + (reply.reasoning or "") + written)
        return self._write("answered", reply.model_copy(update={**texts, "calls": calls}), None, received)

    def failed(self, failure: Failure, dialect: Dialect) -> None:
        """Write a failure down, and how the server is to be spoken to from now on. Raises `LedgerError`."""
        failure.message = self._clean(failure.message) or ""
        self._dialect = dialect
        partial = Reply(text=self._clean(failure.partial) or "") if failure.partial else None
        outcome = "broken" if failure.is_billed else "refused"
        self._write(outcome, partial, f"{failure.kind}: {failure.message}", self._asked.settings.answer_tokens)

    def _write(
        self, outcome: Literal["answered", "refused", "broken"], reply: Reply | None, error: str | None, received: int
    ) -> Exchange:
        exchange = Exchange(
            time=self._time.isoformat(timespec="milliseconds"),
            purpose=self._asked.purpose,
            question=self._asked.hash,
            model=self._asked.settings.model,
            server=self._asked.settings.server,
            repair=self._asked.repair,
            attempt=self._attempt,
            request=self.request,
            outcome=outcome,
            response=reply,
            error=error,
            estimate=(self._size, received),
            seconds=round(time.monotonic() - self._began, 3),
            dialect=self._dialect,
        )
        self._transcript.append(exchange)
        return exchange

    def _clean(self, text: str | None) -> str | None:
        return without_key(text, self._asked.settings) if text else text
