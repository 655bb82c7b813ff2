"""What was asked for in a conversation and waits to be run: a plan a request, as a file that people can read and edit.

`<state>/queue/0001.yaml` waits; `0001.refused.yaml` begins with the reasons; `0001.withdrawn.yaml` was taken back. A request
that a sealed plan names (`request: '0001'`) is taken: the ledger alone says so, and its file stays as it is.
"""

import fcntl
import os
import re
from collections.abc import Collection, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..executor.errors import PlanError
from .ledgerfile import explained
from .planning.plan import Plan, parse_plan
from .wholefile import whole

REFUSED, WITHDRAWN = "refused", "withdrawn"
_FILE = re.compile(r"(\d{4,})(?:\.(refused|withdrawn))?\.yaml")
_REASON = "# refused: "


@dataclass(frozen=True)
class Request:
    """One request that waits."""

    name: str
    plan: Plan | None
    problem: str = ""
    """Why its file is no plan; empty where it is one."""


@dataclass(frozen=True)
class Refusal:
    """One that cannot be run."""

    name: str
    reasons: tuple[str, ...]


class Queue:
    """The requests of one study, oldest first. Any process may add; only the one that runs the study takes and refuses.

    Every method raises `LedgerError` where the folder cannot be used.
    """

    def __init__(self, state: Path) -> None:
        self.state, self.folder = state, state / "queue"

    def add(self, plan: Plan) -> str:
        """Put a request at the end; its name. It is on disk when this returns."""
        with self.held():
            name = f"{self._last_number() + 1:04d}"
            self._write(self.path(name), plan.model_copy(update={"request": ""}).as_yaml())
        return name

    def waiting(self, taken: Collection[str]) -> list[Request]:
        """Those that wait, oldest first. `taken`: the names that sealed plans give (`Ledger.requests`)."""
        return [self._read(name) for name in self.names_waiting(taken)]

    def names_waiting(self, taken: Collection[str]) -> list[str]:
        """The names of those that wait, without a look into them."""
        return [name for name in self._names() if name not in taken]

    def is_waiting(self, name: str) -> bool:
        """Whether its file lies there, neither refused nor withdrawn."""
        return name in self._names()

    def withdraw(self, name: str) -> bool:
        """Take a request back; False where none of this name waits any more: it was taken, refused or withdrawn."""
        with self.held():
            if not self.is_waiting(name) or name in self._sealed():
                return False
            self.path(name).rename(self.path(name, WITHDRAWN))
            _sync(self.folder)
            return True

    def refuse(self, name: str, reasons: Sequence[str]) -> None:
        """Set a request aside with the reasons; its text stays."""
        with self.held():
            text = self.path(name).read_text(encoding="utf-8", errors="replace")
            told = "".join(f"{_REASON}{' '.join(one.split())}\n" for one in reasons)
            self._write(self.path(name, REFUSED), told + text)
            self.path(name).unlink()

    def refused(self) -> list[Refusal]:
        """Those that were set aside, with the reasons."""
        return [self._refusal(name) for name, how in self._files() if how == REFUSED]

    @contextmanager
    def held(self) -> Generator[None]:
        """Nobody else adds, takes, refuses or withdraws meanwhile."""
        with explained(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                yield
            finally:
                os.close(descriptor)

    def path(self, name: str, how: str = "") -> Path:
        """Where a request lies."""
        return self.folder / (f"{name}.{how}.yaml" if how else f"{name}.yaml")

    # inside

    def _read(self, name: str) -> Request:
        try:
            return Request(name, parse_plan(self.path(name)))
        except PlanError as error:
            return Request(name, None, error.what)

    def _refusal(self, name: str) -> Refusal:
        with explained(self.folder):
            text = self.path(name, REFUSED).read_text(encoding="utf-8", errors="replace")
        told = [line.removeprefix(_REASON) for line in text.splitlines() if line.startswith(_REASON)]
        return Refusal(name, tuple(told))

    def _names(self) -> list[str]:
        """Of the files that nothing was said about: one that was set aside when a process died counts as set aside."""
        files = self._files()
        aside = {name for name, how in files if how}
        return [name for name, how in files if not how and name not in aside]

    def _files(self) -> list[tuple[str, str]]:
        """(name, what became of it) by number."""
        with explained(self.folder):
            entries = [one.name for one in self.folder.iterdir() if one.is_file()] if self.folder.is_dir() else []
        found = [(match[1], match[2] or "") for one in entries if (match := _FILE.fullmatch(one))]
        return sorted(found, key=lambda one: (int(one[0]), one[1]))

    def _last_number(self) -> int:
        """Names are never given twice, also where a file was deleted by hand."""
        return max((int(one) for one in (*(name for name, _ in self._files()), *self._sealed())), default=0)

    def _sealed(self) -> set[str]:
        from .ledger import Ledger

        if not (self.state / "ledger.db").exists():
            return set()
        ledger = Ledger(self.state, write=False)
        try:
            return ledger.requests()
        finally:
            ledger.close()

    def _write(self, path: Path, text: str) -> None:
        """Whole or not at all."""
        with whole(path) as file:
            file.write(text.encode())
        _sync(self.folder)


def _sync(folder: Path) -> None:
    """A name is on disk once its folder is."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
