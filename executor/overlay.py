"""Source edits applied to a project, as new texts of its files; the files themselves are never touched."""

import ast
import difflib
import re
import stat
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from .errors import EditError
from .interventions import Block, SourceEdit

Overlay = Mapping[Path, str]
"""Absolute path of a file → the text that a trial sees there."""
NEVER = frozenset({".git", ".lesion", "__pycache__", "site-packages"})
"""Folders in which nothing is edited: history, results, bytecode, what was installed."""
LARGEST = 4 << 20
"""Bytes of a file that can be edited."""
SHOWN_LINES = 5
SIMILAR = 0.5


class _Span(NamedTuple):
    """Where a block stands, in characters of the file's text."""

    start: int
    end: int
    replace: str


def edited(
    root: Path, edits: Sequence[SourceEdit], closed: Sequence[Path] = (), texts: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The new text of every file that `edits` change, by its path relative to `root`.

    Each block's search text must stand in its file's original text exactly once; lines end as they did before.

    Args:
        root: The project's root.
        edits: Together; the same block in two of them counts once.
        closed: Folders and files in which nothing may be edited.
        texts: Files, by their path relative to `root`, that are edited as these texts, and not as they are on disk.

    Raises:
        EditError: One or more blocks do not apply; every problem at once, one a line.
    """
    problems: list[str] = []
    changed: dict[str, str] = {}
    for name, blocks in _by_file(edits).items():
        found = _original(root, name, closed)
        if found.problem is None and texts and name in texts:
            found = _Original(texts[name])
        if found.problem is not None:
            problems.append(f"{name}: {found.problem}")
            continue
        spans, wrong = _located(found.text, blocks)
        problems += [f"{name}: {one}" for one in wrong]
        changed[name] = _replaced(found.text, spans)
        if not wrong and (broken := _broken(name, found.text, changed[name])):
            problems.append(f"{name}: {broken}")
    if problems:
        raise EditError(problems)
    return changed


def unified(root: Path, texts: Mapping[str, str]) -> str:
    """What `texts`, as `edited` gives them, change in the files below `root`, as a unified diff."""
    return "".join(
        line
        for name, text in texts.items()
        for line in difflib.unified_diff(
            _lines(_read(root / name)), _lines(text), fromfile=f"a/{name}", tofile=f"b/{name}"
        )
    )


def line_of(text: str, offset: int) -> int:
    """The number, from 1, of the line that holds the character at `offset`."""
    return text.count("\n", 0, offset) + 1


def _by_file(edits: Sequence[SourceEdit]) -> dict[str, list[Block]]:
    """The blocks of each file, every one once."""
    found: defaultdict[str, list[Block]] = defaultdict(list)
    for block in dict.fromkeys(block for one in edits for block in one.blocks):
        found[str(PurePosixPath(block.file))].append(block)
    return found


class _Original(NamedTuple):
    """A file's text, or why it cannot be edited."""

    text: str
    problem: str | None = None


def _original(root: Path, name: str, closed: Sequence[Path]) -> _Original:
    parts = PurePosixPath(name).parts
    if PurePosixPath(name).is_absolute() or ".." in parts or "\\" in name or "\0" in name:
        return _Original("", "a path is given relative to the project's root, with forward slashes, and stays below it")
    if never := NEVER & {*parts}:
        return _Original("", f"nothing is edited in {min(never)}")
    path = root.joinpath(*parts)
    if any(path.is_relative_to(one) for one in closed):
        return _Original("", "nothing is edited there: trials see that place otherwise, or not at all")
    if any(step.is_symlink() for step in (path, *path.parents) if step != root and step.is_relative_to(root)):
        return _Original("", "a symbolic link is on the way: name the file itself")
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return _Original("", "this is not a file")
        return _Original(_read(path)) if status.st_size <= LARGEST else _Original("", "the file is too large to edit")
    except UnicodeDecodeError:
        return _Original("", "this is not text in UTF-8")
    except OSError as error:
        return _Original("", f"cannot be read: {error.strerror}")


def _read(path: Path) -> str:
    return path.read_bytes().decode("utf-8")


def _located(text: str, blocks: Sequence[Block]) -> tuple[list[_Span], list[str]]:
    """Where the blocks stand in `text`, in order, and what is wrong with those that have no place of their own."""
    plain, carriage = _without_carriage_returns(text)
    spans: list[_Span] = []
    problems: list[str] = []
    for block in blocks:
        search, replace = _plain(block.search), _plain(block.replace)
        starts = _places(plain, search)
        if search == replace:
            problems.append("search and replace are the same: nothing is changed")
        elif len(starts) != 1:
            problems.append(_repeated(plain, starts) if starts else _missing(plain, search))
        else:
            begin, end = (at + bisect_left(carriage, at) for at in (starts[0], starts[0] + len(search)))
            spans.append(_Span(begin, end, replace.replace("\n", _ending(text, begin))))
    spans.sort()
    problems += [
        f"two blocks overlap at line {line_of(text, after.start)}"
        for before, after in pairwise(spans)
        if after.start < before.end
    ]
    return spans, problems


def _without_carriage_returns(text: str) -> tuple[str, list[int]]:
    """`text` with `\\n` for every `\\r\\n`, and where in it those stood."""
    places = [match.start() - index for index, match in enumerate(re.finditer("\r\n", text))]
    return text.replace("\r\n", "\n"), places


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n")


def _ending(text: str, near: int) -> str:
    """How the line at `near` ends: as the first line that ends behind it, else as the first of all."""
    end = text.find("\n", near)
    end = end if end >= 0 else text.find("\n")
    return "\r\n" if end > 0 and text[end - 1] == "\r" else "\n"


def _places(text: str, search: str) -> list[int]:
    """Every place of `search`, overlapping ones too."""
    found: list[int] = []
    at = text.find(search)
    while at >= 0:
        found.append(at)
        at = text.find(search, at + 1)
    return found


def _repeated(text: str, starts: Sequence[int]) -> str:
    lines = ", ".join(str(line_of(text, at)) for at in starts[:SHOWN_LINES])
    more = ", …" if len(starts) > SHOWN_LINES else ""
    return f"the search text is there {len(starts)} times, at lines {lines}{more}: give more of the lines around it"


def _missing(text: str, search: str) -> str:
    """Why a block is not found: the line of the file that is nearest to its first line with something on it."""
    wanted = next((line for line in search.splitlines() if line.strip()), search)
    lines = text.splitlines()
    stripped = [line.strip() for line in lines]
    close = difflib.get_close_matches(wanted.strip(), stripped, n=1, cutoff=SIMILAR)
    if not close:
        return f"the search text is not there, nor anything like {wanted.strip()[:80]!r}"
    at = stripped.index(close[0])
    return f"the search text is not there; nearest to its {wanted[:120]!r} is line {at + 1}: {lines[at][:120]!r}"


def _replaced(text: str, spans: Sequence[_Span]) -> str:
    return "".join(_pieces(text, spans))


def _pieces(text: str, spans: Sequence[_Span]) -> Iterator[str]:
    at = 0
    for span in spans:
        yield text[at : span.start]
        yield span.replace
        at = span.end
    yield text[at:]


def _broken(name: str, before: str, after: str) -> str | None:
    """Why Python cannot read a file any more that it could read before."""
    if not name.endswith(".py") or _syntax_error(before):
        return None
    error = _syntax_error(after)
    return f"after the edit it does not parse: {error}" if error else None


def _syntax_error(text: str) -> str | None:
    try:
        ast.parse(text.removeprefix("\ufeff"))
    except SyntaxError as error:
        return f"{error.msg} (line {error.lineno})"
    except ValueError as error:
        return str(error)
    return None


def _lines(text: str) -> list[str]:
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)  # what else breaks lines for Python breaks none for patch
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n\\ No newline at end of file\n"
    return lines
