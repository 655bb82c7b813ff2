"""What a study has found, as data: the contract of `lesion report --format json`, and all that a report is written from."""

import math
from typing import Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from .records.base import Direction, EffectVerdict, InteractionVerdict, Interval, Mode, Record, Role, Unit, coarsest
from .records.claims import ClaimTested
from .records.classes import ClassEffect, ConfusionShift
from .records.curves import LearningCurve
from .records.datasets import DatasetContrast
from .records.drafts import Drafted
from .records.factorial import Factorial
from .records.kinds import KindContrast
from .records.night import NightTold
from .records.planning import Planning, RoundPlanned
from .records.power import Power, Settling
from .records.retuning import Retuned, Retuning
from .records.search import InteractionSearch
from .records.stopping import EarlyStopping, Replay


class Prediction(Record):
    """What the planner expected of an ablation before it ran."""

    direction: Direction
    """worse: removal costs; better: removal helps; none: within ±δ."""
    size: float = Field(allow_inf_nan=False)
    """Expected loss in units of the smallest effect δ; negative where removal should help."""
    confidence: float | None = Field(default=None, ge=0, le=1)
    """Probability that the planner gives to its direction; None where it gives none."""

    @model_serializer(mode="wrap")
    def _sparse(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        data: dict[str, Any] = handler(self)
        return {key: value for key, value in data.items() if key != "confidence" or value is not None}


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

    @property
    def printed_to(self) -> float:
        """Likewise, of which no figure is printed beyond the second below δ."""
        return coarsest(self.of_the_mean, self.smallest_effect)


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
    """Wall time of one trial, mean; None where evaluations ended early or took results from the baseline's."""


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
    of: int | None = None
    """Examples of the whole set, where the rule that ends an evaluation early was applied: `n` are those that were seen."""
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
    by_seed: dict[int, float] = {}
    """Δ at each seed, ablated − baseline, where runs are the units and few (`findings.FEW`)."""
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
    scored_by: Literal["unedited", "edited"] | None = None
    """Of source edits: `unedited` where the trained weights were evaluated by the unedited source, which no edit can forge;
    `edited` where the edit is part of the model, so that the figures are the edited program's own."""


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
    of: int | None = None
    """Likewise."""
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
    """`pooled` (guarded block model; single arms far noisier than the rest by paired t) or `paired` (Bartlett's test)."""
    bartlett_p: float | None = None
    pairing_correlation: float | None = None
    checkpoints: int = 1
    """Trained models that were re-evaluated."""
    finetune_steps: int | None = None
    redeclared: list[str] = []
    """Metrics whose δ is another now than when round 1 was sealed."""
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
    direction_hits_of_most_frequent: int | None = None
    """Hits of the rival that always says the direction that came out most often."""
    n_confidence: int = 0
    """Of n, those that came with a confidence; the figures below are over these."""
    hits_with_confidence: int = 0
    mean_confidence: float | None = None
    brier: float | None = None
    """Mean of (confidence − hit)²: 0 is perfect, .25 is what saying one half every time earns."""
    brier_of_most_frequent: float | None = None
    """Likewise of the rival, who gives its direction the very frequency with which it came out."""


class Planned(Record):
    """One proposal of a plan and what became of it."""

    ablation: str
    round: int
    fate: str
    """ran, structural, no-op, dropped, …; left out: it stood in the rules' list only, and the language model did not take it up."""
    reason: str | None = None
    by: str = ""
    """Who proposed it."""
    role: Role | None = None
    """None where it was dropped before it had one."""
    hypothesis: str | None = None
    why: str | None = None
    """What would be learnt, in the planner's words."""
    change_of_mind: str | None = None
    """Which outcome would change the planner's mind."""
    problems: list[str] = []
    """What each failed check said before it was mended, or given up."""
    diff: str | None = None
    """Of source edits: lines taken out and put in."""
    members: list[str] = []
    """Of a joint removal whose every edit was proposed by itself: what it is made of, by the names of those proposals."""
    interventions: list[str] = []
    """What was to be set or cut, a phrase each; source edits are in `diff`."""


class Failure(Record):
    """Trials of one arm that ended in the same way."""

    arm: str
    """The ablation, or `baseline`."""
    mode: Mode
    status: str
    reason: str
    """First line of what the first of them said; may be empty."""
    trials: int


class Accounting(Record):
    """planned = ok + failed + skipped; trials still to run are among the skipped and counted again as `pending`."""

    planned: int
    ok: int
    failed: dict[str, int]
    failures: list[Failure] = []
    """The same by arm, most trials first."""
    retried: dict[str, int] = {}
    """What ended a first try → trials that were tried again for it, whatever came of that."""
    skipped: int
    skipped_why: dict[str, int] = {}
    """Reason → trials that were given up for it."""
    pending: int = 0
    checks: int
    run_seconds: dict[str, float] = {}
    """By mode: wall time of a trial that was measured, from its start to its end, the start of its process included; mean."""
    pending_seconds: float | None = None
    """What the pending trials would take at that pace, with as many at a time; None where a mode of theirs has none yet."""


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
    curves: list[LearningCurve] = []
    """Where runs measured on their way; the split is the script's own."""
    datasets: list[DatasetContrast] = []
    classes: list[ClassEffect] = []
    confusions: list[ConfusionShift] = []
    searches: list[InteractionSearch] = []
    """Interaction searches, one a mode."""
    claims: list[ClaimTested] = []
    rounds: list[RoundPlanned] = []
    planning: Planning | None = None
    """Where a language model was asked."""
    stopping: EarlyStopping | None = None
    """Of re-evaluation, where removals ran under the rule that ends an evaluation early."""
    replay: Replay | None = None
    """Of re-evaluation, where results of the baseline were used again."""
    drafts: list[Drafted] = []
    """Prose that was asked for, the latest last."""
    night: NightTold | None = None
    """The last night that was left to it; absent from the JSON where there was none."""

    @model_serializer(mode="wrap")
    def _sparse(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        data: dict[str, Any] = handler(self)
        return {key: value for key, value in data.items() if key != "night" or value is not None}
