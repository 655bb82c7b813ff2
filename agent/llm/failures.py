"""What went wrong between us and the server, as one exception whose `kind` says what to do about it."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Literal, cast

if TYPE_CHECKING:
    import openai

Kind = Literal[
    "unreachable",  # no connection
    "silent",  # not a byte within the time-out
    "broken",  # an answer began and did not end, or is no answer
    "busy",  # asked too often: try later
    "failing",  # the server's own error: try later
    "exhausted",  # quota or credit used up
    "denied",  # wrong key, or no access
    "missing",  # no such model, or no such address
    "context",  # question and answer together are too long for the model
    "filtered",  # the provider's content filter
    "invalid",  # the server takes no such request
]
EXHAUSTED = ("insufficient_quota", "billing_hard_limit_reached", "exceeded your current quota", "insufficient credits")
TOO_LONG = (
    "context_length_exceeded",
    "exceed_context_size",
    "context length",
    "context size",
    "context window",
    "prompt is too long",
    "input is too long",
)
SHOWN = 500
"""Characters of a server's message that are shown."""


class Failure(Exception):
    """An exchange without an answer.

    Attributes:
        kind: what to do about it.
        message: the server's words, or what happened to the connection.
        status: of the HTTP response, 0 where there was none.
        param: the parameter that the server names, if it names one.
        retry_after: seconds to wait, as the server says.
        partial: the part of an answer that came before the connection broke.
    """

    def __init__(
        self,
        kind: Kind,
        message: str,
        *,
        status: int = 0,
        param: str | None = None,
        retry_after: float | None = None,
        partial: str = "",
    ) -> None:
        super().__init__(message)
        self.kind: Kind = kind
        self.message, self.status, self.partial = message, status, partial
        self.param, self.retry_after = param, retry_after

    @property
    def is_billed(self) -> bool:
        """Whether the model may have worked, and its provider may count that."""
        return self.kind in {"silent", "broken"}


def failure_of(error: "openai.APIError", *, partial: str = "") -> Failure:
    """What an exception of the SDK means for us."""
    import httpx2
    import openai

    if isinstance(error.__cause__, (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.UnsupportedProtocol)):
        return Failure("unreachable", f"no connection to the server ({error.__cause__})")
    if isinstance(error, openai.APITimeoutError):
        return Failure("silent", "the server did not answer in time", partial=partial)
    if isinstance(error, openai.APIConnectionError):
        return Failure("broken", f"the connection broke ({error.__cause__ or error})", partial=partial)
    if isinstance(error, openai.APIStatusError):
        body, headers = error.body, cast("Mapping[str, str]", error.response.headers)
        return failure_from(error.status_code, body if body is not None else error.response.text, headers)
    found = failure_from(_code(error.body), error.body if error.body is not None else error.message, {})
    return Failure(found.kind, found.message, param=found.param, partial=partial)


def failure_from(status: int, body: object, headers: Mapping[str, str]) -> Failure:
    """What a server means by a status and what it sends with it; 0 where there is no status."""
    said = " ".join(_words(body))[:SHOWN] or f"HTTP status {status}"
    kind = _kind(status, f"{body}".lower())
    return Failure(kind, said, status=status, param=_param(body), retry_after=_retry_after(headers))


def _kind(status: int, text: str) -> Kind:
    if status == 402 or (status in {0, 403, 429} and any(word in text for word in EXHAUSTED)):
        return "exhausted"
    if status in {401, 403}:
        return "denied"
    if status in {404, 405}:
        return "missing"
    if status in {408, 409, 425} or status >= 500:
        return "context" if any(word in text for word in TOO_LONG) else "failing"
    if status == 429:
        return "busy"
    if status == 413 or any(word in text for word in TOO_LONG):
        return "context"
    if "content_filter" in text or "content management policy" in text:
        return "filtered"
    return "invalid" if status >= 400 else "broken"


def _words(body: object) -> list[str]:
    """What a body says, whichever of the usual shapes it has."""
    if isinstance(body, str):
        try:
            return _words(json.loads(body))
        except ValueError:
            return [body.strip()] if body.strip() and not body.lstrip().startswith("<") else []
    if isinstance(body, Mapping):
        fields = cast("Mapping[str, Any]", body)
        for key in ("message", "error", "detail", "msg"):
            if fields.get(key):
                return _words(fields[key])
    return [json.dumps(body, default=str)] if body else []


def _param(body: object) -> str | None:
    if not isinstance(body, Mapping):
        return None
    fields = cast("Mapping[str, Any]", body)
    error: Any = fields.get("error")
    if isinstance(error, Mapping):
        return _param(cast("Mapping[str, Any]", error))
    param: Any = fields.get("param")
    return param if isinstance(param, str) else None


def _code(body: object) -> int:
    code: Any = cast("Mapping[str, Any]", body).get("code") if isinstance(body, Mapping) else None
    return int(code) if str(code).isdecimal() else 0


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, from a number of seconds or from a date, which is set against the server's own clock."""
    value = headers.get("retry-after", "")
    try:
        return max(float(value), 0.0)
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(value)
        now = parsedate_to_datetime(headers["date"]) if "date" in headers else datetime.now(UTC)
        return max((until - now).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None
