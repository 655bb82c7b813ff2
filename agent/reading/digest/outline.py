"""The outline of a file: what it is for, and its classes and functions with their lines."""

import ast
import json
from collections.abc import Iterator
from typing import Any

from ...editing.modules import syntax

WIDEST = 200
"""Characters of one line of an outline."""
Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def outline(path: str, text: str) -> str:
    """One line for the module and for each of its classes, functions and methods: lines, signature, first line of the docstring.

    Args:
        path: The file's name tells a notebook, of which the code cells are outlined, from Python.
        text: Its text.
    """
    source = _cells(text) if path.endswith(".ipynb") else text
    try:
        tree = syntax(source.encode())
        said = _first_line(tree)
        lines = [*([said] if said else []), *_members(tree.body, "")]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "(does not parse)"
    return "\n".join(line[:WIDEST] for line in lines) or "(nothing defined)"


def _members(body: list[ast.stmt], indent: str) -> Iterator[str]:
    for node in body:
        if isinstance(node, Definition):
            said = _first_line(node)
            yield f"{node.lineno}-{node.end_lineno}: {indent}{_signature(node)}" + (f"  # {said}" if said else "")
            if isinstance(node, ast.ClassDef):
                yield from _members(node.body, indent + "  ")
        elif isinstance(node, ast.If | ast.Try | ast.With):
            yield from _members(node.body, indent)
        elif not indent and isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield f"{node.lineno}: {', '.join(map(ast.unparse, targets))} = …"


def _signature(node: Definition) -> str:
    if isinstance(node, ast.ClassDef):
        bases = ", ".join(map(ast.unparse, node.bases))
        return f"class {node.name}({bases})" if bases else f"class {node.name}"
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"def {node.name}({ast.unparse(node.args)}){returns}"


def _first_line(node: ast.Module | Definition) -> str:
    said = (ast.get_docstring(node) or "").strip()
    return said.split("\n")[0] if said else ""


def _cells(text: str) -> str:
    """The code of a notebook, cell after cell, without the lines that only IPython reads."""
    try:
        notebook: Any = json.loads(text)
        cells = [one["source"] for one in notebook["cells"] if one["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return "("
    code = "\n".join("".join(cell) for cell in cells)
    return "\n".join("pass" if line.lstrip()[:1] in ("%", "!") else line for line in code.split("\n"))
