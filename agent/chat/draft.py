"""What was proposed in a conversation and is not asked for yet."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .events import Approved, Drafted, Event, Withdrawn

if TYPE_CHECKING:
    from ..components import Component
    from ..planning.plan import Ablation, Plan


@dataclass
class Draft:
    """Ablations in the order in which they were proposed, with the components that they bring in."""

    ablations: "dict[str, Ablation]" = field(default_factory=dict)
    components: "dict[str, Component]" = field(default_factory=dict)
    more_seeds: list[str] = field(default_factory=list[str])

    def __bool__(self) -> bool:
        return bool(self.ablations or self.more_seeds)

    def apply(self, event: Event) -> None:
        """What an event does to it."""
        match event:
            case Drafted():
                self._add(event)
            case Withdrawn(ids=()):
                self._leave(())
            case Withdrawn() | Approved():
                gone = set(event.ids)
                self._leave([name for name in (*self.ablations, *self.more_seeds) if name not in gone])
            case _:
                pass

    def plan(self, study: str) -> "Plan":
        """All of it as a plan, whose round is not known yet. Its planner is who proposed, where that was one."""
        from ..planning.plan import Plan

        planners = dict.fromkeys(one.by for one in self.ablations.values())
        return Plan(
            study=study,
            round=1,
            planner=", ".join(planners) or PERSON,
            ablations=list(self.ablations.values()),
            components=list(self.components.values()),
            more_seeds=list(self.more_seeds),
        )

    def _add(self, event: Drafted) -> None:
        from ..components import Component
        from ..planning.plan import Ablation

        made = [Ablation.model_validate(one) for one in event.ablations]
        self.ablations |= {one.id: one for one in made}
        brought = [Component.model_validate(one) for one in event.components]
        self.components |= {one.id: one for one in brought}
        self.more_seeds += [name for name in event.more_seeds if name not in self.more_seeds]

    def _leave(self, names: Sequence[str]) -> None:
        """Nothing but these, and the components that they need."""
        self.ablations = {name: one for name, one in self.ablations.items() if name in names}
        self.more_seeds = [name for name in self.more_seeds if name in names]
        needed = set(_components(self.ablations.values()))
        self.components = {name: one for name, one in self.components.items() if name in needed}


PERSON = "conversation"
"""Who planned what a person asked for."""


def _components(ablations: "Iterable[Ablation]") -> Iterable[str]:
    return (name for one in ablations for name in one.components)
