"""Puts a speaker together: the model with its transcript, its tools, and what it is told."""

from typing import TYPE_CHECKING

from ..llm.client import LanguageModel
from ..llm.settings import ModelSettings
from ..llm.transcript import Transcript
from ..planners import CHAT_TRANSCRIPT, TRANSCRIPT
from .context import Context
from .speaker import Speaker
from .toolbox import Toolbox
from .waits import Waits

if TYPE_CHECKING:
    from .conversation import Conversation


def speaker_of(talk: "Conversation", settings: ModelSettings) -> Speaker:
    """The model of a conversation; what the study's planner asked counts against the same caps."""
    state = talk.desk.state
    transcript = Transcript(state / CHAT_TRANSCRIPT, beside=(state / TRANSCRIPT,))
    waits = Waits()
    model = LanguageModel(settings, transcript, waits)
    context = Context(talk.desk, talk.session, model, talk.facts)
    by = f"llm:{settings.model}"
    toolbox = Toolbox(talk.desk, talk.session, talk.front, talk.drafter, talk.running, by, lambda: context.for_tool)
    return Speaker(model, settings, talk.session, talk.front, toolbox, context, waits, talk.facts)
