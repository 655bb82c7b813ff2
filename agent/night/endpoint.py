"""Whether the language model that is to plan through the night answers now, and whether its caps reach that far."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from ... import prompts
from ...executor.errors import LesionError
from ..finding import Finding
from ..llm.client import LanguageModel, Message, tokens_of
from ..llm.settings import ModelSettings
from ..llm.spending import price_of
from ..planners import TRANSCRIPT
from ..planning.llm.conversation import first_messages
from ..planning.llm.planner import LlmPlanner
from .money import Purse
from .ready import Ready

EXCHANGES = 4
"""Taken to be asked in a night: a plan, its review, and two rounds of follow-ups. A guess; what is not asked is not spent."""
SHARE_OF_ANSWER = 0.5
"""Of the longest answer, what one is taken to have. A guess as well."""


class Hello(BaseModel):
    """Says that the model is there."""

    model_config = ConfigDict(frozen=True)

    ready: bool


def endpoint(ready: Ready, purse: Purse) -> Iterator[Finding]:
    """What the model's server says: first for free, then by one call of a few tokens, which is recorded and paid for."""
    what, planner = f"{ready.name}: language model", ready.study.planner
    settings = ready.model
    if settings is None or not isinstance(planner, LlmPlanner) or not isinstance(planner.model, LanguageModel):
        yield Finding(what, None, "none is asked: the built-in rules plan")
        return
    if planner.model.replays:
        yield Finding(what, None, "a transcript answers, and nothing is sent")
        return
    purse.open(ready.state / TRANSCRIPT, settings)
    if _lacks_prices(settings, purse):
        to_do = "give [planner] price_input and price_output, in dollars per million tokens, or leave out --max-cost"
        yield Finding(f"{ready.name}: money", False, "--max-cost needs prices, and there are none", to_do)
    try:
        planner.model.preflight(planner.briefing.system + planner.briefing.opening(()))
        _call(planner.model)
    except LesionError as error:
        yield Finding(what, False, f"{error.where}: {error.what}" if error.where else error.what, error.to_do or "")
        return
    yield Finding(what, True, f"{settings.server}: {settings.model!r} answers (one call of a few tokens)")


def caps(ready: Ready, purse: Purse) -> Iterator[Finding]:
    """What planning is expected to take against what may be spent; after the survey."""
    settings, planner = ready.model, ready.study.planner
    if settings is None or not isinstance(planner, LlmPlanner) or not isinstance(planner.model, LanguageModel):
        return
    if _lacks_prices(settings, purse):
        return  # said by `endpoint`
    components = list(ready.study.components.values())
    allowed = [one for one in components if planner.rules.allows(one.id)]
    suggested = planner.rules.first_round(ready.setting.spec.study.name, components)
    question = tokens_of(first_messages(planner.briefing, allowed, suggested))
    asked = EXCHANGES * question, int(EXCHANGES * SHARE_OF_ANSWER * settings.answer_tokens)
    usage = planner.model.usage
    before = usage.tokens_sent + usage.tokens_received + usage.tokens_estimated
    dollars, left = price_of(*asked, settings), _dollars_left(settings, usage.cost_at_least, purse)
    taken = f"about {sum(asked):,} tokens" + ("" if dollars is None else f", ${dollars:.2f}")
    short: list[str] = []
    if before + sum(asked) > settings.max_tokens_total:
        short.append(f"{max(0, settings.max_tokens_total - before):,} tokens are left of max_tokens_total")
    if dollars is not None and left is not None and dollars > left:
        short.append(f"${max(left, Decimal(0)):.2f} is left of max_cost and --max-cost")
    if short:
        told = (
            f"planning is expected to take {taken}, and {' and '.join(short)}: the built-in rules plan once it is spent"
        )
        yield Finding(f"{ready.name}: money", None, told, "raise the cap")
        return
    yield Finding(f"{ready.name}: money", True, f"planning is expected to take {taken}: within its caps")


def _lacks_prices(settings: ModelSettings, purse: Purse) -> bool:
    """Whether `--max-cost` caps what nobody can count."""
    return purse.left() is not None and (settings.price_input is None or settings.price_output is None)


def _call(model: LanguageModel) -> None:
    words = prompts.render("night/hello.j2", now=datetime.now().astimezone().isoformat()).strip()
    model.try_out([Message("user", words)], Hello)


def _dollars_left(settings: ModelSettings, spent: Decimal | None, purse: Purse) -> Decimal | None:
    own = None if settings.max_cost is None else Decimal(str(settings.max_cost)) - (spent or Decimal(0))
    return min((one for one in (own, purse.left()) if one is not None), default=None)
