"""The names that a piece of code refers to outside itself, and what it imports: syntax only, nothing is run."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

Chain = tuple[str, ...]
"""A dotted name, e.g. `("metrics", "accuracy")`."""
Function = ast.FunctionDef | ast.AsyncFunctionDef
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
TYPES = (ast.Name, ast.Attribute, ast.Subscript, ast.BinOp, ast.BitOr, ast.Constant, ast.Tuple, ast.List, ast.Load)


@dataclass(frozen=True)
class Imported:
    """One name of an import statement: `from <dots><module> import <name> as <bound>`, or `import <module> as <bound>`."""

    bound: str
    """`*` for a star import."""
    module: str
    level: int = 0
    """Leading dots."""
    name: str | None = None


@dataclass
class References:
    """What a piece of code refers to: dotted names that are not its own, and its imports."""

    chains: set[Chain] = field(default_factory=lambda: set[Chain]())
    imports: list[Imported] = field(default_factory=lambda: list[Imported]())


def references(node: ast.AST) -> References:
    """All names in `node` that may be resolved outside it. Plain type annotations do not count: they run nothing."""
    visitor = _Visitor()
    visitor.visit(node)
    return visitor.found


def imported(node: ast.Import | ast.ImportFrom) -> list[Imported]:
    """The names that one import statement binds. `import a.b` binds `a`."""
    if isinstance(node, ast.ImportFrom):
        module = node.module or ""
        return [Imported(one.asname or one.name, module, node.level, one.name) for one in node.names]
    return [Imported(one.asname or one.name.split(".")[0], one.name) for one in node.names]


class _Visitor(ast.NodeVisitor):
    """Follows Python's scopes: what a function binds is local in all of it, unless declared global."""

    def __init__(self) -> None:
        self.found = References()
        self.scopes: list[set[str]] = []

    def visit_Import(self, node: ast.Import) -> None:
        self.found.imports += imported(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self.found.imports += imported(node)

    def visit_Name(self, node: ast.Name) -> None:
        self._use((node.id,))

    def visit_Global(self, node: ast.Global) -> None:
        for name in node.names:
            self._use((name,))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        chain, root = [node.attr], node.value
        while isinstance(root, ast.Attribute):
            chain.append(root.attr)
            root = root.value
        if isinstance(root, ast.Name):
            self._use((root.id, *reversed(chain)))
        else:
            self.visit(root)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._function(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._defaults(node.args)
        self._scoped({one.arg for one in _arguments(node.args)} | set(_stored([node.body])), [node.body])

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.visit(node.target)
        self._annotation(node.annotation)
        if node.value:
            self.visit(node.value)

    def visit_ListComp(self, node: ast.ListComp) -> None:
        self._comprehension(node)

    def visit_SetComp(self, node: ast.SetComp) -> None:
        self._comprehension(node)

    def visit_DictComp(self, node: ast.DictComp) -> None:
        self._comprehension(node)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> None:
        self._comprehension(node)

    def _comprehension(self, node: Comprehension) -> None:
        self.visit(node.generators[0].iter)
        own = {one.id for part in node.generators for one in ast.walk(part.target) if isinstance(one, ast.Name)}
        self._scoped(own, list(ast.iter_child_nodes(node)))

    def _function(self, node: Function) -> None:
        for decorator in node.decorator_list:
            self.visit(decorator)
        self._defaults(node.args)
        for annotation in (*(one.annotation for one in _arguments(node.args)), node.returns):
            self._annotation(annotation)
        shared = {name for one in ast.walk(node) if isinstance(one, ast.Global) for name in one.names}
        own = {one.arg for one in _arguments(node.args)} | set(_stored(node.body))
        self._scoped(own - shared, node.body)

    def _scoped(self, own: set[str], nodes: list[ast.stmt] | list[ast.expr] | list[ast.AST]) -> None:
        self.scopes.append(own)
        for node in nodes:
            self.visit(node)
        self.scopes.pop()

    def _defaults(self, arguments: ast.arguments) -> None:
        for default in (*arguments.defaults, *arguments.kw_defaults):
            if default is not None:
                self.visit(default)

    def _annotation(self, annotation: ast.expr | None) -> None:
        if annotation is not None and not all(isinstance(one, TYPES) for one in ast.walk(annotation)):
            self.visit(annotation)

    def _use(self, chain: Chain) -> None:
        if not any(chain[0] in scope for scope in self.scopes):
            self.found.chains.add(chain)


def _arguments(given: ast.arguments) -> list[ast.arg]:
    stars = [one for one in (given.vararg, given.kwarg) if one is not None]
    return [*given.posonlyargs, *given.args, *given.kwonlyargs, *stars]


def _stored(nodes: list[ast.stmt] | list[ast.expr]) -> Iterator[str]:
    """Names that these statements bind in their own scope, imports aside: those are followed where they lead."""
    waiting: list[ast.AST] = list(nodes)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, Comprehension):
            yield from (one.target.id for one in ast.walk(node) if isinstance(one, ast.NamedExpr))
        elif not isinstance(node, ast.Lambda):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
                yield node.id
            yield from _captured(node)
            waiting.extend(ast.iter_child_nodes(node))


def _captured(node: ast.AST) -> Iterator[str]:
    """Names bound otherwise than by a store: exceptions and patterns."""
    if isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
        yield node.name
    if isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest
