"""What a reproducibility bundle says of itself, a line of its ledger extract, and what running a row again came to."""

from typing import Literal

from ...executor.outcomes import Metrics, ScoredBy, Seen
from .base import Interval, Mode, Record

FORMAT = 1
Verdict = Literal["to the bit", "within its interval", "the same status", "not reproduced"]


class Packed(Record):
    """One file of the bundle."""

    path: str
    """Below the bundle's folder, with forward slashes."""
    sha256: str
    size: int


class LeftOut(Record):
    """A file or folder of the project that is not in the bundle."""

    path: str
    """Below `project/`; a folder ends with a slash."""
    reason: str
    needed: bool = False
    """Whether trials cannot do without it: a source file, the configuration, a declared input."""
    size: int | None = None
    sha256: str | None = None


class Outside(Record):
    """What trials read outside the project: it must be there wherever a row is run again."""

    given: str
    """As the study file names it."""
    key: str
    """Of the study file, e.g. `sandbox.read`."""
    size: int | None = None
    files: int | None = None
    """Of a folder; None for a file."""
    sha256: str | None = None
    """Of a file."""


class SealedPlan(Record):
    """One round's plan."""

    round: int
    file: str
    hash: str
    planner: str


class Manifest(Record):
    """The whole bundle."""

    format: int = FORMAT
    lesion: str
    """Version of the program that packed it."""
    study: str
    version: str
    """Hash of the sources, the configuration and the inputs that the trials share, where the study ran."""
    state: str
    """`complete`, or what was still missing."""
    root: str
    """The project's root, below `project/`."""
    study_file: str
    """Likewise."""
    interpreter: str
    """Where the study's Python was."""
    split: str
    """Which split the reported figures are of."""
    splits: list[str]
    seeds: dict[str, list[int]]
    """Mode → seeds (of trained models, in `reevaluate`) at which the baseline was measured."""
    caps: dict[str, dict[str, int]]
    """Mode → ablation → how many of the first seeds its reported figures rest on."""
    deltas: dict[str, dict[str, dict[str, float]]] = {}
    """Trained model → split → metric → δ of the rule that ends evaluations early."""
    plans: list[SealedPlan]
    edits: dict[str, str]
    """Ablation → its patch."""
    files: list[Packed]
    """Everything but this manifest."""
    left_out: list[LeftOut]
    outside: list[Outside]
    notes: list[str] = []


class Told(Record):
    """One trial of the ledger."""

    arm: str
    mode: Mode
    seed: int
    key: str
    status: str
    reason: str | None = None
    metrics: Metrics = {}
    """At full precision."""
    cut: Metrics = {}
    """Of `recover`: right after the cut."""
    own: Metrics = {}
    """What a trial with source edits gave itself, where the unedited evaluation gave other figures."""
    scored_by: ScoredBy | None = None
    fingerprint: str | None = None
    """Of the trained weights, or of all that the model put out."""
    examples: dict[str, dict[str, str]] = {}
    """Split → column → sha256 of its float64 values, little-endian."""
    parts: list[str] = []
    """Single removals that a joint one measured along with itself."""
    seen: dict[str, Seen] = {}
    family: int | None = None
    seconds: float | None = None
    peak_memory: int | None = None


class Compared(Record):
    """One trial held against its original."""

    arm: str
    seed: int
    same: bool
    """To the bit; of a trial without values, that it ended as it did."""
    status: tuple[str, str]
    """Before and now."""
    differs: list[str] = []
    """What is not the same, e.g. `score on test 0.91 → 0.912`."""
    weights: bool | None = None
    """Whether the trained weights, or all that the model put out, are the same to the bit; None where nothing tells."""


class RowAgain(Record):
    """What running a row again came to."""

    ablation: str
    mode: Mode
    metric: str
    verdict: Verdict
    figure: Literal["delta", "contrast"]
    """`contrast` of a joint removal: observed minus additive loss."""
    reported: float | None
    interval: Interval | None
    level: float | None = None
    now: float | None
    seeds: list[int]
    of: list[int]
    """The seeds that the reported figure rests on."""
    trials: list[Compared]
    changed: list[str] = []
    """Files that are not what they were."""
    environment: list[str] = []
    """What else differs from where it was measured."""
    reason: str | None = None

    @property
    def reproduced(self) -> bool:
        """Whether it came out the same, in one of the three ways."""
        return self.verdict != "not reproduced"
