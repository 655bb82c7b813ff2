"""The study that a conversation is about: read, never written. Everything is found out when it is first needed."""

from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ...executor.errors import ReportError
from .once import Once
from .session import FOLDER

if TYPE_CHECKING:
    from ...executor.outcomes import Outcome
    from ..collect import Split
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
    unsafe: bool = False
    _once: Once = field(default_factory=Once)
    _seen: object = None
    """The project's files as they were when something was last found out."""

    @property
    def folder(self) -> Path:
        """Of the conversation."""
        return self.state / FOLDER

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
        from ..planning.plan import sealed_plans

        def read() -> "list[Plan]":
            with self.ledger() as ledger:
                return sealed_plans(ledger.plans(self.setting.version)) if ledger else []

        return self._once.get("plans", read, self._written)

    @property
    def results(self) -> "Results | None":
        """Everything measured so far; None where there is no baseline yet, or the source has changed since the last run."""
        with self.ledger() as ledger:
            if ledger is None or ledger.recall("version") != self.setting.version:
                return None
            return self._once.get("results", lambda: self._collected(ledger), self._written)

    @property
    def is_stale(self) -> bool:
        """Whether what was measured last belongs to another version of the source."""
        with self.ledger() as ledger:
            measured = ledger.recall("version") if ledger else None
        return measured is not None and measured != self.setting.version

    @property
    def learnt(self) -> "Learnt":
        """What a planner may look at: the validation split, also of a study that is complete."""
        from ..planning.planner import Learnt

        results, primary = self._planning_results, self.spec.primary
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

        queue = Queue(self.state)

        def read() -> "dict[str, Plan]":
            with self.ledger() as ledger:
                taken = ledger.requests() if ledger else set[str]()
            return {one.name: one.plan for one in queue.waiting(taken) if one.plan is not None}

        return self._once.get(
            "waiting", read, (self._written, [_stamp(one) for one in sorted(queue.folder.glob("*.yaml"))])
        )

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

    def suggested(self) -> "Plan | None":
        """What the built-in rules would plan next: round 1, or follow-ups; None where nothing is worth its cost."""
        from ..planners import rules_planner

        rules = rules_planner(self.setting)
        if self.plans:
            return rules.next_round(self.learnt)
        return rules.first_round(self.spec.study.name, list(self.known.values()))

    @property
    def _written(self) -> object:
        """Changes whenever anything was written to the ledger."""
        ledger = self.state / "ledger.db"
        return _stamp(ledger), _stamp(ledger.with_name(f"{ledger.name}-wal"))

    @property
    def _planning_results(self) -> "Results | None":
        results = self.results
        if results is None or not results.study.complete:
            return results
        with self.ledger() as ledger:
            return None if ledger is None else self._collected(ledger, "validation")

    def _collected(self, ledger: "Ledger", split: "Split | None" = None) -> "Results | None":
        from ..collect import collect

        try:
            return collect(self.spec, ledger, split)
        except ReportError:
            return None

    @property
    def _outcome(self) -> "Outcome":
        return self._once.get("survey", self._surveyed)

    def _surveyed(self) -> "Outcome":
        """The survey, from the last conversation where the project is the same."""
        from ...executor.pool import Pool
        from ..survey import survey, survey_key

        key = survey_key(self.setting)
        if (kept := self._kept_survey(key)) is not None:
            return kept
        with Pool(self.setting.station(self.state, unsafe=self.unsafe), 1) as pool:
            outcome = survey(self.setting, pool, None)
        self._keep_survey(key, outcome)
        return outcome

    def _kept_survey(self, key: str) -> "Outcome | None":
        from pydantic import ValidationError

        from ...executor.outcomes import Outcome

        try:
            named, _, document = (self.folder / SURVEY).read_text(encoding="utf-8").partition("\n")
            return Outcome.model_validate_json(document) if named == key else None
        except (OSError, ValueError, ValidationError):
            return None

    def _keep_survey(self, key: str, outcome: "Outcome") -> None:
        """Whole or not at all: without it the next conversation looks again."""
        path = self.folder / SURVEY
        fresh = path.with_suffix(".tmp")
        with suppress(OSError):
            fresh.write_text(f"{key}\n{outcome.model_dump_json()}", encoding="utf-8")
            fresh.replace(path)


def _stamp(path: Path) -> tuple[str, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return str(path), found.st_mtime_ns, found.st_size
