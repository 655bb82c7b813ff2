"""A study, in the order it happens: survey, plan, check, baseline and noise floor, singles, follow-ups, report."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .. import prompts
from ..executor.errors import OutOfTime
from ..executor.outcomes import Outcome
from ..executor.pool import Pool
from ..executor.worker import Station
from .baseline import noise_lines, require_baseline, require_runs
from .budget import Budget
from .checks import NOTHING_STOPPED, Verdicts, judge_checks, run_checks
from .components import Component
from .costs import weighed
from .declared import declared_notes
from .dispatch import Dispatcher, Observer, OutOfBudget
from .evidence import Evidence
from .examplestore import ExampleStore
from .findings import MetricFindings, find
from .forecasts import forecast_lines, keep
from .foresight import foresee, processor_seconds
from .jobs import Workshop
from .ledger import Ledger, Trial, TrialRow
from .places import Places
from .planfiles import PlanFiles, plan_path, require_ablations
from .planning.nobody import Nobody
from .planning.plan import BASELINE, Plan, sealed_plans
from .planning.planner import Learnt, Planner
from .queue import Queue
from .records.search import InteractionSearch
from .requests import COMPLETED, Ground, next_request
from .rescoring import handed_over, nothing_left
from .results import Mode
from .retuning import REMEMBERED, Variant, planned_tuning, stages
from .rounds import settle
from .searching import is_over, recalled, run_search
from .searching import keep as keep_search
from .setting import Setting
from .stoppable import why_whole
from .stopping import asking
from .stopreport import told_of_stopping
from .survey import anatomy_of, components_of, remarks_of, require_components, require_reference, survey
from .wanted import first_seeds, trial_of, wanted_trials
from .workbench import Workbench

CHECKPOINTS = "checkpoints"
RoundReport = Callable[[], Sequence[str]]
UNITS_OF_TRIALS = {"reevaluate": "trained models", "recover": "seeds", "retrain": "seeds"}
BEGUN = "stopped: no more than a trial of the baseline was run"
NOT_TRAINED = "the baseline's training at this seed failed"
ASKED_FOR = "what was asked for is measured"
SEEN = {False: "one step of the baseline", True: "an evaluation of the baseline"}


@dataclass(frozen=True)
class End:
    """How a run ended."""

    complete: bool
    reason: str
    """`complete`, or what stopped it."""
    measured: bool = False
    """Whether nothing is left of what this run was to do, though the study as a whole may go on."""


class Study:
    """One study on one ledger. `run` may be called on a ledger in any state: what is finished stays finished."""

    def __init__(
        self,
        setting: Setting,
        state: Path,
        ledger: Ledger,
        station: Station,
        observer: Observer,
        planner: Planner | None,
    ) -> None:
        """`planner` None: what is sealed and what waits in the queue is run, and nothing new is planned."""
        self.setting, self.state, self.ledger, self.station = setting, state, ledger, station
        self.observer, self.planner = observer, planner or Nobody(Queue(state).folder)
        self.plans_on = planner is not None
        self.components: dict[str, Component] = {}
        self.plans: list[Plan] = []
        self.checks: dict[str, Outcome] = {}
        self.loads = False
        """Whether the experiment loads its own trained weights."""
        self._examples = ExampleStore(ledger)

    def run(
        self, budget: Budget, report: RoundReport, plan_file: Path | None = None, workers: int | None = None
    ) -> End:
        """Run to the end, or until the budget is spent. Raises the `LesionError` that makes going on senseless."""
        was_complete = self._begin()
        sealed = len(self.ledger.plans(self.setting.version))
        self.ledger.remember("state", "running")
        most = workers or self.setting.spec.limits.workers
        with nothing_left(handed_over(self.state / CHECKPOINTS)), Pool(self.station, most) as pool:
            try:
                self.survey(pool)
                self._say_what_came_late()
                self._rounds(pool, budget, report, plan_file)
            except (OutOfBudget, OutOfTime) as stop:
                reason = str(stop.args[0])
                self.ledger.remember("state", f"stopped: {reason}")
                return End(complete=False, reason=reason)
        if not self.plans_on and not (was_complete and len(self.plans) == sealed):
            self.ledger.remember("state", f"stopped: {ASKED_FOR}")
            return End(complete=False, reason=ASKED_FOR, measured=True)
        self.ledger.remember(COMPLETED, self.setting.version)
        self.ledger.remember("state", "complete")
        return End(complete=True, reason="complete", measured=True)

    def first_baseline(self, pool: Pool, budget: Budget) -> list[TrialRow]:
        """Run one seed of the baseline in the mode that comes first, and before it the training that this mode needs.

        They are trials like any other, kept in the ledger and never run twice; how the last run ended stays remembered.

        Returns:
            the rows of these trials, the mode's own last, finished or not.

        Raises:
            LesionError: the experiment does not get through its survey.
            OutOfBudget: there is no time, or no room, even for these.
        """
        known = self.ledger.recall("version") == self.setting.version
        state = self.ledger.recall("state", BEGUN) if known else BEGUN
        self._begin()
        try:
            self.survey(pool)
            dispatcher, mode = self.dispatcher(pool, budget), self.setting.modes[0]
            modes: list[Mode] = [mode] if mode == "retrain" or self.loads else ["retrain", mode]
            self.observer.stage(f"one trial of the baseline ({mode}, seed 0), to see what it takes")
            trials = [self._trial(each, BASELINE, 0) for each in modes]
            for trial in trials:
                dispatcher.run([trial])
            return [dispatcher.arm(one.mode, BASELINE).trials[0] for one in trials]
        finally:
            self.ledger.remember("state", state)

    def survey(self, pool: Pool) -> None:
        """See the module tree and list the components."""
        self.observer.stage(f"reading the experiment: {SEEN[self.setting.modes == ['reevaluate']]}, in the sandbox")
        self.checks[BASELINE] = outcome = survey(self.setting, pool, self.ledger)
        self.loads = "load_weights" in outcome.offers
        self.places = Places.of(self.setting, anatomy_of(self.setting, outcome))
        self.components = {one.id: one for one in components_of(self.setting, outcome)}
        require_components(self.setting.spec, list(self.components))
        require_reference(self.setting.spec, outcome)
        self._bring_in(self.plan_files.brought_in())
        self.ledger.remember("environment", {**outcome.environment, "sandbox": self.station.sandbox.name})
        self.ledger.remember("workers", self.setting.spec.limits.workers)
        self.ledger.remember("checkpoints", 1 if self.loads else self.setting.spec.study.seeds)
        self.ledger.remember("weighed", weighed(outcome).model_dump())
        self.ledger.remember("remarks", remarks_of(outcome))
        self.observer.learnt(remarks_of(outcome))

    @property
    def plan_files(self) -> PlanFiles:
        """The plans as files; after the survey."""
        return PlanFiles(self.setting, self.state, self.ledger, self.components, self.places)

    def first_plan(self, pool: Pool, plan_file: Path | None = None, *, anew: bool = False) -> Plan:
        """Round 1: sealed already, written by hand, lying in the plans folder (not where it is `anew`), or the planner's own."""
        components = list(self.components.values())
        return self.plan_files.first(plan_file, lambda: self._bench(pool).first_round(components), anew=anew)

    def evidence(self, dispatcher: Dispatcher, mode: Mode) -> Evidence:
        """Everything known so far in one mode, on the planning split."""
        verdicts = self._verdicts() if mode == "retrain" else NOTHING_STOPPED
        evidence = Evidence(
            spec=self.setting.spec,
            mode=mode,
            plans=self.plans,
            components=self.components,
            arms=dispatcher.arms[mode],
            stopped=verdicts.stopped,
            dropped=verdicts.dropped,
            split="",
            checkpoints=1 if self.loads else self.setting.spec.study.seeds,
            examples=self._examples,
            parts=self._examples.parts,
        )
        return evidence.looked_at

    def dispatcher(self, pool: Pool, budget: Budget, variants: Sequence[Variant] = ()) -> Dispatcher:
        """What runs trials of the plans that are known so far."""
        removed = {one.id: one.interventions for plan in self.plans for one in plan.ablations}
        removed |= {one.arm: one.removed for one in variants}
        workshop = Workshop(self.setting, self.state / CHECKPOINTS, {BASELINE: [], **removed}, self.loads)
        return Dispatcher(workshop, self.ledger, pool, budget, self.observer)

    def _begin(self) -> bool:
        """What a dead process left running is planned again, and what was measured of an older source is left as it is.

        Returns:
            whether the last run came to the study's end.
        """
        was_complete = self._was_complete()
        self._turn_page()
        self.ledger.requeue(self.setting.version)
        self.ledger.remember("version", self.setting.version)
        return was_complete

    def _was_complete(self) -> bool:
        """Whether the last run came to the study's end; from then on its results are known, and that stays remembered."""
        was = (self.ledger.recall("version"), self.ledger.recall("state")) == (self.setting.version, "complete")
        if was:
            self.ledger.remember(COMPLETED, self.setting.version)
        return was

    def _turn_page(self) -> None:
        """Say when the source has changed since the last run, and keep that run's report."""
        before = self.ledger.recall("version")
        if before in (None, self.setting.version):
            return
        finished = sum(row.status == "ok" for row in self.ledger.trials(before))
        report, kept = self.state / "report", ""
        if report.is_dir():
            kept = f" with their report (report.{before[:8]})"
            report.rename(report.with_name(f"report.{before[:8]}"))
        text = f"the source, the configuration or the inputs changed since the last run: {finished} finished trials stay in the ledger"
        self.observer.stage(f"{text}{kept}, and everything is measured anew")

    def _say_what_came_late(self) -> None:
        """What the study file says otherwise than when round 1 was sealed."""
        version = self.setting.version
        sealed = sealed_plans(self.ledger.plans(version))
        late = declared_notes(self.setting.spec, self.ledger, version, self.components.values(), sealed)
        self.observer.learnt(late)

    # the stages

    def _bench(self, pool: Pool) -> Workbench:
        baseline = self.checks[BASELINE]
        return Workbench(self.setting, self.planner, pool, self.ledger, self.observer, self.places, baseline)

    def _rounds(self, pool: Pool, budget: Budget, report: RoundReport, plan_file: Path | None) -> None:
        plan: Plan | None = self._first(pool, plan_file)
        require_ablations(plan, plan_path(self.state, 1))
        while plan is not None:
            self._seal(plan)
            self._plan_first_looks(plan)
            self._check(plan, pool)
            self._leave_out()
            dispatcher = self.dispatcher(pool, budget)
            for mode in self.setting.modes:
                if plan.round == 1:
                    self._baseline(dispatcher, mode)
                for earlier in self._going_on(plan):
                    self._looks(earlier, dispatcher, mode)
                self._looks(plan, dispatcher, mode)
            self.observer.learnt(report())
            plan = self._next(dispatcher, plan)
        if self.plans_on:
            self._retune(pool, budget)

    def _first(self, pool: Pool, plan_file: Path | None) -> Plan:
        """Round 1; where nobody plans, the oldest request is, unless there is a plan that was named or sealed."""
        begun = plan_file or self.plans_on or self.ledger.plans(self.setting.version)
        return (None if begun else self._asked_for(pool)) or self.first_plan(pool, plan_file)

    def _asked_for(self, pool: Pool) -> Plan | None:
        """The oldest request of the queue as the next round, sealed; None where none waits."""
        completed = self.ledger.recall(COMPLETED) == self.setting.version
        modes = self.setting.modes
        ground = Ground(self.setting.spec.study.name, self.components, self.plans, self.places, modes, completed)
        return next_request(ground, self.plan_files, self._bench(pool), self.observer)

    def _bring_in(self, components: Sequence[Component]) -> None:
        """Components that plans have added to those that were read."""
        self.components.update({one.id: one for one in components})
        self.ledger.remember("components", [one.model_dump(mode="json") for one in self.components.values()])

    def _seal(self, plan: Plan) -> None:
        self.plans.append(plan)
        self._bring_in(plan.components)
        self.plan_files.seal(plan)
        self.observer.stage(
            f"round {plan.round}: {len(plan.ablations)} ablations, planned by {plan.planner} (plan {plan.hash[:12]})"
        )

    def _going_on(self, plan: Plan) -> list[Plan]:
        """Earlier rounds of which this one asks for more seeds."""
        return [one for one in self.plans[:-1] if any(each.id in plan.more_seeds for each in one.ablations)]

    def _check(self, plan: Plan, pool: Pool) -> None:
        """Each ablation that is to be trained on one step: it applies, runs, changes something."""
        found = run_checks(self.setting, plan, pool, self.ledger, self.observer)
        self.checks |= found
        for name, reason in self._verdicts().dropped.items():
            if name in found:
                self.observer.learnt([f"{name}: dropped, {reason}"])
        for name, (verdict, reason) in self._verdicts().stopped.items():
            if name in found:
                self.observer.learnt([f"{name}: {verdict}, {reason}"])

    def _baseline(self, dispatcher: Dispatcher, mode: Mode) -> None:
        """The first look's seeds of the baseline, and what can be settled with its noise."""
        seeds = self.evidence(dispatcher, mode).looks[0].seeds
        if mode != "retrain":
            self._trained(dispatcher, seeds if mode == "reevaluate" else 1)
        self.observer.stage(f"{mode}: baseline and noise floor, {seeds} {UNITS_OF_TRIALS[mode]}")
        dispatcher.run([self._trial(mode, BASELINE, seed) for seed in self._seeds(dispatcher, mode, seeds)])
        require_baseline(self.evidence(dispatcher, mode), self.ledger, self._seeds(dispatcher, mode, seeds))
        self.observer.learnt(noise_lines(self.evidence(dispatcher, mode)))
        if mode == "reevaluate":
            told = told_of_stopping(self.evidence(dispatcher, mode), self.checks[BASELINE].offers, self.ledger)
            self.observer.learnt(told)
        self._foresee(dispatcher, mode)

    def _foresee(self, dispatcher: Dispatcher, mode: Mode) -> None:
        """Say what can be settled and what cannot, before anything is spent on it."""
        evidence = self.evidence(dispatcher, mode)
        processor = processor_seconds(self.ledger, self.setting.version, mode)
        stops = mode == "reevaluate" and why_whole(evidence, self.checks[BASELINE].offers) is None
        if power := foresee(evidence, dispatcher.budget, dispatcher.pool.workers, processor, stops=stops):
            keep(evidence, self.ledger, self.setting.version, power)
            if power.first_look_trials:
                self.observer.learnt(forecast_lines(power, mode))

    def _trained(self, dispatcher: Dispatcher, seeds: int) -> None:
        """Baseline runs whose weights are to be evaluated and cut."""
        if self.loads:
            return
        trials = [self._trial("retrain", BASELINE, seed) for seed in range(seeds)]
        if not all(dispatcher.is_done(one) for one in trials):
            self.observer.stage(
                f"training the baseline at {seeds} seed{'s' if seeds > 1 else ''}: the weights are kept"
            )
        dispatcher.run(trials)
        evidence = self.evidence(dispatcher, "retrain")
        require_runs(evidence, self.ledger, range(seeds))
        for seed in set(range(seeds)) - {row.seed for row in evidence.baseline.measured}:
            self.ledger.skip_seed(self.setting.version, seed, "reevaluate", NOT_TRAINED)

    def _looks(self, plan: Plan, dispatcher: Dispatcher, mode: Mode) -> None:
        """Seeds up to each planned look, for the arms that are still open."""
        done: dict[str, int] = {}
        while True:
            evidence = self.evidence(dispatcher, mode)
            current = settle(evidence, plan)
            if current.caps == done:
                return
            done = dict(current.caps)
            most = max(done.values(), default=0)
            seeds, left = self._seeds(dispatcher, mode, most), dispatcher.budget.seconds_left()
            trials = wanted_trials(self.setting, evidence, current, seeds, left, dispatcher.pool.workers)
            if not all(dispatcher.is_done(one) for one in trials):
                what = f"up to {most} {UNITS_OF_TRIALS[mode]} of {len(current.family)} ablations"
                self.observer.stage(f"round {plan.round}, {mode}: {what}")
            dispatcher.run(trials, asked_at=asking(evidence, self.checks[BASELINE].offers, plan))

    def _next(self, dispatcher: Dispatcher, last: Plan) -> Plan | None:
        """What was sealed already, else what was asked for, else the planner's follow-ups."""
        if sealed := self.plan_files.sealed(after=len(self.plans)) or self._asked_for(dispatcher.pool):
            return sealed
        if not self.plans_on or not (last.ablations or last.more_seeds):
            return None
        learnt = self._learnt(dispatcher)
        for mode in self.setting.modes:
            if pool := self.planner.pool(learnt, mode):
                learnt = replace(learnt, searches=[*learnt.searches, self._search(dispatcher, mode, pool)])
        return self._bench(dispatcher.pool).next_round(learnt)

    def _learnt(self, dispatcher: Dispatcher) -> Learnt:
        found: dict[Mode, MetricFindings] = {
            mode: find(self.evidence(dispatcher, mode), self.setting.spec.primary) for mode in self.setting.modes
        }
        return Learnt(
            components=list(self.components.values()),
            plans=self.plans,
            effects=[effect for one in found.values() for effect in one.effects],
            interactions=[each for one in found.values() for each in one.interactions],
            noise={mode: one.noise for mode, one in found.items() if one.noise},
            searches=[one for one in recalled(self.ledger, self.setting.version) if is_over(one, self.setting.spec)],
        )

    def _search(self, dispatcher: Dispatcher, mode: Mode, pool: Sequence[str]) -> InteractionSearch:
        """Groups hidden among components that cost nothing alone. `OutOfBudget` leaves what was run to the next start."""
        self.observer.stage(prompts.render("progress/searching.j2", mode=mode, pool=len(pool)).strip())
        found = run_search(dispatcher, self.evidence(dispatcher, mode), [self.components[one] for one in pool])
        keep_search(self.ledger, self.setting.version, found)
        self.observer.learnt(prompts.render("progress/searched.j2", search=found).strip().splitlines())
        return found

    def _retune(self, pool: Pool, budget: Budget) -> None:
        """Last of all, where the study asks for it: one tuning for the baseline and each arm, and what it chose at fresh seeds."""
        evidence = self.evidence(self.dispatcher(pool, budget), "retrain")
        tuning = planned_tuning(self.setting, evidence)
        if tuning is None:
            return
        self.ledger.remember(REMEMBERED, tuning.model_dump(mode="json"))
        variants = tuning.variants(evidence)
        dispatcher = self.dispatcher(pool, budget, [one for each in variants.values() for one in each])
        evidence = self.evidence(dispatcher, "retrain")
        for stage in stages(tuning, evidence, variants):
            trials = [one.trial(self.setting, seed) for one, seed in stage.wanted]
            if not all(dispatcher.is_done(one) for one in trials):
                self.observer.stage(stage.told)
            dispatcher.run(list({one.key: one for one in trials}.values()))

    # inside

    def _verdicts(self) -> Verdicts:
        ablations = {one.id: one for plan in self.plans for one in plan.ablations}
        return judge_checks(self.checks, ablations)

    def _trial(self, mode: Mode, name: str, seed: int) -> Trial:
        return trial_of(self.setting, self.plans, mode, name, seed)

    def _seeds(self, dispatcher: Dispatcher, mode: Mode, most: int) -> list[int]:
        """The first `most` seeds; of trained models, those that were trained."""
        if mode == "reevaluate" and not self.loads:
            trained = [row.seed for row in dispatcher.arm("retrain", BASELINE).measured]
            return sorted(seed for seed in trained if seed < most)
        return list(range(most))

    def _plan_first_looks(self, plan: Plan) -> None:
        """All that a round asks for at first enters the accounting at once: what is never reached is missing there, not unknown."""
        baseline = [BASELINE] if plan.round == 1 else []
        for mode in self.setting.modes:
            seeds = first_seeds(self.setting, mode, loads=self.loads)
            arms = [*baseline, *(one.id for one in plan.ablations if one.asks(mode))]
            trials = [self._trial(mode, name, seed) for seed in seeds for name in arms]
            self.ledger.plan_trials(self.setting.version, trials)

    def _leave_out(self) -> None:
        """What a check stopped is skipped in the accounting, with the reason."""
        verdicts = self._verdicts()
        for name, reason in {**verdicts.dropped, **{key: why for key, (_, why) in verdicts.stopped.items()}}.items():
            self.ledger.skip(self.setting.version, name, "retrain", reason)
