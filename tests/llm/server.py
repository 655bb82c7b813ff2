"""A real HTTP server on loopback that speaks Chat Completions from a script, whole or streamed, and keeps every request.

    with ModelServer(says('{"word": "yes"}')) as server: …          # answers in order
    with ModelServer(each=lambda request: says(…)) as server: …     # a scripted model: one function for every request

`server.url` goes into OPENAI_BASE_URL or `base_url`; the command line may run in a process of its own.
"""

import contextlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What the server does with one request."""

    text: str = ""
    status: int = 200
    finish: str | None = "stop"
    sent: int | None = 100
    received: int | None = 50
    extra: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    then: str = "ends"  # ends | drops | hangs | drips
    streams: bool = True
    calls: tuple[dict[str, Any], ...] = ()
    """Tool calls, as a message has them."""
    in_pieces: bool = True
    """Calls are streamed in pieces, with index and id; else each whole in one delta without either."""
    pieces: tuple[str, ...] = ()
    """The text as it is streamed; by seven characters where nothing is said."""
    gate: "Gate | None" = None


class Gate:
    """A stream that stops on its way: `reached` by the server after some pieces of text, until somebody opens it."""

    def __init__(self, after: int = 1) -> None:
        self.after = after
        self.reached, self.opened = threading.Event(), threading.Event()


def says(text: str, **changes: Any) -> Answer:
    """An answer of the model: `finish`, `sent` and `received` (None leaves the usage out), `extra` fields of the message."""
    return Answer(text, **changes)


def calls(
    *made: tuple[str, dict[str, Any] | str], text: str = "", ids: tuple[str, ...] | None = None, **changes: Any
) -> Answer:
    """An answer that calls tools: names with their arguments, which are sent as they are where they are a text.

    Args:
        made: the calls.
        text: what is said beside them.
        ids: of the calls; made up where they are not given.
        changes: fields of the answer; `in_pieces=False` streams every call whole, without index and id.
    """
    given = ids or tuple(f"id-{number}" for number in range(len(made)))
    sent = tuple(
        {
            "id": identity,
            "type": "function",
            "function": {"name": name, "arguments": arguments if isinstance(arguments, str) else json.dumps(arguments)},
        }
        for identity, (name, arguments) in zip(given, made, strict=True)
    )
    return Answer(text, calls=sent, **{"finish": "tool_calls", **changes})


def fails(status: int, message: str = "no", *, headers: dict[str, str] | None = None, **fields: str) -> Answer:
    """An error as OpenAI sends it; `code`, `type` and `param` as `fields`."""
    return Answer(status=status, body={"error": {"message": message, **fields}}, headers=headers or {})


def drops(text: str = "") -> Answer:
    """The connection breaks: after `text` where the answer is streamed, else before anything came."""
    return Answer(text, then="drops")


def hangs() -> Answer:
    """Nothing comes, and the connection stays."""
    return Answer(then="hangs")


def drips() -> Answer:
    """A blank comes every twentieth of a second, and never anything else."""
    return Answer(then="drips")


@dataclass(frozen=True)
class Request:
    """One request, as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    raw: str
    body: dict[str, Any]

    @property
    def text(self) -> str:
        """Everything the messages say."""
        return "\n".join(message["content"] for message in self.body.get("messages", []))

    @property
    def tools(self) -> list[str]:
        """Names of the tools that it offers."""
        return [tool["function"]["name"] for tool in self.body.get("tools", [])]

    @property
    def answers(self) -> list[str]:
        """What the tools answered to the last turn's calls, as tool turns or told in a plain one."""
        since: list[str] = []
        for message in reversed(self.body["messages"]):
            if message["role"] == "assistant":
                break
            told = re.split(r"^Answer of \w+:\n", message["content"], flags=re.MULTILINE)[1:]
            since = ([message["content"]] if message["role"] == "tool" else [each.strip() for each in told]) + since
        return since

    @property
    def wants(self) -> dict[str, Any]:
        """The schema of the answer, from `response_format` or from the text."""
        form = self.body.get("response_format") or {}
        if "json_schema" in form:
            return form["json_schema"]["schema"]
        found = re.search(r"JSON schema:\n(\{.*\})$", self.body["messages"][0]["content"], re.MULTILINE)
        return json.loads(found[1]) if found else {}


class ModelServer:
    """A server for the time of a `with`.

    Args:
        script: answers, or functions from a request to one, in order; after the last one every request fails.
        each: instead of a script, one function for every request.
        models: what /v1/models lists; None where the server has no such page.
        refuses: parameters, or kinds of response_format, that are answered with a 400 which names them.
        key: the only key that is let in.
        contexts: tokens of the models that it tells them of.
        port: where it listens; any that is free by default.
    """

    def __init__(
        self,
        *script: Answer | Callable[[Request], Answer],
        each: Callable[[Request], Answer] | None = None,
        models: tuple[str, ...] | None = ("scripted",),
        refuses: tuple[str, ...] = (),
        key: str | None = None,
        contexts: dict[str, int] | None = None,
        port: int = 0,
    ) -> None:
        self.requests: list[Request] = []
        self._script, self._each = list(script), each
        self.models, self.refuses, self.key = models, refuses, key
        self.contexts = contexts or {}
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"

    @property
    def asked(self) -> list[Request]:
        """The chat completions among the requests."""
        return [request for request in self.requests if request.method == "POST"]

    def __enter__(self) -> "ModelServer":
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()

    def answer(self, request: Request) -> Answer:
        with self._lock:
            self.requests.append(request)
            if self.key is not None and request.headers.get("authorization") != f"Bearer {self.key}":
                return fails(401, "Incorrect API key provided", code="invalid_api_key")
            if request.method == "GET":
                return self._listed(request)
            for name in self.refuses:
                if name in request.body or name == (request.body.get("response_format") or {}).get("type"):
                    param = name if name in request.body else "response_format"
                    return fails(400, f"Unsupported parameter: '{name}' is not supported here.", param=param)
            if self._each is not None:
                return self._each(request)
            if not self._script:
                return fails(400, "the script is over")
            answer = self._script.pop(0)
        return answer(request) if callable(answer) else answer

    def _context(self, name: str) -> dict[str, Any]:
        return {"meta": {"n_ctx": self.contexts[name]}} if name in self.contexts else {}

    def _listed(self, request: Request) -> Answer:
        if self.models is None:
            return fails(404, "not found")
        if request.path == "/v1/models":
            data = [{"id": name, "object": "model", **self._context(name)} for name in self.models]
            return Answer(body={"object": "list", "data": data})
        name = request.path.removeprefix("/v1/models/")
        return Answer(body={"id": name, "object": "model"}) if name in self.models else fails(404, "no such model")


def _handler(server: ModelServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def log_message(self, *_: object) -> None:
            pass

        def _serve(self) -> None:
            self.close_connection = True
            raw = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.command, self.path, headers, raw, json.loads(raw) if raw else {})
            answer = server.answer(request)
            if answer.then == "hangs":
                server.closing.wait(30)
            elif answer.then == "drips":
                with contextlib.suppress(ConnectionError):  # given up
                    self._drip(streams=bool(request.body.get("stream")))
            elif answer.body is None and request.body.get("stream") and answer.streams:
                with contextlib.suppress(ConnectionError):  # a person broke it off
                    self._stream(request, answer)
            elif answer.then != "drops":
                self._whole(answer)

        def _whole(self, answer: Answer) -> None:
            body = answer.body if isinstance(answer.body, str) else json.dumps(answer.body or _completion(answer))
            kind = "text/html" if body.startswith("<") else "application/json"
            self._head(answer, {"Content-Type": kind, "Content-Length": str(len(body.encode()))})
            self.wfile.write(body.encode())

        def _drip(self, *, streams: bool) -> None:
            kind = "text/event-stream" if streams else "application/json"
            self._head(Answer(), {"Content-Type": kind, "Transfer-Encoding": "chunked"})
            while not server.closing.wait(0.05):
                self.wfile.write(b"1\r\n \r\n")

        def _stream(self, request: Request, answer: Answer) -> None:
            self._head(answer, {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"})
            for event in _events(request, answer, server.closing):
                data = f"data: {event}\n\n".encode()
                self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            if answer.then == "ends":
                self.wfile.write(b"0\r\n\r\n")

        def _head(self, answer: Answer, more: dict[str, str]) -> None:
            self.send_response_only(answer.status)
            for name, value in {
                "Date": self.date_time_string(),
                **more,
                "Connection": "close",
                **answer.headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()

    return Handler


def _usage(answer: Answer) -> dict[str, int] | None:
    if answer.sent is None or answer.received is None:
        return None
    total = answer.sent + answer.received
    return {"prompt_tokens": answer.sent, "completion_tokens": answer.received, "total_tokens": total}


def _completion(answer: Answer) -> dict[str, Any]:
    message = {"role": "assistant", "content": answer.text, **answer.extra}
    if answer.calls:
        message["tool_calls"] = list(answer.calls)
    choice = {"index": 0, "message": message, "finish_reason": answer.finish}
    usage = _usage(answer)
    whole = {"id": "c1", "object": "chat.completion", "created": 1, "model": "scripted", "choices": [choice]}
    return {**whole, "usage": usage} if usage else whole


def _events(request: Request, answer: Answer, closing: threading.Event) -> Iterator[str]:
    def chunk(delta: dict[str, Any], finish: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        head = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "scripted"}
        return json.dumps({**head, "choices": [choice]})

    yield chunk({"role": "assistant", "content": "", **answer.extra})
    pieces = answer.pieces or [answer.text[start : start + 7] for start in range(0, len(answer.text), 7)]
    for number, piece in enumerate(pieces):
        if answer.gate and answer.gate.after == number:
            _wait(answer.gate, closing)
        yield chunk({"content": piece})
    for delta in _deltas(answer):
        yield chunk({"tool_calls": [delta]})
    if answer.then == "drops":
        return
    yield chunk({}, answer.finish)
    if (usage := _usage(answer)) and (request.body.get("stream_options") or {}).get("include_usage"):
        yield json.dumps({"id": "c1", "object": "chat.completion.chunk", "created": 1, "choices": [], "usage": usage})
    yield "[DONE]"


def _deltas(answer: Answer) -> Iterator[dict[str, Any]]:
    """Tool calls as OpenAI streams them, or as servers do that know no pieces; one that drops does so before its last piece."""
    for index, call in enumerate(answer.calls):
        if not answer.in_pieces:
            yield {"function": call["function"]}
            continue
        name, arguments = call["function"]["name"], call["function"]["arguments"]
        yield {"index": index, "id": call["id"], "type": "function", "function": {"name": name, "arguments": ""}}
        starts = range(0, len(arguments) - 5 if answer.then == "drops" else len(arguments), 5)
        for start in starts:
            yield {"index": index, "function": {"arguments": arguments[start : start + 5]}}


def _wait(gate: Gate, closing: threading.Event) -> None:
    gate.reached.set()
    while not gate.opened.wait(0.02) and not closing.is_set():
        pass
