"""An experiment in Python (`build_model`, `train`, `evaluate`) as jobs for a worker."""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..interventions import Intervention, module_interventions

Action = Literal["trial", "check", "anatomy", "ping"]


@dataclass(frozen=True)
class PythonExperiment:
    """Where the experiment stands."""

    root: Path
    file: Path

    def job(
        self, action: Action, config: dict[str, Any], interventions: list[Intervention], seed: int
    ) -> dict[str, Any]:
        """One job; `config` is already resolved, overrides included."""
        return {
            "action": action,
            "experiment": str(self.file),
            "cwd": str(self.root),
            "config": config,
            "interventions": [
                {"path": one.path, "removal": one.removal} for one in module_interventions(interventions)
            ],
            "seed": seed,
        }

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
            local = self._local(name)
            if local:
                self._follow(local, found, seen)
            elif name.split(".")[0] not in sys.stdlib_module_names and not self._is_local_package(name):
                found[name] = None

    def _local(self, name: str) -> Path | None:
        relative = Path(*name.split("."))
        places = [
            base / end for base in (self.file.parent, self.root) for end in (f"{relative}.py", relative / "__init__.py")
        ]
        return next((place for place in places if place.is_file()), None)

    def _is_local_package(self, name: str) -> bool:
        top = name.split(".", maxsplit=1)[0]
        return any((base / top).is_dir() or (base / f"{top}.py").is_file() for base in (self.file.parent, self.root))


def _imported(file: Path) -> Iterator[str]:
    """Absolute module names imported by top-level statements of `file`; nothing where it does not parse."""
    try:
        body = ast.parse(file.read_bytes()).body
    except (SyntaxError, ValueError, OSError):
        return
    for statement in body:
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom) and statement.module and not statement.level:
            yield statement.module
