"""One turn with the language model: it speaks, uses its tools, and speaks again, until it leaves the word to the person."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ...prompts import phrases
from ..llm.calls import Call, parsed
from ..llm.calls import Said as ModelSaid
from ..llm.client import LanguageModel, Message
from ..llm.settings import ModelSettings
from ..llm.spending import Usage
from ..report.text import clipped
from .context import Context
from .events import Answered, CallMade, Ending, Noticed, Returned
from .front import Front, Stream
from .session import Session
from .shown import Note, Step
from .toolbox import Toolbox
from .waits import Waits

if TYPE_CHECKING:
    from ..prose.facts import Facts
    from ..prose.streaming import Filter

MOST_STEPS = 16
"""Answers of the model to one message of the person."""

MOST_OF_A_CALL = 160
"""Characters of a call that cannot be done, and of why, that a person sees."""


class Done(NamedTuple):
    """A call of a tool, and what it gave."""

    name: str
    arguments: str
    told: str


@dataclass
class Speaker:
    """A model in a conversation."""

    model: LanguageModel
    settings: ModelSettings
    session: Session
    front: Front
    toolbox: Toolbox
    context: Context
    waits: Waits
    facts: "Callable[[], Facts]"

    def turn(self) -> None:
        """Let the model answer what was said last.

        Raises:
            KeyboardInterrupt: a person cancelled the turn; what was said is kept.
            LesionError: the model cannot be asked, or answered nothing of use; likewise.
        """
        before, state = self.model.usage, self.context.state()
        done: set[Done] = set()
        try:
            for _ in range(MOST_STEPS):
                came = self._step(state)
                if not came:
                    return
                if came <= done:
                    self.front.show(Note(text=phrases("chat/turn.j2").repeats(), tone="warning"))
                    return
                done |= came
            self.front.show(Note(text=phrases("chat/turn.j2").enough(MOST_STEPS), tone="warning"))
        finally:
            after = self.model.usage
            if after != before:
                self.front.show(Note(text=spent(before, after, self.settings)))

    def _step(self, state: str) -> set[Done]:
        """One answer, and the tools that it asks for, with what they gave: the model waits for that."""
        said = self._said(self.context.messages(self.session.messages, state))
        came: set[Done] = set()
        for call in said.calls:
            wanted = parsed(call, self.context.tools)
            told = self._wrong(call, wanted) if isinstance(wanted, str) else self.toolbox.use(wanted)
            self.session.tell(Returned(call=call.id, text=told))
            came.add(Done(call.name, call.arguments, told))
        return came

    def _wrong(self, call: Call, problem: str) -> str:
        """A call that is none of a tool, or does not fit it: a person sees what was tried."""
        name = clipped(call.name, MOST_OF_A_CALL) or phrases("chat/turn.j2").no_name
        self.front.show(Step(tool=name, text=clipped(problem, MOST_OF_A_CALL)))
        return problem

    def _said(self, messages: list[Message]) -> ModelSaid:
        """What the model says, shown and written down as it comes, also where it breaks off."""
        from ..prose.streaming import Filter

        came: list[str] = []
        ended: Ending = "broken"
        said = ModelSaid("", (), cut=False)
        words = Filter(self.facts())
        with self.front.answering() as stream, self.waits.shown_by(stream):

            def heard(piece: str) -> None:
                came.append(piece)
                if text := words.add(piece):
                    stream.add(text)

            try:
                said = self.model.converse("chat", messages, self.context.tools, heard)
                ended = "cut" if said.cut else "whole"
            except KeyboardInterrupt:
                ended = "cancelled"
                raise
            finally:
                self._keep(said.text or "".join(came), said, ended)
                self._end(words, stream)
        self._remark(said)
        return said

    def _remark(self, said: ModelSaid) -> None:
        """What a person could not see of an answer by itself."""
        words = phrases("chat/turn.j2")
        if said.cut:
            self.front.show(Note(text=words.reached_its_length(self.settings.answer_tokens), tone="warning"))
        elif not said.text.strip() and not said.calls:
            self.front.show(Note(text=words.nothing_said(), tone="warning"))

    def _keep(self, text: str, said: ModelSaid, ended: Ending) -> None:
        if text or said.calls:
            calls = tuple(CallMade(id=one.id, name=one.name, arguments=one.arguments) for one in said.calls)
            self.session.tell(Answered(text=text, calls=calls, ended=ended))

    def _end(self, words: "Filter", stream: Stream) -> None:
        rest, prose = words.end()
        if rest:
            stream.add(rest)
        if prose.text:
            stream.end(prose)
        if words.problems:
            self.session.tell(Noticed(text=phrases("chat/turn.j2").bad_references(words.problems)))


def spent(before: Usage, after: Usage, settings: ModelSettings) -> str:
    """What a turn took, and the study so far, against its caps."""
    sent, received = after.tokens_sent - before.tokens_sent, after.tokens_received - before.tokens_received
    unknown, reserved = after.unknown - before.unknown, after.tokens_estimated - before.tokens_estimated
    cost = None if after.cost is None or before.cost is None else after.cost - before.cost
    return phrases("chat/turn.j2").spent(sent, received, unknown, reserved, cost, after, settings)
