"""Scripted language models: what each answers to the planner's questions, by the record that the question asks for."""

import json
from collections.abc import Callable
from typing import Any

from .server import Answer, ModelServer, Request, says

Script = dict[str, Any]
"""FirstPlan, Review, Mending, NextRound → an answer, a list of answers in turn, or a function of the request."""
NOTHING: Script = {
    "FirstPlan": {"look_up": [], "proposals": []},
    "Review": {"missing": [], "withdrawn": [], "remark": ""},
    "Mending": {"proposals": []},
    "NextRound": {"look_up": [], "follow_ups": [], "proposals": [], "reason": "nothing is left that is worth its cost"},
}


def scripted(script: Script, **server: Any) -> ModelServer:
    """A server whose model answers so; once a list of answers is used up, with nothing."""
    left = {name: list(given) if isinstance(given, list) else given for name, given in script.items()}
    return ModelServer(each=lambda request: _answer(request, left), **server)


def asked_for(request: Request) -> str:
    """Which record a request asks for."""
    properties = set(request.wants["properties"])
    return next(name for name, empty in NOTHING.items() if properties == set(empty))


def _answer(request: Request, left: Script) -> Answer:
    name = asked_for(request)
    given = left.get(name, NOTHING[name])
    if isinstance(given, list):
        given = given.pop(0) if given else NOTHING[name]
    if isinstance(given, Callable):
        given = given(request)
    return given if isinstance(given, Answer) else says(json.dumps(given))


def first(*proposals: Any, look_up: tuple[Any, ...] = ()) -> dict[str, Any]:
    """An answer to the question for round 1."""
    return {"look_up": list(look_up), "proposals": [one.model_dump() for one in proposals]}


def upon(*follow_ups: Any, proposals: tuple[Any, ...] = (), reason: str = "to tell them apart") -> dict[str, Any]:
    """An answer to results."""
    return {
        "look_up": [],
        "follow_ups": [one.model_dump() for one in follow_ups],
        "proposals": [one.model_dump() for one in proposals],
        "reason": reason,
    }
