"""A study, in the order it happens: survey, plan, check, baseline and noise floor, singles, follow-ups, report."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..executor.errors import ExperimentError, PlanError
from ..executor.outcomes import Outcome
from ..executor.pool import Pool
from ..executor.worker import Station
from .budget import Budget
from .checks import Verdicts, judge_checks, run_checks
from .components import Component
from .dispatch import Dispatcher, Observer, OutOfBudget
from .findings import find
from .ledger import Ledger, Trial
from .planning.plan import BASELINE, Ablation, Plan, parse_plan, read_plan
from .planning.planner import Learnt, Planner
from .results import BaselineMetric
from .rounds import Evidence, Round, at_floor, noise_floor, settle, settling_chance
from .setting import MODE, Setting
from .survey import components_of, failure, require_components, survey

RoundReport = Callable[[], Sequence[str]]


@dataclass(frozen=True)
class End:
    """How a run ended."""

    complete: bool
    reason: str
    """`complete`, or what stopped it."""


class Study:
    """One study on one ledger. `run` may be called on a ledger in any state: what is finished stays finished."""

    def __init__(
        self, setting: Setting, state: Path, ledger: Ledger, station: Station, observer: Observer, planner: Planner
    ) -> None:
        self.setting, self.state, self.ledger, self.station = setting, state, ledger, station
        self.observer, self.planner = observer, planner
        self.components: dict[str, Component] = {}
        self.plans: list[Plan] = []
        self.checks: dict[str, Outcome] = {}

    def run(
        self, budget: Budget, report: RoundReport, plan_file: Path | None = None, workers: int | None = None
    ) -> End:
        """Run to the end, or until the budget is spent. Raises the `LesionError` that makes going on senseless."""
        self._turn_page()
        self.ledger.requeue(self.setting.version)
        self.ledger.remember("version", self.setting.version)
        self.ledger.remember("state", "running")
        with Pool(self.station, workers or self.setting.spec.limits.workers) as pool:
            self._survey(pool)
            try:
                self._rounds(pool, budget, report, plan_file)
            except OutOfBudget as stop:
                self.ledger.remember("state", f"stopped: {stop}")
                return End(complete=False, reason=str(stop))
        self.ledger.remember("state", "complete")
        return End(complete=True, reason="complete")

    def first_plan(self, plan_file: Path | None = None) -> Plan:
        """Round 1: sealed already, written by hand, lying in the plans folder, or the planner's own."""
        sealed = self.ledger.plans(self.setting.version)
        if sealed:
            return self._unchanged(sealed[0], plan_file)
        path = plan_file or self.plan_path(1)
        if plan_file or (path.exists() and not self._is_of_older_source(path)):
            return read_plan(path, list(self.components.values()))
        plan = self.planner.first_round(self.setting.spec.study.name, list(self.components.values()))
        self.write_plan(plan)
        return plan

    def plan_path(self, number: int) -> Path:
        """Where the plan of a round lies."""
        return self.state / "plans" / f"round-{number}.yaml"

    def write_plan(self, plan: Plan) -> Path:
        """Write a plan where people find it."""
        path = self.plan_path(plan.round)
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            if parse_plan(path).hash == plan.hash:
                return path
            path.replace(path.with_name(f"{path.stem}.{int(path.stat().st_mtime)}.yaml"))  # of an older source: kept
        path.write_text(plan.as_yaml(), encoding="utf-8")
        return path

    def survey(self, pool: Pool) -> None:
        """See the module tree and list the components."""
        self._survey(pool)

    def evidence(self, dispatcher: Dispatcher) -> Evidence:
        """Everything known so far, on the planning split."""
        verdicts = self._verdicts()
        evidence = Evidence(
            spec=self.setting.spec,
            mode=MODE,
            plans=self.plans,
            components=self.components,
            arms=dispatcher.arms,
            stopped=verdicts.stopped,
            dropped=verdicts.dropped,
            split="",
        )
        return evidence.looked_at

    def _turn_page(self) -> None:
        """Say when the source has changed since the last run, and keep that run's report."""
        before = self.ledger.recall("version")
        if before in (None, self.setting.version):
            return
        finished = sum(row.status == "ok" for row in self.ledger.trials(before))
        report = self.state / "report"
        if report.is_dir():
            report.rename(report.with_name(f"report.{before[:8]}"))
        text = f"the source, the configuration or the inputs changed since the last run: {finished} finished trials stay in the ledger"
        self.observer.stage(f"{text} with their report (report.{before[:8]}), and everything is measured anew")

    # the stages

    def _survey(self, pool: Pool) -> None:
        self.observer.stage("reading the experiment: one step of the baseline, in the sandbox")
        self.checks[BASELINE] = outcome = survey(self.setting, pool, self.ledger)
        self.components = {one.id: one for one in components_of(self.setting, outcome.anatomy)}
        require_components(self.setting.spec, list(self.components))
        self.ledger.remember("components", [one.model_dump(mode="json") for one in self.components.values()])
        self.ledger.remember("environment", {**outcome.environment, "sandbox": self.station.sandbox.name})
        self.ledger.remember("workers", self.setting.spec.limits.workers)

    def _rounds(self, pool: Pool, budget: Budget, report: RoundReport, plan_file: Path | None) -> None:
        plan: Plan | None = self.first_plan(plan_file)
        while plan is not None:
            self._seal(plan)
            self._check(plan, pool)
            dispatcher = self._dispatcher(pool, budget)
            if plan.round == 1:
                self._baseline(dispatcher)
            self._looks(plan, dispatcher)
            self.observer.learnt(report())
            plan = self._next(dispatcher)

    def _seal(self, plan: Plan) -> None:
        self.plans.append(plan)
        if plan.round > len(self.ledger.plans(self.setting.version)):
            self.ledger.seal(self.setting.version, plan.round, plan.hash, plan.model_dump_json())
            self.write_plan(plan)
        self.observer.stage(
            f"round {plan.round}: {len(plan.ablations)} ablations, planned by {plan.planner} (plan {plan.hash[:12]})"
        )

    def _check(self, plan: Plan, pool: Pool) -> None:
        """Each ablation on one step: it applies, runs, changes something."""
        found = run_checks(self.setting, plan, pool, self.ledger, self.observer)
        self.checks |= found
        for name, reason in self._verdicts().dropped.items():
            if name in found:
                self.observer.learnt([f"{name}: dropped, {reason}"])
        for name, (verdict, reason) in self._verdicts().stopped.items():
            if name in found:
                self.observer.learnt([f"{name}: {verdict}, {reason}"])

    def _baseline(self, dispatcher: Dispatcher) -> None:
        """The first look's seeds of the baseline, and what can be settled with its noise."""
        seeds = self.evidence(dispatcher).looks[0].seeds
        self.observer.stage(f"baseline and noise floor: {seeds} seeds")
        dispatcher.run([self.setting.trial(BASELINE, [], seed) for seed in range(seeds)])
        self._require_baseline(dispatcher, seeds)
        self.observer.learnt(noise_lines(self.evidence(dispatcher)))

    def _looks(self, plan: Plan, dispatcher: Dispatcher) -> None:
        """Seeds up to each planned look, for the arms that are still open."""
        self._plan_first_look(plan)
        done: dict[str, int] = {}
        while True:
            evidence = self.evidence(dispatcher)
            current = settle(evidence, plan)
            if current.caps == done:
                return
            done = dict(current.caps)
            trials = self._trials(evidence, current)
            if trials:
                self.observer.stage(
                    f"round {plan.round}: up to {max(done.values())} seeds of {len(current.family)} ablations"
                )
            dispatcher.run(trials, lambda _: self.observer.tick())

    def _next(self, dispatcher: Dispatcher) -> Plan | None:
        sealed = self.ledger.plans(self.setting.version)
        if len(sealed) > len(self.plans):
            return self._unchanged(sealed[len(self.plans)], None)
        evidence = self.evidence(dispatcher)
        found = find(evidence, self.setting.spec.primary)
        learnt = Learnt(list(self.components.values()), self.plans, found.effects, found.interactions)
        return self.planner.next_round(learnt)

    # inside

    def _dispatcher(self, pool: Pool, budget: Budget) -> Dispatcher:
        removed = {one.id: one.interventions for plan in self.plans for one in plan.ablations}
        return Dispatcher(self.setting, self.ledger, pool, budget, self.observer, {BASELINE: [], **removed})

    def _verdicts(self) -> Verdicts:
        ablations = {one.id: one for plan in self.plans for one in plan.ablations}
        return judge_checks(self.checks, ablations)

    def _plan_first_look(self, plan: Plan) -> None:
        """Every ablation's first look enters the accounting; what its check stopped is skipped there, with the reason."""
        seeds = range(self.setting.spec.study.seeds)
        verdicts = self._verdicts()
        for one in plan.ablations:
            self.ledger.plan_trials(
                self.setting.version, [self.setting.trial(one.id, one.interventions, seed) for seed in seeds]
            )
        for name, reason in {**verdicts.dropped, **{key: why for key, (_, why) in verdicts.stopped.items()}}.items():
            self.ledger.skip(self.setting.version, name, reason)

    def _trials(self, evidence: Evidence, current: Round) -> list[Trial]:
        """The trials that the round's looks ask for, arms in the order of what they settle per second."""
        family = sorted(current.family, key=lambda one: -self._worth(evidence, current, one))
        trials = [self.setting.trial(BASELINE, [], seed) for seed in range(max(current.caps.values(), default=0))]
        singles = {one.id: one for plan in self.plans for one in plan.ablations}
        for ablation in family:
            needed = [singles[part] for part in ablation.components if part in singles and part != ablation.id]
            for one in [*needed, ablation]:
                trials += [
                    self.setting.trial(one.id, one.interventions, seed) for seed in range(current.caps[ablation.id])
                ]
        return list({one.key: one for one in trials}.values())

    def _worth(self, evidence: Evidence, current: Round, ablation: Ablation) -> float:
        """Chance to settle at the arm's next look, per second; the order of the plan before anything is known."""
        look = next((one for one in evidence.looks if one.seeds >= current.caps[ablation.id]), evidence.looks[-1])
        if evidence.arm(ablation.id).finished(look.seeds):
            return 0.0
        seconds = [row.wall_seconds for row in evidence.arm(ablation.id).measured if row.wall_seconds]
        chance = settling_chance(evidence, current, ablation, [look])
        return chance / (sum(seconds) / len(seconds)) if seconds else chance

    def _require_baseline(self, dispatcher: Dispatcher, seeds: int) -> None:
        """Raises `ExperimentError` for a baseline that fails, ignores its seed, or is at chance."""
        evidence = self.evidence(dispatcher)
        baseline, spec = evidence.baseline, self.setting.spec
        if len(baseline.measured) < min(2, seeds):
            row = baseline.failed[0]
            outcome = Outcome(status=row.status, message=row.reason, traceback=self.ledger.traceback(row.key))  # type: ignore[arg-type]
            raise failure(spec, outcome, f"{len(baseline.failed)} of {seeds} baseline runs failed")
        prints = {(one.fingerprint, json.dumps(one.metrics)) for one in baseline.measured}
        if len(prints) == 1 and len(baseline.measured) > 1:
            raise ExperimentError(
                f"{len(baseline.measured)} baseline seeds gave results that are equal bit for bit, so there is no noise to compare with",
                where=str(spec.python_file),
                to_do="let train use its seed: something there, or in build_model, sets a seed of its own",
            )
        noise = noise_floor(evidence, spec.primary)
        if noise and (problem := _too_blunt(spec.primary, noise)):
            what, to_do = problem
            raise ExperimentError(what, where=str(spec.python_file), to_do=to_do)

    def _unchanged(self, sealed: tuple[int, str, str], plan_file: Path | None) -> Plan:
        """A sealed plan, after a look at whether its file still says the same."""
        number, digest, document = sealed
        plan = Plan.model_validate_json(document)
        path = plan_file or self.plan_path(number)
        if plan_file or path.exists():
            if read_plan(path, list(self.components.values())).hash != digest:
                raise PlanError(
                    f"this plan differs from the one that was sealed when round {number} began (hash {digest[:12]})",
                    where=str(path),
                    to_do="delete the file to have the sealed plan written again, or run the new one under another study.name or --state",
                )
        else:
            self.write_plan(plan)
        return plan

    def _is_of_older_source(self, path: Path) -> bool:
        """Whether the file is a plan that was sealed before the source changed: then it is written anew."""
        return parse_plan(path).hash in self.ledger.plan_hashes()


def _too_blunt(metric: str, noise: BaselineMetric) -> tuple[str, str] | None:
    """Why nothing can be told with this baseline, and what to do."""
    if noise.n > 1 and noise.sd <= 1e-12 * abs(noise.mean):
        return (
            f"{metric} is {noise.mean:.6g} in each of {noise.n} baseline runs, though their weights differ: without noise to "
            "measure, no difference can be judged",
            "take a finer metric (a loss, a larger evaluation set), or more seeds",
        )
    if noise.floor is None:
        return None
    stands = f"the baseline's {metric} is {noise.mean:.4g} (σ {noise.sd:.2g})"
    to_do = "train the baseline to something better than chance, steady its seeds, or correct metrics.floor"
    if at_floor(noise):
        return f"{stands}, within noise of its floor {noise.floor:.4g}: a loss could not be told from noise", to_do
    if abs(noise.mean - noise.floor) < noise.smallest_effect:
        return (
            f"{stands}, its floor {noise.floor:.4g}: less than δ = {noise.smallest_effect:.3g} can be lost at all",
            to_do,
        )
    return None


def noise_lines(evidence: Evidence) -> list[str]:
    """What the noise allows, for people: printed before any ablation runs."""
    from .. import prompts

    noise = noise_floor(evidence, evidence.spec.primary)
    assert noise is not None
    study = evidence.spec.study
    text = prompts.render(
        "progress/noise.j2", noise=noise, metric=evidence.spec.primary, study=study, looks=evidence.looks
    )
    return text.strip().splitlines()
