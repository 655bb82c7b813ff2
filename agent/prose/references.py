"""References to results in a text, `{{ effect("config:dropout").delta }}`: found, read and filled; a model's text is never evaluated."""

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...prompts import phrases
from ..report.text import clipped, plain

if TYPE_CHECKING:
    from .facts import Facts

LONGEST = 300
"""Characters from `{{` to `}}`; what is longer is no reference."""
REFERENCE = re.compile(rf"\{{\{{(.{{0,{LONGEST - 4}}}?)\}}\}}", re.DOTALL)
_SHOWN = 80


class NoSuchReference(Exception):
    """A reference that says nothing: unknown, ambiguous, or to something that was not measured. The message says what to do."""


@dataclass(frozen=True)
class Reference:
    """`function("argument", …, keyword="value").attribute`."""

    function: str
    arguments: tuple[str, ...]
    keywords: dict[str, str]
    attribute: str

    @property
    def subject(self) -> str:
        """All but the attribute, as it is written."""
        given = [f'"{one}"' for one in self.arguments] + [f'{key}="{value}"' for key, value in self.keywords.items()]
        return f"{self.function}({', '.join(given)})"


@dataclass(frozen=True)
class Filled:
    """A text with every reference in place of its value."""

    text: str
    cited: tuple[str, ...]
    """The references that were filled, as they were written, each once."""
    problems: tuple[str, ...]
    """Why the others were not: they stand in the text as such."""


def filled(text: str, facts: "Facts") -> Filled:
    """Fill in every reference; one that cannot be filled stays visible in its place."""
    cited: dict[str, None] = {}
    problems: list[str] = []

    def value(match: re.Match[str]) -> str:
        try:
            found = facts.value(match[1])
        except NoSuchReference as problem:
            problems.append(str(problem))
            return unfilled(match[1])
        cited[match[0]] = None
        return found

    return Filled(REFERENCE.sub(value, text), tuple(cited), tuple(problems))


def unfilled(expression: str) -> str:
    """What stands in the place of a bad reference; the model's own words are code, and cannot end it."""
    quoted = clipped(plain(expression).replace("`", "'"), _SHOWN) or " "
    return phrases("chat/marks.j2").unfilled(quoted)


def read(expression: str) -> Reference:
    """The reference in an expression.

    Raises:
        NoSuchReference: it is anything else.
    """
    form = 'a reference has the form {{ effect("ID").delta }}, with names in quotation marks'
    try:
        node = ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise NoSuchReference(f"`{clipped(plain(expression), _SHOWN)}` cannot be read: {form}") from None
    match node:
        case ast.Attribute(value=ast.Call(func=ast.Name(id=function), args=args, keywords=keywords), attr=attribute):
            given = [_text(one) for one in args]
            named = {one.arg: _text(one.value) for one in keywords}
            if None not in given and None not in named and None not in named.values():
                return Reference(
                    function, tuple(map(str, given)), {str(key): str(value) for key, value in named.items()}, attribute
                )
        case ast.Call(func=ast.Name(id=function)):
            raise NoSuchReference(
                f"`{clipped(plain(expression), _SHOWN)}` does not say which value of {function}: {form}"
            )
        case _:
            pass
    raise NoSuchReference(f"`{clipped(plain(expression), _SHOWN)}` is no reference: {form}")


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
