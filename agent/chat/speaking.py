"""Puts a speaker together: the model with its transcript, its tools, and what it is told."""

from pathlib import Path
from typing import TYPE_CHECKING

from ..llm.client import LanguageModel
from ..llm.settings import ModelSettings, model_settings
from ..llm.spending import Usage, usage_of
from ..llm.transcript import Transcript
from ..planners import CHAT_TRANSCRIPT, TRANSCRIPT
from ..spec import PlannerSection
from .context import Context
from .speaker import Speaker
from .toolbox import Toolbox
from .waits import Waits

if TYPE_CHECKING:
    from .conversation import Conversation


def usage_without_model(planner: PlannerSection, state: Path) -> Usage | None:
    """What a study's transcripts hold, where no model answers now; None where they hold nothing."""
    transcript = Transcript(state / CHAT_TRANSCRIPT, beside=(state / TRANSCRIPT,))
    if not transcript.counted:
        return None
    return usage_of(transcript.counted, model_settings(planner, {}, model="any", base_url="http://localhost"))


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
