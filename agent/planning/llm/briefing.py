"""What the language model is told: the study, the components, the project's digest, and the results so far."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from .... import prompts
from ....executor.interventions import ConfigOverride, removal_name
from ...components import Component
from ...reading.digest.fence import fenced
from ...reading.digest.lookup import Lookup
from ...reading.words import is_bookkeeping, is_scale
from ...results import Effect, Mode
from ...spec import Metric
from ..plan import Ablation, Plan
from ..planner import Learnt
from .results import joint_result, single_result
from .vocabulary import Vocabulary, kinds_of, listed

FOR_TURNS = 0.25
LEAST_FOR_TURNS = 3000
"""Part of the context, and tokens at least, that are kept for questions, for what the model looks up, and for its words."""
FOR_COMPONENTS = 0.3
"""Part of the context that the list of components may take."""


class Library(Protocol):
    """The project as it may be read by the model."""

    def digest(self, budget: int) -> str:
        """Its files within so many tokens. `ModelError` where not even the smallest form fits."""
        ...

    @property
    def left_out(self) -> dict[str, int]:
        """Reason → how many files are never shown for it."""
        ...

    @property
    def shows_config(self) -> bool:
        """Whether the values of the configuration may be shown."""
        ...

    def look_up(self, lookup: Lookup, tokens: int) -> str:
        """What was asked for, in so many tokens at most, or why it cannot be had."""
        ...

    def clean(self, text: str) -> str:
        """A text without what looks like a secret."""
        ...

    def told(self, text: str) -> str:
        """What trials and their errors say, without any secret that the project holds."""
        ...


@dataclass(frozen=True)
class Briefing:
    """What every question to the model rests on."""

    study: str
    question: str | None
    claims: Sequence[str]
    metrics: Mapping[str, Metric]
    primary: str
    modes: Sequence[Mode]
    seeds: int
    config: Mapping[str, Any]
    """Dotted key → value, of the baseline."""
    allowed: Sequence[str]
    """Patterns over ids: what the study lets be removed."""
    library: Library
    room: int
    """Tokens that a question may hold."""
    estimate: Callable[[str], int]
    answer_tokens: int = 8_000
    """That an answer may hold."""
    measured: frozenset[str] = frozenset()
    """Names of settings that the evaluation may read."""
    shared: dict[str, str] = field(default_factory=dict[str, str], compare=False)
    """The opening of this study's conversations, by its list of components."""

    def vocabulary(self, components: Sequence[Component]) -> Vocabulary:
        """What an answer may name of components that are shown."""
        ids = [one.id for one in components if one.interventions]
        keys = [key for key, value in self.config.items() if not (is_scale(key, value) or is_bookkeeping(key))]
        names, settings = (listed(each, self.room, self.estimate) for each in (ids, keys))
        return Vocabulary(names, settings, len(self.claims), self.answer_tokens, kinds_of(components))

    @property
    def for_turns(self) -> int:
        """Tokens that are left once the study and its project are told."""
        return max(LEAST_FOR_TURNS, int(self.room * FOR_TURNS))

    @property
    def system(self) -> str:
        """What the model is, and what it may and may not do."""
        return prompts.render("llm/system.j2")

    def opening(self, components: Sequence[Component], room: int | None = None) -> str:
        """The study, what could be removed, and the project's source.

        Args:
            components: that are listed.
            room: tokens that all of this may take; else what a question has beside the planner's instructions and its turns.
        """
        listed = component_list(components, int((room or self.room) * FOR_COMPONENTS), self.estimate)
        if listed not in self.shared:
            facts = self._facts(listed)
            told = self.library.clean(prompts.render("llm/opening.j2", **facts))
            left = self.room - self.for_turns - self.estimate(self.system) if room is None else room
            self.shared[listed] = told + self.library.digest(left - self.estimate(told))
        return self.shared[listed]

    def first_plan(self, suggested: Plan) -> str:
        """The request for round 1; the rules' own plan is shown beside it."""
        return prompts.render("llm/plan.j2", suggested=suggested, claims=self.claims, modes=self.modes)

    def review(self, plan: Plan) -> str:
        """The request to read a plan again as a reviewer would."""
        tested = {each.claim for one in plan.ablations for each in one.claims}
        untested = [f"c{at + 1}" for at in range(len(self.claims)) if f"c{at + 1}" not in tested]
        return prompts.render("llm/review.j2", planned=[_planned(one) for one in plan.ablations], untested=untested)

    def mend(self, failed: Sequence[tuple[str, str, str]], *, again: bool) -> str:
        """The request to mend proposals: (name, what was proposed as JSON, problem)."""
        shown = [
            (name, fenced("why it was refused", self.library.clean(problem)), fenced("as proposed", proposed))
            for name, proposed, problem in failed
        ]
        return prompts.render("llm/mend.j2", failed=shown, again=again)

    def follow_up(self, learnt: Learnt, suggested: Plan | None, open_claims: Mapping[str, str]) -> str:
        """The results, and the request for what they call for."""
        facts = {"suggested": suggested, "open_claims": open_claims, "primary": self.primary, "modes": self.modes}
        left = self.for_turns - self.estimate(prompts.render("llm/follow_up.j2", **facts, results=""))
        return prompts.render("llm/follow_up.j2", **facts, results=self._results(learnt, left))

    def looked_up(self, texts: Sequence[str], turns: int) -> str:
        """What was asked for."""
        return prompts.render("llm/looked_up.j2", texts=texts, turns=turns)

    def _results(self, learnt: Learnt, tokens: int) -> str:
        """What was measured, the largest losses first, as much as fits."""
        singles = [single_result(one, learnt) for one in learnt.effects if _is_single(one)]
        joint = [joint_result(one, learnt) for one in learnt.interactions]
        singles, joint = (sorted(each, key=lambda one: -abs(one.loss or 0.0)) for each in (singles, joint))
        most = len(singles) + len(joint)
        while True:
            seen, together = singles[: max(most - len(joint), most // 2)], joint[: max(most - len(singles), most // 2)]
            more = len(singles) + len(joint) - len(seen) - len(together)
            text = prompts.render("llm/results.j2", singles=seen, joint=together, more=more)
            told = fenced("results", self.library.clean(text))
            if most < 4 or self.estimate(told) <= tokens:
                return told
            most = most * 3 // 4

    def _facts(self, listed: str) -> dict[str, Any]:
        return {
            "study": self.study,
            "question": self.question,
            "claims": self.claims,
            "metrics": self.metrics,
            "primary": self.primary,
            "modes": self.modes,
            "seeds": self.seeds,
            "config": self.config if self.library.shows_config else dict.fromkeys(self.config, "not shown"),
            "components": listed,
            "allowed": self.allowed,
        }


class _Planned(NamedTuple):
    """An ablation as a reviewer sees it."""

    name: str
    how: str
    expected: str
    tests: str


def _is_single(one: Effect) -> bool:
    return one.role != "control" and len(one.components) == 1


def _planned(one: Ablation) -> _Planned:
    tests = ", ".join(each.claim for each in one.claims)
    how = "; ".join(each.describe() for each in one.interventions)
    return _Planned(one.id, how, f"{one.prediction.direction} {one.prediction.size:+.1f} δ", tests)


def component_list(components: Sequence[Component], budget: int, estimate: Callable[[str], int]) -> str:
    """One line a component; families that differ in numbers alone share a line where they would not fit."""
    lines = [_line(one) for one in components if one.interventions]
    if estimate("\n".join(lines)) <= budget:
        return "\n".join(lines)
    families: dict[str, list[Component]] = {}
    for one in components:
        if one.interventions:
            families.setdefault(re.sub(r"\d+(–\d+)?", "*", one.id), []).append(one)
    shared = [_line(each[0]) if len(each) == 1 else _family(name, each) for name, each in families.items()]
    kept: list[str] = []
    for line in shared:
        if estimate("\n".join([*kept, line])) > budget:
            return "\n".join([*kept, f"… and {len(shared) - len(kept)} more families"])
        kept.append(line)
    return "\n".join(kept)


def _line(one: Component) -> str:
    how = dict.fromkeys(
        each.describe() if isinstance(each, ConfigOverride) else removal_name(each) for each in one.interventions
    )
    size = f", {one.size:,} parameters" if one.size else ""
    return f"- {one.id} ({one.kind}{size}; {one.where or 'no place'}): {' or '.join(how)}"


def _family(pattern: str, members: Sequence[Component]) -> str:
    how = ", ".join(dict.fromkeys(removal_name(each) for each in members[0].interventions))
    return f"- {pattern} ({len(members)} components of kind {members[0].kind}, such as {members[0].id}): {how}"
