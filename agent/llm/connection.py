"""The one room that speaks to a server, with OpenAI's SDK: a request in, a reply or a `Failure` out; no retries."""

import json
import math
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel, ConfigDict

from .calls import Call, CallParts, whole_call
from .failures import Failure, failure_from, failure_of
from .settings import OPENAI, ModelSettings

if TYPE_CHECKING:
    import httpx2
    import openai

OnDelta = Callable[[str], None]
NO_KEY = "none"
"""The SDK wants a key; servers that need none ignore it."""
CONNECTED_WITHIN, LISTED_WITHIN = 15.0, 30.0
"""Seconds: a model takes its time to answer, its server does not."""
WHOLE_WITHIN = 4.0
"""Times the time-out of a silence that an answer may take which does not come as a stream."""
SHORTEST = 0.1
"""Seconds that are waited at least, however little time is left."""
LONGEST_ANSWER = 20
"""Characters a token at which a stream that does not end is cut: no tokenizer has that many."""


class Reply(BaseModel):
    """What a server answered."""

    model_config = ConfigDict(frozen=True)

    text: str = ""
    finish_reason: str | None = None
    refusal: str | None = None
    reasoning: str | None = None
    """Kept where there is no text: some servers put the whole answer here."""
    sent: int | None = None
    """Tokens of the question, as the server counted; None where it did not say."""
    received: int | None = None
    """Tokens of the answer, reasoning included."""
    calls: tuple[Call, ...] = ()

    @property
    def said(self) -> str:
        """The answer, wherever it stands."""
        return self.text or self.reasoning or ""


class Connection:
    """A client for one server, made at the first use."""

    def __init__(self, settings: ModelSettings) -> None:
        self._settings = settings
        self._until = math.inf

    def models(self) -> dict[str, int | None]:
        """The models that the server lists, each with the tokens of its context where the server tells them.

        Raises `Failure`; of kind "missing" where it keeps no list.
        """
        self._until = time.monotonic() + LISTED_WITHIN
        with _explained():
            response = self._api.with_options(
                timeout=min(self._settings.timeout, LISTED_WITHIN)
            ).models.with_raw_response.list()
            body = _json(response.http_response.text)
            listed = body.get("data") if isinstance(body, dict) else None
            if not isinstance(listed, list):
                raise Failure("broken", "what came back is no list of models")
            entries = [cast("dict[str, Any]", each) for each in cast("list[Any]", listed) if isinstance(each, dict)]
            return {str(each.get("id")): _context(each) for each in entries}

    def has_model(self, name: str) -> bool:
        """Whether the server answers for a model by its name, listed or not. Raises `Failure`."""
        self._until = time.monotonic() + LISTED_WITHIN
        try:
            with _explained():
                self._api.with_options(
                    timeout=min(self._settings.timeout, LISTED_WITHIN)
                ).models.with_raw_response.retrieve(name)
        except Failure as failure:
            if failure.kind in {"missing", "invalid"}:
                return False
            raise
        return True

    def complete(self, request: dict[str, Any], on_delta: OnDelta, most_seconds: float = math.inf) -> Reply:
        """One chat completion.

        Args:
            request: model, messages and parameters.
            on_delta: called with every piece of text as it comes; with an empty one while the model reasons.
            most_seconds: after which it is given up, though something of it still comes; one that is not streamed is never
                waited for longer than `WHOLE_WITHIN` times the time-out.

        Raises:
            Failure: there is no answer.
        """
        heard: list[str] = []
        longest = math.inf if request.get("stream") else WHOLE_WITHIN * self._settings.timeout
        self._until = time.monotonic() + max(min(longest, most_seconds), SHORTEST)
        with _explained(heard):
            api = self._api.with_options(timeout=self._timeout(most_seconds))
            response = cast("Any", api.chat.completions.with_raw_response).create(**request)
            if request.get("stream") and "event-stream" in response.headers.get("content-type", ""):
                most = self._settings.answer_tokens * LONGEST_ANSWER
                with response.parse() as chunks:  # closed at once where it is broken off: a server goes on otherwise
                    return _streamed(chunks, heard, on_delta, most)
            return _whole(_json(response.http_response.read()))

    def _timeout(self, most_silence: float = math.inf) -> "openai.Timeout":
        import openai

        silence = max(min(self._settings.timeout, most_silence), SHORTEST)
        return openai.Timeout(silence, connect=min(silence, CONNECTED_WITHIN))

    @cached_property
    def _api(self) -> "openai.OpenAI":
        import openai

        settings = self._settings
        return openai.OpenAI(
            api_key=settings.key or NO_KEY,
            base_url=settings.base_url or OPENAI,
            timeout=self._timeout(),
            max_retries=0,
            http_client=openai.DefaultHttpxClient(event_hooks={"response": [self._bound]}),
        )

    def _bound(self, response: "httpx2.Response") -> None:
        from .bounded import bounded

        bounded(response, self._until)


@contextmanager
def _explained(heard: list[str] | None = None) -> Generator[None]:
    """Turn what the SDK raises into a `Failure`; `heard` is the part of the answer that came."""
    import openai

    try:
        yield
    except openai.APIError as error:
        raise failure_of(error, partial=healed("".join(heard or ()))) from None
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        raise Failure("broken", f"what came back is no answer: {error}", partial=healed("".join(heard or ()))) from None


def _json(body: str | bytes) -> Any:
    """Raises `Failure` where a web page came, not an answer."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        start = body[:200] if isinstance(body, str) else body[:200].decode(errors="replace")
        kind = "missing" if start.lstrip().startswith("<") else "broken"
        raise Failure(kind, f"what came back is not JSON: {start[:60]!r}") from None


def _whole(body: Any) -> Reply:
    if not isinstance(body, dict):
        raise Failure("broken", "what came back is no answer")
    fields = cast("dict[str, Any]", body)
    choices = fields.get("choices")
    if not choices:
        error: Any = fields.get("error")
        code: Any = cast("dict[str, Any]", error).get("code") if isinstance(error, dict) else None
        raise failure_from(code if isinstance(code, int) else 0, fields if error else "an answer without choices", {})
    message, usage = choices[0].get("message") or {}, fields.get("usage") or {}
    text = healed(_text(message.get("content")))
    return Reply(
        text=text,
        finish_reason=choices[0].get("finish_reason"),
        refusal=message.get("refusal"),
        reasoning=None if text else message.get("reasoning_content") or message.get("reasoning"),
        sent=_count(usage, "prompt_tokens"),
        received=_count(usage, "completion_tokens"),
        calls=_healed(whole_call(each) for each in message.get("tool_calls") or ()),
    )


def _streamed(chunks: Iterator[Any], heard: list[str], on_delta: OnDelta, most: int) -> Reply:
    """Put a stream together; `heard` holds what came of the text, also where it breaks off."""
    thoughts: list[str] = []
    refusals: list[str] = []
    parts = CallParts()
    finish: str | None = None
    usage: dict[str, Any] = {}
    length = 0
    for chunk in chunks:
        fields = chunk.to_dict(warnings=False)
        usage = fields.get("usage") or usage
        for choice in (fields.get("choices") or [])[:1]:
            delta = choice.get("delta") or {}
            finish = choice.get("finish_reason") or finish
            text, thought = _text(delta.get("content")), delta.get("reasoning_content") or delta.get("reasoning") or ""
            heard.append(text)
            thoughts.append(thought)
            refusals.append(delta.get("refusal") or "")
            calls = delta.get("tool_calls") or []
            length += len(text) + len(thought) + parts.add(calls)
            if text or thought or calls:
                on_delta(text)
        if length > most:
            finish = "length"
            break
    said = healed("".join(heard))
    is_whole = parts.is_whole if parts.calls else said.rstrip().endswith(("}", "```"))
    if finish is None and not is_whole:
        raise Failure("broken", "the answer broke off", partial=said)
    return Reply(
        text=said,
        finish_reason=finish,
        refusal="".join(refusals) or None,
        reasoning=None if said else healed("".join(thoughts)) or None,
        sent=_count(usage, "prompt_tokens"),
        received=_count(usage, "completion_tokens"),
        calls=_healed(parts.calls),
    )


def healed(text: str) -> str:
    """`text` with the halves of characters that came in two pieces put together."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _healed(calls: Iterable[Call]) -> tuple[Call, ...]:
    return tuple(call.model_copy(update={"arguments": healed(call.arguments)}) for call in calls)


def is_known(connection: Connection, listed: Mapping[str, int | None], model: str) -> bool:
    """Whether the server has a model, by what it lists or by its name; one that lists nothing may. Raises `Failure`."""
    return model in listed or not listed or connection.has_model(model)


def _context(entry: dict[str, Any]) -> int | None:
    """Tokens of question and answer: llama.cpp, vLLM and routers each have a word for it, others none."""
    meta: Any = entry.get("meta")
    told = cast("dict[str, Any]", meta).get("n_ctx") if isinstance(meta, dict) else None
    counts = (told, entry.get("max_model_len"), entry.get("context_length"))
    return next((count for count in counts if isinstance(count, int) and count > 0), None)


def _text(content: Any) -> str:
    """A message's text, also where it comes in parts, of which some are thoughts."""
    if isinstance(content, list):
        parts = cast("list[dict[str, Any]]", content)
        return "".join(part.get("text") or "" for part in parts if part.get("type") == "text")
    return content or ""


def _count(usage: dict[str, Any], name: str) -> int | None:
    count = usage.get(name)
    return count if isinstance(count, int) and count >= 0 else None
