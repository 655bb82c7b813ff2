"""The studies of a night: each with what it takes to run it, and how it fares."""

import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ...executor.errors import LedgerError, ReportError
from ...executor.worker import Station
from ..ledger import Ledger
from ..planners import TRANSCRIPT, Asked, choose, model_of, rules_planner
from ..setting import Setting
from ..studyfile import state_folder
from .money import Purse
from .ready import Ready, names_of, read_all
from .records import Evening, Trouble, last_evening, note, troubles
from .reserve import release
from .snapshot import State
from .verdicts import verdicts
from .wishes import Wishes

if TYPE_CHECKING:
    from ..llm.allotted import Allotted
    from ..llm.settings import ModelSettings
    from ..planning.planner import Planner
    from ..results import Results
    from .board import Watching


@dataclass
class Guest:
    """One study of the night."""

    name: str
    """`ready.names_of`."""
    setting: Setting
    state: Path
    ledger: Ledger
    """Open for writing: nobody else drives this study tonight."""
    station: Station
    asked: Asked
    """What the command line says about who plans."""
    model: "ModelSettings | None"
    """The language model that plans; None where the rules do."""
    evening: Evening
    """What was known of it before the night."""
    purse: Purse
    """What models may cost tonight, over all studies."""
    was_complete: bool = False
    """Whether nothing was left of it before the night."""
    fate: State = "waiting"
    reason: str = ""
    """Why it is over: `complete`, what stopped it, or the error that ended it."""
    code: int = 4
    """The exit code that this study alone would give."""
    problems: list[str] = field(default_factory=list[str])
    """What went wrong and was gone on from."""

    turns: int = 0
    """That it has had tonight."""
    waited: int = 0
    """Turns of others since its last one."""

    @property
    def over(self) -> bool:
        """Whether it gets no further turn tonight."""
        return self.fate in ("complete", "stopped", "failed")

    def planner(
        self,
        watch: "Watching",
        time_left: Callable[[], float],
        allotted: "Allotted",
        on_trouble: Callable[[str], None],
    ) -> "Planner":
        """Who plans, made anew for every turn; the arguments are those of `choose`."""
        if self.model is None:
            return rules_planner(self.setting, self.asked.interactions)
        return choose(
            self.setting,
            self.model,
            self.asked,
            self.state,
            watch,
            time_left,
            self.purse.left,
            allotted=allotted,
            on_trouble=on_trouble,
        )

    def ready(self, watch: "Watching", *, asks: bool = True) -> "Ready":
        """For the preflight; where it is not to ask the model, the rules stand in its place."""
        from ..study import Study

        model = self.model if asks else None
        planner = choose(self.setting, model, self.asked, self.state, watch)
        study = Study(self.setting, self.state, self.ledger, self.station, watch, planner)
        return Ready(self.setting, self.state, self.ledger, self.station, study, self.name, model)

    def results(self) -> "Results | None":
        """What is known so far; None before a baseline run has finished."""
        return _results(self.setting, self.ledger)

    def without_model(self) -> None:
        """The rules plan from here on."""
        self.model = None

    def end(self, fate: State, reason: str, code: int) -> None:
        """No further turn."""
        self.fate, self.reason, self.code = fate, reason, code

    def trouble(self, text: str) -> None:
        """Something went wrong and is gone on from: the morning tells it, also after a crash."""
        self.problems.append(text)
        with suppress(LedgerError):
            note(self.state, Trouble(at=time.time(), text=text))

    def keep_state(self, state: str = "") -> None:
        """Remember it, by default why it was stopped; on a full disk in the room that is reserved for it, or not at all."""
        state = state or f"stopped: {self.reason.splitlines()[0]}"
        try:
            self.ledger.remember("state", state)
        except LedgerError:
            release(self.state)
            with suppress(LedgerError):
                self.ledger.remember("state", state)


@contextmanager
def guests_of(wishes: Wishes) -> Generator[list[Guest]]:
    """The studies of a night, read and locked.

    Raises:
        StudyFileError: all problems of all files.
        LedgerError: a state folder that cannot be used.
    """
    settings = read_all(wishes.studies, wishes.state)
    folders = [state_folder(one.spec, wishes.state) for one in settings]
    with ExitStack() as stack:
        ledgers = [stack.enter_context(closing(Ledger(folder, write=True))) for folder in folders]
        evenings = [_evening(*each, new=wishes.new) for each in zip(settings, folders, ledgers, strict=True)]
        purse = Purse(wishes.max_cost, min(one.at for one in evenings))
        guests = [
            Guest(
                name=name,
                setting=setting,
                state=folder,
                ledger=ledger,
                station=setting.station(folder, unsafe=wishes.unsafe),
                asked=wishes.asked,
                model=model_of(setting, wishes.asked),
                evening=evening,
                purse=purse,
                was_complete=(ledger.recall("state"), ledger.recall("version")) == ("complete", setting.version),
                problems=[] if wishes.new else troubles(folder),
            )
            for name, setting, folder, ledger, evening in zip(
                names_of(settings), settings, folders, ledgers, evenings, strict=True
            )
        ]
        for one in guests:
            if one.model is not None:
                purse.open(one.state / TRANSCRIPT, one.model)
        yield guests


def _evening(setting: Setting, folder: Path, ledger: Ledger, *, new: bool) -> Evening:
    """Of a new night what is known now, from then on; of one that goes on what was known when it was new."""
    kept = None if new else last_evening(folder)
    if kept is not None:
        return kept
    results, at = _results(setting, ledger), time.time()
    if results is None:
        evening = Evening(at=at)
    else:
        known = verdicts(results)
        evening = Evening(at=at, before=known, before_version=results.study.version, before_split=results.study.split)
    note(folder, evening)
    return evening


def _results(setting: Setting, ledger: Ledger) -> "Results | None":
    from ..collect import collect

    try:
        return collect(setting.spec, ledger)
    except ReportError:
        return None
