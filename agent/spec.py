"""What a study file says, as data: `StudySpec` and its sections, one model each."""

import sys
from pathlib import Path
from shutil import which
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ..executor.experiments.commandline import command_line
from ..executor.units import parse_duration, parse_size
from .records.base import Mode

RemovalKind = Literal["zero", "mean", "resample", "bypass", "constant"]
Duration = Annotated[float, BeforeValidator(parse_duration)]
Size = Annotated[int, BeforeValidator(parse_size)]
STUDY_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"


def _one_or_several(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _as_path(value: object) -> object:
    return Path(value) if isinstance(value, str) else value


def expanded(name: str | Path) -> Path:
    """`name` with `~` expanded, where there is such a user."""
    try:
        return Path(name).expanduser()
    except RuntimeError:
        return Path(name)


def absolute(folder: Path, name: str | Path) -> Path:
    """`name`, relative to `folder`, without links and dots."""
    return (folder / expanded(name)).resolve()


class Section(BaseModel):
    """A frozen table of the study file: types are taken as written, and keys that it does not know are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class StudySection(Section):
    """`[study]`: what is asked, and how surely it must be answered."""

    name: str = Field(pattern=STUDY_NAME)
    """Names the state folder: letters, digits, dots, dashes and underscores."""
    question: str | None = None
    """In the researcher's words; the planner reads it and the report opens with it."""
    claims: Annotated[list[str], BeforeValidator(_one_or_several)] = []
    """What a paper says about these components, to be put to the test; each is named c1, c2, … in this order."""
    claims_file: str | None = None
    """The same as a text file, a claim a paragraph."""
    components: list[str] = ["*"]
    """Glob patterns over component ids: what may be ablated."""
    modes: list[Mode] = Field(default=["retrain"], min_length=1)
    """Which of the three questions are asked: reevaluate, retrain, recover."""
    seeds: int = Field(default=5, ge=1)
    """Seeds of the first look."""
    max_seeds: int = Field(default=20, ge=1)
    """Seeds of the last look."""
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    """Chance of any false claim, over the whole family."""
    finetune_steps: int | None = Field(default=None, ge=1)
    """Steps of fine-tuning in `recover` mode; each arm and the control get the same."""
    stop_early: bool | None = None
    """Whether evaluating a removal on fixed weights ends once its verdicts are settled; absent: unless a table needs all examples."""
    kinds: list[RemovalKind] = []
    """Further kinds of removal, beside each component's default one."""
    factorial: list[str] = []
    """Components, by id or glob pattern, two to five in all, of which every combination is removed."""


class ProjectSection(Section):
    """`[project]`: which files are the project."""

    root: str = "."
    """Relative to the study file; every other path of the study is relative to this one."""
    exclude: list[str] = []
    """Glob patterns of files that are never read and never sent to a model."""
    inputs: list[str] = []
    """Data files or folders whose change makes old results stale."""


class ExperimentSection(Section):
    """`[experiment]`: what one trial runs, either `python` or `command`."""

    python: str | None = None
    """A file with build_model, train and evaluate."""
    command: str | None = None
    """Any script; {python}, {config}, {seed} and {out} are filled in."""
    config: str | None = None
    """The configuration file: YAML, TOML, JSON, or a .py file of constants."""
    interpreter: str | None = None
    """The Python that runs the experiment; the current one by default."""
    cwd: str = "."
    """Where a command starts."""
    evaluate_command: str | None = None
    """Measures the weights at {checkpoint}: `reevaluate` and `recover` for a command."""
    finetune_command: str | None = None
    """Trains the weights at {checkpoint} on for {steps} steps and leaves them where `checkpoint` says."""
    checkpoint: str | None = None
    """Where the command leaves its weights, such as {out}/model.pt."""
    weights: str | None = None
    """Trained weights that are there already: then nothing is trained for `reevaluate` and `recover`."""
    seeding: Literal["auto", "outside", "everything", "own"] = "auto"
    """Of a command: own, by {seed} in it; outside, by setting torch's, numpy's and Python's seeds; everything: also
    those of generators that it makes itself; auto: own where {seed} is given, else outside."""
    metrics_file: str | None = None
    """A file of metrics that a command writes, such as {out}/metrics.json."""
    metrics_pattern: Annotated[list[str], BeforeValidator(_one_or_several)] = []
    """Regular expressions over a command's output; each named group is a metric."""
    metrics_reduce: str = Field(default="last", pattern=r"^(last|best|mean:[1-9][0-9]*)$")
    """Which of a run's matches or rows counts: last, best, or the mean of the last K."""
    threads: int = Field(default=1, ge=1)
    """Torch threads of every trial; part of its key, as weights depend on it."""
    set: dict[str, Any] = {}
    """Settings of every arm, the baseline included, by dotted key."""
    env: dict[str, str] = {}
    """Environment variables of every trial."""


class StatedHeads(Section):
    """`[anatomy.heads."blocks.*.mixer"]`: attention whose heads the reading does not find."""

    projection: str
    """Below the module: the layer whose input holds the heads side by side."""
    heads: int = Field(ge=2)
    key_value_heads: int | None = Field(default=None, ge=1)
    """Fewer than `heads` where queries are grouped."""


class AnatomySection(Section):
    """`[anatomy]`: what the reading of the live model is told."""

    units: dict[str, Annotated[int, Field(ge=1)]] = {}
    """Glob over module paths → units of one group; a quarter of the layer where none fits."""
    heads: dict[str, StatedHeads] = {}
    """Glob over module paths → where their heads are."""


class SandboxSection(Section):
    """`[sandbox]`: what trials may reach, beside the project and the interpreter."""

    read: list[Annotated[Path, BeforeValidator(_as_path)]] = []
    """Files and folders that trials may read; absolute once loaded."""
    network: bool = False
    """Whether trials may reach the network."""


class Metric(Section):
    """`[metrics.<name>]`: one number that `evaluate` returns, or a command prints."""

    goal: Literal["maximize", "minimize"]
    """Which way is better."""
    primary: bool = False
    """Verdicts are about this one; a metric alone is primary without saying so."""
    floor: float | None = None
    """The value that chance gives."""
    smallest_effect: float | None = Field(default=None, gt=0)
    """δ, on the metric's own scale; proposed from the baseline's noise where absent."""


class LimitsSection(Section):
    """`[limits]`: what trials may use."""

    workers: int = Field(default=1, ge=1)
    """Trials at once; one GPU each, where there are any."""
    trial_time: Duration = 600.0
    """Seconds one trial may take, written as "10m"."""
    trial_memory: Size = 4 * 1024**3
    """Bytes one trial may hold, written as "4GiB"."""
    trial_disk: Size = 1024**3
    """Bytes one trial may write, written as "1GiB"."""
    replay_memory: Size = 1024**3
    """Bytes of one batch's results that are held to be replayed, written as "1GiB"; what does not fit is computed again."""
    search_runs: int | None = Field(default=None, ge=20)
    """Runs that an interaction search may take in one mode; by default no more than all pairs would."""
    price_hour: float | None = Field(default=None, ge=0)
    """Dollars for an hour of this machine, for what is foretold before trials run."""


class PlannerSection(Section):
    """`[planner]`: who plans, and what that may cost."""

    kind: Literal["auto", "llm", "rules"] = "auto"
    """auto: the language model where one is configured, else the built-in rules."""
    model: str | None = None
    """Name of the language model; LESION_MODEL where absent."""
    base_url: str | None = None
    """Its server; OPENAI_BASE_URL where absent."""
    max_tokens_total: int = Field(default=2_000_000, ge=1)
    """Hard cap on the tokens of the whole study, both ways."""
    max_cost: float | None = Field(default=None, gt=0)
    """Hard cap in dollars; needs both prices."""
    price_input: float | None = Field(default=None, ge=0)
    """Dollars per million tokens sent."""
    price_output: float | None = Field(default=None, ge=0)
    """Dollars per million tokens received."""
    context_tokens: int = Field(default=64_000, ge=1000)
    """Tokens that one exchange may hold, question and answer together."""
    answer_tokens: int = Field(default=8_000, ge=200)
    """Of these, tokens of one answer at most, reasoning included."""
    temperature: float | None = Field(default=None, ge=0, le=2)
    """Sent only where given: reasoning models refuse it."""
    seed: int | None = None
    """Sent only where given."""
    timeout: Duration = 300.0
    """Seconds without a word from the server after which it is asked again, written as "5m"."""


class RetuningSection(Section):
    """`[retuning]`: one tuning budget for the baseline and for each arm; without values nothing is tuned."""

    seeds: int = Field(default=2, ge=1)
    """Seeds at which each setting is tried; no more than study.seeds."""
    components: list[str] = ["*"]
    """Glob patterns over component ids: which ablations of round 1 are retuned."""
    values: dict[str, list[Any]] = {}
    """Dotted key of the configuration → what is tried beside the baseline's own value; their product is the grid."""


class StudySpec(Section):
    """A whole study file; its properties give absolute paths."""

    path: Path
    """The study file, absolute."""
    study: StudySection
    project: ProjectSection = ProjectSection()
    experiment: ExperimentSection
    sandbox: SandboxSection = SandboxSection()
    anatomy: AnatomySection = AnatomySection()
    metrics: dict[str, Metric] = Field(min_length=1)
    """By name; one of several data sets is named `dataset/metric`."""
    limits: LimitsSection = LimitsSection()
    planner: PlannerSection = PlannerSection()
    retuning: RetuningSection = RetuningSection()

    @property
    def primary(self) -> str:
        """The name of the metric that verdicts are about."""
        return next((name for name, metric in self.metrics.items() if metric.primary), next(iter(self.metrics)))

    @property
    def root(self) -> Path:
        """The project's folder."""
        return absolute(self.path.parent, self.project.root)

    @property
    def python_file(self) -> Path | None:
        """The file with the experiment's functions, if it has them."""
        return self.below_root(self.experiment.python) if self.experiment.python else None

    @property
    def entry_file(self) -> Path | None:
        """Where the experiment's source begins: its file of functions, or the script that its command starts."""
        if self.experiment.command is None:
            return self.python_file
        found = command_line(self.experiment.command).entry(self.cwd)
        return found if found and found.is_relative_to(self.root) else None

    @property
    def config_file(self) -> Path | None:
        """The experiment's configuration file, if there is one."""
        return self.below_root(self.experiment.config) if self.experiment.config else None

    @property
    def inputs(self) -> list[Path]:
        """The declared data files."""
        return [self.below_root(name) for name in self.project.inputs]

    @property
    def cwd(self) -> Path:
        """Where a command starts."""
        return self.below_root(self.experiment.cwd)

    @property
    def interpreter(self) -> Path:
        """The Python that runs the experiment; a virtual environment's link is kept, as it leads to its packages."""
        name = self.experiment.interpreter or sys.executable
        return Path(which(name) or self.root / expanded(name))

    def below_root(self, name: str | Path) -> Path:
        """`name` made absolute: relative to the root, `~` expanded."""
        return absolute(self.root, name)
