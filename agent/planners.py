"""Who plans a study: the built-in rules, or a language model where one is asked for or configured."""

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from ..executor.errors import ModelError
from .components import Component
from .configuration import flatten
from .places import guard_of
from .planning.factorial import Wish
from .planning.planner import Planner
from .planning.rules import Interactions, RulesPlanner
from .records.planning import Planning
from .setting import Setting
from .spec import PlannerSection

if TYPE_CHECKING:
    from .llm.allotted import Allotted
    from .llm.client import LanguageModel, Message, Watcher
    from .llm.settings import ModelSettings
    from .llm.transcript import Transcript
    from .planning.llm.briefing import Briefing
    from .reading.digest.library import Library

Kind = Literal["auto", "llm", "rules"]
TRANSCRIPT = "transcript.jsonl"
"""Of a study's exchanges with its language model, in its state folder."""
CHAT_TRANSCRIPT = "chat/transcript.jsonl"
"""Of its conversation, which another process may hold at the same time."""


@dataclass(frozen=True)
class Asked:
    """What the command line says about who plans."""

    kind: Kind | None = None
    model: str | None = None
    base_url: str | None = None
    replay: Path | None = None
    """A transcript that answers in the server's place."""
    interactions: Interactions = "auto"
    stream: bool = False
    """Whether a person watches."""
    again: bool = False
    """Ask anew what was answered before."""


def model_of(setting: Setting, asked: Asked, environment: Mapping[str, str] = os.environ) -> "ModelSettings | None":
    """The language model that is to plan; None where the rules do. `ModelError` where one was asked for and cannot be."""
    return model_for(setting.spec.planner, asked, environment)


def model_for(
    planner: PlannerSection, asked: Asked, environment: Mapping[str, str] = os.environ
) -> "ModelSettings | None":
    """Likewise, from a study's section alone."""
    from .llm.settings import is_configured, model_settings

    if asked.replay:
        return _replayed(planner, asked, asked.replay)
    kind, named = asked.kind or planner.kind, {"model": asked.model, "base_url": asked.base_url}
    if kind == "rules" or (kind == "auto" and not is_configured(planner, environment, **named)):
        return None
    return model_settings(planner, environment, **named, stream=asked.stream)


def rules_planner(setting: Setting, interactions: Interactions = "auto") -> RulesPlanner:
    """The built-in planner, as the study file sets it."""
    study = setting.spec.study
    wish = Wish(study.factorial, study.seeds, str(setting.spec.path))
    return RulesPlanner(interactions, study.components, study.kinds, setting.modes, wish)


def require_model(
    setting: Setting, settings: "ModelSettings | None", asked: Asked, state: Path, watcher: "Watcher"
) -> None:
    """Whether the server is there and knows the model: costs nothing, and nothing is written.

    Raises:
        ModelError: it is not there, denies access, or context or budget are too small for one question.
    """
    from .llm.client import LanguageModel

    if settings is None:
        return
    model = LanguageModel(settings, _transcript(asked, state), watcher)
    briefing = briefing_of(setting, _room(model), state)
    model.preflight(briefing.system + briefing.opening(()))


def choose(
    setting: Setting,
    settings: "ModelSettings | None",
    asked: Asked,
    state: Path,
    watcher: "Watcher",
    time_left: Callable[[], float] = lambda: math.inf,
    allowance: "Callable[[], Decimal | None] | None" = None,
    *,
    allotted: "Allotted | None" = None,
    on_trouble: Callable[[str], None] = lambda why: None,
) -> Planner:
    """The planner of a study.

    Args:
        setting: the study.
        settings: of the language model; None where the rules plan.
        asked: what the command line says.
        state: the study's folder.
        watcher: is told of questions and waits.
        time_left: seconds that may still pass before it is asked no more.
        allowance: dollars that it may still take.
        allotted: how long its answers may take together; the rules plan once that is over. None: as long as they take.
        on_trouble: is told why the rules plan in a model's place.
    """
    rules = rules_planner(setting, asked.interactions)
    if settings is None:
        return rules
    from .llm.asking import no_allowance
    from .llm.client import LanguageModel
    from .planning.llm.planner import LlmPlanner

    model = LanguageModel(
        settings,
        _transcript(asked, state),
        watcher,
        time_left=time_left,
        allowance=allowance or no_allowance,
        allotted=allotted,
    )
    briefing = briefing_of(setting, _room(model), state)
    bill = lambda: _bill(model, settings)  # noqa: E731
    return LlmPlanner(model, briefing, rules, f"llm:{settings.model}", bill, on_trouble)


def writer(settings: "ModelSettings", asked: Asked, state: Path, watcher: "Watcher") -> "LanguageModel":
    """The language model that is to write about results. `ModelError` where it is not there, or denies access."""
    from .llm.client import LanguageModel

    model = LanguageModel(settings, _transcript(asked, state), watcher)
    model.preflight()
    return model


def briefing_of(setting: Setting, room: int, state: Path) -> "Briefing":
    """What a language model is told of a study.

    Args:
        setting: the study.
        room: tokens that a question may have.
        state: folder of the study's results, which are no part of the project.
    """
    from .claims import claims_of
    from .llm.client import estimate_tokens
    from .planning.llm.briefing import Briefing
    from .reading.digest.library import Library

    spec = setting.spec
    library = Library(spec, estimate_tokens, state=state)
    return Briefing(
        study=spec.study.name,
        question=spec.study.question,
        claims=claims_of(spec),
        metrics=spec.metrics,
        primary=spec.primary,
        modes=setting.modes,
        seeds=spec.study.seeds,
        config=_shown(setting, library),
        measured=guard_of(setting).evaluation_words,
        allowed=spec.study.components,
        library=library,
        room=room,
        estimate=estimate_tokens,
        answer_tokens=spec.planner.answer_tokens,
    )


def _shown(setting: Setting, library: "Library") -> dict[str, Any]:
    """The configuration, by dotted key, without the settings of a script that stand in files which are not shown."""
    config = flatten(setting.config)
    if setting.configuration is None or not setting.configuration.knobs:
        return config
    hidden = {key for key, place in setting.configuration.places.items() if library.hides(place.file)}
    return {key: value for key, value in config.items() if key not in hidden}


def _transcript(asked: Asked, state: Path) -> "Transcript":
    from .llm.transcript import Transcript

    if asked.replay:
        return Transcript.replaying(asked.replay)
    transcript = Transcript(state / TRANSCRIPT, beside=(state / CHAT_TRANSCRIPT,))
    return transcript.asked_anew() if asked.again else transcript


def _replayed(planner: PlannerSection, asked: Asked, path: Path) -> "ModelSettings":
    """The model that a transcript is of; no key is needed, since nothing is sent."""
    from .llm.settings import model_settings
    from .llm.transcript import Transcript

    exchanges = Transcript.replaying(path).exchanges
    if not exchanges:
        raise ModelError("this transcript holds no exchange", where=str(path), to_do="name a study's transcript.jsonl")
    return model_settings(planner, {}, model=asked.model or exchanges[0].model, base_url=exchanges[0].server)


def _bill(model: "LanguageModel", settings: "ModelSettings") -> Planning:
    usage = model.usage
    return Planning(
        model=settings.model,
        server=urlsplit(settings.server).netloc,
        exchanges=usage.exchanges,
        repaired=usage.repaired,
        tokens_sent=usage.tokens_sent,
        tokens_received=usage.tokens_received,
        unknown=usage.unknown,
        cost=None if usage.cost is None else float(usage.cost),
    )


def first_question(
    setting: Setting, components: Sequence[Component], state: Path, watcher: "Watcher"
) -> "tuple[list[Message], dict[str, int]]":
    """The messages that would be sent first, by the study file's own caps; and how many files are left out, by reason."""
    from .llm.client import LanguageModel
    from .llm.settings import model_settings
    from .llm.transcript import Transcript
    from .planning.llm.conversation import first_messages

    anyone = model_settings(setting.spec.planner, {}, model="any", base_url="http://localhost")
    model = LanguageModel(anyone, Transcript(Path(os.devnull)), watcher)
    briefing, rules = briefing_of(setting, _room(model), state), rules_planner(setting)
    allowed = [one for one in components if rules.allows(one.id)]
    suggested = rules.first_round(setting.spec.study.name, components)
    return first_messages(briefing, allowed, suggested), briefing.library.left_out


def _room(model: "LanguageModel") -> int:
    """Tokens that a question may have beside any schema, with the names that it lists."""
    from .planning.llm.answers import ANSWERS
    from .planning.llm.vocabulary import NAMED, NAMES

    return int(min(model.room(one) for one in ANSWERS) * (1 - NAMED * NAMES))
