"""One small client for any server that speaks Chat Completions: a question in, a checked record out, within the caps."""

import itertools
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel

from ...executor.errors import BadAnswerError, ModelError
from ...prompts import phrases
from .answers import Unreadable, lost_only_words, read_answer, salvage
from .connection import Connection, Reply, is_known
from .dialect import Dialect, first_dialect
from .explained import error_of, is_web_page, is_wrong_key, small_context, too_long, unknown_model
from .failures import Failure
from .patience import TRIES, Patience, Watcher
from .question import Message, Question, question
from .recorder import Recorder
from .schema import strict_schema
from .settings import ModelSettings
from .spending import Usage, check_caps, usage_of
from .tokens import Scale, estimate_tokens
from .transcript import Exchange, Transcript

__all__ = ["LanguageModel", "Message", "Usage", "Watcher", "estimate_tokens"]
T = TypeVar("T", bound=BaseModel)
REPAIRS = 2
"""Turns in which an answer may be mended."""
CUTS = 2
"""Answers to one question that reached their length: the next one would too, so what is complete of the last one is taken."""
SCHEMA_SHARE = 1.2
"""A question is a measure of a server's tokens where its schema, which not every server counts, is less than this makes of it."""
MARGIN = 256
"""Tokens that are left free for a server's own template."""


class LanguageModel:
    """Asks one model on one server; what the transcript holds already is not asked again.

    Args:
        settings: which model, where, at what cost.
        transcript: of the study; every exchange is on disk before its answer is used.
        watcher: is told of waits and of the answer as it comes.
        sleep: waits some seconds.
        time_left: seconds that the study still has; no wait goes beyond them.
    """

    def __init__(
        self,
        settings: ModelSettings,
        transcript: Transcript,
        watcher: Watcher,
        *,
        sleep: Callable[[float], None] = time.sleep,
        time_left: Callable[[], float] = lambda: math.inf,
    ) -> None:
        self._settings, self._transcript, self._watcher = settings, transcript, watcher
        self._sleep, self._time_left = sleep, time_left
        self._connection = Connection(settings)
        self._scale = Scale()
        self._dialect = _known_dialect(settings, transcript)

    @property
    def _host(self) -> str:
        return urlsplit(self._settings.server).netloc

    @property
    def name(self) -> str:
        """The model's name."""
        return self._settings.model

    @property
    def usage(self) -> Usage:
        """What the study's exchanges took, those of earlier processes included."""
        return usage_of(self._transcript.exchanges, self._settings)

    def room(self, answer: type[BaseModel] | None = None) -> int:
        """How large a question may be, in the tokens of `estimate_tokens`; less the schema of `answer`.

        Without it a sixteenth of the context is kept for a schema.
        """
        real = self._settings.context_tokens - self._settings.answer_tokens - MARGIN
        schema = estimate_tokens(json.dumps(strict_schema(answer))) if answer else self._settings.context_tokens // 16
        return max(int(real / self._scale.factor) - schema, 0)

    def preflight(self, opening: str = "") -> None:
        """Whether the server is there, takes the key, knows the model and gives it the context, and the caps allow one call.

        Costs nothing.

        Args:
            opening: what every question will begin with.

        Raises:
            ModelError: one of these does not hold.
        """
        if self._transcript.is_replay:
            return
        if not self.usage.exchanges:
            check_caps((), self._settings, MARGIN + estimate_tokens(opening))
        try:
            listed = self._connection.models()
            known = is_known(self._connection, listed, self._settings.model)
        except Failure as failure:
            is_gone = failure.kind in {"unreachable", "silent"} or is_web_page(failure)
            if is_wrong_key(failure) or (is_gone and not self._has_answered()):
                raise error_of(failure, self._settings) from None
            return
        if not known:
            raise unknown_model(list(listed), self._settings)
        if (context := listed.get(self._settings.model)) is not None and context < self._settings.context_tokens:
            raise small_context(context, self._settings)

    def ask(self, purpose: str, messages: Sequence[Message], answer: type[T]) -> T:
        """The model's answer, checked; up to two more turns let it mend what does not fit.

        Args:
            purpose: in a word or two, for the transcript.
            messages: the conversation so far; the last one asks.
            answer: the record wanted.

        Raises:
            ModelError: the model cannot be asked: key, address, name, context, or no answer at the very first question.
            OutOfTime: the run's time ends before it can be asked.
            PlanningOver: nothing more may be asked, or the server stopped answering.
            BadAnswerError: there is an answer, and it is of no use.
            LedgerError: the transcript cannot be written.
        """
        first = asked = question(self._settings, purpose, messages, answer)
        cut: list[str] = []
        while True:
            reply = self._reply(asked)
            said = reply.text or reply.reasoning or ""
            try:
                return read_answer(said, answer, cut=reply.finish_reason == "length")
            except Unreadable as error:
                if error.why == "cut":
                    cut.append(said)
                if (part := _enough(cut, answer)) is not None:
                    return part
                if asked.repair == REPAIRS:
                    return self._last_resort(asked, cut, answer, error)
                spare = max(self.room(answer) - first.tokens_of_messages, 0)
                asked = replace(first, repair=asked.repair).repaired(said, error, spare)
                if not self._fits(asked):
                    return self._last_resort(asked, cut, answer, error)

    def _has_answered(self) -> bool:
        """Whether this model once answered from this server: a study that is planned runs on while it is away."""
        here = self._settings.server, self._settings.model
        return any(
            each.outcome == "answered" and (each.server, each.model) == here for each in self._transcript.exchanges
        )

    def _last_resort(self, asked: Question, cut: list[str], answer: type[T], error: Unreadable) -> T:
        """The complete part of an answer that was cut, where mending led nowhere."""
        if (part := _complete(cut, answer)) is not None:
            return part
        advice = "raise [planner] answer_tokens, or use a stronger model"
        raise BadAnswerError(
            f"the model gave no usable answer ({asked.purpose}) in {asked.repair + 1} turns: {error}",
            to_do=advice if error.why == "cut" else None,
        )

    def _reply(self, asked: Question) -> Reply:
        """An answer from the transcript, else from the server; it is written down before it is looked at."""
        exchange = self._transcript.answer_to(asked.hash) or self._exchange(asked)
        reply = exchange.response or Reply()
        texts = asked.tokens_of_messages
        if reply.sent is not None and texts * SCHEMA_SHARE > asked.tokens:
            self._scale.learn(texts, reply.sent)
        if reply.refusal or reply.finish_reason == "content_filter":
            why = f": {reply.refusal}" if reply.refusal else " (content filter)"
            raise BadAnswerError(f"the model refused to answer ({asked.purpose}){why}")
        return reply

    def _exchange(self, asked: Question) -> Exchange:
        """Ask the server until it answers, or until that is no use."""
        self._check(asked)
        told = phrases("progress/model.j2").asking(asked.purpose, self._settings.model, self._host, asked.tokens)
        self._watcher.asking(told)
        patience = Patience(self._watcher, self._sleep, self._time_left, began=bool(self._transcript.answered))
        attempt = 0
        while True:
            self._check(asked)
            patience.require_time()
            try:
                if (exchange := self._send(asked, attempt)) is not None:
                    return exchange
            except Failure as failure:
                if failure.kind not in TRIES:
                    raise error_of(failure, self._settings) from None
                patience.wait(failure)
            attempt += 1

    def _check(self, asked: Question) -> None:
        """Whether the question may be sent: there is a server, it fits the model, and the caps allow it."""
        if self._transcript.is_replay:
            raise ModelError(
                f"the transcript does not hold this question ({asked.purpose}): the project, the study or lesion changed",
                where=str(self._transcript.path),
                to_do="run the study with its model",
            )
        size = self._size(asked)
        if not self._fits(asked):
            raise too_long(f"the question ({asked.purpose}) has about {size:,} tokens", self._settings)
        check_caps(self._transcript.exchanges, self._settings, size)

    def _send(self, asked: Question, attempt: int) -> Exchange | None:
        """One request, written down whatever comes of it; None where it is to be put another way. Raises `Failure`."""
        record = Recorder(self._transcript, asked, attempt, self._dialect, self._size(asked))
        try:
            reply = self._connection.complete(record.request, self._counted(), self._time_left())
        except Failure as failure:
            adapted = self._dialect.after(failure, record.request)
            self._dialect = adapted or self._dialect
            record.failed(failure, self._dialect)
            if adapted is None:
                raise
            return None
        except BaseException as error:
            record.failed(Failure("broken", f"stopped: {type(error).__name__}"), self._dialect)
            raise
        return record.answered(reply)

    def _fits(self, asked: Question) -> bool:
        return self._size(asked) + self._settings.answer_tokens <= self._settings.context_tokens

    def _size(self, asked: Question) -> int:
        return int(asked.tokens * self._scale.factor)

    def _counted(self) -> Callable[[str], None]:
        """A listener to an answer as it comes: servers send about a token at a time."""
        pieces = itertools.count(1)
        return lambda delta: self._watcher.streaming(next(pieces), delta)


def _enough(cut: Sequence[str], answer: type[T]) -> T | None:
    """The complete part of a cut answer, where asking again would bring no more."""
    part = _complete(cut, answer)
    return part if part is not None and (len(cut) == CUTS or lost_only_words(cut[-1], part)) else None


def _complete(cut: Sequence[str], answer: type[T]) -> T | None:
    """The complete part of the last of these cut answers that has one."""
    parts = (salvage(said, answer) for said in reversed(cut))
    return next((part for part in parts if part is not None), None)


def _known_dialect(settings: ModelSettings, transcript: Transcript) -> Dialect:
    """What this server was last spoken to in, for this model."""
    for exchange in reversed(transcript.exchanges):
        if (exchange.server, exchange.model) == (settings.server, settings.model):
            return exchange.dialect
    return first_dialect(settings)
