"""What an edit makes a program do that it did not do before: powers, control of its own, changes in place."""

import ast
from collections import Counter
from collections.abc import Iterator, Sequence

from .difference import Difference
from .names import Chain

POWERS = frozenset(
    "exec eval compile open input breakpoint getattr setattr delattr vars globals locals __import__ importlib".split()
)
"""Names of which no edit may bring in one use more."""
STEPS: dict[type[ast.AST], str] = {
    **{ast.For: "a loop", ast.AsyncFor: "a loop", ast.While: "a loop", ast.comprehension: "a comprehension"},
    **{ast.Raise: "a `raise`", ast.Assert: "an `assert`", ast.Try: "a `try`", ast.TryStar: "a `try`"},
    **{ast.With: "a `with`", ast.AsyncWith: "a `with`", ast.Match: "a `match`", ast.Await: "an `await`"},
    **{ast.Yield: "a `yield`", ast.YieldFrom: "a `yield`", ast.Lambda: "a function", ast.FunctionDef: "a function"},
    **{ast.AsyncFunctionDef: "a function", ast.ClassDef: "a class", ast.arg: "a parameter", ast.Delete: "a `del`"},
}
"""Of which an edit may bring in none more: it would catch, hide or repeat what it does not name."""
IN_PLACE = frozenset({"out", "inplace"})
"""Keywords that make a call change what it is given."""


def acts_anew(change: Difference) -> list[str]:
    """What the edit does more often than what it replaces, each as the rest of a sentence that begins with "it"."""
    modules: set[str] = {
        (one.asname or one.name).split(".")[0]
        for node in ast.walk(change.before)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for one in node.names
    }
    new, old = (Counter(_acts(side, modules)) for side in (change.new, change.gone))
    return list(new - old)


def dotted(node: ast.AST) -> Chain:
    """A dotted name; empty where the node is none."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return (node.id, *reversed(parts)) if isinstance(node, ast.Name) else ()


def plainly(text: str) -> str:
    """With confusable characters spelled out."""
    return text.encode("ascii", "backslashreplace").decode()


def _acts(statements: Sequence[ast.stmt], modules: set[str]) -> Iterator[str]:
    for statement in statements:
        for node in ast.walk(statement):
            yield from _powers(node)
            yield from _changes(node, modules)
            if type(node) in STEPS:
                yield f"brings in {STEPS[type(node)]}"
            yield from (f"decorates with `{_text(one)}`" for one in getattr(node, "decorator_list", []))


def _powers(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield f"imports: `{_text(node)}`"
    if isinstance(node, ast.Global | ast.Nonlocal):
        yield f"declares `{_text(node)}`"
    if isinstance(node, ast.Name | ast.Attribute):
        word = node.id if isinstance(node, ast.Name) else node.attr
        if word in POWERS or _is_special(word):
            yield f"uses `{plainly(word)}`"
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _is_special(node.name):
        yield f"defines `{plainly(node.name)}`"


def _changes(node: ast.AST, modules: set[str]) -> Iterator[str]:
    """What is changed where it lies: attributes, entries, tensors."""
    if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
        yield f"assigns to `{_text(node)}`"
    if isinstance(node, ast.AugAssign):
        yield f"changes `{_text(node.target)}` in place"
    if isinstance(node, ast.Call):
        yield from (f"changes `{_text(one.value)}` in place" for one in node.keywords if one.arg in IN_PLACE)
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name.endswith("_") and not name.startswith("_"):
            yield from (f"changes `{_text(one)}` in place" for one in _changed_by(node, modules))


def _changed_by(call: ast.Call, modules: set[str]) -> list[ast.expr]:
    """What a call such as `x.zero_()` or `nn.init.zeros_(x)` changes."""
    of_object = isinstance(call.func, ast.Attribute) and (dotted(call.func) or ("",))[0] not in modules
    return [call.func.value] if of_object and isinstance(call.func, ast.Attribute) else call.args[:1]


def _is_special(word: str) -> bool:
    return word.startswith("__") and word.endswith("__")


def _text(node: ast.AST) -> str:
    return plainly(ast.unparse(node))
