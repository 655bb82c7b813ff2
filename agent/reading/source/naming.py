"""The words of names in source code, and short names made of them."""

import ast
import re

from ..words import words

MEASURES = "eval evaluate evaluation valid validate validation val test tests score metric metrics accuracy estimate"
"""Functions of such names measure."""
LOSS = "loss losses objective cost elbo err error nll"
"""A sum of such a name is what is minimised."""
WEIGHT = "lambda lam lmbda weight weights alpha beta gamma coef coeff coefficient scale factor ratio w eta wt cfg config args"
"""A factor of such a name says how much a term counts."""
SHORT = 40
"""Characters of a short name."""


def dotted(node: ast.AST) -> str:
    """`a.b.c` of names, attributes and calls of them; empty for what has no name. Subscripts are looked through."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Call | ast.Subscript):
        return dotted(node.func if isinstance(node, ast.Call) else node.value)
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else node.attr
    return ""


def last(node: ast.AST) -> str:
    """The last part of a dotted name."""
    return dotted(node).rpartition(".")[2]


def of_words(name: str, listed: str) -> bool:
    """Whether a name has one of the words of `listed`."""
    return not frozenset(listed.split()).isdisjoint(words(name))


def measures_by_name(function: str) -> bool:
    """Whether a function of this name measures, and does nothing else."""
    return of_words(function, MEASURES) and not of_words(function, "train training fit main")


def is_on(value: ast.expr) -> bool:
    """Whether it is a number other than 0."""
    if not isinstance(value, ast.Constant) or isinstance(value.value, bool):
        return False
    return isinstance(value.value, (int, float)) and value.value != 0


def names_in(node: ast.AST) -> set[str]:
    """Every name, attribute and text in a piece of code."""
    found: set[str] = set()
    for one in ast.walk(node):
        if isinstance(one, ast.Name):
            found.add(one.id)
        elif isinstance(one, ast.Attribute):
            found.add(one.attr)
        elif isinstance(one, ast.Constant) and isinstance(one.value, str):
            found.add(one.value)
    return found


def slug(*parts: str) -> str:
    """Lower-case words with dashes between: `kl_loss` is `kl-loss`."""
    text = "-".join(re.sub(r"[\W_]+", "-", part).strip("-").lower() for part in parts if part)
    return re.sub("-+", "-", text)[:SHORT].strip("-")
