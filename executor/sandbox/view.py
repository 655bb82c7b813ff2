"""What a trial may see of the machine, and the seam behind which sandboxes stand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ..overlay import Overlay


@dataclass(frozen=True)
class View:
    """Everything a sandbox shows to the code inside; nothing else of the machine is visible."""

    project: Path
    """Bound read-only at its own path."""
    readable: tuple[Path, ...] = ()
    """Further files and folders, read-only: the interpreter, our own `inside/`, data that the study names."""
    hidden: tuple[Path, ...] = ()
    """Folders inside the project that the code must not see: the state folder with every other result."""
    edits: Overlay = field(default_factory=lambda: dict[Path, str]())
    """Files of the project that are seen with another text; on disk they stay what they are."""
    layered: bool = False
    """Whether the code may write into the project: into a layer that is thrown away, never into the project itself."""
    network: bool = False
    disk: int = 1 << 30
    """Bytes that the workspace, `/tmp` and `/dev/shm` may hold, each; they live in memory."""
    environment: Mapping[str, str] = field(default_factory=lambda: dict[str, str]())
    gpus: bool = False


@dataclass(frozen=True)
class Launch:
    """How to start one process inside a sandbox."""

    argv: list[str]
    environment: dict[str, str]
    keep: tuple[int, ...]
    """File descriptors that only this launch needs; the starter closes them after the start."""
    cwd: Path


class Sandbox(Protocol):
    """A way to start a process that sees only a `View`."""

    @property
    def name(self) -> str:
        """Backend, version and strength, as it is recorded with every trial."""
        ...

    @property
    def isolates(self) -> bool:
        """Whether it keeps anything away from the code inside."""
        ...

    def launch(self, view: View, command: Sequence[str]) -> Launch:
        """The process to start for `command` inside `view`."""
        ...


WORKSPACE = Path("/trial")
NO_EDITS = "source edits run only in a sandbox, and --unsafe-no-sandbox asked for none"


def base_environment(view: View, workspace: Path) -> dict[str, str]:
    """The whole environment of a trial: nothing of the caller's own is passed on but what the study names."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(workspace),
        "TMPDIR": "/tmp" if workspace == WORKSPACE else str(workspace),
        "USER": "trial",
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
        **view.environment,
    }
