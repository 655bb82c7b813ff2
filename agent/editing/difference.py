"""What an edit changes in one file: which of its top-level statements, and how many lines."""

import ast
import difflib
from collections.abc import Iterable, Sequence
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
    """Lines; those added are counted with one statement a line."""
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
    gone, come = _unlike(zip(old.body, _codes(before), strict=True), zip(new.body, _codes(after), strict=True))
    removed, added = _lines(before.splitlines(), after.splitlines())
    plain = _lines(*([line for one in side for line in ast.unparse(one).splitlines()] for side in (gone, come)))
    return Difference(file, old, new, removed, max(added, plain[1]), tuple(gone), tuple(come))


def _lines(before: Sequence[str], after: Sequence[str]) -> tuple[int, int]:
    """How many lines are removed and added."""
    lines = list(difflib.unified_diff(before, after, n=0, lineterm=""))[2:]
    return sum(line.startswith("-") for line in lines), sum(line.startswith("+") for line in lines)


def _unlike(
    before: Iterable[tuple[ast.stmt, str]], after: Iterable[tuple[ast.stmt, str]]
) -> tuple[list[ast.stmt], list[ast.stmt]]:
    """The statements that are on one side only."""
    old, new = [one for one in before if one[1]], [one for one in after if one[1]]
    gone: list[ast.stmt] = []
    come: list[ast.stmt] = []
    matcher = difflib.SequenceMatcher(None, [code for _, code in old], [code for _, code in new], autojunk=False)
    for tag, i, j, k, m in matcher.get_opcodes():
        if tag != "equal":
            gone += [node for node, _ in old[i:j]]
            come += [node for node, _ in new[k:m]]
    return gone, come


def _codes(text: str) -> list[str]:
    """The syntax of each top-level statement without positions and docstrings; empty where nothing else is in it."""
    bare = _Undocumented()
    return ["" if _is_text(one) else ast.dump(bare.visit(one)) for one in syntax(text.encode()).body]


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
