"""Whether an edit takes away or brings in: names, attributes, strings and powers that the file did not have."""

import ast
import unicodedata
from collections import Counter
from collections.abc import Iterator

from .difference import Difference
from .names import Chain, imported

BUILTINS = frozenset("range len float int bool abs min max sum _".split())
"""Names that may always be used."""
ATTRIBUTES = frozenset(
    "zeros_like ones_like zeros ones full_like nn Identity detach clone mean sum new_zeros new_ones size shape dtype "
    "device reshape expand_as".split()
)
"""Attributes that may always be used, of whatever the file has."""
KEYWORDS = frozenset("dim keepdim dtype device".split())
POWERS = frozenset(
    "exec eval compile open input breakpoint getattr setattr delattr vars globals locals __import__ importlib".split()
)
"""Names of which no edit may bring in one use more."""
SHOWN = 60
"""Characters of a string in a reason."""


def brought_in(change: Difference) -> list[str]:
    """What the edit brings in that the file does not have, each as the rest of a sentence that begins with "it"."""
    found = [*_powers(change), *_names(change)]
    return list(dict.fromkeys(found))


def odd_characters(before: str, after: str) -> list[str]:
    """Characters beyond ASCII that the text did not have, by their Unicode names."""
    new = sorted({one for one in set(after) - set(before) if ord(one) > 126 or (ord(one) < 32 and one not in "\n\r\t")})
    return [f"brings in the character U+{ord(one):04X} ({unicodedata.name(one, 'unnamed')})" for one in new]


def _names(change: Difference) -> Iterator[str]:
    known, strings, chains = _words(change.before), _strings(change.before), _prefixes(change.before)
    modules = _modules(change.before)
    for node in _new_nodes(change):
        chain = _chain(node)
        if len(chain) > 1 and chain[0] in modules:
            if chain not in chains and not _is_plain_torch(chain, chains):
                yield f"brings in `{_plain('.'.join(chain))}`, which the file does not have"
            continue
        for word, free in _used(node):
            if word not in known and word not in free:
                yield f"brings in the name `{_plain(word)}`, which the file does not have"
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes) and node.value not in strings:
            text = repr(node.value)
            yield f"brings in the text {_plain(text if len(text) <= SHOWN else text[:SHOWN] + '…')}, which the file does not have"


def _powers(change: Difference) -> Iterator[str]:
    modules = _modules(change.before)
    new = Counter(one for node in _all(change.new) for one in _power(node, modules))
    old = Counter(one for node in _all(change.gone) for one in _power(node, modules))
    yield from new - old


def _power(node: ast.AST, modules: set[str]) -> Iterator[str]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield f"imports: `{_plain(ast.unparse(node))}`"
    if isinstance(node, ast.Global | ast.Nonlocal):
        yield f"declares `{_plain(ast.unparse(node))}`"
    if isinstance(node, ast.Name | ast.Attribute):
        word = node.id if isinstance(node, ast.Name) else node.attr
        if word in POWERS or (word.startswith("__") and word.endswith("__")):
            yield f"uses `{_plain(word)}`"
    if (
        isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store | ast.Del)
        and _chain(node.value) != ("self",)
    ):
        yield f"assigns to `{_plain(ast.unparse(node))}`, an attribute of something else than `self`"
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
        chain = _chain(node.value)
        named = any(isinstance(one, ast.Constant) and isinstance(one.value, str) for one in ast.walk(node.slice))
        if named or (chain and chain[0] in modules):
            yield f"assigns to `{_plain(ast.unparse(node))}`, an entry by name or of something imported"


def _new_nodes(change: Difference) -> Iterator[ast.AST]:
    """The nodes of the changed statements; a dotted name once, as the whole that it is."""
    nodes = list(_all(change.new))
    inner = {id(node.value) for node in nodes if isinstance(node, ast.Attribute)}
    yield from (node for node in nodes if not isinstance(node, ast.Attribute) or id(node) not in inner)


def _all(statements: tuple[ast.stmt, ...]) -> Iterator[ast.AST]:
    for one in statements:
        yield from ast.walk(one)


def _used(node: ast.AST) -> Iterator[tuple[str, frozenset[str]]]:
    """The words in a node itself, each with those that are free in its place."""
    if isinstance(node, ast.Name):
        yield node.id, BUILTINS
    elif isinstance(node, ast.Attribute):
        while isinstance(node, ast.Attribute):
            yield node.attr, ATTRIBUTES
            node = node.value
    elif isinstance(node, ast.arg):
        yield node.arg, BUILTINS
    elif isinstance(node, ast.keyword) and node.arg:
        yield node.arg, KEYWORDS
    else:
        for key in ("name", "rest", "asname", "kwd_attrs", "names"):
            value = getattr(node, key, None)
            for word in value if isinstance(value, list) else [value]:
                if isinstance(word, str):
                    yield word, BUILTINS


def _words(tree: ast.AST) -> set[str]:
    words = {word for node in ast.walk(tree) for word, _ in _used(node)}
    return words | {
        one.bound for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom) for one in imported(node)
    }


def _strings(tree: ast.AST) -> set[str | bytes]:
    return {one.value for one in ast.walk(tree) if isinstance(one, ast.Constant) and isinstance(one.value, str | bytes)}


def _modules(tree: ast.AST) -> set[str]:
    """Names that imports bind."""
    return {
        one.bound for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom) for one in imported(node)
    }


def _prefixes(tree: ast.AST) -> set[Chain]:
    """Every dotted name of a file, and what each begins with."""
    chains = [chain for node in ast.walk(tree) if (chain := _chain(node))]
    return {chain[: count + 1] for chain in chains for count in range(len(chain))}


def _is_plain_torch(chain: Chain, chains: set[Chain]) -> bool:
    """`torch.zeros_like`, `nn.Identity`: something the file has, and attributes that may always be used."""
    known = next(count for count in range(len(chain), 0, -1) if chain[:count] in chains or count == 1)
    return all(one in ATTRIBUTES for one in chain[known:])


def _chain(node: ast.AST) -> Chain:
    """A dotted name; empty where the node is none."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return (node.id, *reversed(parts)) if isinstance(node, ast.Name) else ()


def _plain(text: str) -> str:
    """With confusable characters spelled out."""
    return text.encode("ascii", "backslashreplace").decode()
