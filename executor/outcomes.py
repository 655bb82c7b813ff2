"""What one trial or check came to: a status, and whatever it measured."""

from base64 import b64decode
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
Metrics = dict[str, dict[str, float]]
"""Split → metric → value."""
ScoredBy = Literal["unedited", "edited"]
"""Whose evaluation gave the figures of a trial with source edits."""


class Proof(BaseModel):
    """What one intervention did to the live model: how often it was reached, and whether it changed what it edits."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    target: str
    """Module path, head or parameter, as the intervention names it."""
    removal: str
    calls: int
    changed: bool
    reason: str | None = None
    """Why nothing changed, where nothing did."""


class Packed(BaseModel):
    """A float64 array on the wire: base64 of little-endian bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    length: int
    data: str

    def values(self) -> Array:
        """The array, shape [length]. `ValueError` where the two do not fit."""
        found = np.frombuffer(b64decode(self.data), "<f8")
        if len(found) != self.length:
            raise ValueError(f"{len(found)} values where {self.length} were announced")
        return found.astype(np.float64)


class Seen(BaseModel):
    """How much of an evaluation set an arm was shown until its verdicts were settled."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    examples: int
    of: int
    """Examples of the whole set; as many as `examples` where nothing settled before."""


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
    branch: bool = False
    """Its output is added to a tensor of the same shape: a branch beside a residual stream."""
    features: int | None = None
    """Units (channels, neurons) of its output, where that is one tensor."""
    feature_dim: int | None = None
    """The output's dimension that counts them: 1 where channels come first, else -1."""
    flops: int | None = None
    """Of its calls in one forward of the whole model, children included; None where not counted."""


class HeadsRecord(BaseModel):
    """One attention whose heads lie side by side in the last dimension of the input of its output projection."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    module: str
    """Path of the module that computes the attention."""
    projection: str
    """Path of the module whose input holds the heads: head i in columns [i·width, (i+1)·width)."""
    heads: int
    width: int
    key_value_heads: int
    """Fewer than `heads` with grouped queries; query head i reads group i // (heads / key_value_heads)."""
    evidence: str
    """How they were found, in words."""


class ParameterRecord(BaseModel):
    """One parameter of the live model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    shape: list[int]
    module: str
    """Path of the module that holds it; empty for the model itself."""
    bare: bool
    """Held by a module that is none of torch's own layers: no module intervention removes just this."""
    aliases: list[str] = []
    """Other names of the same tensor: tied weights."""
    packed: list[str] = []
    """Names of equal parts of its packed dimension, e.g. q, k, v."""
    packed_dim: int = 0
    """The dimension that is packed."""


class Outcome(BaseModel):
    """The end of one trial or check. Nothing in it can come from another trial's pipe."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: Status
    whole_job: bool = False
    """It is the outcome of every arm of its job: what they share failed."""
    message: str | None = None
    traceback: str | None = None
    """The user's own frames."""
    metrics: dict[str, dict[str, float]] = {}
    """Split → metric → value."""
    examples: dict[str, dict[str, Packed]] = {}
    cut: dict[str, dict[str, float]] = {}
    """The metrics right after the cut, before any fine-tuning."""
    fingerprint: str | None = None
    """Hash of the trained weights, bit for bit; of everything the model put out, where it was evaluated only."""
    wobble: float | None = None
    """The largest difference of a metric between two evaluations of the same weights at the same seed."""
    changed_weights: list[str] = []
    """Parameters and buffers that the evaluation itself changed; they were put back."""
    batches: dict[str, list[int]] = {}
    """Of an evaluated baseline whose batches can be scored in any order with the same results: split → examples of each."""
    seen: dict[str, Seen] = {}
    """Split → how far an arm was evaluated under the rule that stops it early; empty where no such rule was applied."""
    same: bool | None = None
    """Whether everything that was put out equals the baseline's, bit for bit; None where only fingerprints can tell."""
    replayed: float | None = None
    """Share of the module calls of an arm that were not made, since their results were known from the baseline's."""
    held_memory: int | None = None
    """Bytes of results that were held for that at most, of one batch."""
    parts: dict[str, dict[str, dict[str, Packed]]] = {}
    """Of a joint removal: the values of each part alone, on the very examples of this arm: part → split → column."""
    proofs: list[Proof] = []
    stages: dict[str, str] = {}
    """A check's hashes: `train` and `evaluate` outputs, `weights` after one step."""
    form: str | None = None
    """Of a check: shapes and types of what the model puts out in evaluation, and whether it changed what it was given."""
    anatomy: list[ModuleRecord] = []
    heads: list[HeadsRecord] = []
    tensors: list[ParameterRecord] = []
    curves: dict[str, dict[str, Packed]] = {}
    """Of a command's run: metric → `value`, every row that was read in order, and `step` where the rows number themselves."""
    repeatable: bool | None = None
    """Of a survey: whether two runs at the same seed came to the same, bit for bit; None where that was not tried."""
    seeded: bool | None = None
    """Of a survey: whether another seed gave anything else."""
    remarks: list[str] = []
    """What a person should know of how this was measured, e.g. that a script sets its own seed."""
    models: list[str] = []
    """Of a command's survey: the classes of the outermost modules that it calls."""
    offers: list[str] = []
    """What the experiment offers beyond the three functions: `load_weights`, `batches`, `score`, `finetune`, `reference`."""
    environment: dict[str, Any] = {}
    seconds: dict[str, float] = {}
    """Stage → seconds, as the trial itself measured them."""
    parameters: int | None = None
    flops: int | None = None
    """Of one forward in evaluation."""
    forwards: int | None = None
    finished_at: float | None = None
    wall_seconds: float = 0.0
    """From dispatch to result, measured from outside."""
    cpu_seconds: float | None = None
    peak_memory: int | None = None
    """Bytes, of the largest process."""
    peak_gpu_memory: int | None = None
    """Bytes that torch reserved at most on one GPU; None where none was used."""
    gpu_memory: int | None = None
    """Bytes that this GPU has."""
    output: str = ""
    """The end of what the trial printed."""
    log: str | None = None
    """Where the end of its output lies, for people. Never the trial's own word."""
    scored_by: ScoredBy | None = None
    """Of a trial with source edits: whether its weights were evaluated by the unedited source. Never the trial's own word."""
    family: int | None = None
    """Tests that the rule which may end its evaluation early was corrected over. Never the trial's own word."""
    own: Metrics = {}
    """The figures that such a trial gave itself, where those of the unedited evaluation differ."""

    @property
    def changed(self) -> bool:
        """Whether any edited tensor changed."""
        return any(proof.changed for proof in self.proofs)

    @property
    def fired(self) -> bool:
        """Whether any intervention was reached."""
        return any(proof.calls for proof in self.proofs)

    @property
    def idle_reason(self) -> str:
        """Why nothing was changed; of several interventions each with its place."""
        reasons = [(one.target, one.reason) for one in self.proofs if one.reason]
        return "; ".join(f"{target}: {reason}" if len(reasons) > 1 else reason for target, reason in reasons)
