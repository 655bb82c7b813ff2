"""An experiment in Python (`build_model`, `train`, `evaluate`) as jobs for a worker."""

import ast
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import EditError
from ..interventions import live_interventions, source_edits
from ..jobs import Job
from ..overlay import Overlay, edited
from .experiment import Action, Arm
from .imports import imported, local_module

REQUIRED = ("build_model", "train", "evaluate")


@dataclass(frozen=True)
class PythonExperiment:
    """Where the experiment stands."""

    root: Path
    file: Path
    closed: tuple[Path, ...] = ()
    """Where no source edit may reach."""

    def job(
        self, action: Action, arms: Sequence[Arm], seed: int = 0, *, functions: Sequence[str] = REQUIRED, **more: Any
    ) -> Job:
        """One job; `functions` are those that the experiment must have for it, `more` is for its action alone.

        Source edits are seen by a whole job: an arm with some is its only one. Where they do not apply it is refused.
        """
        edits = [edit for arm in arms for edit in source_edits(arm.interventions)]
        assert not edits or len(arms) == 1
        entries = [
            {
                "config": arm.config,
                "interventions": [one.model_dump() for one in live_interventions(arm.interventions)],
                **arm.asks,
            }
            for arm in arms
        ]
        message = {
            "action": action,
            "experiment": str(self.file),
            "cwd": str(self.root),
            "functions": list(functions),
            "arms": entries,
            "seed": seed,
            "edited": bool(edits),
            **more,
        }
        job = Job(message, tuple(arm.tag for arm in arms))
        try:
            return replace(job, overlay=self.overlay(arms[0]) if edits else {})
        except EditError as error:
            return replace(job, refusal=str(error))

    def overlay(self, arm: Arm) -> Overlay:
        """What an arm's trials see in place of the project's files: its source edits alone. `EditError` where one does not apply."""
        edits = source_edits(arm.interventions)
        return {self.root / name: text for name, text in edited(self.root, edits, self.closed).items()}

    def imports(self) -> list[str]:
        """Third-party modules that the experiment imports at top level, followed through its own files."""
        found: dict[str, None] = {"torch": None}
        self._follow(self.file, found, set())
        return list(found)

    def _follow(self, file: Path, found: dict[str, None], seen: set[Path]) -> None:
        if file in seen or len(seen) > 200:
            return
        seen.add(file)
        for name in _imported(file):
            local = local_module(name, (self.file.parent, self.root))
            if local:
                self._follow(local, found, seen)
            elif name.split(".")[0] not in sys.stdlib_module_names and not self._is_local_package(name):
                found[name] = None

    def _is_local_package(self, name: str) -> bool:
        top = name.split(".", maxsplit=1)[0]
        return any((base / top).is_dir() or (base / f"{top}.py").is_file() for base in (self.file.parent, self.root))


def _imported(file: Path) -> Iterator[str]:
    """Absolute module names imported by top-level statements of `file`; nothing where it does not parse."""
    try:
        body = ast.parse(file.read_bytes()).body
    except (SyntaxError, ValueError, OSError):
        return
    yield from imported(body)
