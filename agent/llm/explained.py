"""Failures as people read them: what happened, where, and what to set."""

import difflib
from collections.abc import Sequence

from ...executor.errors import BadAnswerError, ModelError, PlannerError, PlanningOver
from .dialect import LENGTHS
from .failures import Failure
from .settings import KEY, ModelSettings

LISTED = 8
"""Models that are named where one is not known."""


def error_of(failure: Failure, settings: ModelSettings) -> PlannerError:
    """The error that ends asking, for a failure that no waiting mends."""
    said, where = failure.message, settings.server
    match failure.kind:
        case "exhausted":
            return PlanningOver(
                f"the quota of the language model is used up: {said}",
                where=where,
                to_do="add credit, or name another server; what is planned runs on, and `lesion run` asks again",
            )
        case "denied":
            key = f"{KEY} is set" if settings.key else f"{KEY} is not set"
            return ModelError(
                f"access denied ({key}): {said}", where=where, to_do=f"see that {KEY} belongs to this server"
            )
        case "missing":
            return ModelError(
                f"no model {settings.model!r} here, or no such address: {said}",
                where=where,
                to_do="see LESION_MODEL and OPENAI_BASE_URL, or [planner] model and base_url; most addresses end in /v1",
            )
        case "context":
            return too_long(said, settings)
        case "filtered":
            return BadAnswerError(f"the provider's content filter refused the question: {said}", where=where)
        case "invalid":
            about = "lower [planner] answer_tokens" if any(name in said for name in LENGTHS) else None
            return ModelError(f"the server refuses the request: {said}", where=where, to_do=about)
        case _:
            return ModelError(
                f"the language model's server cannot be used: {said}",
                where=where,
                to_do="see that it runs and that OPENAI_BASE_URL, or [planner] base_url, is its address",
            )


def is_wrong_key(failure: Failure) -> bool:
    """Whether the key itself is refused, and not only what was done with it: some keys may ask and not list."""
    said = failure.message.lower()
    return failure.status == 401 and "scope" not in said and "permission" not in said


def is_web_page(failure: Failure) -> bool:
    """Whether something else than an API answers here; a server that keeps no list says so with a status."""
    return failure.kind == "missing" and not failure.status


def too_long(what: str, settings: ModelSettings) -> ModelError:
    """Question and answer together do not fit."""
    return ModelError(
        f"too long for the model: {what}; context_tokens = {settings.context_tokens:,}, of which "
        f"answer_tokens = {settings.answer_tokens:,} are kept for the answer",
        where="[planner]",
        to_do="set [planner] context_tokens to what the model can hold: less where the server refuses, more where it has more",
    )


def small_context(context: int, settings: ModelSettings) -> ModelError:
    """The server says that it holds less than the study counts on."""
    return ModelError(
        f"the server holds {context:,} tokens of {settings.model!r}, and context_tokens = {settings.context_tokens:,}",
        where=settings.server,
        to_do=f"set [planner] context_tokens = {context}, or let the server hold more",
    )


def unknown_model(listed: Sequence[str], settings: ModelSettings) -> ModelError:
    """The server has a list of models, and this one is not on it."""
    near = difflib.get_close_matches(settings.model, listed, n=LISTED, cutoff=0.4)
    named = near or sorted(listed)[:LISTED]
    more = f", and {len(listed) - len(named)} more" if len(listed) > len(named) else ""
    return ModelError(
        f"there is no model {settings.model!r} here; {'near' if near else 'there are'}: {', '.join(named)}{more}",
        where=settings.server,
        to_do="set LESION_MODEL, or [planner] model, to one of them",
    )
