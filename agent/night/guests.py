"""The studies of a night: each with what it takes to run it, and how it fares."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from ...executor.errors import ReportError
from ...executor.worker import Station
from ..ledger import Ledger
from ..planners import Asked, choose, rules_planner
from ..setting import Setting
from .snapshot import State

if TYPE_CHECKING:
    from ..llm.settings import ModelSettings
    from ..planning.planner import Planner
    from ..results import Results
    from .board import Watching
    from .ready import Ready


@dataclass
class Guest:
    """One study of the night."""

    setting: Setting
    state: Path
    ledger: Ledger
    """Open for writing: nobody else drives this study tonight."""
    station: Station
    asked: Asked
    """What the command line says about who plans."""
    model: "ModelSettings | None"
    """The language model that plans; None where the rules do."""
    allowance: "Callable[[], Decimal | None] | None" = None
    """Dollars that models may still take tonight."""
    fate: State = "waiting"
    reason: str = ""
    """Why it is over: `complete`, what stopped it, or the error that ended it."""
    code: int = 4
    """The exit code that this study alone would give."""
    problems: list[str] = field(default_factory=list[str])
    """What went wrong and was gone on from."""

    @property
    def name(self) -> str:
        """The study's."""
        return self.setting.spec.study.name

    @property
    def over(self) -> bool:
        """Whether it gets no further turn tonight."""
        return self.fate in ("complete", "stopped", "failed")

    def planner(self, watch: "Watching", time_left: Callable[[], float]) -> "Planner":
        """Who plans, made anew for every turn."""
        if self.model is None:
            return rules_planner(self.setting, self.asked.interactions)
        return choose(self.setting, self.model, self.asked, self.state, watch, time_left, self.allowance)

    def ready(self, watch: "Watching", *, asks: bool = True) -> "Ready":
        """For the preflight; where it is not to ask the model, the rules stand in its place."""
        from ..study import Study
        from .ready import Ready

        model = self.model if asks else None
        planner = choose(self.setting, model, self.asked, self.state, watch)
        study = Study(self.setting, self.state, self.ledger, self.station, watch, planner)
        return Ready(self.setting, self.state, self.ledger, self.station, study, model)

    def results(self) -> "Results | None":
        """What is known so far; None before a baseline run has finished."""
        from ..collect import collect

        try:
            return collect(self.setting.spec, self.ledger)
        except ReportError:
            return None

    def without_model(self) -> None:
        """The rules plan from here on."""
        self.model = None

    def end(self, fate: State, reason: str, code: int) -> None:
        """No further turn."""
        self.fate, self.reason, self.code = fate, reason, code
