"""Scripted language models: what each answers to the planner's questions, by the record that the question asks for."""

import json
from collections.abc import Callable
from typing import Any

from lesion.agent.planning.llm.answers import Edit, FollowUp, Override, Removal

from .server import Answer, ModelServer, Request, says

Script = dict[str, Any]
"""FirstPlan, Review, Mending, NextRound, Hello → an answer, a list of answers in turn, or a function of the request."""
EMPTY: dict[str, Any] = {"removals": [], "overrides": [], "edits": []}
NOTHING: Script = {
    "FirstPlan": {**EMPTY, "look_up": []},
    "Review": {**EMPTY, "withdrawn": [], "remark": ""},
    "Mending": EMPTY,
    "NextRound": {**EMPTY, "follow_ups": [], "reason": "nothing is left that is worth its cost", "look_up": []},
    "Hello": {"ready": True},
}


def scripted(script: Script, **server: Any) -> ModelServer:
    """A server whose model answers so; once a list of answers is used up, with nothing."""
    return ModelServer(each=answering(script), **server)


def answering(script: Script) -> Callable[[Request], Answer]:
    """The model of such a server, for one that is made elsewhere."""
    left = {name: list(given) if isinstance(given, list) else given for name, given in script.items()}
    return lambda request: _answer(request, left)


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


def proposed(*proposals: Removal | Override | Edit, **more: Any) -> dict[str, Any]:
    """An answer that makes proposals, as to FirstPlan and Mending; `more`: its other fields."""
    lists = {"removals": Removal, "overrides": Override, "edits": Edit}
    sorted_out = {
        name: [one.model_dump() for one in proposals if isinstance(one, kind)] for name, kind in lists.items()
    }
    return {**sorted_out, **more}


def first(*proposals: Removal | Override | Edit, look_up: tuple[Any, ...] = ()) -> dict[str, Any]:
    """An answer to the question for round 1."""
    return proposed(*proposals, look_up=list(look_up))


def upon(*follow_ups: FollowUp, proposals: tuple[Any, ...] = (), reason: str = "to tell them apart") -> dict[str, Any]:
    """An answer to results."""
    asked = [one.model_dump() for one in follow_ups]
    return proposed(*proposals, follow_ups=asked, reason=reason, look_up=[])
