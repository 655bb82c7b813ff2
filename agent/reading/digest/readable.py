"""Which files of the project may be read at all, and their texts without secrets: the one way to any text that leaves."""

import os
import re
from codecs import getincrementaldecoder
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path, PurePosixPath

from pathspec import GitIgnoreSpec

from ...keys import entered
from .secrets import known_secrets, redacted, withheld

LARGEST = 1_000_000
"""Bytes of a file that is read."""
HEAD = 8192
"""Bytes that must hold no zero for a file to be text."""
ODD = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Characters that a path shown to anyone must not have."""
OUTSIDE = "outside the project"
EXCLUDED = "excluded by project.exclude"
IGNORED = "ignored by .gitignore"
HIDDEN = "hidden, built, or of an environment"
SECRET = "may hold secrets"
LINK = "a link out of the project"
NO_FILE = "no file"
LARGE = f"larger than {LARGEST // 1000} kB"
BINARY = "not text in UTF-8"
UNNAMEABLE = "a name with control characters"


@dataclass(frozen=True)
class Text:
    """A file's text as it may leave the machine."""

    path: str
    """Relative to the root, with forward slashes."""
    text: str
    secrets: int
    """Lines in which something was replaced."""


@dataclass(frozen=True)
class Found:
    """The files of a project, and those left out by reason; folders end with a slash and count once."""

    files: tuple[str, ...]
    left_out: dict[str, list[str]]


class Readable:
    """The files below `root` that may be read: not ignored, not excluded, no secrets, no links out of it.

    Args:
        root: The project's root.
        exclude: Globs of `[project] exclude`.
        known: Literal values that no text may hold, by default the keys in the environment.
        state: Folder of the study's results: nothing in it is part of the project, wherever it lies.
    """

    def __init__(
        self, root: Path, exclude: Sequence[str] = (), known: Sequence[str] | None = None, state: Path | None = None
    ) -> None:
        self.root = root.resolve()
        self._state = state.resolve() if state else None
        self._exclude = [glob.rstrip("/") for glob in exclude]
        self._known = known_secrets(os.environ) if known is None else known
        self._specs: dict[Path, GitIgnoreSpec | None] = {}

    def refusal(self, path: str) -> str | None:
        """Why the file at `path` (relative to the root) may not be read; None: it may."""
        given = PurePosixPath(path)
        if ODD.search(path):
            return UNNAMEABLE
        if given.is_absolute() or ".." in given.parts or not given.parts or "\\" in path:
            return OUTSIDE
        try:
            real = (self.root / given).resolve(strict=True)
        except (OSError, RuntimeError):
            return self._by_name(given) or NO_FILE
        if not real.is_relative_to(self.root):
            return LINK
        return self._by_name(given) or self._by_name(PurePosixPath(real.relative_to(self.root))) or _unreadable(real)

    def read(self, path: str) -> Text | str:
        """The text of the file at `path`, without secrets; or why it may not be read."""
        refusal = self.refusal(path)
        if refusal is not None:
            return refusal
        try:
            with (self.root / path).open("rb") as file:
                raw = file.read(LARGEST + 1).decode("utf-8-sig")
        except (OSError, UnicodeDecodeError):
            return BINARY
        text, count = redacted(raw.replace("\r\n", "\n"), self._known)
        return Text(str(PurePosixPath(path)), text, count)

    def clean(self, text: str) -> str:
        """Any other text, without secrets."""
        return redacted(text, self._known)[0]

    @cached_property
    def found(self) -> Found:
        """All files, looked for once."""
        files: list[str] = []
        left_out: dict[str, list[str]] = {}
        for path, reason in self._walk(self.root):
            if reason is None:
                files.append(path)
            else:
                left_out.setdefault(reason, []).append(path)
        return Found(tuple(sorted(files)), left_out)

    def files(self) -> Iterator[str]:
        """The files, one by one as they are found: the first ones of a large project are there soon."""
        return (path for path, reason in self._walk(self.root) if reason is None)

    def _walk(self, folder: Path) -> Iterator[tuple[str, str | None]]:
        for here, folders, files in os.walk(folder):
            kept: list[str] = []
            for name in sorted(folders):
                path = PurePosixPath(Path(here, name).relative_to(self.root).as_posix())
                reason = LINK if Path(here, name).is_symlink() else self._by_name(path, folder=True)
                if reason is None:
                    kept.append(name)
                elif reason != HIDDEN:
                    yield f"{_shown(str(path))}/", reason
            folders[:] = kept
            for name in sorted(files):
                path = Path(here, name).relative_to(self.root).as_posix()
                yield _shown(path), self.refusal(path)

    def _by_name(self, path: PurePosixPath, *, folder: bool = False) -> str | None:
        """Why a path is out of bounds by what it is called, or by what any folder on the way is."""
        steps = [*reversed(path.parents[:-1]), path]
        if any(fnmatchcase(str(step), glob) for step in steps for glob in self._exclude):
            return EXCLUDED
        if self._state and any(self.root / step == self._state for step in steps):
            return HIDDEN
        if withheld(str(path)):
            return SECRET
        folders = steps if folder else steps[:-1]
        if path.name.startswith(".") or not all(entered(self.root / step) for step in folders):
            return HIDDEN
        if any(self._ignored(step, folder=folder or step != path) for step in steps):
            return IGNORED
        return None

    def _ignored(self, path: PurePosixPath, *, folder: bool) -> bool:
        """As git decides: the deepest .gitignore that says anything, in it the last line that fits."""
        full = self.root / path
        for base in full.parents:
            spec = self._spec(base)
            if spec is not None:
                verdict = spec.check_file(full.relative_to(base).as_posix() + ("/" if folder else "")).include
                if verdict is not None:
                    return verdict
            if base == self._top:
                break
        return False

    def _spec(self, folder: Path) -> GitIgnoreSpec | None:
        if folder not in self._specs:
            try:
                lines = (folder / ".gitignore").read_text("utf-8", "replace").splitlines()
            except OSError:
                lines = None
            self._specs[folder] = GitIgnoreSpec.from_lines(lines) if lines is not None else None
        return self._specs[folder]

    @cached_property
    def _top(self) -> Path:
        """The folder of the repository that the root lies in, or the root."""
        return next((one for one in (self.root, *self.root.parents) if (one / ".git").exists()), self.root)


def _unreadable(real: Path) -> str | None:
    try:
        if not real.is_file():
            return NO_FILE
        if real.stat().st_size > LARGEST:
            return LARGE
        with real.open("rb") as file:
            return None if _is_text(file.read(HEAD)) else BINARY
    except OSError:
        return NO_FILE


def _is_text(head: bytes) -> bool:
    """Whether a file may be text by its first bytes, which may end within a character."""
    try:
        getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return b"\0" not in head


def _shown(path: str) -> str:
    return ODD.sub("?", path)
