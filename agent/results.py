"""What a study has found, as data: the contract of `lesion report --format json`, and all that a report is written from."""

import math
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Mode = Literal["reevaluate", "retrain", "recover"]
Role = Literal["confirmatory", "sensitivity", "control", "exploratory"]
Direction = Literal["worse", "better", "none"]
EffectVerdict = Literal["structural", "no-op", "untestable", "matters", "hurts", "negligible", "detected", "undecided"]
InteractionVerdict = Literal[
    "compensation", "redundancy", "synergy", "additive", "saturation-limited", "irreducible", "untestable", "undecided"
]
DatasetVerdict = Literal["differs", "alike", "detected", "undecided", "untestable"]
ClassVerdict = Literal["loses", "gains", "undecided", "untestable"]
Interval = tuple[float, float]
Unit = Literal["seed", "example", "cluster", "checkpoint"]


class Record(BaseModel):
    """A frozen record of the results."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Prediction(Record):
    """What the planner expected of an ablation before it ran."""

    direction: Direction
    """worse: removal costs; better: removal helps; none: within ±δ."""
    size: float = Field(allow_inf_nan=False)
    """Expected loss in units of the smallest effect δ; negative where removal should help."""


class BaselineMetric(Record):
    """The noise floor of one metric in one mode."""

    mean: float
    sd: float
    """Standard deviation of one unit: of one run, or of one example."""
    n: int
    unit: Unit = "seed"
    """What is counted: a whole run, a fine-tuning, an evaluation example or a cluster of them, a trained checkpoint."""
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

    @property
    def of_the_mean(self) -> float:
        """What a distance from the floor is held against: σ of a run, or the standard error of a mean over examples."""
        return self.sd / math.sqrt(self.n) if self.unit in ("example", "cluster") else self.sd


class Recovered(Record):
    """What fine-tuning gave back of what a cut took, over seeds; metrics on their own scale."""

    cut: float | None
    """Mean of the metric right after the cut."""
    cut_delta: float | None
    """Right after the cut − before it, mean over seeds."""
    fraction: float | None
    """1 − loss after fine-tuning (against the control) / loss right after the cut: 1 where training gave everything back."""
    interval: Interval | None
    """Of the fraction, by Fieller's theorem, unadjusted."""
    n: int
    reason: str | None = None
    """Why there is no fraction or no interval."""


class Cost(Record):
    """What one arm takes, as measured, and without what it removes."""

    parameters: int | None = None
    """Of the model, less those of the modules that were removed."""
    flops: int | None = None
    """Of one forward in evaluation, less those of the modules that were removed."""
    steps: int | None = None
    """Training forwards of one run."""
    seconds: float | None = None
    """Wall time of one trial, mean."""


class TriedSetting(Record):
    """One setting of the grid, as an arm did at the tuning seeds."""

    setting: dict[str, Any]
    """Dotted key of the configuration → value."""
    mean: float | None
    """Of the primary metric, on the split that planning sees; None where a seed gave no value."""
    failed: dict[str, int] = {}
    """Status → tuning seeds that did not finish."""
    chosen: bool = False


class Retuned(Record):
    """An ablation's effect on the primary metric with the baseline and the arm tuned alike, at seeds that chose nothing."""

    setting: dict[str, Any]
    """What the arm's tuning seeds chose."""
    baseline_setting: dict[str, Any]
    """What the baseline's chose."""
    kept: list[str] = []
    """Retuned keys that the removal itself sets: the arm keeps its own value there."""
    baseline: float | None
    ablated: float | None
    delta: float | None
    interval: Interval | None
    level: float | None
    p: float | None
    p_adjusted: float | None
    """Holm's, over the retuned arms."""
    p_equivalence: float | None
    n: int
    failed: int = 0
    """Seeds of the arm, tuning left out, that did not finish."""
    verdict: EffectVerdict
    nonzero: bool = False
    reason: str | None = None
    runs: int
    """Runs that chose the arm's setting, those that were measured anyway among them."""
    grid: list[TriedSetting]


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
    unit: Unit = "seed"
    """What n counts."""
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
    agreement: dict[str, int] | None = None
    """Verdict → trained checkpoints at which a re-evaluation came to it; the effect itself is the first one's."""
    recovered: Recovered | None = None
    """In `recover` mode."""
    cost: Cost | None = None
    retuned: Retuned | None = None
    """On the primary metric of `retrain`, where the study retunes its arms."""


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
    unit: Unit = "seed"
    """What n counts."""
    failed: int = 0
    verdict: InteractionVerdict
    reason: str | None = None
    hypothesis: str | None = None
    seeds_to_settle: int | None = None
    agreement: dict[str, int] | None = None
    """Verdict → trained checkpoints at which a re-evaluation came to it."""
    negligible_together: bool = False
    """The joint loss is shown negligible: all of these can go at once."""


class DatasetContrast(Record):
    """One ablation's loss on one data set against its loss on another, on one scale: component × data set."""

    ablation: str
    components: list[str]
    labels: list[str]
    mode: Mode
    metric: str
    """What both measure, without the data set: `accuracy`."""
    first: str
    """The full name on the one data set, `own/accuracy`."""
    second: str
    first_loss: float | None
    """Larger is worse."""
    second_loss: float | None
    first_verdict: EffectVerdict
    """Of the effect on this metric alone."""
    second_verdict: EffectVerdict
    difference: float | None
    """first_loss − second_loss: positive where the removal costs more on the first."""
    interval: Interval | None
    level: float | None
    p: float | None
    p_adjusted: float | None
    p_equivalence: float | None
    smallest_effect: float
    """The larger of both metrics' δ."""
    first_n: int
    second_n: int
    unit: Unit
    """What both n count."""
    verdict: DatasetVerdict
    """differs: beyond δ; alike: within ±δ, by a test of equivalence; detected: a difference of uncertain size."""
    reason: str | None = None
    """Why it is untestable, or what may hide a part of a loss."""
    agreement: dict[str, int] | None = None
    """Verdict → trained checkpoints at which a re-evaluation came to it."""


class ClassScores(Record):
    """One class in one arm: over seeds the means."""

    recall: float | None
    precision: float | None
    """None: nothing was predicted to be of this class."""
    f1: float | None


class ClassEffect(Record):
    """One ablation and one class; Δ = ablated − baseline. A screen: exploratory, whatever the ablation's role."""

    ablation: str
    components: list[str]
    labels: list[str]
    mode: Mode
    dataset: str | None
    """None where predictions are not named by a data set."""
    target: int
    """The class."""
    support: int
    """Examples of it in one evaluation."""
    baseline: ClassScores
    ablated: ClassScores
    recall_delta: float | None
    recall_interval: Interval | None
    precision_delta: float | None
    precision_interval: Interval | None
    f1_delta: float | None
    f1_interval: Interval | None
    level: float | None
    """Of each interval: 1 − α · (what the screen has picked) / (all its tests)."""
    p: float | None
    """Of a difference in recall."""
    p_adjusted: float | None
    """By Benjamini and Hochberg over ablations × classes of the mode."""
    n: int
    unit: Unit
    """What n counts: examples of this class, clusters of them, or seeds."""
    verdict: ClassVerdict


class MovedCell(Record):
    """Examples of class `target` that were taken for `prediction`."""

    target: int
    prediction: int
    baseline: int
    ablated: int


class ConfusionShift(Record):
    """Where the confusion matrix of an ablation departs most from the baseline's, off its diagonal."""

    ablation: str
    components: list[str]
    labels: list[str]
    mode: Mode
    dataset: str | None
    trials: int
    """Evaluations that the counts are summed over: one, or the shared seeds."""
    cells: list[MovedCell]
    """The most changed, the largest change first."""
    left: int = 0
    """Changed cells that are not listed."""


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
    family_sizes: dict[str, int] = {}
    """By mode."""
    method: str
    """`pooled` (guarded block model) or `paired` (Bartlett's test rejected equal variances)."""
    bartlett_p: float | None = None
    pairing_correlation: float | None = None
    checkpoints: int = 1
    """Trained models that were re-evaluated."""
    finetune_steps: int | None = None
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
    skipped_why: dict[str, int] = {}
    """Reason → trials that were given up for it."""
    pending: int = 0
    checks: int


class Advice(Record):
    """What a finding suggests to do, with what it rests on."""

    what: Literal["prune", "bottleneck", "harmful"]
    """prune: shown negligible alone and, together with the others here, at once; bottleneck: removing it costs most;
    harmful: the model does better without it."""
    mode: Mode
    components: list[str]
    labels: list[str]
    tested_together: bool = False
    """Whether the loss of removing all of them at once was shown negligible."""
    parameters: int | None = None
    """That would go with them."""
    flops: int | None = None
    """Of one forward, that would go with them."""
    share: float | None = None
    """Of all parameters."""
    delta: float | None = None


class FactorialCell(Record):
    """One combination; values on the metric's own scale."""

    removed: list[str]
    """Component ids; empty: the baseline."""
    mean: float | None
    sd: float | None
    n: int
    at_floor: bool = False
    """Within 3σ of the metric's floor, which caps what can be lost."""
    missing: str | None = None
    """Why it will never have a value."""


class FactorialRow(Record):
    """One line of the analysis of variance, with one degree of freedom."""

    components: list[str]
    contrast: float | None
    """A loss, larger is worse. One component: mean with it − mean without it, averaged over the settings of the others;
    two: L(AB) − L(A) − L(B), averaged likewise; and so on. The effect of textbooks is contrast / 2^(order − 1)."""
    interval: Interval | None
    level: float | None
    sum_of_squares: float | None
    eta_squared: float | None
    """Share of the total sum of squares."""
    partial_eta_squared: float | None
    f_pooled: float | None = None
    """Against the residual of cells × units, `residual_df` degrees of freedom."""
    p_pooled: float | None = None
    f_own: float | None = None
    """Against the effect's own variation over units: the F of a repeated-measures analysis."""
    p_own: float | None = None
    df_own: int | None = None
    p: float | None
    """Of the test that the verdict goes by: guarded pool, or own error; unadjusted."""
    p_adjusted: float | None
    p_equivalence: float | None
    verdict: EffectVerdict | InteractionVerdict
    agreement: dict[str, int] | None = None
    """Verdict → trained checkpoints at which a re-evaluation came to it."""


class ComponentInContext(Record):
    """What one component is worth, depending on what else is there; losses with simultaneous intervals."""

    component: str
    first: float | None
    """Removed with all others present: leave-one-out."""
    first_interval: Interval | None
    average: float | None
    """Over all settings of the others: the main effect."""
    average_interval: Interval | None
    last: float | None
    """Removed with all others gone already: what it is worth by itself."""
    last_interval: Interval | None


class Factorial(Record):
    """Every combination of some components, and its analysis of variance, on one metric in one mode."""

    components: list[str]
    labels: list[str]
    mode: Mode
    metric: str
    round: int
    unit: Unit
    n: int
    """Units that have a value in every cell."""
    incomplete: int = 0
    """Units left out, since they have none in some cell."""
    cells: list[FactorialCell]
    rows: list[FactorialRow] = []
    in_context: list[ComponentInContext] = []
    error: Literal["pooled", "own"] | None = None
    """Which error term the verdicts go by: Bartlett's gate over the cells decides; over examples each effect's own."""
    bartlett_p: float | None = None
    between_units: float | None = None
    """Sum of squares of the units, as of the two that follow."""
    residual: float | None = None
    residual_df: int | None = None
    total: float | None = None
    smallest_effect: float
    reason: str | None = None
    """Why there is no analysis of variance, or none yet."""


class LookAhead(Record):
    """What one planned look will be able to settle, as foretold from the baseline's noise."""

    n: int
    """Units of every arm."""
    minimum_detectable_effect: float | None
    """80% power at this look; metric's own scale."""
    negligible: float
    """Expected share of true nulls shown negligible by then."""
    matters: float
    """Chance that a true loss of `Power.effect` is shown to matter by then."""


class Scenario(Record):
    """What the examples can settle if baseline and arm answer them so differently."""

    changed: float | None = None
    """Share of answers (0 and 1) that differ."""
    sd: float | None = None
    """Standard deviation of one example's difference, in σ; √2 for answers that are independent."""
    negligible: float
    matters: float
    units_needed: int | None
    """Examples at which 80% of true nulls would be shown negligible."""


class Remedies(Record):
    """What alone would let 80% of true nulls be shown negligible; None where nothing of its kind would."""

    max_seeds: int | None = None
    single_look: bool = False
    """Whether `max_seeds` lies beyond the planned looks: then `seeds` must be as many, for one look."""
    smallest_effect: float | None = None
    targets: int | None = None
    """The largest family."""
    sd: float | None = None
    """The noise that a finer metric must not exceed."""
    units: int | None = None
    """Evaluation examples, in the mildest scenario."""


class Power(Record):
    """What could and could not be settled in one mode on the primary metric, as it was foretold before any ablation ran."""

    metric: str
    unit: Unit
    sd: float
    """σ of one unit."""
    smallest_effect: float
    """δ."""
    effect: float
    """The true loss, in the metric's unit, that `matters` is foretold for: 2δ."""
    family: int
    looks: list[LookAhead] = []
    """Over seeds or trained models."""
    scenarios: list[Scenario] = []
    """Over examples, where nothing is known before the arms are evaluated."""
    most_changed: float | None = None
    """Share of answers (0 and 1) that may change for true nulls still to be shown negligible (80%)."""
    largest_sd: float | None = None
    """Likewise the standard deviation of one example's difference, in σ."""
    first_look_trials: int
    """Trials of the first look that were still to run."""
    most_trials: int
    """Trials if every arm had to go to the last look; follow-ups come on top."""
    seconds_per_trial: float | None
    """From the baseline's runs."""
    workers: int = 1
    allowed_trials: int | None = None
    """Trials that the budget of that run still allowed; None: any number."""
    problems: list[Literal["noise", "budget"]] = []
    """noise: under half of the true nulls will be shown negligible; budget: the first look cannot be finished."""
    remedies: Remedies | None = None


class Settling(Record):
    """What was settled in one mode on the primary metric, and what settling the rest would take."""

    settled: int
    undecided: int
    """Verdicts `undecided` and `detected` of the sealed family."""
    unknown: int
    """Of these, such as no number of units that was searched would settle."""
    units: int | None
    """The most that any of the others needs."""
    trials: int | None
    """Further trials for all of the others, the baseline's included; None over examples, where it takes more examples."""
    seconds: float | None
    """What these would take at the pace of the trials so far."""


class KindContrast(Record):
    """Two kinds of removing one component, held against each other: L(kind) − L(other)."""

    components: list[str]
    labels: list[str]
    mode: Mode
    metric: str
    ablation: str
    other: str
    kind: str
    other_kind: str
    verdict: EffectVerdict
    other_verdict: EffectVerdict
    contrast: float | None
    """A loss: positive where the first kind costs more."""
    interval: Interval | None
    p_adjusted: float | None
    p_equivalence: float | None
    n: int
    unit: Unit = "seed"
    outcome: Literal["conflict", "agree", "not-told-apart"]
    """conflict: the verdicts contradict each other, or the two losses were shown to differ by more than δ."""
    why: Literal["verdicts", "sizes"] | None = None
    """What a conflict is of."""


class Retuning(Record):
    """The tuning that the baseline and each arm were given alike."""

    own: dict[str, Any]
    """Dotted key → the value that the study began with."""
    values: dict[str, list[Any]]
    """Dotted key → all that was tried, the own value among it."""
    seeds: int
    """Seeds 0 to this − 1 chose the settings."""
    measured: int
    """So many further seeds measured what was chosen."""
    split: str
    """Where the choice was made."""
    arms: list[str]
    """Ablations that were retuned: the family."""
    grid: list[TriedSetting]
    """The baseline's."""
    runs: int
    """Runs that chose the baseline's setting."""


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
    advice: list[Advice] = []
    notes: list[str] = []
    factorials: list[Factorial] = []
    power: dict[str, Power] = {}
    """By mode: what was foretold."""
    settling: dict[str, Settling] = {}
    """By mode: what came of it."""
    kinds: list[KindContrast] = []
    """Every pair of kinds in which a component was removed."""
    retuning: Retuning | None = None
    """Once the tuning has chosen."""
    datasets: list[DatasetContrast] = []
    classes: list[ClassEffect] = []
    confusions: list[ConfusionShift] = []
