"""What a server takes: how structured output is asked for, and which parameters it knows; learnt from what it refuses."""

import re
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from .connection import Reply
from .failures import Failure
from .schema import schema_name, strict_schema
from .settings import ModelSettings
from .telling import Form
from .tools import tool_spec

Rung = Literal["bounded", "json_schema", "json_object", "text"]
"""bounded is a json_schema with the lengths of strings, which OpenAI refuses and small local models need: they never stop."""
LADDER: tuple[Rung, ...] = ("bounded", "json_schema", "json_object", "text")
FORMAT = re.compile(r"response_format|json_schema|json_object|schema|grammar|structured|json mode", re.IGNORECASE)
SYSTEM = re.compile(
    r"system.{0,20}(role|message|prompt).{0,40}not support|does not support.{0,20}system", re.IGNORECASE
)
OF_THIS_SCHEMA = re.compile(r"(min|max)length|repetition|grammar|invalid schema|keyword", re.IGNORECASE)
NO_TOOLS = re.compile(r"\btool", re.IGNORECASE)
OF_TOOLS = re.compile(r"\bfunction|schema|grammar|template|jinja|\broles?\b", re.IGNORECASE)
"""In a refusal of a request with tools: they are what is refused, or the turns that they make."""
STRICT = re.compile(r"\bstrict\b")
TOO_LARGE = re.compile(r"too large|at most|exceed|greater|less than|maximum", re.IGNORECASE)
OPTIONAL = ("stream_options", "temperature", "seed", "stream")
LENGTHS = ("max_completion_tokens", "max_tokens")


class Dialect(BaseModel):
    """How one model on one server is spoken to."""

    model_config = ConfigDict(frozen=True)

    rung: Rung = "bounded"
    length: str | None = "max_tokens"
    """The parameter that bounds an answer."""
    dropped: tuple[str, ...] = ()
    """Parameters that it does not take, "system" where it knows no such role, "strict" where its tools are never that."""
    tools: Literal["untried", "native", "stated"] = "untried"
    """native: it has called one. stated: it takes none, or takes them and calls none; calls are asked for as a record."""

    @property
    def takes_schemas(self) -> bool:
        """Whether a schema is sent beside the messages, not in them."""
        return self.rung in {"bounded", "json_schema"}

    @property
    def form(self) -> Form:
        """What an answer is where a record is asked for."""
        return "either" if self.rung == "text" else "record"

    def parameters(
        self, settings: ModelSettings, answer: type[BaseModel], tools: Sequence[type[BaseModel]] | None = None
    ) -> dict[str, Any]:
        """All of a request but its model and messages: never tools and a form of the answer together.

        Args:
            settings: bounds and sampling.
            answer: the record that is wanted, where there are no tools.
            tools: that may be called; none, and no record either, where there are none of them.
        """
        strict = "strict" not in self.dropped
        wanted: dict[str, Any] = {
            "response_format": self._format(answer) if tools is None else None,
            "tools": [tool_spec(tool, strict=strict) for tool in tools or ()] or None,
            "temperature": settings.temperature,
            "seed": settings.seed,
            "stream": settings.stream or None,
            "stream_options": {"include_usage": True} if settings.stream and "stream" not in self.dropped else None,
        }
        if self.length:
            wanted[self.length] = settings.answer_tokens
        return {key: value for key, value in wanted.items() if value is not None and key not in self.dropped}

    def after(self, failure: Failure, sent: dict[str, Any]) -> "Dialect | None":
        """The dialect to try next, None where the refusal is about something else.

        Args:
            failure: what was refused; some servers call a schema that they cannot compile an error of their own.
            sent: the request.
        """
        is_unrouted = failure.kind == "missing" and "tools" in sent and NO_TOOLS.search(failure.message)
        if failure.kind not in {"invalid", "failing"} and not is_unrouted:
            return None
        culprit = _culprit(failure, sent)
        if culprit == "tools":
            return self.model_copy(update={"tools": "stated"})
        if culprit == "response_format" and self.rung != "text":
            steps = 2 if self.rung == "bounded" and not OF_THIS_SCHEMA.search(failure.message) else 1
            return self.model_copy(update={"rung": LADDER[LADDER.index(self.rung) + steps]})
        if culprit in LENGTHS:
            return None if TOO_LARGE.search(failure.message) else self._without_length(culprit)
        if culprit is not None and culprit not in self.dropped:
            return self.model_copy(update={"dropped": (*self.dropped, culprit)})
        return None

    def heard(self, reply: Reply) -> "Dialect":
        """The dialect after an answer: a server that has called a tool is known to call them."""
        return self.model_copy(update={"tools": "native"}) if reply.calls and self.tools == "untried" else self

    def _format(self, answer: type[BaseModel]) -> dict[str, Any] | None:
        if self.takes_schemas:
            schema = strict_schema(answer, lengths=self.rung == "bounded")
            return {
                "type": "json_schema",
                "json_schema": {"name": schema_name(answer), "strict": True, "schema": schema},
            }
        return {"type": "json_object"} if self.rung == "json_object" else None

    def _without_length(self, refused: str) -> "Dialect":
        dropped = (*self.dropped, refused)
        other = next((name for name in LENGTHS if name not in dropped), None)
        return self.model_copy(update={"length": other, "dropped": dropped})


def first_dialect(settings: ModelSettings) -> Dialect:
    """What is tried first: OpenAI itself wants the newer name of the bound, most other servers know the older one only."""
    if settings.base_url is None:
        return Dialect(rung="json_schema", length="max_completion_tokens")
    return Dialect()


def _culprit(failure: Failure, sent: dict[str, Any]) -> str | None:
    """The part of the request that a refusal is about."""
    named = re.split(r"[.\[]", failure.param or "")[0]
    about = f"{failure.param} {failure.message}"
    if STRICT.search(about) and any("strict" in tool["function"] for tool in sent.get("tools", ())):
        return "strict"
    if named in sent and named != "messages":
        return named
    if "tools" in sent and NO_TOOLS.search(about):
        return "tools"
    for name in (*LENGTHS, *OPTIONAL):
        if name in sent and re.search(rf"(?<![A-Za-z_]){name}(?![A-Za-z_])", failure.message):
            return name
    if "response_format" in sent and FORMAT.search(about):
        return "response_format"
    if SYSTEM.search(failure.message):
        return "system"
    return "tools" if "tools" in sent and OF_TOOLS.search(about) else None
