"""`lesion report --bundle`: everything that another person needs to run a row of the report again, in one file."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ... import prompts
from ...executor.errors import BundleError
from ..arms import arms_of
from ..ledger import Ledger, TrialRow
from ..machine import package_version
from ..planning.plan import BASELINE, Plan, sealed_plans
from ..records.bundle import Manifest, SealedPlan
from ..results import Mode, Results
from ..setting import Setting, prepare
from ..spec import StudySpec
from .archive import Content, packed, write_archive
from .extract import caps, deltas, plans_of, reported, told
from .manifest import LEDGER, MANIFEST, PROJECT, RESULTS
from .patches import patches
from .rows import rows_of
from .selecting import Selection, select
from .surroundings import packages

LIMIT = 100 * 1024**2
"""Bytes of project files, unless more are asked for."""
BUNDLE = "bundle.zip"


def write_bundle(spec: StudySpec, state: Path, output: Path, limit: int = LIMIT) -> tuple[Path, list[str]]:
    """Pack a study.

    Args:
        spec: the study.
        state: its state folder.
        output: the file to write, or a folder for it.
        limit: bytes of project files in all.

    Returns:
        The file, and what a person must know: what was left out.

    Raises:
        BundleError: the source is not the one that was measured, or the place cannot be written.
        ReportError: there are no results yet.
    """
    path = output / BUNDLE if output.is_dir() else output
    ledger = Ledger(state, write=False)
    try:
        bundle = _Bundle(_as_measured(spec, ledger), ledger, state, limit, path.resolve())
        with ledger.snapshot():
            bundle.read()
    finally:
        ledger.close()
    contents, manifest = bundle.contents, bundle.manifest
    text = (manifest.model_dump_json(indent=1) + "\n").encode()
    write_archive({**contents, MANIFEST: text}, manifest.files, path)
    return path, prompts.render("bundle/packed.j2", manifest=manifest).strip().splitlines()


def _as_measured(spec: StudySpec, ledger: Ledger) -> Setting:
    """The study's setting. `BundleError` where it is not what the ledger's results are of."""
    setting, version = prepare(spec), ledger.recall("version")
    if version and version != setting.version:
        raise BundleError(
            "the source, the configuration or the inputs changed since the study ran: a bundle of what is there now would not "
            "reproduce its results",
            where=str(spec.path),
            to_do="put back what was measured (git stash), or measure what is there with `lesion run`, and pack again",
        )
    return setting


@dataclass
class _Bundle:
    setting: Setting
    ledger: Ledger
    state: Path
    limit: int
    output: Path

    def read(self) -> None:
        """Take from the ledger, as of now, all that is packed of it."""
        _ = self._results, self._plans, self._sealed, self._trials, self._caps, self._deltas

    @cached_property
    def contents(self) -> dict[str, Content]:
        """Path → bytes, or the file to copy; all but the manifest."""
        project: dict[str, Content] = {f"{PROJECT}/{name}": path for name, path in self._selection.files.items()}
        plans = {file: text.encode() for file, _, text in self._plans}
        edits = {file: diff.encode() for file, diff in self._patches[0].values()}
        results = (self._results.model_dump_json(indent=2) + "\n").encode()
        written = {RESULTS: results, LEDGER: self._trials, **self._surroundings}
        rerun = prompts.render("bundle/rerun.py.j2", lesion=package_version()).encode()
        readme = self._readme().encode()
        return {**project, **plans, **edits, **written, "rerun.py": rerun, "README.md": readme}

    @cached_property
    def manifest(self) -> Manifest:
        spec, base, study = self.setting.spec, self._selection.base, self._results.study
        arms = arms_of(self._rows)
        measured = {mode: sorted(row.seed for row in arms[mode][BASELINE].measured) for mode in self._measured_modes}
        splits = {split: None for row in self._rows if row.arm == BASELINE for split in row.metrics}
        return Manifest(
            lesion=package_version(),
            study=study.name,
            version=study.version,
            state=study.state,
            root=spec.root.relative_to(base).as_posix(),
            study_file=spec.path.resolve().relative_to(base).as_posix(),
            interpreter=str(self.setting.interpreter.executable),
            split=study.split,
            splits=list(splits),
            seeds={str(mode): seeds for mode, seeds in measured.items()},
            caps=self._caps,
            deltas=self._deltas,
            plans=[
                SealedPlan(round=plan.round, file=file, hash=digest, planner=plan.planner)
                for plan, (file, digest, _) in zip(self._sealed, self._plans, strict=True)
            ],
            edits={name: file for name, (file, _) in self._patches[0].items()},
            files=packed(self.contents),
            left_out=self._selection.left_out,
            outside=self._selection.outside,
            notes=self._notes,
        )

    @cached_property
    def _version(self) -> str:
        return self.setting.version

    @cached_property
    def _rows(self) -> list[TrialRow]:
        return self.ledger.trials(self._version)

    @cached_property
    def _results(self) -> Results:
        return reported(self.setting.spec, self.ledger, self._version)

    @cached_property
    def _sealed(self) -> list[Plan]:
        return sealed_plans(self.ledger.plans(self._version))

    @cached_property
    def _plans(self) -> list[tuple[str, str, str]]:
        return plans_of(self.ledger, self._version)

    @cached_property
    def _trials(self) -> bytes:
        lines = [told(row, self.ledger).model_dump_json(exclude_defaults=True) for row in self._rows]
        return "".join(f"{one}\n" for one in lines).encode()

    @cached_property
    def _caps(self) -> dict[str, dict[str, int]]:
        return caps(self.setting.spec, self.ledger, self._rows)

    @cached_property
    def _deltas(self) -> dict[str, dict[str, dict[str, float]]]:
        return deltas(self.setting.spec, self.ledger, self._rows)

    @cached_property
    def _selection(self) -> Selection:
        return select(self.setting.spec, (self.state, self.output), self.limit)

    @cached_property
    def _patches(self) -> tuple[dict[str, tuple[str, str]], list[str]]:
        ablations = [one for plan in self._sealed for one in plan.ablations]
        chosen = self._selection
        return patches(ablations, self.setting.spec.root, chosen.base, chosen.files)

    @cached_property
    def _packages(self) -> Mapping[str, tuple[str, str]]:
        return packages(self.setting.interpreter.executable)

    @property
    def _surroundings(self) -> dict[str, bytes]:
        python, one = self.setting.interpreter, self.setting.spec.experiment
        about = {
            "measured": self._results.environment,
            "interpreter": {"executable": str(python.executable), "version": python.version},
            "threads": one.threads,
            "variables": one.env,
            "packages": {name: version for name, (version, _) in self._packages.items()},
        }
        listed = prompts.render("bundle/requirements.j2", python=python.version, packages=self._packages)
        return {
            "environment.json": (json.dumps(about, indent=1) + "\n").encode(),
            "requirements.txt": listed.encode(),
        }

    @property
    def _measured_modes(self) -> Sequence[Mode]:
        arms = arms_of(self._rows)
        return [mode for mode, found in arms.items() if BASELINE in found]

    @cached_property
    def _notes(self) -> list[str]:
        known, python = self._results.environment, self.setting.interpreter
        now = {"python": python.version, "torch": str(python.torch)}
        changed = [
            (key, known[key], now[key]) for key in now if key in known and _release(known[key]) != _release(now[key])
        ]
        hidden = self._patches[1]
        return prompts.render("bundle/notes.j2", changed=changed, hidden=hidden).strip().splitlines()

    def _readme(self) -> str:
        rows = rows_of(self._results)
        chosen = self._selection
        return prompts.render(
            "bundle/readme.j2",
            study=self._results.study,
            example=rows[0] if rows else None,
            rows=len(rows),
            left_out=chosen.left_out,
            outside=chosen.outside,
            notes=self._notes,
            lesion=package_version(),
        )


def _release(version: str) -> str:
    """Without the build: `2.13.0+cpu` is 2.13.0."""
    return str(version).partition("+")[0]
