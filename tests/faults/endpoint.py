"""A language model's server that goes away and comes back at the same address."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from tests.llm.server import Answer, ModelServer, Request


class Endpoint(AbstractContextManager["Endpoint"]):
    """A scripted model that can be `up` and `down`; down, its port refuses connections."""

    def __init__(self, each: Callable[[Request], Answer]) -> None:
        self._each, self._earlier = each, list[Request]()
        self._server: ModelServer | None = ModelServer(each=each).__enter__()
        self.url = self._server.url

    def __exit__(self, *_: object) -> None:
        self.down()

    @property
    def asked(self) -> list[Request]:
        """The chat completions that it was asked for, before and after."""
        return [*self._earlier, *(self._server.asked if self._server else ())]

    def down(self) -> None:
        """Gone."""
        if self._server is not None:
            self._server.__exit__()
            self._earlier += self._server.asked
            self._server = None

    def up(self) -> None:
        """Back again."""
        if self._server is None:
            self._server = ModelServer(each=self._each, port=int(self.url.rpartition(":")[2].split("/")[0])).__enter__()
