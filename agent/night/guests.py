"""The studies of a night: each with what it takes to run it, and how it fares."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ...executor.errors import ReportError
from ...executor.worker import Station
from ..ledger import Ledger
from ..setting import Setting

if TYPE_CHECKING:
    from ..llm.client import Watcher
    from ..llm.settings import ModelSettings
    from ..planning.planner import Planner
    from ..results import Results

State = Literal["waiting", "running", "complete", "stopped", "failed"]


@dataclass
class Guest:
    """One study of the night."""

    setting: Setting
    state: Path
    ledger: Ledger
    """Open for writing: nobody else drives this study tonight."""
    station: Station
    planner: "Callable[[Watcher, Callable[[], float]], Planner]"
    """Made anew for every turn, from who is told of its questions and the seconds that may still pass."""
    rules: "Callable[[], Planner]"
    """The built-in planner."""
    model: "ModelSettings | None" = None
    """The language model that plans; None where the rules do."""
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

    def results(self) -> "Results | None":
        """What is known so far; None before a baseline run has finished."""
        from ..collect import collect

        try:
            return collect(self.setting.spec, self.ledger)
        except ReportError:
            return None

    def without_model(self) -> None:
        """The rules plan from here on."""
        self.model, self.planner = None, lambda _watch, _left: self.rules()

    def end(self, fate: State, reason: str, code: int) -> None:
        """No further turn."""
        self.fate, self.reason, self.code = fate, reason, code
