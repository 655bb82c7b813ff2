"""What a planner proposes, tried before anything of it is sealed: what fails goes back to it with the reason."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..executor.interventions import SourceEdit
from ..executor.outcomes import Outcome
from ..executor.pool import Pool
from .checks import run_checks
from .components import Component
from .dispatch import Observer
from .ledger import Ledger
from .places import Places
from .planning.plan import Ablation, Plan
from .planning.planner import Learnt, Planner
from .reading.digest.library import Library
from .setting import Setting

IDLE = "changes nothing within one training step and one step of evaluation, bit for bit"
"""May be no mistake: what acts only later does not show in a step. Sent back unchanged, it is run in full."""
OTHER_FORM = (
    "in evaluation its model puts out {}, where the unedited one puts out {}: what measures it relies on that, so that "
    "its figures would not be the metric"
)


@dataclass(frozen=True)
class Workbench:
    """Where the planner's proposals are tried on one step each, in the sandbox, before anything of them is sealed."""

    setting: Setting
    planner: Planner
    pool: Pool
    ledger: Ledger
    observer: Observer
    places: Places
    baseline: Outcome
    """One step of it."""

    def first_round(self, components: Sequence[Component]) -> Plan:
        """The planner's round 1, mended where it did not run."""
        return self._mended(self.planner.first_round(self.setting.spec.study.name, components))

    def next_round(self, learnt: Learnt) -> Plan | None:
        """The planner's follow-ups, mended likewise; None where nothing is worth its cost any more."""
        plan = self.planner.next_round(learnt)
        self._remember_the_bill()
        return self._mended(plan) if plan else None

    def _mended(self, plan: Plan) -> Plan:
        """The plan once nothing in it fails that its planner could mend."""
        self._remember_the_bill()
        while problems := self.problems(plan):
            mended = self.planner.mend(plan, problems)
            self._remember_the_bill()
            if mended is None:
                return plan
            self.observer.learnt([f"{name}: sent back, {why.splitlines()[0]}" for name, why in problems.items()])
            plan = mended
        return plan

    def _remember_the_bill(self) -> None:
        if spent := self.planner.spent:
            self.ledger.remember("planning", spent.model_dump(mode="json"))

    def problems(self, plan: Plan) -> dict[str, str]:
        """Ablation → why it cannot run. Only of components that the plan brings in: what a known one breaks is a finding."""
        brought = {one.id for one in plan.components}
        own = [one for one in plan.ablations if brought & set(one.components) and len(one.components) == 1]
        found = {one.id: problem for one in own if (problem := self._misplaced(one))}
        sound = [one for one in own if one.id not in found]
        if not sound:
            return found
        part = plan.model_copy(update={"ablations": sound})
        outcomes = run_checks(self.setting, part, self.pool, self.ledger, self.observer)
        told = {one.id: one.problems for one in plan.mended}
        for one in sound:
            problem = self._failed(one, outcomes[one.id]) if one.id in outcomes else None
            if problem and not (problem == IDLE and IDLE in told.get(one.id, [])):
                found[one.id] = problem
        return found

    def _misplaced(self, ablation: Ablation) -> str | None:
        found = [self.places.problem(one, proposed=True) for one in ablation.interventions]
        return "; ".join(one for one in found if one) or None

    def _failed(self, ablation: Ablation, outcome: Outcome) -> str | None:
        if outcome.status != "ok":
            end = (outcome.traceback or "").strip().splitlines()[-6:]
            told = "\n".join([f"one step of it ended as {outcome.status}: {outcome.message}", *end])
            # an error may say what a file holds, and plans are passed on
            return Library(self.setting.spec, len).told(told)
        if not any(isinstance(one, SourceEdit) for one in ablation.interventions):
            return None
        if self.baseline.form and outcome.form != self.baseline.form:
            return OTHER_FORM.format(outcome.form, self.baseline.form)
        return IDLE if outcome.stages == self.baseline.stages else None
