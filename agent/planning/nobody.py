"""Plans nothing: a run that measures what was asked for, and no more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...executor.errors import PlannerError
from ..components import Component
from ..records.planning import Planning
from ..results import Mode
from .plan import Plan
from .planner import Learnt


@dataclass(frozen=True)
class Nobody:
    """A planner that is never asked for anything."""

    queue: Path
    """Where requests lie."""
    name: str = "nobody"
    spent: Planning | None = None

    def first_round(self, study: str, components: Sequence[Component]) -> Plan:
        """`PlannerError`: there is nothing to begin with."""
        raise PlannerError(
            "nothing waits to be run, and no plan is sealed yet",
            where=str(self.queue),
            to_do="ask for something in `lesion chat`, name a plan with --plan, or let `lesion run` plan",
        )

    def pool(self, learnt: Learnt, mode: Mode) -> list[str]:
        """No search."""
        return []

    def next_round(self, learnt: Learnt) -> Plan | None:
        """No follow-ups."""
        return None

    def mend(self, plan: Plan, problems: Mapping[str, str]) -> Plan | None:
        """Nothing is mended."""
        return None
