"""What a study has found, as data: the contract of `lesion report --format json`, and all that a report is written from."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Mode = Literal["reevaluate", "retrain", "recover"]
Role = Literal["confirmatory", "sensitivity", "control", "exploratory"]
Direction = Literal["worse", "better", "none"]
EffectVerdict = Literal["structural", "no-op", "untestable", "matters", "hurts", "negligible", "detected", "undecided"]
InteractionVerdict = Literal[
    "compensation", "redundancy", "synergy", "additive", "saturation-limited", "irreducible", "untestable", "undecided"
]
Interval = tuple[float, float]


class Record(BaseModel):
    """A frozen record of the results."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Prediction(Record):
    """What the planner expected of an ablation before it ran."""

    direction: Direction
    """worse: removal costs; better: removal helps; none: within ±δ."""
    size: float
    """Expected loss in units of the smallest effect δ; negative where removal should help."""


class BaselineMetric(Record):
    """The noise floor of one metric in one mode."""

    mean: float
    sd: float
    """Run-to-run standard deviation of one run."""
    n: int
    minimum_detectable_effect: float | None
    """80% power at the first look, α split over the confirmatory family; metric's own scale. None: fewer than 2 runs."""
    goal: Literal["maximize", "minimize"]
    floor: float | None = None
    smallest_effect: float
    smallest_effect_proposed: bool = False
    """True where the study declared no δ and 2σ of the baseline was taken."""
    seeds_for_negligible: int | None = None
    """Seeds at which a true null would be shown negligible with 80% power; None: beyond what was searched."""
    max_seeds: int


class Effect(Record):
    """One ablation's effect on one metric; `delta` = ablated − baseline on the metric's own scale."""

    ablation: str
    components: list[str]
    labels: list[str]
    component_kind: str
    intervention_kind: str
    intervention: str
    """Readable, e.g. `dropout: 0.1 → 0`."""
    where: str | None = None
    mode: Mode
    role: Role
    round: int
    hypothesis: str | None = None
    metric: str
    baseline: float | None
    ablated: float | None
    delta: float | None
    interval: Interval | None
    level: float | None
    p: float | None
    p_adjusted: float | None
    p_equivalence: float | None
    p_paired: float | None = None
    """Sensitivity: the paired t test of this arm alone, unadjusted."""
    n: int
    failed: int = 0
    """Seeds of this arm that did not finish: a rate beside the effect, never averaged in."""
    verdict: EffectVerdict
    nonzero: bool = False
    masked: bool = False
    reason: str | None = None
    """Why it is structural, no-op, untestable or undecided."""
    seeds_to_settle: int | None = None
    same_as: str | None = None
    """Another ablation whose runs were equal to these, bit for bit."""
    prediction: Prediction | None = None


class Interaction(Record):
    """A joint removal; `observed`, `additive`, `contrast` are losses: larger is worse, contrast = observed − additive."""

    ablation: str
    components: list[str]
    labels: list[str]
    mode: Mode
    metric: str
    observed: float | None
    observed_interval: Interval | None = None
    additive: float | None
    contrast: float | None
    interval: Interval | None
    level: float | None
    p: float | None
    p_adjusted: float | None
    p_equivalence: float | None
    n: int
    failed: int = 0
    verdict: InteractionVerdict
    reason: str | None = None
    hypothesis: str | None = None
    seeds_to_settle: int | None = None


class StudyInfo(Record):
    """Which study, and how far it is."""

    name: str
    question: str | None = None
    version: str
    planner: str
    complete: bool
    state: str
    """One line on what is still missing, or `complete`."""
    modes: list[Mode]
    primary: str
    split: str
    """Which split the figures below were computed on."""
    split_note: str
    alpha: float
    looks: list[tuple[int, float]]
    """(seeds, α spent) of the planned looks."""
    family_size: int
    method: str
    """`pooled` (guarded block model) or `paired` (Bartlett's test rejected equal variances)."""
    bartlett_p: float | None = None
    pairing_correlation: float | None = None
    plan_hashes: list[str]
    generated: str
    """ISO date and time."""


class PredictionScore(Record):
    """How the sealed predictions of one planner fared; errors are in units of δ."""

    planner: str
    n: int
    direction_hits: int
    mean_absolute_error: float | None
    median_absolute_error_of_median: float | None
    """Mean absolute error of predicting, for every ablation, the median of all observed losses."""


class Planned(Record):
    """One proposal of a plan and what became of it."""

    ablation: str
    round: int
    fate: str
    """ran, structural, no-op, dropped, …"""
    reason: str | None = None


class Accounting(Record):
    """planned = ok + failed + skipped; trials still to run are among the skipped and counted again as `pending`."""

    planned: int
    ok: int
    failed: dict[str, int]
    skipped: int
    pending: int = 0
    checks: int


class Results(Record):
    """Everything a report says."""

    study: StudyInfo
    baseline: dict[str, dict[str, BaselineMetric]]
    effects: list[Effect]
    interactions: list[Interaction]
    coverage: dict[str, Any]
    predictions: list[PredictionScore]
    planned: list[Planned]
    accounting: Accounting
    compute: dict[str, Any]
    """seconds_total, seconds_per_trial, peak_memory_bytes, seconds_failed, checks_seconds, workers, threads."""
    environment: dict[str, Any]
    """python, torch, numpy, platform, cpu, cores, memory_bytes, gpus, sandbox, lesion and so on."""
    notes: list[str] = []
