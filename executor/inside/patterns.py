"""Patterns over a command's output: what is not finite is read, too, where a pattern asks for digits.

Else a run that ends in `loss nan` would be taken for the last number that it printed before.
"""

import re
from typing import Optional, Pattern

NAMED = re.compile(r"\(\?P<\w+>")
NOT_FINITE = r"[-+]?(?<![A-Za-z])(?i:nan|inf(?:inity)?)(?![A-Za-z])"


def compiled(pattern: str) -> "Pattern[str]":
    """The pattern, each of whose named groups may also be `nan` or `inf`."""
    found, at = "", 0
    for opening in NAMED.finditer(pattern):
        end = _closing(pattern, opening.end())
        if end is None or opening.start() < at:
            continue
        found += f"{pattern[at : opening.end()]}(?:{pattern[opening.end() : end]})|{NOT_FINITE}"
        at = end
    try:
        return re.compile(found + pattern[at:])
    except re.error:
        return re.compile(pattern)


def _closing(pattern: str, at: int) -> Optional[int]:
    """Where the parenthesis closes that was opened just before `at`."""
    depth, inside = 1, False
    while at < len(pattern):
        sign = pattern[at]
        if sign == "\\":
            at += 1
        elif inside:
            inside = sign != "]"
        elif sign == "[":
            inside = True
            at += 1 + (pattern[at + 1 : at + 2] == "^")  # a bracket that comes first in a set is one of its characters
        else:
            depth += (sign == "(") - (sign == ")")
            if depth == 0:
                return at
        at += 1
    return None
