"""The plans of a study as files that people read and edit, and as documents that were sealed in the ledger."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..executor.errors import PlanError
from . import declared
from .claims import claims_of
from .components import Component
from .ledger import Ledger
from .places import Places
from .planning.plan import Plan, parse_plan, read_plan, sealed_plans
from .setting import Setting
from .wholefile import whole


@dataclass(frozen=True)
class PlanFiles:
    """Where the plans of one study lie, and what was sealed of them."""

    setting: Setting
    state: Path
    ledger: Ledger
    components: dict[str, Component]
    places: Places

    def path(self, number: int) -> Path:
        """Where the plan of a round lies."""
        return plan_path(self.state, number)

    def first(self, written_by_hand: Path | None, planned: Callable[[], Plan], *, anew: bool = False) -> Plan:
        """Round 1: sealed already, written by hand, lying in the plans folder, or planned now. `PlanError` for a bad one.

        Args:
            written_by_hand: a plan to run.
            planned: makes one.
            anew: whatever lies in the plans folder; it is kept beside the new one.
        """
        sealed = self.ledger.plans(self.setting.version)
        if sealed:
            self._require_same_questions()
            return self._unchanged(sealed[0], written_by_hand)
        path = written_by_hand or self.path(1)
        if written_by_hand or (path.exists() and not anew and not self._is_of_older_source(path)):
            return self._read(path)
        plan = planned()
        self.write(plan)
        return plan

    def brought_in(self) -> list[Component]:
        """The components that sealed plans have added to those that were read."""
        return [one for plan in sealed_plans(self.ledger.plans(self.setting.version)) for one in plan.components]

    def sealed(self, after: int) -> Plan | None:
        """The plan that was sealed after so many rounds; None where none was. `PlanError` where its file was changed."""
        sealed = self.ledger.plans(self.setting.version)
        return self._unchanged(sealed[after], None) if len(sealed) > after else None

    def seal(self, plan: Plan) -> None:
        """Keep a plan for good, before anything of it runs."""
        if plan.round > len(self.ledger.plans(self.setting.version)):
            self.write(plan)  # first: a file that says something else would be taken for a changed plan
            self.ledger.seal(self.setting.version, plan.round, plan.hash, plan.model_dump_json())
            self.ledger.remember("asked", self._asked())
            if plan.round == 1:
                declared.keep(self.setting.spec, self.ledger, self.setting.version)

    def write(self, plan: Plan) -> None:
        """Write a plan where people find it; one of an older source is kept beside it."""
        path = self.path(plan.round)
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            if parse_plan(path).hash == plan.hash:
                return
            path.replace(path.with_name(f"{path.stem}.{int(path.stat().st_mtime)}.yaml"))
        with whole(path) as file:
            file.write(plan.as_yaml().encode())

    def _read(self, path: Path) -> Plan:
        own = {one.id for one in parse_plan(path).components}  # once sealed, they stand among the components
        known = [one for one in self.components.values() if one.id not in own]
        return read_plan(path, known, self.places, self.setting.modes)

    def _unchanged(self, sealed: tuple[int, str, str], written_by_hand: Path | None) -> Plan:
        """A sealed plan, after a look at whether its file still says the same."""
        number, digest, document = sealed
        plan = Plan.model_validate_json(document)
        path = written_by_hand or self.path(number)
        if written_by_hand or path.exists():
            if self._read(path).hash != digest:
                raise PlanError(
                    f"this plan differs from the one that was sealed when round {number} began (hash {digest[:12]})",
                    where=str(path),
                    to_do="delete the file to have the sealed plan written again, or run the new one under another study.name or --state",
                )
        else:
            self.write(plan)
        return plan

    def _asked(self) -> list[object]:
        """What of the study file a sealed plan was made for."""
        claims = claims_of(self.setting.spec)
        asked: list[object] = [self.setting.version, self.setting.modes, self.setting.spec.study.finetune_steps]
        return [*asked, claims] if claims else asked

    def _require_same_questions(self) -> None:
        """`PlanError` where the study asks other questions than when its plan was sealed."""
        sealed = self.ledger.recall("asked")
        if sealed and sealed[0] == self.setting.version and sealed != self._asked():
            raise PlanError(
                f"the plan was sealed for modes = {sealed[1]}, finetune_steps = {sealed[2]} and "
                f"{len(sealed[3]) if len(sealed) > 3 else 0} claims, and the study now asks for others",
                where=str(self.setting.spec.path),
                to_do="ask the new questions under another study.name or --state, or put these back",
            )

    def _is_of_older_source(self, path: Path) -> bool:
        """Whether the file is a plan that was sealed before the source changed: then it is written anew."""
        return parse_plan(path).hash in self.ledger.plan_hashes()


def plan_path(state: Path, number: int) -> Path:
    """Where the plan of a round lies in a study's state folder."""
    return state / "plans" / f"round-{number}.yaml"


def require_ablations(plan: Plan, path: Path) -> None:
    """`PlanError` where nothing is left to remove, with the reasons."""
    if plan.ablations:
        return
    reasons = Counter(one.reason for one in plan.dropped)
    told = [f"{count} dropped: {reason}" for reason, count in reasons.most_common(5)] or ["the plan is empty"]
    raise PlanError(
        "there is nothing to remove:\n  " + "\n  ".join(told),
        where=str(path),
        to_do="name other components in study.components, other modes in study.modes, or write a plan (see `lesion inspect`)",
    )
