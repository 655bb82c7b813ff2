"""What a text may refer to: the findings of a study by name, each with its values as text.

A reference to something unknown or not measured is an error that says so, and names the nearest there is."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import TypeVar

from ...prompts import render
from ..report import selection
from ..report.predictions import comparisons
from ..report.text import clipped, plain, prepared
from ..results import Results
from . import attributes
from .attributes import Values
from .own import as_shown
from .references import NoSuchReference, Reference, read

MOST_EXAMPLES = 12
"""Names of one kind that a model is told; the others it learns from its tools."""

MOST_OF_A_NAME = 80
T = TypeVar("T")


@dataclass(frozen=True)
class Subject:
    """What one reference is about, less the attribute."""

    values: Values
    missing: str = "this is not known"
    """Why some of its values are missing."""


class Facts:
    """The results of a study, as references find them; every text in them is made fit for Markdown."""

    def __init__(self, results: Results) -> None:
        self.results = results

    @cached_property
    def shown(self) -> Results:
        """The same results with every text escaped; a name that holds a number stands as code."""
        return prepared(self.results, as_shown)

    @cached_property
    def ids(self) -> frozenset[str]:
        """Every name of the study that a text may mention, numbers and all."""
        found = self.results
        metrics = {metric for metrics in found.baseline.values() for metric in metrics}
        removals = [*found.effects, *found.interactions]
        components = {part for one in removals for part in one.components}
        claims = {one.id for one in found.claims}
        paths = {part.partition(":")[2] for part in components}
        return frozenset({*metrics, *components, *paths, *claims, *(one.ablation for one in removals)})

    def value(self, expression: str) -> str:
        """The value of a reference, from what stands between its braces.

        Raises:
            NoSuchReference: there is no such value; the message says why, and what there is.
        """
        reference = read(expression)
        subject = self._subject(reference)
        if reference.attribute not in subject.values:
            raise NoSuchReference(f"{reference.subject} has no {_unknown(reference.attribute, subject.values)}")
        value = subject.values[reference.attribute]
        if value is None:
            raise NoSuchReference(f"{reference.subject}.{reference.attribute}: {subject.missing}")
        return value

    def references(self) -> str:
        """All there is to refer to, with meanings and the names of this study, for a language model."""
        singles = [e for e in self.results.effects if len(e.components) == 1]
        measured = [e for e in singles if e.delta is not None and e.verdict not in selection.UNMEASURED]
        return render(
            "chat/references.j2",
            effects=list(dict.fromkeys(e.components[0] for e in singles))[:MOST_EXAMPLES],
            example=next(iter([e for e in measured if e.metric == self.results.study.primary]), None),
            joints=[joint.components for joint in self.results.interactions if not selection.is_crowd(joint)][:3],
            modes=selection.modes(self.results),
            metrics=sorted({metric for metrics in self.results.baseline.values() for metric in metrics})[
                :MOST_EXAMPLES
            ],
            primary=self.results.study.primary,
            claims=[claim.id for claim in self.results.claims][:MOST_EXAMPLES],
            planners=[score.planner for score in self.results.predictions],
        )

    def _subject(self, reference: Reference) -> Subject:
        functions: dict[str, tuple[Callable[..., Subject], int | None, str]] = {
            "effect": (self._effect, 1, "mode metric kind"),
            "interaction": (self._interaction, None, "mode metric"),
            "baseline": (self._baseline, 0, "mode metric"),
            "study": (self._study, 0, ""),
            "accounting": (self._accounting, 0, ""),
            "claim": (self._claim, 1, ""),
            "prediction": (self._prediction, 1, "mode kind"),
            "score": (self._score, 1, ""),
        }
        if reference.function not in functions:
            raise NoSuchReference(f"there is no {_unknown(reference.function, functions)}")
        function, arguments, keywords = functions[reference.function]
        for keyword in reference.keywords:
            if keyword not in keywords.split():
                raise NoSuchReference(f"{reference.function} takes no {_unknown(keyword, keywords.split())}")
        if arguments is not None and len(reference.arguments) != arguments:
            wanted = "one name" if arguments else "no name"
            raise NoSuchReference(f"{reference.subject}: {reference.function} takes {wanted} in its parentheses")
        return function(*reference.arguments, **reference.keywords)

    def _effect(self, name: str, mode: str = "", metric: str = "", kind: str = "") -> Subject:
        at = self._effect_at(name, mode, metric, kind)
        raw, effect = self.results.effects[at], self.shown.effects[at]
        missing = f"{name} was not measured in {raw.mode}: its verdict is {raw.verdict}"
        if raw.verdict == "undecided" and raw.n == 0:
            missing = f"{name} has not been run in {raw.mode} yet"
        elif raw.verdict not in selection.UNMEASURED:
            missing = f"this is not known, or was not shown, of {name} in {raw.mode}: its verdict is {raw.verdict}"
        return Subject(attributes.of_effect(self.shown, effect), missing)

    def _effect_at(self, name: str, mode: str, metric: str, kind: str) -> int:
        effects = self.results.effects

        def metric_of(at: int) -> str:
            return effects[at].metric

        def mode_of(at: int) -> str:
            return effects[at].mode

        def kind_of(at: int) -> str:
            return effects[at].intervention_kind

        named = [at for at, e in enumerate(effects) if e.components == [name] or e.ablation == name]
        named = [at for at in named if effects[at].role != "control" or effects[at].ablation == name]
        if not named:
            known = dict.fromkeys(n for e in effects for n in (*e.components, e.ablation))
            raise NoSuchReference(f"no removal of {_unknown(name, known)}")
        named = _narrowed(named, "metric", metric or self.results.study.primary, metric_of, name)
        named = _narrowed(named, "mode", mode, mode_of, name)
        sealed = [at for at in named if effects[at].role == "confirmatory" or effects[at].ablation == name]
        named = _narrowed(named if kind else sealed or named, "kind", kind, kind_of, name)
        if len({effects[at].ablation for at in named}) > 1:
            others = ", ".join(f'"{effects[at].ablation}"' for at in named)
            raise NoSuchReference(f"{name} was removed in several ways: name one of {others}")
        return next((at for at in named if effects[at].role == "confirmatory"), named[0])

    def _interaction(self, *names: str, mode: str = "", metric: str = "") -> Subject:
        joints = self.results.interactions

        def metric_of(at: int) -> str:
            return joints[at].metric

        def mode_of(at: int) -> str:
            return joints[at].mode

        named = [
            at
            for at, joint in enumerate(joints)
            if sorted(joint.components) == sorted(names) or names == (joint.ablation,)
        ]
        told = " and ".join(names)
        if not named:
            known = "; ".join(" and ".join(joint.components) for joint in joints[:MOST_EXAMPLES])
            raise NoSuchReference(f"{told} were not removed together; there is: {known or 'no joint removal'}")
        named = _narrowed(named, "metric", metric or self.results.study.primary, metric_of, told)
        named = _narrowed(named, "mode", mode, mode_of, told)
        missing = f"this is not known of {told} together: the verdict is {joints[named[0]].verdict}"
        return Subject(attributes.of_interaction(self.shown, self.shown.interactions[named[0]]), missing)

    def _baseline(self, mode: str = "", metric: str = "") -> Subject:
        metric = metric or self.results.study.primary
        modes = list(self.results.baseline)
        if not modes:
            raise NoSuchReference("the baseline has not been measured yet")
        (chosen,) = _narrowed(modes, "mode", mode, str, "the baseline")
        metrics = list(self.results.baseline[chosen])
        if metric not in metrics:
            raise NoSuchReference(f"the baseline in {chosen} has no metric {_unknown(metric, metrics)}")
        at = metrics.index(metric)
        name, floor = list(self.shown.baseline[chosen].items())[at]
        return Subject(attributes.of_baseline(chosen, name, floor))

    def _study(self) -> Subject:
        return Subject(attributes.of_study(self.shown))

    def _accounting(self) -> Subject:
        return Subject(attributes.of_accounting(self.shown))

    def _claim(self, name: str) -> Subject:
        ids = [claim.id for claim in self.results.claims]
        if name not in ids:
            raise NoSuchReference(f"no claim {_unknown(name, ids)}")
        return Subject(attributes.of_claim(self.shown.claims[ids.index(name)]), "there is none")

    def _prediction(self, name: str, mode: str = "", kind: str = "") -> Subject:
        effect = self.shown.effects[self._effect_at(name, mode, "", kind)]
        for compared in comparisons(self.shown, effect.mode):
            if compared.effect == effect:
                return Subject(attributes.of_prediction(compared), "it was not measured, or not said")
        raise NoSuchReference(f"nothing was predicted of {name} in {effect.mode}")

    def _score(self, planner: str) -> Subject:
        planners = [score.planner for score in self.results.predictions]
        if planner not in planners:
            raise NoSuchReference(f"no predictions by {_unknown(planner, planners)}")
        score = self.shown.predictions[planners.index(planner)]
        return Subject(attributes.of_score(score))


class NothingMeasured(Facts):
    """A study without results: every reference says so."""

    def __init__(self) -> None:
        """There is nothing to hold."""

    @cached_property
    def ids(self) -> frozenset[str]:
        """No name of a result."""
        return frozenset()

    def value(self, expression: str) -> str:
        """Raises `NoSuchReference`."""
        raise NoSuchReference("nothing is measured yet")

    def references(self) -> str:
        """None."""
        return ""


def _narrowed(found: Sequence[T], what: str, wanted: str, of: Callable[[T], str], name: str) -> list[T]:
    """Those of `found` that are as wanted; where nothing is wanted, all of them, provided that they are alike."""
    there = list(dict.fromkeys(of(each) for each in found))
    if wanted and wanted not in there:
        raise NoSuchReference(f"{name} was not measured with {what} {_unknown(wanted, there)}")
    if not wanted and len(there) > 1:
        options = " or ".join(f'{what}="{each}"' for each in there)
        raise NoSuchReference(f"{name} was measured in more than one {what}: say {options}")
    return [each for each in found if not wanted or of(each) == wanted]


def _unknown(name: str, known: Iterable[str]) -> str:
    """`"nam"; did you mean "name"?`, or all that there is."""
    known, name = list(known), clipped(plain(name), MOST_OF_A_NAME)
    near = get_close_matches(name, known, n=2, cutoff=0.5)
    if near:
        return f'"{name}"; did you mean ' + " or ".join(f'"{one}"' for one in near) + "?"
    there = ", ".join(f'"{one}"' for one in known[:MOST_EXAMPLES])
    return f'"{name}"; there is {there or "nothing yet"}'
