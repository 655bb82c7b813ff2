"""Reads what a trial says: capped, checked, and bound by the parent to the trial that owns the pipe."""

import json
import math
import os
from typing import Any, NamedTuple, NoReturn

from pydantic import ValidationError

from .outcomes import Outcome

RESULT_CAP = 64 << 20
"""Bytes of one trial's whole answer."""
OUTPUT_CAP = 64 << 10
"""Bytes kept of the end of what a trial printed."""


class Line:
    """Collects the lines of one pipe and refuses more than `cap` bytes."""

    def __init__(self, cap: int = RESULT_CAP) -> None:
        self.cap, self.overflowed = cap, False
        self._parts: list[bytes] = []
        self._size = 0

    def renew(self) -> None:
        """Allow as much again: one result has been taken."""
        self._size = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that `data` completes."""
        self._size += len(data)
        if self._size > self.cap:
            self.overflowed = True
            return []
        self._parts.append(data)
        if b"\n" not in data:
            return []
        *lines, rest = b"".join(self._parts).split(b"\n")
        self._parts = [rest]
        return lines


class Tail:
    """Keeps the end of a trial's output; a flood costs no memory and no disk."""

    def __init__(self, cap: int = OUTPUT_CAP) -> None:
        self.cap = cap
        self._kept = b""

    def feed(self, data: bytes) -> None:
        """Take in more output."""
        self._kept = (self._kept + data)[-self.cap :]

    def text(self) -> str:
        """What is kept, as text."""
        return self._kept.decode(errors="replace")


def parse(line: bytes) -> dict[str, Any]:
    """One message as a dictionary. `ValueError` for anything else: NaN, duplicate keys, endless nesting."""
    try:
        message = json.loads(line, parse_constant=_refuse, parse_float=_finite, object_pairs_hook=_unique)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(message, dict):
        raise ValueError("not an object")  # noqa: TRY004
    return message


class Answer(NamedTuple):
    """One result line."""

    outcome: Outcome
    part: int | None = None
    """Which of its job's; None where it does not say."""


def as_answer(line: bytes) -> Answer:
    """The outcome that a result line carries; `invalid` with the reason where it is malformed."""
    part = None
    try:
        message = parse(line)
        message.pop("event", None)
        said = message.pop("part", None)
        part = said if isinstance(said, int) else None
        return Answer(Outcome.model_validate(message), part)
    except ValidationError as error:
        first = error.errors()[0]
        told = f"malformed result: {'.'.join(map(str, first['loc']))}: {first['msg']}"
        return Answer(Outcome(status="invalid", message=told), part)
    except ValueError as error:
        return Answer(Outcome(status="invalid", message=f"malformed result: {error}"[:500]), part)


def read_available(descriptor: int) -> bytes | None:
    """What the pipe holds now; None at its end."""
    try:
        return os.read(descriptor, 1 << 16) or None
    except BlockingIOError:
        return b""


def _finite(written: str) -> float:
    number = float(written)
    return number if math.isfinite(number) else _refuse(written)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number that a result may carry")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key appears twice")
    return found
