"""One file of source with its syntax tree: where each node stands in the text, what encloses it, and what it measures."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from .naming import dotted, last, measures_by_name, of_words

Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Function = ast.FunctionDef | ast.AsyncFunctionDef
GRADIENT_FREE = frozenset({"no_grad", "inference_mode"})


@dataclass(frozen=True)
class SourceFile:
    """A parsed file. Offsets are characters of `text`, whose lines end in a bare newline."""

    name: str
    """Relative to the root, with forward slashes."""
    text: str
    tree: ast.Module = field(repr=False)

    @classmethod
    def of(cls, name: str, source: str) -> "SourceFile | None":
        """None where it does not parse."""
        text = source.removeprefix("\ufeff").replace("\r\n", "\n")
        try:
            return cls(name, text, ast.parse(text))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None

    def span(self, node: ast.AST, within: ast.AST | None = None) -> tuple[int, int]:
        """Where `node` stands, with the parentheses around it that lie inside `within`."""
        start, end = self._offset(node, "lineno", "col_offset"), self._offset(node, "end_lineno", "end_col_offset")
        low, high = self.span(within) if within else (start, end)
        while True:
            before, after = self.text[low:start].rstrip(), self.text[end:high]
            opens, closes = before.endswith("("), after.lstrip().startswith(")")
            if not (opens and closes):
                return start, end
            start, end = low + len(before) - 1, end + after.index(")") + 1

    def said(self, node: ast.AST) -> str:
        """The text of a node, on one line."""
        start, end = self.span(node)
        return " ".join(self.text[start:end].split())

    def around(self, node: ast.AST) -> Iterator[ast.AST]:
        """What encloses a node, the nearest first."""
        while node in self._parents:
            node = self._parents[node]
            yield node

    def parent(self, node: ast.AST) -> ast.AST | None:
        """The node that holds `node`."""
        return self._parents.get(node)

    def function(self, node: ast.AST) -> Function | None:
        """The innermost function around a node."""
        return next((one for one in self.around(node) if isinstance(one, Function)), None)

    def owner(self, node: ast.AST) -> ast.ClassDef | None:
        """The innermost class around a node."""
        return next((one for one in self.around(node) if isinstance(one, ast.ClassDef)), None)

    def scope(self, node: ast.AST) -> str:
        """What names its place: the class, else the function, else the file."""
        found = self.owner(node) or self.function(node)
        return found.name if found else self.name.rpartition("/")[2].removesuffix(".py")

    def origin(self, node: ast.AST) -> str:
        """The name of what made a value: the layer of `self` in it, or what its variable was last given."""
        calls = [one for one in ast.walk(node) if isinstance(one, ast.Call)]
        layers = [last(one) for one in calls if dotted(one).startswith("self.")]
        if layers or not isinstance(node, ast.Name):
            return layers[0] if layers else last(node)
        home, before = self.function(node), (node.lineno, 0)
        given = [one for one in ast.walk(home or self.tree) if isinstance(one, ast.Assign)]
        given = [one for one in given if _place(one) < before and last(one.targets[0]) == node.id]
        latest = max(given, key=_place, default=None)
        return self.origin(latest.value) if latest and not isinstance(latest.value, ast.Name) else node.id

    def measures(self, node: ast.AST) -> bool:
        """Whether it stands in code that measures: a function of such a name, or one without gradients."""
        return any(_measures(one) for one in self.around(node))

    def in_model(self, node: ast.AST) -> bool:
        """Whether it stands in a module's method, or in a function that reads as a forward pass; a loss is none."""
        function, owner = self.function(node), self.owner(node)
        if function is None or of_words(function.name, "loss criterion penalty"):
            return False
        if owner is None:
            return function.name in ("forward", "model", "net")
        named = " ".join(dotted(base) for base in owner.bases)
        forward = any(isinstance(one, Function) and one.name == "forward" for one in owner.body)
        return not of_words(owner.name, "loss criterion") and ("Module" in named or forward)

    @cached_property
    def imports(self) -> dict[str, str]:
        """What each imported name stands for, as a dotted name."""
        found: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found |= {one.asname or one.name.split(".")[0]: one.name for one in node.names}
            elif isinstance(node, ast.ImportFrom):
                found |= {one.asname or one.name: f"{node.module or ''}.{one.name}" for one in node.names}
        return found

    def imported(self, node: ast.AST) -> str:
        """A dotted name with its first part resolved through the imports: `F.relu` is `torch.nn.functional.relu`."""
        first, _, rest = dotted(node).partition(".")
        full = self.imports.get(first, first)
        return f"{full}.{rest}" if rest else full

    @cached_property
    def nodes(self) -> Sequence[ast.AST]:
        """All nodes, in the order of the text."""
        found = [one for one in ast.walk(self.tree) if isinstance(one, ast.stmt | ast.expr)]
        return sorted(found, key=_place)

    @cached_property
    def _parents(self) -> dict[ast.AST, ast.AST]:
        return {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    @cached_property
    def _lines(self) -> list[tuple[int, str]]:
        at, found = 0, list[tuple[int, str]]()
        for line in self.text.split("\n"):
            found.append((at, line))
            at += len(line) + 1
        return found

    def _offset(self, node: ast.AST, line: str, column: str) -> int:
        start, text = self._lines[getattr(node, line) - 1]
        return start + len(text.encode()[: getattr(node, column)].decode())


def _place(node: ast.stmt | ast.expr) -> tuple[int, int]:
    return node.lineno, node.col_offset


def _measures(node: ast.AST) -> bool:
    if isinstance(node, ast.With | ast.AsyncWith):
        return any(_gradient_free(one.context_expr) for one in node.items)
    if not isinstance(node, Function):
        return False
    return measures_by_name(node.name) or any(_gradient_free(one) for one in node.decorator_list)


def _gradient_free(node: ast.expr) -> bool:
    return dotted(node).rpartition(".")[2] in GRADIENT_FREE
