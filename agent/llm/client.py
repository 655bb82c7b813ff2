"""One small client for any server that speaks Chat Completions: a question in, a checked record out, within the caps."""

import math
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TypeVar

from pydantic import BaseModel

from .allotted import Allotted
from .asking import MARGIN, Asking, Means, no_allowance
from .calls import Call, Said, parsed
from .connection import is_known
from .conversing import Conversing
from .explained import error_of, is_web_page, is_wrong_key, small_context, unknown_model
from .failures import Failure
from .mending import mended
from .patience import Watcher
from .question import question, tokens_beside, tokens_of
from .schema import strict_schema
from .settings import ModelSettings
from .spending import Usage, check_caps, usage_of
from .tokens import estimate_tokens
from .tools import stated_record
from .transcript import Transcript
from .turns import Message

__all__ = [
    "Call",
    "LanguageModel",
    "Message",
    "Said",
    "Usage",
    "Watcher",
    "estimate_tokens",
    "parsed",
    "tokens_of",
]
T = TypeVar("T", bound=BaseModel)
TRYING_OUT = "trying out"
"""The purpose of an exchange that only shows whether there is an answer."""


class LanguageModel:
    """Asks one model on one server; what the transcript holds already is not asked again.

    Args:
        settings: which model, where, at what cost.
        transcript: of the study; every exchange is on disk before its answer is used.
        watcher: is told of waits and of the answer as it comes.
        sleep: waits some seconds.
        time_left: seconds that the study still has; no wait goes beyond them.
        allowance: dollars that are left of what several studies may spend together; None: any number.
        allotted: how long all answers may take together; once that is over, `PlanningOver` is raised.
    """

    def __init__(
        self,
        settings: ModelSettings,
        transcript: Transcript,
        watcher: Watcher,
        *,
        sleep: Callable[[float], None] = time.sleep,
        time_left: Callable[[], float] = lambda: math.inf,
        allowance: Callable[[], Decimal | None] = no_allowance,
        allotted: Allotted | None = None,
    ) -> None:
        self._settings, self._transcript = settings, transcript
        means = Means(settings, transcript, watcher, sleep, time_left, allowance, allotted or Allotted())
        self._asking = Asking(means)
        self._conversing = Conversing(self._asking)

    @property
    def name(self) -> str:
        """The model's name."""
        return self._settings.model

    @property
    def usage(self) -> Usage:
        """What the study's exchanges took, those of earlier processes and of transcripts beside this one included."""
        return usage_of(self._transcript.counted, self._settings)

    def room(self, answer: type[BaseModel] | None = None, tools: Sequence[type[BaseModel]] | None = None) -> int:
        """How large a question may be, in the tokens of `estimate_tokens`; less the schema of `answer`, or all of `tools`.

        Without either a sixteenth of the context is kept for a schema.
        """
        beside = self._settings.context_tokens // 16
        if tools is not None:
            beside = tokens_beside(strict_schema(stated_record(tuple(tools))), tools)
        elif answer is not None:
            beside = tokens_beside(strict_schema(answer))
        return max(self._asking.most_tokens - beside, 0)

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
            listed = self._asking.connection.models()
            known = is_known(self._asking.connection, listed, self._settings.model)
        except Failure as failure:
            is_gone = failure.kind in {"unreachable", "silent"} or is_web_page(failure)
            if is_wrong_key(failure) or (is_gone and not self._has_answered()):
                raise error_of(failure, self._settings) from None
            return
        if not known:
            raise unknown_model(list(listed), self._settings)
        if (context := listed.get(self._settings.model)) is not None and context < self._settings.context_tokens:
            raise small_context(context, self._settings)

    @property
    def replays(self) -> bool:
        """Whether a transcript answers, and nothing is ever sent."""
        return self._transcript.is_replay

    def try_out(self, messages: Sequence[Message], answer: type[T]) -> T:
        """As `ask`, to see whether there is an answer at all: a server that does not answer now is not waited for.

        Raises:
            ModelError: there is no answer.
            PlanningOver, OutOfTime, BadAnswerError, LedgerError: as `ask` does.
        """
        first = question(self._settings, TRYING_OUT, messages, answer)
        return mended(self._asking, first, self._asking.exchange(first, waits=False).reply, answer)[0]

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
        first = question(self._settings, purpose, messages, answer)
        record, _ = mended(self._asking, first, self._asking.exchange(first).reply, answer)
        return record

    def converse(
        self,
        purpose: str,
        messages: Sequence[Message],
        tools: Sequence[type[BaseModel]],
        on_text: Callable[[str], None],
    ) -> Said:
        """The next turn of a conversation in which the model may call tools, by whatever way its server has for that.

        A tool is a record: its name in snake_case, its docstring and its fields are the tool's. What a call holds is not checked:
        see `parsed`. Their ids differ from each other and from those in `messages`.

        Args:
            purpose: in a word or two, for the transcript.
            messages: the conversation so far; calls and their answers included.
            tools: that may be called.
            on_text: is handed the text as it comes, whole where it does not come in pieces. The pieces end with the text; before
                it stands what was said of answers that broke off, if any did.

        Raises:
            TypeError: a tool has fields that strict schemas cannot express.
            OutOfTime: the run's time ends before it answered.
            ModelError, PlanningOver, BadAnswerError, LedgerError: as `ask` does.
        """
        return self._conversing.answer(purpose, messages, tuple(tools), on_text)

    def _has_answered(self) -> bool:
        """Whether this model once planned from this server: a study that is planned runs on while it is away."""
        here = self._settings.server, self._settings.model
        return any(
            each.outcome == "answered" and each.purpose != TRYING_OUT and (each.server, each.model) == here
            for each in self._transcript.counted
        )
