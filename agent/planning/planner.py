"""The seam between a study and whoever plans it: the built-in rules, or a language model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ..components import Component
from ..records.planning import Planning
from ..records.search import InteractionSearch
from ..results import BaselineMetric, Effect, Interaction, Mode
from .plan import Plan


@dataclass(frozen=True)
class Learnt:
    """What is known after a round, on the validation split: all that a planner may look at."""

    components: Sequence[Component]
    plans: Sequence[Plan]
    effects: Sequence[Effect]
    interactions: Sequence[Interaction]
    noise: Mapping[Mode, BaselineMetric] = field(default_factory=lambda: dict[Mode, BaselineMetric]())
    """The baseline's noise on the primary metric."""
    searches: Sequence[InteractionSearch] = ()
    """Interaction searches that came to their end."""


class Planner(Protocol):
    """Turns components into ablations, and results into follow-ups."""

    @property
    def name(self) -> str:
        """Who planned, as the report says it."""
        ...

    @property
    def spent(self) -> Planning | None:
        """What asking a language model took; None where none is asked."""
        ...

    def first_round(self, study: str, components: Sequence[Component]) -> Plan:
        """The single removals: the confirmatory family."""
        ...

    def pool(self, learnt: Learnt, mode: Mode) -> list[str]:
        """Components among which hidden groups are to be searched now; empty where no search is worth its cost."""
        ...

    def next_round(self, learnt: Learnt) -> Plan | None:
        """Follow-ups on what was learnt; None where nothing is worth its cost any more."""
        ...

    def mend(self, plan: Plan, problems: Mapping[str, str]) -> Plan | None:
        """The plan with what cannot run mended or dropped; None where a failure is no mistake of the planner's but a finding.

        Args:
            plan: not sealed yet.
            problems: ablation → why it does not apply, does not run, or changes nothing.
        """
        ...
