"""What can be told of a study's ledger, each thing once: never a verdict in the middle of a look."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from ...prompts import phrases
from ..arms import SEARCHED, Arm, Arms
from ..evidence import Evidence, sign_of
from ..findings import MetricFindings, find
from ..firstline import first_line
from ..noisefloor import noise_floor
from ..planning.plan import Ablation, Plan
from ..report import numbers
from ..report.text import clipped, plain
from ..results import Effect, Interaction
from ..rounds import caps_of
from .shown import Forest, Interval, Note, Shown

WORDS = "chat/arrivals.j2"
LONGEST = 600
"""Characters of a note: an error may quote any code."""
Tone = Literal["plain", "good", "warning", "error"]
TONES: dict[str, Tone] = {"matters": "good", "hurts": "good", "negligible": "good", "structural": "warning"}


@dataclass(frozen=True)
class Arrival:
    """Something that came in."""

    key: str
    """What it is about, in which version of the source."""
    count: int
    """How much of it there was: it is told again only where there is more."""
    shown: Shown


def note(text: str, tone: Tone = "plain") -> Note:
    """A line for a terminal, whatever the user's code or a model put into it."""
    return Note(text=clipped(plain(text), LONGEST), tone=tone)


@dataclass(frozen=True)
class ModeNews:
    """What can be told of one mode."""

    evidence: Evidence
    told: Mapping[str, int]
    prefix: str
    """Of every key: the version of the source."""

    def arrivals(self) -> list[Arrival]:
        """The noise floor, then every look that is over, then the rounds."""
        if not self._baseline_is_over:
            return []
        found = list(self._baseline())
        due = [(plan, one) for plan in self.evidence.plans for one in self._asked(plan) if self._is_due(plan, one)]
        over = [plan for plan in self.evidence.plans if self._round_is_due(plan)]
        if due or over:
            findings = find(self.evidence, self.evidence.spec.primary)
            found += [each for plan, one in due for each in self._verdicts(plan, one, findings)]
            found += [self._round(plan, findings) for plan in over]
        return found

    # what is over

    @property
    def _baseline_is_over(self) -> bool:
        arm = self.evidence.baseline
        first = [row for seed, row in arm.trials.items() if seed < self.evidence.looks[0].seeds]
        return bool(arm.measured) and not any(row.status in ("planned", "running") for row in first)

    def _is_over(self, arm: Arm, seeds: int) -> bool:
        """Whether nothing more of a look will come from an arm."""
        if self.evidence.mode != "reevaluate":
            return arm.over(seeds)
        return arm.broken or arm.hopeless or arm.idle or arm.finished_at(self.evidence.seeds_at_hand)

    def _asked(self, plan: Plan) -> list[Ablation]:
        return [one for one in self.evidence.asked(plan) if one.id not in self.evidence.stopped]

    def _cap(self, plan: Plan, one: Ablation) -> int:
        """Seeds that its looks have asked for so far."""
        return caps_of(self.evidence, plan).get(one.id, self.evidence.looks[0].seeds)

    def _look_is_over(self, plan: Plan, one: Ablation) -> bool:
        """Whether every arm that came to this look has had its seeds: they are judged together."""
        cap = self._cap(plan, one)
        beside = [each for each in self._asked(plan) if self._cap(plan, each) >= cap]
        planned = {each.id for earlier in self.evidence.plans for each in earlier.ablations}
        parts = {part for each in beside for part in each.components if part in planned}
        names = {*(each.id for each in beside), *parts} - set(self.evidence.stopped) - set(self.evidence.dropped)
        asked = {each.id for earlier in self.evidence.plans for each in self.evidence.asked(earlier)}
        arms = [self.evidence.arm(name) for name in names & asked]
        return all(self._is_over(arm, cap) for arm in (*arms, self.evidence.baseline))

    def _is_due(self, plan: Plan, one: Ablation) -> bool:
        known = self.told.get(self._key("look", one.id), 0)
        return self._cap(plan, one) > known and self._look_is_over(plan, one)

    def _round_is_due(self, plan: Plan) -> bool:
        """Whether its last look is over, and that of earlier arms to which it gave more seeds."""
        if self._key("round", str(plan.round)) in self.told or not any(
            one.asks(self.evidence.mode) for one in plan.ablations
        ):
            return False
        again = [
            (earlier, one)
            for earlier in self.evidence.plans
            for one in self._asked(earlier)
            if one.id in plan.more_seeds
        ]
        mine = [(plan, one) for one in self._asked(plan)]
        return all(self._is_over(self.evidence.arm(one.id), self._cap(of, one)) for of, one in (*mine, *again))

    def _key(self, what: str, name: str) -> str:
        return f"{self.prefix}{what}:{self.evidence.mode}:{name}"

    # what is told

    def _baseline(self) -> Iterator[Arrival]:
        key, mode, metric = self._key("baseline", ""), self.evidence.mode, self.evidence.spec.primary
        if key not in self.told and (noise := noise_floor(self.evidence, metric)):
            yield Arrival(key, 1, note(phrases(WORDS).baseline(mode, metric, noise, numbers)))

    def _verdicts(self, plan: Plan, one: Ablation, findings: MetricFindings) -> Iterator[Arrival]:
        """Of a joint removal its interaction; its loss stands in the forest of the round."""
        cap = self._cap(plan, one)
        key = self._key("look", one.id)
        if together := next((each for each in findings.interactions if each.ablation == one.id), None):
            yield Arrival(key, cap, self._interaction(together))
        elif effect := next((each for each in findings.effects if each.ablation == one.id), None):
            yield Arrival(key, cap, self._effect(effect, findings))

    def _most(self, unit: str) -> int | None:
        return self.evidence.looks[-1].seeds if unit == "seed" else None

    def _effect(self, effect: Effect, findings: MetricFindings) -> Note:
        delta = numbers.with_interval(effect.delta, effect.interval, signed=True) if effect.delta is not None else ""
        loss = None
        if effect.delta is not None and findings.noise and findings.noise.smallest_effect > 0:
            loss = -sign_of(findings.noise.goal) * effect.delta / findings.noise.smallest_effect
        reason = first_line(effect.reason or "").rstrip(".")
        text = phrases(WORDS).effect(effect, delta, loss, reason, self._most(effect.unit))
        return note(text, TONES.get(effect.verdict, "plain"))

    def _interaction(self, found: Interaction) -> Note:
        contrast = "" if found.contrast is None else numbers.with_interval(found.contrast, found.interval, signed=True)
        return note(phrases(WORDS).interaction(found, contrast, self._most(found.unit)))

    def _round(self, plan: Plan, findings: MetricFindings) -> Arrival:
        mine = [one for one in findings.effects if one.round == plan.round]
        counts = dict(Counter(one.verdict for one in mine).most_common())
        title = plain(phrases(WORDS).round_over(plan.round, self.evidence.mode, counts))
        rows = [row for one in mine if (row := Interval.of(one))]
        band = findings.noise.smallest_effect if findings.noise else 0.0
        shown: Shown = Forest(title=title, band=band, rows=rows) if rows else note(title)
        return Arrival(self._key("round", str(plan.round)), 1, shown)


def check_news(evidence: Evidence, prefix: str) -> Iterator[Arrival]:
    """What a check has stopped, and what was dropped of a request when it was taken."""
    words = phrases(WORDS)
    for name, (verdict, reason) in evidence.stopped.items():
        yield Arrival(f"{prefix}stopped:{name}", 1, note(words.stopped(name, verdict, first_line(reason)), "warning"))
    for name, reason in evidence.dropped.items():
        yield Arrival(f"{prefix}stopped:{name}", 1, note(words.dropped(name, first_line(reason)), "warning"))
    for plan in (one for one in evidence.plans if one.request):
        for one in plan.dropped:
            key = f"{prefix}dropped:{plan.round}:{one.id}"
            yield Arrival(key, 1, note(words.dropped(one.id, first_line(one.reason)), "warning"))


def failed_trials(arms: Arms, prefix: str) -> Iterator[Arrival]:
    """The last failure of every arm, and how many there were."""
    for mode, named in arms.items():
        for arm in _told_by_name(named.values()):
            if arm.failed:
                row = arm.failed[-1]
                told = phrases(WORDS).failed(
                    arm.id, mode, len(arm.failed), row.seed, row.status, first_line(row.reason or "")
                )
                yield Arrival(f"{prefix}failed:{mode}:{arm.id}", len(arm.failed), note(told, "warning"))


def _told_by_name(arms: Iterable[Arm]) -> list[Arm]:
    """Without the many sets of a search."""
    return [arm for arm in arms if not arm.id.startswith(SEARCHED)]
