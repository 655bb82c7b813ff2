"""An experiment that is a command: any script, unmodified, as jobs for a worker."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ..errors import EditError
from ..interventions import live_interventions, source_edits
from ..jobs import Job
from ..overlay import Overlay, edited
from .commandline import CommandLine
from .experiment import Action, Arm
from .knobs import Knob, Turned
from .turning import changed_settings, turned


@dataclass(frozen=True)
class Reading:
    """Where the metrics of a run are read."""

    file: str | None
    """Path with `{out}`; JSON, JSONL or CSV."""
    patterns: tuple[str, ...]
    """Regular expressions with named groups, over the lines that it prints."""
    reduce: str
    """`last`, `best` or `mean:K`."""
    goals: Mapping[str, str]
    """Metric → `maximize` or `minimize`; what else is found is kept too."""


@dataclass(frozen=True)
class CommandExperiment:
    """A script and how it is run, set and read."""

    root: Path
    file: Path
    cwd: Path
    train: CommandLine | None
    """None where trained weights are there already."""
    reading: Reading
    evaluate: CommandLine | None = None
    """Measures the weights at `{checkpoint}`."""
    finetune: CommandLine | None = None
    """Trains them on for `{steps}` steps."""
    checkpoint: str | None = None
    """Where a training leaves its weights; it may hold `{out}`."""
    weights: Path | None = None
    """Trained weights that are there already."""
    seeding: str = "auto"
    threads: int = 1
    defaults: Mapping[str, Any] = field(default_factory=lambda: dict[str, Any]())
    """What the project itself sets, nested as the configuration is."""
    knobs: Mapping[str, Knob] = field(default_factory=lambda: dict[str, Knob]())
    """Dotted key → how it is set."""
    config: Path | None = None
    """The configuration file that the study names."""
    closed: tuple[Path, ...] = ()
    """Where no source edit may reach."""

    def job(self, action: Action, arms: Sequence[Arm], seed: int = 0, **more: Any) -> Job:
        """One job. The arms of one job run one after the other, each as processes of its own."""
        entries: list[dict[str, Any]] = []
        try:
            for arm in arms:
                entries.append(self._entry(arm))
            overlays = [self.overlay(arm) for arm in arms]
        except EditError as error:
            return replace(Job({"arms": [{} for _ in arms]}, tuple(arm.tag for arm in arms)), refusal=str(error))
        assert len(arms) == 1 or not any(overlays)
        message = {
            "action": action,
            "experiment": "command",
            "cwd": str(self.cwd),
            "project": str(self.root),
            "commands": {name: line.text for name, line in self._commands.items()},
            "words": {name: line.words for name, line in self._commands.items()},
            "arguments_from": {name: line.arguments_from for name, line in self._commands.items()},
            "config_name": self.config.name if self.config else None,
            "checkpoint": self.checkpoint,
            "weights": str(self.weights) if self.weights else None,
            "reading": asdict(self.reading),
            "seeding": self.seeding,
            "threads": self.threads,
            "arms": entries,
            "seed": seed,
            **{key: value for key, value in more.items() if key in ("steps", "modes")},
        }
        return Job(message, tuple(arm.tag for arm in arms), overlay=overlays[0] if overlays else {})

    def overlay(self, arm: Arm) -> Overlay:
        """Source files and configuration files that an arm's trials see with another text. `EditError` where edits do not apply."""
        base = self._turned(arm).texts
        texts = {**base, **edited(self.root, source_edits(arm.interventions), self.closed, base)}
        return {self.root / name: text for name, text in texts.items()}

    def imports(self) -> list[str]:
        """Nothing: the script is a process of its own."""
        return []

    @property
    def _commands(self) -> dict[str, CommandLine]:
        named = {"train": self.train, "evaluate": self.evaluate, "finetune": self.finetune}
        return {name: line for name, line in named.items() if line is not None}

    def _turned(self, arm: Arm) -> Turned:
        return turned(self.knobs, changed_settings(self.defaults, arm.config), self.root, self.config)

    def _entry(self, arm: Arm) -> dict[str, Any]:
        set_ = self._turned(arm)
        return {
            "drop": list(set_.drop),
            "alone": list(set_.alone),
            "append": list(set_.append),
            "environment": dict(set_.environment),
            "config_text": set_.config_text,
            "interventions": [one.model_dump() for one in live_interventions(arm.interventions)],
        }
