"""What the language model's client waits for, shown where its answer will stand."""

from collections.abc import Generator
from contextlib import contextmanager

from .front import Stream


class Waits:
    """Watches one client for whoever shows its answers."""

    def __init__(self) -> None:
        self._stream: Stream | None = None

    @contextmanager
    def shown_by(self, stream: Stream) -> Generator[None]:
        """While this answer comes."""
        self._stream = stream
        try:
            yield
        finally:
            self._stream = None

    def asking(self, text: str) -> None:
        """A question goes to the server."""
        self.waiting(text)

    def waiting(self, text: str) -> None:
        """The client waits."""
        if self._stream is not None:
            self._stream.waiting(text)

    def streaming(self, tokens: int, delta: str) -> None:
        """The answer itself is shown by others."""
