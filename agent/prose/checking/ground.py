"""What a study knows of the things that a sentence names: effects and joint removals by component, mode and metric."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from ...report import selection
from ...results import BaselineMetric, Effect, Interaction
from ..facts import Facts

Found = Effect | Interaction
T = TypeVar("T", Effect, Interaction)


@dataclass(frozen=True)
class Scope:
    """Which results a sentence speaks of; empty: not said."""

    modes: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    """Kinds of removal."""


class Ground:
    """The results of a study, as a checker looks them up."""

    def __init__(self, facts: Facts) -> None:
        self.facts, self.results = facts, facts.results
        self.primary = self.results.study.primary

    @cached_property
    def modes(self) -> tuple[str, ...]:
        """All that were asked for."""
        return tuple(selection.modes(self.results))

    def singles(self, component: str, scope: Scope) -> list[Effect]:
        """What removing one component did: its default removal, or that of the kinds asked for."""
        found = [e for e in self.results.effects if e.components == [component] and e.role != "control"]
        found = self._scoped(found, scope)
        if scope.kinds and (named := [e for e in found if e.intervention_kind in scope.kinds]):
            return named
        return [e for e in found if e.role == "confirmatory"] or [e for e in found if e.role == "exploratory"] or found

    def otherwise(self, component: str, scope: Scope) -> list[Effect]:
        """What other removals of the same component did."""
        default = self.singles(component, scope)
        found = [e for e in self.results.effects if e.components == [component] and e.role != "control"]
        return [e for e in self._scoped(found, scope) if e not in default]

    def otherwise_named(self, scope: Scope) -> list[Effect]:
        """Joint and other removals, where the kind of removal is not said."""
        return self._scoped([e for e in self.results.effects if e.role in ("exploratory", "sensitivity")], scope)

    def joints(self, components: Iterable[str], scope: Scope) -> list[Interaction]:
        """The joint removal of exactly these."""
        wanted = sorted(set(components))
        return self._scoped([j for j in self.results.interactions if sorted(j.components) == wanted], scope)

    def joint_effects(self, components: Iterable[str], scope: Scope) -> list[Effect]:
        """The effect of removing exactly these at once, where it stands among the effects."""
        wanted = sorted(set(components))
        found = [e for e in self.results.effects if len(e.components) > 1 and sorted(e.components) == wanted]
        return self._scoped(found, scope)

    def family(self, scope: Scope, domain: str = "") -> list[Effect]:
        """The default single removals, of one kind of component where a noun says so; else exploratory ones as well."""
        found = [e for e in self.results.effects if len(e.components) == 1 and e.role == "confirmatory"]
        found = self._scoped(found or [e for e in self.results.effects if e.role == "exploratory"], scope)
        if domain in ("head", "attention head"):
            return [
                e
                for e in found
                if "head" in e.component_kind or "head" in e.components[0] or "head" in " ".join(e.labels)
            ]
        return found

    def pairs(self, scope: Scope) -> list[Interaction]:
        """Every joint removal."""
        return self._scoped(list(self.results.interactions), scope)

    def floors(self, scope: Scope) -> list[tuple[str, str, BaselineMetric]]:
        """Mode, metric and noise floor of each that is spoken of."""
        metrics = scope.metrics or (self.primary,)
        modes = scope.modes or tuple(self.results.baseline)
        table = self.results.baseline
        return [(mode, m, table[mode][m]) for mode in modes if mode in table for m in metrics if m in table[mode]]

    def floor(self, found: Found) -> BaselineMetric | None:
        """The noise floor that a finding stands against."""
        return selection.noise_floor(self.results, found.mode, found.metric)

    def loss(self, effect: Effect) -> float | None:
        """What the removal cost."""
        return None if effect.verdict in selection.UNMEASURED else selection.loss(self.results, effect)

    def loss_interval(self, found: Found) -> tuple[float, float] | None:
        """The interval of a loss."""
        if isinstance(found, Interaction):
            return found.observed_interval
        floor = self.floor(found)
        if found.interval is None or floor is None or found.verdict in selection.UNMEASURED:
            return None
        low, high = found.interval
        return (low, high) if floor.goal == "minimize" else (-high, -low)

    def is_share(self, found: Found | BaselineMetric) -> bool:
        """Whether the metric is a share of one, so that it can be told in percent."""
        floor = found if isinstance(found, BaselineMetric) else self.floor(found)
        return floor is not None and floor.goal == "maximize" and 0 <= floor.mean <= 1

    def reference(self, found: Found, attribute: str) -> str:
        """How the value is written as a reference."""
        several = len(self.modes) > 1
        told = [f'"{name}"' for name in self._name(found)]
        told += [f'mode="{found.mode}"'] if several else []
        told += [f'metric="{found.metric}"'] if found.metric != self.primary else []
        function = "interaction" if isinstance(found, Interaction) else "effect"
        return f"{{{{ {function}({', '.join(told)}).{attribute} }}}}"

    def _name(self, found: Found) -> Sequence[str]:
        if isinstance(found, Interaction):
            return found.components
        return [found.components[0] if found.role == "confirmatory" and len(found.components) == 1 else found.ablation]

    def _scoped(self, found: Iterable[T], scope: Scope) -> list[T]:
        metrics = scope.metrics or (self.primary,)
        return [one for one in found if one.metric in metrics and (not scope.modes or one.mode in scope.modes)]
