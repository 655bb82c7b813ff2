"""What a model measures of itself: methods that the evaluation calls, and what a method makes of the targets it is given.

`reach` cannot follow a model that is passed in, and what is part of the model cannot be scored anew: such code stays as it is.
"""

import ast
import re
from collections.abc import Iterator, Sequence

from .difference import Difference
from .names import Function
from .reach import Reach

TARGETS = re.compile(r"(.*_)?(targets?|labels?|truth|answers?|y)", re.IGNORECASE)
"""Parameters that are taken to be what should have come out."""
HEADERS = ("test", "iter", "items", "subject")
"""What stands in the first line of a statement with others below it."""
Code = dict[str, list[str]]
"""Method → its code, piece by piece."""


def called(evaluation: Reach) -> frozenset[str]:
    """Names of all attributes that the evaluation uses; `forward` is the model itself."""
    found = {name for one in evaluation.definitions for name in re.findall(r"attr='(\w+)'", one.code)}
    return frozenset(found - {"forward"})


def of_itself(change: Difference, names: frozenset[str], built: Reach) -> list[str]:
    """What an edit changes of a model's own measurement, each as the rest of a sentence that begins with "it".

    Args:
        change: one file's.
        names: attributes that the evaluation uses.
        built: what makes the model.
    """
    model = {(one.file, one.name) for one in built.definitions}
    before, after = (_measured(side, names) for side in (change.gone, change.new))
    problems = [f"changes `{name}`, which the evaluation calls" for name in _differing(before, after)]
    own = [[one for one in side if _name(one) and (change.file, _name(one)) in model] for side in _sides(change)]
    given = _differing(*(_judging(side) for side in own))
    return problems + [f"changes what `{name}` makes of the targets it is given, or gives back" for name in given]


def _sides(change: Difference) -> tuple[Sequence[ast.stmt], Sequence[ast.stmt]]:
    return change.gone, change.new


def _differing(before: Code, after: Code) -> list[str]:
    """Names of what is on both sides and not the same."""
    return [name for name in before if name in after and before[name] != after[name]]


def _functions(statements: Sequence[ast.stmt]) -> Iterator[tuple[str, Function]]:
    """Functions and methods by their dotted names."""
    for one in statements:
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
            yield one.name, one
        if isinstance(one, ast.ClassDef):
            yield from ((f"{one.name}.{name}", method) for name, method in _functions(one.body))


def _measured(statements: Sequence[ast.stmt], names: frozenset[str]) -> Code:
    """The methods of these names, and those that they call."""
    found: Code = {}
    for owner in statements:
        if isinstance(owner, ast.ClassDef):
            methods = {name: method for name, method in _functions(owner.body) if "." not in name}
            waiting = [name for name in methods if name in names]
            while waiting:
                name = waiting.pop()
                if f"{owner.name}.{name}" not in found:
                    found[f"{owner.name}.{name}"] = [ast.dump(methods[name])]
                    used = {one.attr for one in ast.walk(methods[name]) if isinstance(one, ast.Attribute)}
                    waiting += [one for one in methods if one in used - {"forward"}]
    return found


def _judging(statements: Sequence[ast.stmt]) -> Code:
    """Of every function that is given targets, the statements that mention them or what came of them, and what it returns."""
    found: Code = {}
    for name, function in _functions(statements):
        given = {one.arg for one in ast.walk(function.args) if isinstance(one, ast.arg) and TARGETS.fullmatch(one.arg)}
        if given:
            found[name] = list(_protected(function.body, _came_of(function, given), ()))
    return found


def _came_of(function: Function, given: set[str]) -> set[str]:
    """Names that hold something computed from `given`."""
    found, count = set(given), 0
    while len(found) > count:
        count = len(found)
        for node in ast.walk(function):
            if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr | ast.For) and (
                _names(node.iter if isinstance(node, ast.For) else node.value) & found
            ):
                found |= {name for one in ast.walk(node) for name in _bound(one)}
    return found


def _protected(body: Sequence[ast.stmt], names: set[str], within: tuple[str, ...]) -> Iterator[str]:
    """Each statement, with the first lines of those it stands in."""
    for one in body:
        inner = [(field, value) for field, value in ast.iter_fields(one) if isinstance(value, list) and _is_body(value)]
        if not inner:
            if isinstance(one, ast.Return) or _names(one) & names:
                yield " / ".join((*within, ast.dump(one)))
            continue
        heads = [value for field in HEADERS if (value := getattr(one, field, None)) is not None]
        head = " ".join(ast.dump(each) for value in heads for each in (value if isinstance(value, list) else [value]))
        for field, value in inner:
            yield from _protected(value, names, (*within, f"{type(one).__name__}.{field} {head}"))


def _is_body(value: list[ast.AST]) -> bool:
    return bool(value) and all(isinstance(one, ast.stmt | ast.ExceptHandler | ast.match_case) for one in value)


def _names(node: ast.AST | None) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)} if node is not None else set()


def _bound(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id


def _name(node: ast.stmt) -> str:
    return getattr(node, "name", "")
