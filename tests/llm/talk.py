"""Two tools, and a scripted partner in a conversation: the same turns from servers that call tools and from those that do not."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lesion.agent.llm.client import Message
from pydantic import BaseModel, ConfigDict, Field

from .server import Answer, ModelServer, Request, calls, says


class Propose(BaseModel):
    """Propose to remove a component."""

    model_config = ConfigDict(extra="forbid")
    component: str = Field(max_length=40)
    size: float


class ShowSource(BaseModel):
    """Show lines of a file."""

    model_config = ConfigDict(extra="forbid")
    path: str
    first: int | None = Field(default=None, description="Number of the first line.")


TOOLS = (Propose, ShowSource)
TALK = [Message("system", "You help with a study."), Message("user", "What is dropout worth?")]
DROPOUT: dict[str, Any] = {"component": "config:dropout", "size": 2.0}


@dataclass(frozen=True)
class Spoken:
    """One turn of the model: what it says, and the calls that it makes."""

    text: str = ""
    calls: tuple[tuple[str, dict[str, Any]], ...] = ()


def speaks(text: str = "", *made: tuple[str, dict[str, Any]]) -> Spoken:
    """A turn for `talking`."""
    return Spoken(text, made)


def talking(*turns: Spoken | Callable[[Request], Spoken | Answer], native: bool = True, **server: Any) -> ModelServer:
    """A server whose model takes these turns, one an answer, in the form that each request asks for.

    Args:
        turns: what it says and calls; a function is given the request.
        native: else it takes tools and calls none, and states them where it is asked which actions an answer takes.
        server: as `ModelServer` takes them; `refuses=("tools",)` is a server that takes none.
    """
    left, meant = list(turns), list[Spoken]()

    def each(request: Request) -> Answer:
        wants = [] if request.tools else list(request.wants.get("properties", {}))
        if wants == ["calls"]:
            return says(_stated(meant[-1], wants))
        turn = left.pop(0) if left else Spoken("That is all.")
        spoken = turn if isinstance(turn, Spoken) else turn(request)
        if isinstance(spoken, Answer):
            meant.append(Spoken(spoken.text))
            return spoken
        meant.append(spoken)
        if wants:
            return says(_stated(spoken, wants))
        return calls(*spoken.calls, text=spoken.text) if native and spoken.calls else says(spoken.text)

    return ModelServer(each=each, **server)


def _stated(spoken: Spoken, wants: list[str]) -> str:
    made = [{"name": name, "arguments": arguments} for name, arguments in spoken.calls]
    record = {"say": spoken.text, "calls": made}
    return json.dumps({name: record[name] for name in wants})
