"""An unpacked bundle: whether it is whole, what it needs on this machine, and its study as it is run here."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from shutil import which
from typing import Any

from pydantic import ValidationError

from ...executor.errors import BundleError
from ..machine import package_version
from ..planning.plan import Plan, parse_plan
from ..records.bundle import Manifest, Outside, Packed, Told
from ..results import Results
from ..spec import StudySpec, absolute, expanded
from ..studyfile import load_study
from .manifest import MANIFEST, PROJECT, RESULTS, read_ledger, read_manifest
from .selecting import digest

Tables = dict[str, Any]


@dataclass(frozen=True)
class Unpacked:
    """A bundle whose own files are what they were when it was packed."""

    folder: Path
    manifest: Manifest

    @property
    def root(self) -> Path:
        """The project's root."""
        return (self.folder / PROJECT / self.manifest.root).resolve()

    @cached_property
    def results(self) -> Results:
        """What was reported."""
        return Results.model_validate_json((self.folder / RESULTS).read_bytes())

    @cached_property
    def trials(self) -> list[Told]:
        """What was measured."""
        return read_ledger(self.folder)

    @cached_property
    def plans(self) -> list[Plan]:
        """What was planned."""
        return [parse_plan(self.folder / one.file) for one in self.manifest.plans]

    def require_here(self) -> None:
        """`BundleError` with all that is missing on this machine."""
        problems = [
            *self._missing(),
            *(self._lacks(one) for one in self.manifest.outside if not self._at(one).exists()),
        ]
        if problems:
            raise BundleError(
                "no row can be run again yet:\n  " + "\n  ".join(problems),
                where=str(self.folder),
                to_do="put these there, and start again",
            )

    @cached_property
    def changed(self) -> list[str]:
        """Files that trials read and that are not what they were when the study ran."""
        found = [one.path for one in self.manifest.files if self._is_of_project(one) and self._differs(one)]
        for one in self.manifest.left_out:
            path = self.folder / PROJECT / one.path
            if one.sha256 and path.is_file() and digest(path) != one.sha256:
                found.append(f"{PROJECT}/{one.path}")
        outside = [one for one in self.manifest.outside if one.sha256 and digest(self._at(one)) != one.sha256]
        return [*found, *(one.given for one in outside)]

    def spec(self, interpreter: str | None, workers: int | None) -> tuple[StudySpec, list[str]]:
        """The study as it runs here, and what differs from its file: the place, and what was asked for."""
        notes: list[str] = []

        def here(raw: Tables) -> Tables:
            project = {**_table(raw, "project"), "root": self._root_from_study_file}
            experiment = {**_table(raw, "experiment")}
            named = interpreter or experiment.get("interpreter")
            if isinstance(named, str) and not interpreter and not self._is_there(named):
                notes.append(f"the study's Python, {named}, is not here: this one is taken")
                named = None
            experiment.pop("interpreter", None)
            limits = {**_table(raw, "limits"), **({"workers": workers} if workers else {})}
            python = {"interpreter": str(expanded(named))} if named else {}
            return {**raw, "project": project, "experiment": {**experiment, **python}, "limits": limits}

        return load_study(self.folder / PROJECT / self.manifest.study_file, here), notes

    @property
    def _root_from_study_file(self) -> str:
        below = os.path.dirname(self.manifest.study_file) or "."  # noqa: PTH120 (a path inside the archive)
        return os.path.relpath(self.manifest.root, below)

    def _is_there(self, interpreter: str) -> bool:
        return bool(which(interpreter)) or (self.root / expanded(interpreter)).is_file()

    def _missing(self) -> Iterator[str]:
        for one in self.manifest.files:
            if self._is_of_project(one) and not (self.folder / one.path).is_file():
                yield f"{one.path} is missing: unpack the whole archive again"
        for one in self.manifest.left_out:
            if one.needed and not (self.folder / PROJECT / one.path).exists():
                known = f", sha256 {one.sha256}" if one.sha256 else ""
                yield f"{PROJECT}/{one.path} was left out ({one.reason}{known})"

    def _lacks(self, one: Outside) -> str:
        known = f", sha256 {one.sha256}" if one.sha256 else f", a folder of {one.files} files"
        return f"{self._at(one)} is not here ({one.key} of the study{known})"

    def _at(self, one: Outside) -> Path:
        return absolute(self.root, one.given)

    def _is_of_project(self, one: Packed) -> bool:
        return one.path.startswith(f"{PROJECT}/")

    def _differs(self, one: Packed) -> bool:
        path = self.folder / one.path
        return not path.is_file() or path.stat().st_size != one.size or digest(path) != one.sha256


def opened_bundle(folder: Path) -> Unpacked:
    """An unpacked bundle. `BundleError` where a file of its own (all but the project's) is missing or not what it was."""
    manifest = read_manifest(folder)
    problems: list[str] = []
    for one in manifest.files:
        path = folder / one.path
        if one.path.startswith(f"{PROJECT}/") or one.path in ("README.md", "requirements.txt"):
            continue
        if not path.is_file():
            problems.append(f"{one.path} is missing")
        elif digest(path) != one.sha256:
            problems.append(f"{one.path} is not what was packed (its sha256 differs)")
    found = Unpacked(folder, manifest)
    if not problems:
        _require_read(found)
        hashes = zip(manifest.plans, found.plans, strict=True)
        problems = [
            f"{sealed.file} is not the plan that was sealed" for sealed, plan in hashes if plan.hash != sealed.hash
        ]
    if problems:
        what = "the bundle is damaged:\n  " + "\n  ".join(problems)
        raise BundleError(what, where=str(folder / MANIFEST), to_do="unpack the archive again")
    return found


def _require_read(bundle: Unpacked) -> None:
    """`BundleError` where records are of a kind that this version does not know."""
    try:
        _ = bundle.results, bundle.trials
    except ValidationError as error:
        packed, own = bundle.manifest.lesion, package_version()
        first = error.errors()[0]
        what = f"its records cannot be read (packed by lesion {packed}, this is {own}): {first['loc']}: {first['msg']}"
        raise BundleError(what, where=str(bundle.folder), to_do=f"pip install 'lesion=={packed}'") from None


def _table(raw: Tables, key: str) -> Tables:
    found = raw.get(key, {})
    return found if isinstance(found, dict) else {}
