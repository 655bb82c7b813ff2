"""Configuration files that a script opens: the one that the study names, and those that it names itself."""

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from ....executor.experiments.knobs import FileKnob
from ..formats import READERS, NotReadable
from ..plain import NotPlain, plain
from .found import Found, Place
from .source import Source, parsed, running

LARGEST = 1 << 18
JSON = re.compile(r"conf|cfg|param|setting|option|arg", re.IGNORECASE)


def configuration_file(root: Path, file: Path) -> list[Found]:
    """The keys of a configuration file below the root, literals where it is Python. Raises `NotReadable`, `NotPlain`, `OSError`."""
    if file.suffix.lower() == ".py":
        source = parsed(root, file)
        return list(_python(source)) if source else []
    values, lines = READERS[file.suffix.lower()](file.read_text(encoding="utf-8"))
    name = file.relative_to(root).as_posix() if file.is_relative_to(root) else str(file)
    return list(_keys(name, file.stem, plain(values, ()), lines, ()))


def opened_files(root: Path, cwd: Path, sources: Sequence[Source], words: Sequence[str]) -> list[Found]:
    """The keys of the YAML, TOML and JSON files that the script's text or the command names in full."""
    found: list[Found] = []
    for file in dict.fromkeys(_named(root, cwd, sources, words)):
        try:
            found += configuration_file(root, file)
        except (NotReadable, NotPlain, OSError, UnicodeDecodeError, RecursionError):
            continue
    return found


def _named(root: Path, cwd: Path, sources: Sequence[Source], words: Sequence[str]) -> Iterator[Path]:
    texts = [(word.rpartition("=")[2], cwd) for word in words]
    for source in sources:
        for node in running(source):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts += [(node.value, base) for base in (cwd, source.file.parent)]
    for text, base in texts:
        suffix = Path(text).suffix.lower() if len(text) < 256 and "\n" not in text and "\0" not in text else ""
        if suffix not in READERS or suffix == ".py" or (suffix == ".json" and not JSON.search(text)):
            continue
        file = (base / text).resolve()
        if file.is_file() and file.is_relative_to(root) and file.stat().st_size < LARGEST:
            yield file


def _keys(
    name: str, stem: str, values: dict[str, object], lines: dict[tuple[str, ...], int], path: tuple[str, ...]
) -> Iterator[Found]:
    for key, value in values.items():
        inner = (*path, key)
        if isinstance(value, dict) and value:
            yield from _keys(name, stem, value, lines, inner)
        else:
            yield Found(".".join(inner), value, Place(name, lines.get(inner, 1)), FileKnob(name, inner), stem)


def _python(source: Source) -> Iterator[Found]:
    """The constants of a file of constants."""
    for statement in source.tree.body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id=key)], value=value)
                | ast.AnnAssign(target=ast.Name(id=key), value=ast.expr() as value)
            ) if not key.startswith("_"):
                yield from source.setting(key, value, source.stem)
            case _:
                continue
