"""One answer in a conversation with tools: called natively, or stated as a record where a server does not call them."""

import contextlib
from collections.abc import Callable, Sequence

from pydantic import BaseModel

from ...executor.errors import BadAnswerError, OutOfTime, PlannerError
from ...prompts import phrases
from .answers import Unreadable, read_answer, salvage, without_thoughts
from .asking import Asking
from .calls import Call, Said, told_apart
from .mending import mended
from .question import Question, question
from .telling import Telling, said_in
from .tools import Turn, actions_record, described, stated_record, tool_name
from .transcript import Exchange
from .turns import Message
from .written import call_of, calls_in, may_be_json

ACTIONS = "actions"
"""Purpose of the question which actions an answer takes."""
PROBES = 2
"""Times in a process's life that a server, which takes tools and has called none, is asked what it means to do."""

Tools = tuple[type[BaseModel], ...]


class Conversing:
    """Answers in a conversation, of one server."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._probes = 0

    def answer(self, purpose: str, messages: Sequence[Message], tools: Tools, on_text: Callable[[str], None]) -> Said:
        """As `LanguageModel.converse`."""
        asked = question(self._asking.settings, purpose, messages, stated_record(tools), tools)
        telling = Telling(on_text)
        exchange = self._asking.exchange(asked, telling)
        is_native = not tools or "tools" in exchange.request
        said = _native(exchange, tools) if is_native else self._stated(asked, exchange, telling)
        telling.end(said.text)
        if is_native and said.text and not said.calls and not said.cut and tools:
            said = said._replace(calls=self._probed(messages, said.text, tools))
        elif is_native and said.calls and self._asking.dialect.tools == "untried":
            self._know("native")  # they stood in the text
        taken = {call.id for message in messages for call in message.calls}
        return said._replace(calls=told_apart(said.calls, taken))

    def _stated(self, asked: Question, exchange: Exchange, telling: Telling) -> Said:
        """Text and calls of a record; the words alone where there is no record in three turns."""
        reply = exchange.reply
        is_cut = reply.finish_reason == "length"
        if exchange.dialect.rung == "text" and _is_prose(reply.said):
            return Said(without_thoughts(reply.said), (), is_cut)
        try:
            turn, is_part = mended(self._asking, asked, reply, Turn, telling)
        except BadAnswerError:
            text = telling.now or _readable(reply.said)
            if not text:
                raise
            return Said(text, (), is_cut)
        return Said((turn.say or "").strip(), tuple(map(call_of, turn.calls)), is_part)

    def _probed(self, messages: Sequence[Message], text: str, tools: Tools) -> tuple[Call, ...]:
        """What a server that has never called a tool says that its answer does; none where it is not to be asked.

        The answer stands, whatever becomes of this question.
        """
        which = phrases("llm/client/stated.j2").which(described(tools)).strip()
        turns = [*messages, Message("assistant", text), Message("user", which)]
        asked = question(self._asking.settings, ACTIONS, turns, actions_record(tools))
        if self._asking.transcript.answer_to(asked.hash) is None:
            may_ask = self._asking.dialect.tools == "untried" and self._probes < PROBES
            if not may_ask or self._asking.transcript.is_replay:
                return ()
            self._probes += 1
        names = {tool_name(tool) for tool in tools}
        with contextlib.suppress(PlannerError, OutOfTime, Unreadable):
            stated = _complete(self._asking.exchange(asked, waits=False).reply.said)
            calls = tuple(call_of(action) for action in stated.calls if action.name in names)
            if calls and self._asking.dialect.tools == "untried":
                self._know("stated")
            return calls
        return ()

    def _know(self, way: str) -> None:
        self._asking.dialect = self._asking.dialect.model_copy(update={"tools": way})


def _native(exchange: Exchange, tools: Tools) -> Said:
    reply = exchange.reply
    is_cut = reply.finish_reason == "length"
    if reply.calls:
        begun = (call for call in reply.calls if call.arguments or not is_cut)
        return Said(without_thoughts(reply.text), tuple(begun), is_cut)
    return Said(*calls_in(reply.said, {tool_name(tool) for tool in tools}), is_cut)


def _complete(text: str) -> Turn:
    """The record, or what is complete of one that was cut. Raises `Unreadable` where nothing is."""
    try:
        return read_answer(text, Turn)
    except Unreadable:
        part = salvage(text, Turn)
        if part is None:
            raise
        return part


def _is_prose(text: str) -> bool:
    """Whether a text is neither a record, nor the beginning of one, nor holds one."""
    if may_be_json(text):
        return False
    try:
        read_answer(text, Turn)
    except Unreadable:
        return True
    return False


def _readable(text: str) -> str:
    """Words of an answer that is no record."""
    return said_in(text) or ("" if may_be_json(text) else without_thoughts(text))
