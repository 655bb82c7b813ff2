"""Constants of a script: at its top, in files that it executes, in modules of constants that it imports."""

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from .found import Found
from .source import Source, is_main_block, last_name, parsed

FAMILY = "constants"
MODULES = re.compile(
    r"^(.*_)?(config|configs|conf|cfg|settings|hparams|hyperparams|hyperparameters|constants|params|options|opts|defaults)(_.*)?$"
)
LOOPS = (ast.For, ast.While, ast.AsyncFor)


def constants(root: Path, cwd: Path, sources: Sequence[Source], words: Sequence[str]) -> list[Found]:
    """Literals that nothing counts up later: first those that a given or executed file sets, then the script's own.

    Args:
        root: The project's folder.
        cwd: Where the script runs, and what it executes is looked for.
        sources: Files of the script, the entry first.
        words: The command's arguments.
    """
    found: list[Found] = []
    if not sources:
        return found
    entry, *others = sources
    for file in executed(root, cwd, entry, words):
        found += _top(file, file.tree.body, "")
    found += _own(entry, {one.key for one in found})
    found += [one for statement in entry.tree.body for one in _main(entry, statement)]
    for source in others:
        named = MODULES.match(source.stem)
        own = _top(source, source.tree.body, f"{source.stem}.")
        found += [one for one in own if named or one.key.removeprefix(f"{source.stem}.").split(".")[0].isupper()]
    return found


def _own(entry: Source, replaced: set[str]) -> list[Found]:
    """The script's own constants, without those that a file executed behind them sets anew."""
    runs = [
        node.lineno for node in ast.walk(entry.tree) if isinstance(node, ast.Call) and last_name(node.func) == "exec"
    ]
    own = _top(entry, entry.tree.body, "")
    return [one for one in own if one.key not in replaced or one.place.line > max(runs, default=0)]


def executed(root: Path, cwd: Path, entry: Source, words: Sequence[str]) -> list[Source]:
    """Files that the script runs as part of itself, the one that counts last first: of its arguments, and by name."""
    runs = [node for node in ast.walk(entry.tree) if isinstance(node, ast.Call) and last_name(node.func) == "exec"]
    if not runs:
        return []
    texts = [one.value for node in runs for one in ast.walk(node) if isinstance(one, ast.Constant)]
    named = [text for text in texts if isinstance(text, str) and text.endswith(".py")]
    given = [word for word in words if word.endswith(".py") and not word.startswith("-")]
    files = [parsed(root, (cwd / name).resolve(), entry=True) for name in [*reversed(given), *reversed(named)]]
    return [one for one in files if one is not None]


def _top(source: Source, body: Sequence[ast.stmt], prefix: str) -> list[Found]:
    """The constants that one body sets; of several of one name the last."""
    counted = _counted(source, body)
    found: dict[str, list[Found]] = {}
    for name, value in _assigned(body):
        if name in counted or name.startswith("_"):
            continue
        settings = list(source.setting(f"{prefix}{name}", value, FAMILY))
        if settings or not _reads(value, name):
            found[name] = settings
    return [one for several in found.values() for one in several]


def _main(source: Source, statement: ast.stmt) -> list[Found]:
    """What the `__main__` block sets, and the function `main`."""
    if is_main_block(statement) and isinstance(statement, ast.If):
        return _top(source, statement.body, "")
    if isinstance(statement, ast.FunctionDef) and statement.name == "main":
        return _top(source, statement.body, "main.")
    return []


def _assigned(body: Iterable[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    """Names that statements set without a condition; `a, b = 1, 2` and `a = b = 1` too."""
    for statement in body:
        match statement:
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)) if len(names) == len(values):
                pairs = zip(names, values, strict=True)
                yield from ((name.id, value) for name, value in pairs if isinstance(name, ast.Name))
            case ast.Assign(targets=targets, value=value):
                yield from ((target.id, value) for target in targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value
            case _:
                continue


def _counted(source: Source, body: Sequence[ast.stmt]) -> set[str]:
    """Names that change as the script runs: set in a loop, counted up, or declared global in a function."""
    found: set[str] = set()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Global):
            found |= set(node.names)
    for statement in body:
        if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
            found.add(statement.target.id)
        for node in ast.walk(statement):
            if isinstance(node, LOOPS) and not isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
                found |= {
                    one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
                }
    return found


def _reads(node: ast.expr, name: str) -> bool:
    return any(isinstance(one, ast.Name) and one.id == name for one in ast.walk(node))
