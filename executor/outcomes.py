"""What one trial or check came to: a status, and whatever it measured."""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

Status = Literal[
    "ok", "crashed", "timed-out", "out-of-memory", "disk-full", "killed", "diverged", "invalid", "no-op", "refused"
]
RETRIED: frozenset[Status] = frozenset({"timed-out", "out-of-memory", "disk-full", "killed"})
"""Statuses that may be the machine's fault: tried once more, and again when the limits changed."""

Array = npt.NDArray[np.float64]


class Proof(BaseModel):
    """What a module intervention did: how often its replacement ran, and whether the edited tensor changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    removal: str
    calls: int
    changed: bool


class Packed(BaseModel):
    """A float64 array on the wire: base64 of little-endian bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    length: int
    data: str


class ModuleRecord(BaseModel):
    """One module of the live tree, as one step and one evaluation of the baseline showed it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    type: str
    torch_module: str | None
    parameters: int
    children: int
    calls: int
    input_shape: list[int] | None
    output_shape: list[int] | None
    output_type: str
    bypassable: bool
    residual: bool
    is_output: bool


class Outcome(BaseModel):
    """The end of one trial or check. Nothing in it can come from another trial's pipe."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: Status
    message: str | None = None
    traceback: str | None = None
    """The user's own frames."""
    metrics: dict[str, dict[str, float]] = {}
    """Split → metric → value."""
    examples: dict[str, dict[str, Packed]] = {}
    fingerprint: str | None = None
    """Hash of the trained weights, bit for bit."""
    proofs: list[Proof] = []
    stages: dict[str, str] = {}
    """A check's hashes: `train` and `evaluate` outputs, `weights` after one step."""
    anatomy: list[ModuleRecord] = []
    environment: dict[str, Any] = {}
    seconds: dict[str, float] = {}
    """Stage → seconds, as the trial itself measured them."""
    parameters: int | None = None
    forwards: int | None = None
    finished_at: float | None = None
    wall_seconds: float = 0.0
    """From dispatch to result, measured from outside."""
    cpu_seconds: float | None = None
    peak_memory: int | None = None
    """Bytes, of the largest process."""
    output: str = ""
    """The end of what the trial printed."""

    @property
    def changed(self) -> bool:
        """Whether any edited tensor changed."""
        return any(proof.changed for proof in self.proofs)

    @property
    def fired(self) -> bool:
        """Whether any intervention was reached."""
        return any(proof.calls for proof in self.proofs)
