"""No sandbox at all, for machines where none works and the user takes the risk: `--unsafe-no-sandbox`."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import SandboxError
from .view import NO_EDITS, Launch, View, base_environment


@dataclass(frozen=True)
class Unsandboxed:
    """Plain processes: own session, clean environment, nothing held back."""

    workspace: Path

    @property
    def name(self) -> str:
        """What is recorded with every trial."""
        return "none (--unsafe-no-sandbox)"

    @property
    def isolates(self) -> bool:
        """Never."""
        return False

    def launch(self, view: View, command: Sequence[str]) -> Launch:
        """The command itself, in the workspace. `SandboxError` for edited source: there is no private view of it here."""
        if view.edits:
            raise SandboxError(NO_EDITS)
        self.workspace.mkdir(parents=True, exist_ok=True)
        passed = {key: value for key, value in os.environ.items() if key in ("LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES")}
        environment = {**passed, **base_environment(view, self.workspace)}
        return Launch(argv=list(command), environment=environment, keep=(), cwd=self.workspace)
