"""Whether an edit takes away or brings in: names, attributes, strings and numbers that the place it changes did not have.

What counts is the changed statement alone, not its file: a file may hold the evaluation's data, its labels and its names too.
"""

import ast
import unicodedata
from collections.abc import Iterator
from typing import TypeGuard

from .acts import acts_anew, dotted, plainly
from .difference import Difference
from .names import Chain, imported

BUILTINS = frozenset("range len float int bool abs min max sum _".split())
"""Names that may always be used."""
ATTRIBUTES = frozenset(
    "zeros_like ones_like zeros ones full_like nn Identity detach clone mean sum new_zeros new_ones size shape dtype "
    "device reshape expand_as".split()
)
"""Attributes that may always be used, of whatever is used there, and of torch."""
KEYWORDS = frozenset("dim keepdim dtype device".split())
NUMBERS = frozenset({0, 1})
"""Numbers that may always be used: what switches things off. Others could be seeds, or results."""
LAYERS = "torch.nn"
"""What the file has of this module may be used anywhere in it."""
SHOWN = 60
"""Characters of a string in a reason."""


def brought_in(change: Difference) -> list[str]:
    """What the edit brings in where it changes a file, each as the rest of a sentence that begins with "it"."""
    found = [*acts_anew(change), *_names(change)]
    return list(dict.fromkeys(found))


def odd_characters(before: str, after: str) -> list[str]:
    """Characters beyond ASCII that the text did not have, by their Unicode names."""
    new = sorted({one for one in set(after) - set(before) if ord(one) > 126 or (ord(one) < 32 and one not in "\n\r\t")})
    return [f"brings in the character U+{ord(one):04X} ({unicodedata.name(one, 'unnamed')})" for one in new]


def _names(change: Difference) -> Iterator[str]:
    gone = ast.Module(body=list(change.gone), type_ignores=[])
    modules = _modules(change.before)
    words, constants = _words(gone) | _torches(modules), _constants(gone) | NUMBERS
    chains = _prefixes(gone) | {one for one in _prefixes(change.before) if _is_layer(one, modules)}
    for node in _new_nodes(change):
        chain = dotted(node)
        if len(chain) > 1 and chain[0] in modules:
            if chain not in chains and not _is_plain_torch(chain, chains, modules):
                yield f"brings in `{plainly('.'.join(chain))}`, which is not used there"
            continue
        for word, free in _used(node):
            if word not in words and word not in free:
                yield f"brings in the name `{plainly(word)}`, which is not used there"
        if isinstance(node, ast.Constant) and _is_given(node.value) and node.value not in constants:
            yield f"brings in {_constant(node.value)}, which is not there"


def _constant(value: str | bytes | complex) -> str:
    text = repr(value)
    text = plainly(text if len(text) <= SHOWN else text[:SHOWN] + "…")
    return f"the text {text}" if isinstance(value, str | bytes) else f"the number {text}"


def _new_nodes(change: Difference) -> Iterator[ast.AST]:
    """The nodes of the changed statements; a dotted name once, as the whole that it is."""
    nodes = [one for statement in change.new for one in ast.walk(statement)]
    inner = {id(node.value) for node in nodes if isinstance(node, ast.Attribute)}
    yield from (node for node in nodes if not isinstance(node, ast.Attribute) or id(node) not in inner)


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
    return words | _modules(tree).keys()


def _constants(tree: ast.AST) -> set[str | bytes | complex]:
    values = (one.value for one in ast.walk(tree) if isinstance(one, ast.Constant))
    return {one for one in values if _is_given(one)}


def _is_given(value: object) -> TypeGuard[str | bytes | complex]:
    """A text or a number, rather than None or an ellipsis."""
    return isinstance(value, str | bytes | int | float | complex)


def _modules(tree: ast.AST) -> dict[str, str]:
    """Names that imports bind → what they stand for, dotted."""
    return {
        one.bound: one.module if one.name is None else f"{one.module}.{one.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for one in imported(node)
    }


def _torches(modules: dict[str, str]) -> set[str]:
    """The names of torch itself and of its layers."""
    return {bound for bound, module in modules.items() if module == "torch" or _below(module, LAYERS)}


def _below(module: str, top: str) -> bool:
    return module == top or module.startswith(f"{top}.")


def _is_layer(chain: Chain, modules: dict[str, str]) -> bool:
    return _below(".".join((modules.get(chain[0], ""), *chain[1:])), LAYERS)


def _prefixes(tree: ast.AST) -> set[Chain]:
    """Every dotted name, and what each begins with."""
    chains = [chain for node in ast.walk(tree) if (chain := dotted(node))]
    return {chain[: count + 1] for chain in chains for count in range(len(chain))}


def _is_plain_torch(chain: Chain, chains: set[Chain], modules: dict[str, str]) -> bool:
    """`torch.zeros_like`, `nn.Identity`: what is used there, or torch, and attributes that may always be used."""
    known = next((count for count in range(len(chain), 0, -1) if chain[:count] in chains), 0)
    known = known or (1 if chain[0] in _torches(modules) else 0)
    return known > 0 and all(one in ATTRIBUTES for one in chain[known:])
