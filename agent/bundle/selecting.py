"""What of the project goes into a bundle: every file that a trial could read, but no secrets, and nothing from elsewhere."""

import hashlib
import os
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ..keys import entered, source_files
from ..reading.digest.readable import (
    BINARY,
    HIDDEN,
    IGNORED,
    LARGE,
    LARGEST,
    NO_FILE,
    SECRET,
    UNNAMEABLE,
    Readable,
)
from ..reading.digest.secrets import known_secrets, redacted, withheld
from ..records.bundle import LeftOut, Outside
from ..spec import StudySpec, absolute

NO_MATTER = (IGNORED, LARGE, BINARY)
"""Reasons not to show a file to a model; a trial reads it all the same."""
FOLDER_LINK = "a link to a folder"
TOO_LARGE = "too large for the bundle's limit"
UNREADABLE = "cannot be read"

BYTECODE = "__pycache__"
ODD = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff\\]")


@dataclass
class Selection:
    """What goes in, and what does not."""

    base: Path
    """The folder that `project/` mirrors: it holds the study file and the project's root."""
    files: dict[str, Path] = field(default_factory=lambda: dict[str, Path]())
    """Path below `project/` → the file."""
    left_out: list[LeftOut] = field(default_factory=lambda: list[LeftOut]())
    outside: list[Outside] = field(default_factory=lambda: list[Outside]())


def select(spec: StudySpec, own: tuple[Path, Path], limit: int) -> Selection:
    """Look through a project.

    Args:
        spec: the study.
        own: its state folder and the bundle itself, which are no part of the project.
        limit: bytes of project files in all; what trials need comes first, then the smaller before the larger.
    """
    return _Looking(spec, *own, limit).selection


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass
class _Looking:
    spec: StudySpec
    state: Path
    output: Path
    limit: int

    @cached_property
    def base(self) -> Path:
        return Path(os.path.commonpath([self.spec.path.parent.resolve(), self.spec.root]))

    @cached_property
    def selection(self) -> Selection:
        found = Selection(self.base)
        fitting: list[tuple[bool, int, str, Path]] = []
        for path, refused in self._candidates():
            name = path.relative_to(self.base).as_posix() + ("/" if path.is_dir() else "")
            if reason := refused or self._secret(path):
                found.left_out.append(LeftOut(path=ODD.sub("?", name), reason=reason, needed=path in self._needed))
            else:
                fitting.append((path not in self._needed, path.stat().st_size, name, path))
        self._fill(found, sorted(fitting))
        found.left_out += [
            one for one in self._missing(found) if one.path not in {each.path for each in found.left_out}
        ]
        found.left_out.sort(key=lambda one: one.path)
        found.outside = list(self._outside())
        return found

    def _fill(self, found: Selection, fitting: list[tuple[bool, int, str, Path]]) -> None:
        room = self.limit
        for more, size, name, path in fitting:
            if size <= room:
                found.files[name] = path
                room -= size
            else:
                one = LeftOut(path=name, reason=TOO_LARGE, needed=not more, size=size, sha256=digest(path))
                found.left_out.append(one)

    def _missing(self, found: Selection) -> Iterator[LeftOut]:
        """Declared files in folders that are not entered, such as a hidden one."""
        for path in sorted(self._needed):
            if path.is_relative_to(self.base) and path.is_file():
                name = path.relative_to(self.base).as_posix()
                if name not in found.files:
                    yield LeftOut(path=name, reason=HIDDEN, needed=True, size=path.stat().st_size, sha256=digest(path))

    @cached_property
    def _needed(self) -> frozenset[Path]:
        """Sources, configuration, study file, declared inputs and weights: without them no trial is the same."""
        spec = self.spec
        weights = spec.experiment.weights
        claims = spec.study.claims_file
        inputs = [one for one in spec.inputs if one.is_relative_to(spec.root)]
        named = [
            spec.path.resolve(),
            spec.config_file,
            spec.entry_file,
            spec.below_root(weights) if weights else None,
            absolute(spec.path.parent, claims) if claims else None,
            *source_files(spec),
            *(each for given in inputs for each in ([given] if given.is_file() else given.rglob("*"))),
        ]
        return frozenset(one for one in named if one is not None)

    @cached_property
    def _readable(self) -> Readable:
        return Readable(self.spec.root, self.spec.project.exclude, state=self.state)

    @cached_property
    def _known(self) -> tuple[str, ...]:
        return known_secrets(os.environ)

    def _candidates(self) -> Iterator[tuple[Path, str | None]]:
        """Every file below the root with the reason why it stays out, folders that are not entered, and the study file."""
        spec = self.spec
        for path in sorted(one for one in self._needed if one.is_relative_to(self.base)):
            if not path.is_relative_to(spec.root) and path.is_file():
                yield path, SECRET if withheld(path.name) else None
        for folder, folders, files in os.walk(spec.root):
            here, kept = Path(folder), list[str]()
            for name in sorted(folders):
                reason = self._not_entered(here / name)
                if reason is None:
                    kept.append(name)
                elif name not in (BYTECODE, ".lesion") and here / name != self.state:
                    yield here / name, reason
            folders[:] = kept
            for name in sorted(files):
                if here / name != self.output:
                    yield here / name, self._refused(here / name)

    def _not_entered(self, folder: Path) -> str | None:
        if folder.is_symlink():
            return FOLDER_LINK
        return None if entered(folder) and folder != self.state else HIDDEN

    def _refused(self, path: Path) -> str | None:
        name = path.relative_to(self.spec.root).as_posix()
        if ODD.search(name):
            return UNNAMEABLE
        reason = self._readable.refusal(name)
        if reason in NO_MATTER and path.is_symlink():
            target = path.resolve().relative_to(self.spec.root).as_posix()
            reason = SECRET if withheld(target) else reason
        if reason is None or reason in NO_MATTER:
            return None if path.is_file() else NO_FILE
        return reason

    def _secret(self, path: Path) -> str | None:
        """Looks into texts: all of a small one, the first million bytes of a larger one."""
        if not path.is_file():
            return None
        try:
            with path.open("rb") as file:
                head = file.read(LARGEST)
        except OSError:
            return UNREADABLE
        known = any(value.encode() in head for value in self._known)
        if known or (b"\0" not in head and redacted(head.decode("utf-8", "replace"), self._known)[1]):
            return SECRET
        return None

    def _outside(self) -> Iterator[Outside]:
        """What the study file names outside the root."""
        spec = self.spec
        read = (
            tomllib.loads(spec.path.read_text(encoding="utf-8")).get("sandbox", {}).get("read", [])
        )  # as it is written
        named = [("project.inputs", name) for name in spec.project.inputs]
        named += [("sandbox.read", str(name)) for name in read]
        for key, name in named:
            path = spec.below_root(name)
            if not path.is_relative_to(spec.root):
                yield _outside(name, key, path)


def _outside(given: str, key: str, path: Path) -> Outside:
    if path.is_file():
        return Outside(given=given, key=key, size=path.stat().st_size, sha256=digest(path))
    files = [one for one in path.rglob("*") if one.is_file()]
    return Outside(given=given, key=key, size=sum(one.stat().st_size for one in files), files=len(files))
