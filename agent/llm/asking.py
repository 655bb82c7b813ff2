"""Puts a question to the server until it answers, within the caps, the context and the time; every request is written down."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from urllib.parse import urlsplit

from ...executor.errors import BadAnswerError, ModelError, OutOfTime
from ...prompts import phrases
from .allotted import Allotted
from .connection import Connection, healed
from .dialect import Dialect, first_dialect
from .explained import error_of, too_long
from .failures import Failure
from .patience import LATER, TRIES, Patience, Watcher
from .question import Question
from .recorder import Recorder
from .settings import ModelSettings
from .spending import check_caps
from .telling import Telling
from .tokens import Scale
from .transcript import Exchange, Transcript

SCHEMA_SHARE = 1.2
"""A question is a measure of a server's tokens where its schema, which not every server counts, is less than this makes of it."""
MARGIN = 256
"""Tokens that are left free for a server's own template."""


def no_allowance() -> Decimal | None:
    """Any number of dollars, as far as others are concerned."""
    return None


@dataclass(frozen=True)
class Means:
    """What asking needs."""

    settings: ModelSettings
    transcript: Transcript
    watcher: Watcher
    sleep: Callable[[float], None]
    time_left: Callable[[], float]
    allowance: Callable[[], Decimal | None] = no_allowance
    allotted: Allotted = field(default_factory=Allotted)


class Asking:
    """Asks one model on one server, and learns how it is spoken to."""

    def __init__(self, means: Means) -> None:
        self.settings, self.transcript = means.settings, means.transcript
        self._watcher, self._sleep, self._time_left = means.watcher, means.sleep, means.time_left
        self._allowance, self._allotted = means.allowance, means.allotted
        self.connection = Connection(means.settings)
        self._scale = Scale()
        self.dialect = _known_dialect(means.settings, means.transcript)

    @property
    def most_tokens(self) -> int:
        """How large a question may be with all that it holds, in the tokens of `estimate_tokens`."""
        return int((self.settings.context_tokens - self.settings.answer_tokens - MARGIN) / self._scale.factor)

    def exchange(self, asked: Question, telling: Telling | None = None, *, waits: bool = True) -> Exchange:
        """The answered exchange, from the transcript, else from the server; it is written down before it is looked at.

        Args:
            asked: what is asked.
            telling: shows the answer as it comes.
            waits: for a server that does not answer now; else that is an error at once.

        Raises:
            BadAnswerError: the model refuses.
            PlannerError, OutOfTime, LedgerError: as `LanguageModel.ask` raises them.
        """
        exchange = self.transcript.answer_to(asked.hash)
        if exchange is None:
            with self._allotted.passing():
                exchange = self._from_server(asked, telling, waits=waits)
        reply, texts = exchange.reply, asked.tokens_of_messages
        if reply.sent is not None and texts * SCHEMA_SHARE > asked.tokens:
            self._scale.learn(texts, reply.sent)
        if reply.refusal or reply.finish_reason == "content_filter":
            why = f": {reply.refusal}" if reply.refusal else " (content filter)"
            raise BadAnswerError(f"the model refused to answer ({asked.purpose}){why}")
        return exchange

    def fits(self, asked: Question) -> bool:
        """Whether the model can hold question and answer."""
        return self._size(asked) + self.settings.answer_tokens <= self.settings.context_tokens

    def _from_server(self, asked: Question, telling: Telling | None, *, waits: bool) -> Exchange:
        """Ask the server until it answers, or until that is no use."""
        self._check(asked)
        model, host = self.settings.model, urlsplit(self.settings.server).netloc
        self._watcher.asking(phrases("progress/model.j2").asking(asked.purpose, model, host, asked.tokens))
        began = bool(self.transcript.answered)
        patience = Patience(self._watcher, self._sleep, self._time_left, began=began, allotted=self._allotted)
        attempt = 0
        while True:
            self._check(asked)
            patience.require_time()
            try:
                if (exchange := self._send(asked, attempt, telling)) is not None:
                    return exchange
            except Failure as failure:
                if failure.kind not in TRIES or not waits:
                    raise error_of(failure, self.settings) from None
                patience.wait(failure)
            attempt += 1

    def _check(self, asked: Question) -> None:
        """Whether the question may be sent: there is a server, it fits the model, and the caps allow it."""
        if self.transcript.is_replay:
            raise ModelError(
                f"the transcript does not hold this question ({asked.purpose}): the project, the study or lesion changed",
                where=str(self.transcript.path),
                to_do="run the study with its model",
            )
        size = self._size(asked)
        if not self.fits(asked):
            raise too_long(f"the question ({asked.purpose}) has about {size:,} tokens", self.settings)
        check_caps(self.transcript.counted, self.settings, size, self._allowance())

    def _send(self, asked: Question, attempt: int, telling: Telling | None) -> Exchange | None:
        """One request, written down whatever comes of it; None where it is to be put another way. Raises `Failure`."""
        record = Recorder(self.transcript, asked, attempt, self.dialect, self._size(asked))
        listener = _Listener(self._watcher, telling, self._time_left)
        if telling is not None:
            telling.begin("text" if asked.is_native(self.dialect) else self.dialect.form)
        try:
            reply = self.connection.complete(record.request, listener.hear, min(self._time_left(), self._allotted.left))
        except Failure as failure:
            if listener.error is not None:
                record.failed(listener.stopped(listener.error), self.dialect)
                raise listener.error from None
            adapted = self.dialect.after(failure, record.request)
            self.dialect = adapted or self.dialect
            record.failed(failure, self.dialect)
            if adapted is None:
                raise
            return None
        except BaseException as error:
            record.failed(listener.stopped(error), self.dialect)
            raise
        self.dialect = self.dialect.heard(reply)
        return record.answered(reply, self.dialect)

    def _size(self, asked: Question) -> int:
        return int(asked.tokens * self._scale.factor)


class _Listener:
    """Keeps an answer as it comes, and passes it on: servers send about a token at a time."""

    def __init__(self, watcher: Watcher, telling: Telling | None, time_left: Callable[[], float]) -> None:
        self._watcher, self._telling, self._time_left = watcher, telling, time_left
        self._pieces: list[str] = []
        self.error: Exception | None = None
        """Of whoever listens: no fault of the server."""

    def hear(self, delta: str) -> None:
        """A piece came; empty while the model reasons or makes a call."""
        self._pieces.append(delta)
        try:
            self._watcher.streaming(len(self._pieces), delta)
            if self._telling is not None:
                self._telling.hear(delta)
        except Exception as error:
            self.error = error
            raise
        if self._telling is not None and self._time_left() <= 0:
            raise OutOfTime("the time of this run is over while the language model answers", to_do=LATER)

    def stopped(self, error: BaseException) -> Failure:
        """What is written down of an answer that was broken off here."""
        return Failure("broken", f"stopped: {type(error).__name__}", partial=healed("".join(self._pieces)))


def _known_dialect(settings: ModelSettings, transcript: Transcript) -> Dialect:
    """What this server was last spoken to in, for this model; by this transcript if it says."""
    for exchange in (*reversed(transcript.exchanges), *reversed(transcript.counted)):
        if (exchange.server, exchange.model) == (settings.server, settings.model):
            return exchange.dialect
    return first_dialect(settings)
