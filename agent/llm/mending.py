"""An answer that does not fit is shown its error and asked for again; of one that is cut twice, what is complete counts."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from pydantic import BaseModel

from ...executor.errors import BadAnswerError
from .answers import Unreadable, lost_only_words, read_answer, salvage
from .asking import Asking
from .connection import Reply
from .question import Question
from .telling import Telling

T = TypeVar("T", bound=BaseModel)
REPAIRS = 2
"""Turns in which an answer may be mended."""
CUTS = 2
"""Answers to one question that reached their length: the next one would too, so what is complete of the last one is taken."""


def mended(
    asking: Asking, first: Question, reply: Reply, answer: type[T], telling: Telling | None = None
) -> tuple[T, bool]:
    """The record in `reply`, or in the answer to one of two more questions; and whether it is only the part before a cut.

    Args:
        asking: whom to ask.
        first: what was asked.
        reply: what was answered.
        answer: how the answer is read.
        telling: shows the further answers as they come.

    Raises:
        BadAnswerError: there is none.
        PlannerError, OutOfTime, LedgerError: as `LanguageModel.ask` raises them.
    """
    asked = first
    cut: list[str] = []
    while True:
        try:
            return read_answer(reply.said, answer, cut=reply.finish_reason == "length"), False
        except Unreadable as error:
            if error.why == "cut":
                cut.append(reply.said)
            if (part := _enough(cut, answer)) is not None:
                return part, True
            if asked.repair == REPAIRS:
                return _last_resort(asked, cut, answer, error), True
            spare = max(asking.most_tokens - first.tokens, 0)
            asked = replace(first, repair=asked.repair).repaired(reply.said, error, spare)
            if not asking.fits(asked):
                return _last_resort(asked, cut, answer, error), True
        reply = asking.exchange(asked, telling).reply


def _last_resort(asked: Question, cut: Sequence[str], answer: type[T], error: Unreadable) -> T:
    """The complete part of an answer that was cut, where mending led nowhere."""
    if (part := _complete(cut, answer)) is not None:
        return part
    advice = "raise [planner] answer_tokens, or use a stronger model"
    raise BadAnswerError(
        f"the model gave no usable answer ({asked.purpose}) in {asked.repair + 1} turns: {error}",
        to_do=advice if error.why == "cut" else None,
    )


def _enough(cut: Sequence[str], answer: type[T]) -> T | None:
    """The complete part of a cut answer, where asking again would bring no more."""
    part = _complete(cut, answer)
    return part if part is not None and (len(cut) == CUTS or lost_only_words(cut[-1], part)) else None


def _complete(cut: Sequence[str], answer: type[T]) -> T | None:
    """The complete part of the last of these cut answers that has one."""
    parts = (salvage(said, answer) for said in reversed(cut))
    return next((part for part in parts if part is not None), None)
