"""What an edit changes in one file: which of its top-level statements, and how many lines."""

import ast
import copy
import difflib
from dataclasses import dataclass

from .modules import syntax


@dataclass(frozen=True)
class Difference:
    """One file before and after an edit, both of which parse."""

    file: str
    """Relative to the root."""
    before: ast.Module
    after: ast.Module
    removed: int
    added: int
    """Lines."""
    gone: tuple[ast.stmt, ...]
    """Top-level statements of before that are not in after, docstrings and comments aside."""
    new: tuple[ast.stmt, ...]
    """Top-level statements of after that are not in before."""

    @property
    def definitions(self) -> tuple[str, ...]:
        """Names of what is changed, e.g. `train (train.py)`; `line 3 (train.py)` where a statement has no name."""
        names = dict.fromkeys(_name(one) for one in (*self.gone, *self.new))
        return tuple(f"{name} ({self.file})" for name in names)


def difference(file: str, before: str, after: str) -> Difference:
    """What is different between two texts of a file.

    Raises:
        SyntaxError, ValueError, RecursionError: one of them does not parse.
    """
    old, new = syntax(before.encode()), syntax(after.encode())
    gone, come = _unlike(old.body, new.body)
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm=""))[2:]
    removed = sum(line.startswith("-") for line in lines)
    added = sum(line.startswith("+") for line in lines)
    return Difference(file, old, new, removed, added, tuple(gone), tuple(come))


def _unlike(before: list[ast.stmt], after: list[ast.stmt]) -> tuple[list[ast.stmt], list[ast.stmt]]:
    old, new = [code(one) for one in before], [code(one) for one in after]
    gone: list[ast.stmt] = []
    come: list[ast.stmt] = []
    for tag, i, j, k, m in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            gone += [one for one in before[i:j] if code(one)]
            come += [one for one in after[k:m] if code(one)]
    return gone, come


def code(node: ast.stmt) -> str:
    """The syntax of a statement without positions and docstrings; empty where nothing else is in it."""
    return "" if _is_text(node) else ast.dump(_Undocumented().visit(copy.deepcopy(node)))


class _Undocumented(ast.NodeTransformer):
    """Takes out strings that stand as statements of their own."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        return None if _is_text(node) else node


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _name(node: ast.stmt) -> str:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return node.name
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    names = [one.id for one in targets if isinstance(one, ast.Name)]
    return ", ".join(names) or " ".join(ast.unparse(node).split())[:60]
