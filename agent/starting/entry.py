"""What in a folder could be the experiment: scripts that train, ranked by evidence, and files of functions."""

import ast
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ..reading.script.source import Source, is_main_block, sources
from .findings import Candidate
from .projectfiles import is_aside
from .readme import Told

CLEAR = 2
"""Points by which the best candidate must lead."""
LEAST = 3
"""Points below which a script is none."""
MOST_FOLLOWED = 60
"""Scripts whose imports are followed."""
FUNCTIONS = frozenset({"build_model", "train", "evaluate"})
OTHER_WORK = re.compile(
    r"(^|_)(eval|evaluate|test|sample|generate|predict|infer|inference|export|demo|convert|plot|download|prepare|"
    r"preprocess|bench|benchmark|visuali[sz]e|profile|sweep|tune|setup|utils?)(_|$)"
)
DEFINES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
RUNS = (ast.For, ast.While, ast.With, ast.If, ast.Try, ast.Expr)


class _Sign(NamedTuple):
    points: int
    evidence: str


def candidates(root: Path, files: Sequence[Source], told: Sequence[Told]) -> list[Candidate]:
    """Everything that could be run, the best first; nothing that shows no sign of training.

    Args:
        root: The project's folder.
        files: Its Python files.
        told: The commands of its documentation.
    """
    found = [_functions(one) for one in files if not is_aside(one.name)]
    scripts = [one for one in files if not is_aside(one.name) and _runs(one)]
    scripts.sort(key=lambda one: not any(_starts(each, one) for each in told))
    found += [_script(root, one, told) for one in scripts[:MOST_FOLLOWED]]
    usable = [one for one in found if one is not None and one.score >= LEAST]
    return sorted(usable, key=lambda one: (-one.score, one.text.count("/"), one.text))


def leading(found: Sequence[Candidate]) -> list[Candidate]:
    """Those between which the evidence does not decide; one alone where it does."""
    return [one for one in found if one.score > found[0].score - CLEAR]


def _functions(source: Source) -> Candidate | None:
    """A file that offers `build_model`, `train` and `evaluate`."""
    defined = {one.name for one in source.tree.body if isinstance(one, ast.FunctionDef)}
    if not defined >= FUNCTIONS:
        return None
    return Candidate(source.name, True, source.name, 14, ("it defines build_model, train and evaluate",))


def _script(root: Path, source: Source, told: Sequence[Told]) -> Candidate | None:
    signs = [*_named(source), *_training(root, source)]
    if not any("train" in sign.evidence for sign in signs if sign.points > 0):
        return None
    mentions = [one for one in told if _starts(one, source)]
    if mentions:
        signs.append(_Sign(5, f"{mentions[0].where} runs it"))
    points = sum(sign.points for sign in signs) - source.name.count("/")
    evidence = tuple(sign.evidence for sign in signs if sign.points > 0)
    return Candidate(_command(root, source, mentions), False, source.name, points, evidence)


def _command(root: Path, source: Source, mentions: Sequence[Told]) -> str:
    """How the documentation starts it, else by its name alone."""
    whole = [one.command.text for one in mentions if one.is_whole and one.command.words[0] == "{python}"]
    if whole:
        return whole[0]
    if _is_module(root, source):
        dotted = PurePosixPath(source.name).with_suffix("").as_posix().replace("/", ".").removesuffix(".__main__")
        return f"{{python}} -m {dotted}"
    return f"{{python}} {shlex.quote(source.name)}"


def _is_module(root: Path, source: Source) -> bool:
    """Whether it runs only as a part of its package: `__main__.py`, or with relative imports."""
    relative = any(isinstance(one, ast.ImportFrom) and one.level for one in ast.walk(source.tree))
    package = (source.file.parent / "__init__.py").is_file() and source.file.parent != root
    return "/" in source.name and (source.file.name == "__main__.py" or (package and relative))


def _starts(told: Told, source: Source) -> bool:
    """Whether a documented command runs this file."""
    command = told.command
    if command.script is not None:
        return PurePosixPath(command.script).as_posix().removeprefix("./") == source.name
    path = (command.module or "").replace(".", "/")
    return source.name in (f"{path}.py", f"{path}/__main__.py")


def _runs(source: Source) -> bool:
    """Whether running the file does anything: a `__main__` block, or statements of its own."""
    return any(
        is_main_block(one)
        or (isinstance(one, RUNS) and not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant)))
        for one in source.tree.body
    )


def _named(source: Source) -> Iterator[_Sign]:
    """What its name says."""
    stem = PurePosixPath(source.name).stem.lower()
    if stem == "__main__":
        yield _Sign(2, "it is its package's __main__")
    elif re.search(r"(^|_)(pre)?train(er|ing)?(_|$)", stem):
        yield _Sign(3, "it is named for training")
    elif OTHER_WORK.search(stem):
        yield _Sign(-5, "its name says that it does other work")
    elif stem in ("main", "run", "experiment"):
        yield _Sign(2, f"it is named {stem}")
    if any(is_main_block(one) for one in source.tree.body):
        yield _Sign(2, "it has a __main__ block")


def _training(root: Path, source: Source) -> Iterator[_Sign]:
    """Where it trains: itself, or in a file that it imports."""
    nodes = list(ast.walk(source.tree))
    if any(_trains(node) for node in nodes):
        yield _Sign(4, "it trains a model itself")
        if any(_trains(node) for one in source.tree.body if not isinstance(one, DEFINES) for node in ast.walk(one)):
            yield _Sign(1, "it trains as soon as it is run")
    else:
        others = sources(root, source.file, root)[1:]
        reached = next((one.name for one in others if any(_trains(node) for node in ast.walk(one.tree))), None)
        if reached:
            yield _Sign(3, f"it trains through {reached}")


def _trains(node: ast.AST) -> bool:
    """Whether a call is a step of training, or a framework's own training."""
    match node:
        case ast.Call(func=ast.Attribute(attr="backward")):
            return True
        case ast.Call(func=ast.Attribute(value=owner, attr="fit" | "train" as method)):
            called = ast.unparse(owner).lower()
            return "trainer" in called or (method == "fit" and "learn" in called)
        case _:
            return False
