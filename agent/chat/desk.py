"""The study that a conversation is about: read, never written. Everything is found out when it is first needed."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ...executor.errors import ReportError
from .once import Once

if TYPE_CHECKING:
    from ...executor.outcomes import Outcome
    from ..components import Component
    from ..ledger import Ledger
    from ..places import Places
    from ..planning.plan import Ablation, Plan
    from ..planning.planner import Learnt
    from ..reading.digest.library import Library
    from ..results import Results
    from ..setting import Setting
    from ..spec import StudySpec

SURVEY = "survey.json"
"""What the last survey saw, so that the next conversation need not look again."""


@dataclass
class Desk:
    """One study and its results so far, for several threads: what takes long is done once.

    Whatever is wrong with the project is a `LesionError` where it is first looked at.
    """

    spec: "StudySpec"
    state: Path
    folder: Path
    """Of the conversation."""
    unsafe: bool = False
    _once: Once = field(default_factory=Once)
    _seen: object = None
    """The project's files as they were when something was last found out."""

    def refresh(self) -> bool:
        """Forget what was found out where the project's files have changed since. Whether trials would come out otherwise now.

        Raises `LesionError` where the study file is broken.
        """
        from ..keys import source_files
        from ..studyfile import load_study

        spec = self.spec
        watched = [spec.path, *source_files(spec), *([spec.config_file] if spec.config_file else [])]
        stamps = [_stamp(path) for path in watched]
        if self._seen in (None, stamps):
            self._seen = stamps
            return False
        known: Setting | None = self._once.peek("setting")
        fresh = load_study(spec.path)  # where it is broken, it is told every time until it is mended
        self._once.forget()
        self.spec, self._seen = fresh, stamps
        return known is not None and known.version != self.setting.version

    @property
    def setting(self) -> "Setting":
        """The study with all that its file points to."""
        from ..setting import prepare

        return self._once.get("setting", lambda: prepare(self.spec))

    @property
    def components(self) -> "dict[str, Component]":
        """What could be removed, from the configuration and the live model, which is run for one step in the sandbox."""
        from ..survey import components_of

        found = self._once.get("components", lambda: components_of(self.setting, self._outcome))
        return {one.id: one for one in found}

    @property
    def known(self) -> "dict[str, Component]":
        """Likewise, with those that plans have brought in."""
        plans = [*self.plans, *self.waiting.values()]
        return self.components | {one.id: one for plan in plans for one in plan.components}

    @property
    def labels(self) -> dict[str, str]:
        """Of the components by their ids, as far as they are known without waiting."""
        return {one.id: one.label for one in self._once.peek("components") or ()}

    @property
    def loads(self) -> bool:
        """Whether the experiment loads weights of its own."""
        return "load_weights" in self._outcome.offers

    @property
    def places(self) -> "Places":
        """Where an intervention may act."""
        from ..places import Places
        from ..survey import anatomy_of

        return self._once.get("places", lambda: Places.of(self.setting, anatomy_of(self.setting, self._outcome)))

    @property
    def library(self) -> "Library":
        """The project as it may be shown to a model: without secrets."""
        from ..llm.tokens import estimate_tokens
        from ..reading.digest.library import Library

        return self._once.get("library", lambda: Library(self.spec, estimate_tokens, state=self.state))

    @contextmanager
    def ledger(self) -> "Generator[Ledger | None]":
        """The ledger, to be read; None where nothing was ever run."""
        from ..ledger import Ledger

        if not (self.state / "ledger.db").exists():
            yield None
            return
        ledger = Ledger(self.state, write=False)
        try:
            yield ledger
        finally:
            ledger.close()

    @property
    def plans(self) -> "list[Plan]":
        """Those that were sealed for the source as it is now."""
        from ..planning.plan import Plan

        with self.ledger() as ledger:
            sealed = ledger.plans(self.setting.version) if ledger else []
        return [Plan.model_validate_json(document) for _, _, document in sealed]

    @property
    def results(self) -> "Results | None":
        """Everything measured so far; None where there is no baseline yet, or the source has changed since the last run."""
        with self.ledger() as ledger:
            if ledger is None or ledger.recall("version") != self.setting.version:
                return None
            files = (ledger.path, ledger.path.with_name(f"{ledger.path.name}-wal"))
            stamp = str([_stamp(path) for path in files])
            return self._once.get(f"results {stamp}", lambda: self._collected(ledger))

    @property
    def is_stale(self) -> bool:
        """Whether what was measured last belongs to another version of the source."""
        with self.ledger() as ledger:
            measured = ledger.recall("version") if ledger else None
        return measured is not None and measured != self.setting.version

    @property
    def learnt(self) -> "Learnt":
        """What a planner may look at."""
        from ..planning.planner import Learnt

        results, primary = self.results, self.spec.primary
        measured = results.baseline if results else {}
        return Learnt(
            components=list(self.known.values()),
            plans=self.plans,
            effects=[one for one in results.effects if one.metric == primary] if results else [],
            interactions=[one for one in results.interactions if one.metric == primary] if results else [],
            noise={mode: measured[mode][primary] for mode in self.setting.modes if primary in measured.get(mode, {})},
        )

    @property
    def waiting(self) -> "dict[str, Plan]":
        """What was approved and has not begun, by the name of its request."""
        from ..queue import Queue

        with self.ledger() as ledger:
            taken = ledger.requests() if ledger else set[str]()
        return {one.name: one.plan for one in Queue(self.state).waiting(taken) if one.plan is not None}

    @property
    def planned(self) -> "dict[str, Ablation]":
        """Every ablation that was sealed or waits, by its name."""
        plans = [*self.plans, *self.waiting.values()]
        return {one.id: one for plan in plans for one in plan.ablations}

    @property
    def driver(self) -> str | None:
        """The process that runs the study now."""
        from ..ledgerfile import holder

        return holder(self.state / "lock")

    def warm(self) -> None:
        """Find out ahead what most questions need."""
        _ = self.components, self.results

    def _collected(self, ledger: "Ledger") -> "Results | None":
        from ..collect import collect

        try:
            return collect(self.spec, ledger)
        except ReportError:
            return None

    @property
    def _outcome(self) -> "Outcome":
        return self._once.get("survey", self._surveyed)

    def _surveyed(self) -> "Outcome":
        """The survey, from the last conversation where the project is the same."""
        from ...executor.outcomes import Outcome
        from ...executor.pool import Pool
        from ..survey import survey, survey_key

        path, key = self.folder / SURVEY, survey_key(self.setting)
        kept = path.read_text(encoding="utf-8") if path.is_file() else ""
        named, _, document = kept.partition("\n")
        if named == key:
            return Outcome.model_validate_json(document)
        with Pool(self.setting.station(self.state, unsafe=self.unsafe), 1) as pool:
            outcome = survey(self.setting, pool, None)
        path.write_text(f"{key}\n{outcome.model_dump_json()}", encoding="utf-8")
        return outcome


def _stamp(path: Path) -> tuple[str, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return str(path), found.st_mtime_ns, found.st_size
