"""From the text of an answer to the record that was asked for: JSON whole, fenced, between prose, or cut off at its end."""

import json
import re
from collections.abc import Iterator
from typing import Literal, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

T = TypeVar("T", bound=BaseModel)
Why = Literal["cut", "empty", "syntax", "misfit"]
FENCE = re.compile(r"```[A-Za-z0-9]*[ \t]*\n(.*?)```", re.DOTALL)
PLACES = 1000
"""Braces at which an object is looked for, one after the other."""
SHOWN = 8
"""Problems of one answer that are shown: the model is to mend them, not to read them."""


class Unreadable(Exception):
    """The text holds no usable answer: why, and each problem with its place."""

    def __init__(self, why: Why, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.why: Why = why
        self.problems = problems


def read_answer(text: str, answer: type[T], *, cut: bool = False) -> T:
    """The first and largest JSON object in `text` that fits `answer`.

    Args:
        text: what the model said; `<think>…</think>` is skipped.
        answer: what was asked for.
        cut: the server said that the answer reached its length.

    Raises:
        Unreadable: there is none.
    """
    said = without_thoughts(text)
    found = sorted(_objects(said), key=len, reverse=True)
    misfit: ValidationError | None = None
    for candidate in found:
        try:
            return answer.model_validate_json(candidate)
        except ValidationError as error:
            misfit = misfit or error
    raise _unreadable(said, misfit, cut=cut)


def salvage(text: str, answer: type[T]) -> T | None:
    """What is complete of an answer that was cut off: its fields, and the items of its outer list, before the cut.

    No inner list is shortened: half an item would be another item. Where no item of any list is complete, there is nothing.
    """
    said = without_thoughts(text)
    start = said.find("{")
    closed = _closed(said[start:]) if start >= 0 else None
    try:
        found = None if closed is None else answer.model_validate_json(closed)
    except ValidationError:
        return None
    return found if any(isinstance(value, list) and value for _, value in found or ()) else None


def lost_only_words(text: str, part: BaseModel) -> bool:
    """Whether a cut answer, of which `part` is complete, lost nothing but text: it was cut in a closing sentence."""
    said = without_thoughts(text)
    stack, _ = _brackets(said[said.find("{") :])
    absent = set(type(part).model_fields) - part.model_fields_set
    return "[" not in stack and all(isinstance(getattr(part, name), str) for name in absent)


def without_thoughts(text: str) -> str:
    """`text` after what a reasoning model thought aloud; empty where it never stopped thinking."""
    after = text.rpartition("</think>")[2]
    return re.sub(r"<think>.*", "", after, flags=re.DOTALL).strip()


def _objects(text: str) -> Iterator[str]:
    yield from (block.strip() for block in FENCE.findall(text) if block.lstrip().startswith("{"))
    decoder, position = json.JSONDecoder(), text.find("{")
    for _ in range(PLACES):
        if position < 0:
            return
        try:
            _, end = decoder.raw_decode(text, position)
            yield text[position:end]
        except (ValueError, RecursionError):
            end = position + 1
        position = text.find("{", end)


def _unreadable(said: str, misfit: ValidationError | None, *, cut: bool) -> Unreadable:
    if cut or _is_open(said):
        return Unreadable("cut", ["the answer was cut off before it ended"])
    if not said:
        return Unreadable("empty", ["the answer was empty"])
    if misfit is None or misfit.errors()[0]["type"] == "json_invalid":
        return Unreadable("syntax", [_syntax(said)])
    return Unreadable("misfit", [place(each["loc"], each["msg"]) for each in misfit.errors(include_url=False)[:SHOWN]])


def place(location: tuple[int | str, ...], message: str) -> str:
    """A problem of a record with its place, as pydantic tells it."""
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")
    return f"{where or 'the object'}: {message}"


def _syntax(said: str) -> str:
    start = said.find("{")
    if start < 0:
        return "there is no JSON object in it"
    try:
        json.JSONDecoder().raw_decode(said, start)
    except json.JSONDecodeError as error:
        return f"{error.msg} at character {error.pos}, near {said[max(error.pos - 30, 0) : error.pos + 30]!r}"
    except RecursionError:
        return "it is nested too deeply"
    return "the JSON object is not the one asked for"


def _is_open(text: str) -> bool:
    """Whether an object began and never ended."""
    start = text.find("{")
    if start < 0 or not _brackets(text[start:])[0]:
        return False
    try:
        from_json(text[start:], allow_partial="trailing-strings")
    except ValueError:
        return False
    return True


def _closed(text: str) -> str | None:
    """`text` cut back to the last comma of its outermost open list, else of the object itself, and closed."""
    stack, commas = _brackets(text)
    depth = stack.index("[") + 1 if "[" in stack else 0
    if depth in commas:
        return text[: commas[depth]] + "]" + "}" * (depth - 1)
    if not depth and text.rstrip().endswith(("]", "}")):
        return text + "}" * len(stack)
    return text[: commas[1]] + "}" if 1 in commas else None


def _brackets(text: str) -> tuple[list[str], dict[int, int]]:
    """Brackets still open at the end, and the last comma of each open depth; strings are skipped."""
    stack: list[str] = []
    commas: dict[int, int] = {}
    for match in re.finditer(r'"(?:[^"\\]|\\.)*(?:"|$)|[\[\]{},]', text, re.DOTALL):
        token = match[0]
        if token in ("[", "{"):
            stack.append(token)
        elif token in ("]", "}"):
            commas.pop(len(stack), None)
            if stack:
                stack.pop()
            if not stack:
                break
        elif token == ",":
            commas[len(stack)] = match.start()
    return stack, commas
