"""Data that a script reads: what lies outside the project, what must be there before a trial, what decides old results."""

import ast
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..reading.script.source import Source, last_name
from .findings import Finding, Gap

SYSTEM = ("/usr", "/bin", "/lib", "/etc", "/proc", "/sys", "/dev", "/sbin")
DOWNLOADS = re.compile(
    r"download\s*=\s*True|load_dataset\(|urlretrieve\(|requests\.get\(|hub\.load\(|urlopen\(|gdown\.|snapshot_download\(|"
    r"hf_hub_download\(|from_pretrained\(|load_state_dict_from_url\("
)
SOURCES = frozenset(".py .pyc .ipynb .md .toml .yaml .yml .cfg .ini .sh .txt .json .lock .png .svg .html".split())
OUTPUTS = frozenset(
    "out output outputs result results run runs log logs save saved checkpoint checkpoints ckpt ckpts wandb lightning_logs".split()
)
"""Folders that scripts fill themselves."""
BIG = 1 << 20
MOST_LINKS = 2000


class Data(NamedTuple):
    """What was found."""

    read: tuple[str, ...]
    """For `[sandbox] read`."""
    inputs: tuple[str, ...]
    """For `[project] inputs`."""
    findings: tuple[Finding, ...]
    gaps: tuple[Gap, ...]


def data_of(root: Path, cwd: Path, files: Sequence[Source], settings: Mapping[str, Any]) -> Data:
    """Data of a script.

    Args:
        root: The project's folder.
        cwd: Where the script starts.
        files: The source that it consists of.
        settings: Dotted key → value.
    """
    named = [*_in_source(files), *((f"setting {key}", one) for key, value in settings.items() for one in _texts(value))]
    outside: dict[str, str] = {}
    inside: dict[str, str] = {}
    for where, text in named:
        path = _path(text, cwd)
        if path is None or not path.exists() or root.is_relative_to(path):
            continue
        if not path.is_relative_to(root):
            outside.setdefault(text, where)
        elif _is_data(path) and path.relative_to(root).parts[0].lower() not in OUTPUTS:
            inside.setdefault(path.relative_to(root).as_posix(), where)
    outside |= {str(target): link for link, target in _links(root)}
    findings = [
        Finding("data outside the project", text, where, "a trial sees it read-only") for text, where in outside.items()
    ]
    findings += [
        Finding("data in the project", text, where, "when it changes, old results are stale")
        for text, where in inside.items()
    ]
    return Data(tuple(outside), tuple(inside), tuple(findings), tuple(_downloads(files)))


def _downloads(files: Sequence[Source]) -> Iterator[Gap]:
    """What would fetch something; it may find its cache, and the brief run tells."""
    for file in files:
        for number, line in enumerate(file.lines, 1):
            if found := DOWNLOADS.search(line.partition("#")[0]):
                yield Gap(
                    f"{file.name}:{number} may download ({found[0].rstrip('(')}), and a trial has no network",
                    "run the script once by yourself, so that the data lie in the project or in a folder under [sandbox] read; "
                    "or set network = true under [sandbox]",
                )
                return


def _in_source(files: Sequence[Source]) -> Iterator[tuple[str, str]]:
    """Texts that are handed to something, or kept under a name."""
    for file in files:
        for node in ast.walk(file.tree):
            match node:
                case ast.Call(args=args, keywords=words) if last_name(node.func) not in (
                    "add_argument",
                    "print",
                    "join",
                    "split",
                ):
                    given = [*args, *(word.value for word in words)]
                case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value):
                    given = [value]
                case _:
                    continue
            texts = [one for one in given if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            yield from ((f"{file.name}:{one.lineno}", str(one.value)) for one in texts)


def _texts(value: object) -> list[str]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]


def _path(text: str, cwd: Path) -> Path | None:
    """A path that a text may be: absolute, of a home folder, or below where the script starts; None for anything else."""
    if not 1 < len(text) < 256 or re.search(r"[\n\0{}*<>|]|://", text) or text.startswith(SYSTEM) or " " in text:
        return None
    if text.startswith(("/", "~/", "../")):
        path = Path(text).expanduser()
        return Path(os.path.normpath(cwd / path)) if len(path.parts) > 2 else None
    return Path(os.path.normpath(cwd / text))


def _is_data(path: Path) -> bool:
    """Whether a file or folder holds data: large, or no kind of source."""
    if path.is_dir():
        return not any(path.glob("*.py")) and any(path.iterdir()) and not path.name.startswith(".")
    return path.suffix not in SOURCES or (path.suffix in (".txt", ".json") and path.stat().st_size > BIG // 8)


def _links(root: Path) -> Iterator[tuple[str, Path]]:
    """Symbolic links that lead out of the project, near its top."""
    looked = 0
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        inner = [name for name in folders if not name.startswith(".") and not (here / name / "pyvenv.cfg").exists()]
        folders[:] = inner if len(here.relative_to(root).parts) < 3 else []
        for path in (here / name for name in (*inner, *names)):
            looked += 1
            if path.is_symlink() and path.exists() and not path.resolve().is_relative_to(root):
                yield path.relative_to(root).as_posix(), path.resolve()
        if looked > MOST_LINKS:
            return
