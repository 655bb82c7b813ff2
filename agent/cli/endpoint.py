"""What `lesion doctor` finds at the language model's server: whether it answers, knows the model, and holds what is counted on."""

import os
from pathlib import Path

from ...executor.errors import LesionError
from ..llm.connection import Connection, is_known
from ..llm.explained import error_of, small_context, unknown_model
from ..llm.failures import Failure
from ..llm.settings import BASE_URL, KEY, MODEL, ModelSettings, is_configured, model_settings
from ..spec import PlannerSection

STUDY = Path("lesion.toml")


def endpoint() -> tuple[bool | None, str, str]:
    """Whether it works (None: none is configured), what was found, and what to do.

    The settings are those of the environment and of the study file in this folder, where there is one.
    """
    try:
        planner = _planner()
        if planner.kind == "rules":
            return None, "not needed: planner.kind is rules", ""
        if planner.kind == "auto" and not is_configured(planner, os.environ):
            to_do = f"to let a language model plan, set {MODEL}, and {KEY} or {BASE_URL}"
            return None, "none configured, and none needed: the built-in rules plan", to_do
        settings = model_settings(planner, os.environ)
        return True, f"{settings.server}: {_found(settings)}", ""
    except LesionError as error:
        return False, f"{error.where}: {error.what}" if error.where else error.what, error.to_do or ""


def _planner() -> PlannerSection:
    """`[planner]` of the study in this folder; the defaults where there is none."""
    from ..studyfile import load_study

    return load_study(STUDY).planner if STUDY.is_file() else PlannerSection()


def _found(settings: ModelSettings) -> str:
    """What the server says of the model. Raises `ModelError` where the model cannot be used as it is set."""
    connection, counted = Connection(settings), f"context_tokens = {settings.context_tokens:,}"
    try:
        listed = connection.models()
        known = is_known(connection, listed, settings.model)
    except Failure as failure:
        if failure.kind == "missing":
            return f"it answers, and keeps no list of models; whether it has {settings.model!r} is not known"
        raise error_of(failure, settings) from None
    if not known:
        raise unknown_model(list(listed), settings)
    context = listed.get(settings.model)
    if context is None:
        return f"has {settings.model!r}; it does not say how much it holds, and {counted}"
    if context < settings.context_tokens:
        raise small_context(context, settings)
    return f"has {settings.model!r}, which holds {context:,} tokens; {counted}"
