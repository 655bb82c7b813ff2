"""Three ways through the same simulated night. One worker; all stop an arm by the same rule, so that only the order differs."""

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from lesion.agent.night.priority import Candidate, StudyView, next_study, order
from lesion.agent.records.power import Power, Settling

from .simulated import SimulatedNight, is_settled

SLICES = 20
"""Into which a night is cut; the machine may go to another study at the end of each."""
MARGIN = 1.5
"""No trial starts that could not take so many times the median and end in time, as the dispatcher has it."""


class Course:
    """A night while it goes on: what is finished, what it took, and what time it is."""

    def __init__(self, night: SimulatedNight) -> None:
        self.studies, self.seconds, self.now = night.studies, night.seconds, 0.0
        self.finished = [[0] * (1 + one.arms) for one in night.studies]
        self.taken: list[list[float]] = [[] for _ in night.studies]
        self.closed = [False] * len(night.studies)

    @property
    def left(self) -> float:
        return self.seconds - self.now

    def run(self, study: int, row: int) -> bool:
        """One more seed of a row (0: the baseline); False where nothing of this study may start any more."""
        cost = float(self.studies[study].costs[row])
        known = self.taken[study][-50:]
        if self.closed[study] or (known and MARGIN * statistics.median(known) > self.left):
            self.closed[study] = True
            return False
        if cost > self.left:
            self.now = self.seconds
            return False
        self.now += cost
        self.taken[study].append(cost)
        self.finished[study][row] += 1
        return True

    def up_to(self, study: int, row: int, seeds: int) -> bool:
        """Seeds of a row up to a look, the baseline's before; False where they did not all fit."""
        rows = (0, row) if row else (0,)
        return all(self.run(study, one) for one in rows for _ in range(seeds - self.finished[study][one]))

    def looks_done(self, study: int, arm: int) -> int:
        return sum(look.seeds <= self.finished[study][1 + arm] for look in self.studies[study].looks)


def plan_order(course: Course) -> None:
    """Study after study, arm after arm, each to its end."""
    for study, one in enumerate(course.studies):
        for arm in range(one.arms):
            if not course.up_to(study, 1 + arm, one.looks[one.wanted[arm] - 1].seeds):
                break


def seed_by_seed(course: Course) -> None:
    """One seed more for every arm of every study that is still open."""
    for seeds in range(1, 21):
        for study, one in enumerate(course.studies):
            for arm in range(one.arms):
                if seeds <= one.looks[one.wanted[arm] - 1].seeds:
                    course.up_to(study, 1 + arm, seeds)


def lesion(course: Course) -> None:
    """Studies by what they can still learn per second; within one, look after look, arms by `order`."""
    length, count = course.seconds / SLICES, len(course.studies)
    turns, waited = [0] * count, [0] * count
    while True:
        views = [replace(view(course, at), turns=turns[at], waited=waited[at]) for at in range(count)]
        if all(one.over for one in views):
            return
        study = next_study(views, course.left)
        turns[study] += 1
        waited = [0 if at == study else before + 1 for at, before in enumerate(waited)]
        end = course.now + length
        for row, seeds in asked(course, study):
            if course.now >= end or not course.up_to(study, row, seeds):
                break


def asked(course: Course, study: int) -> Iterator[tuple[int, int]]:
    """Rows, and the seeds that they need, of the look that not all arms have completed; as `wanted_trials` orders them."""
    one = course.studies[study]
    open_ = [arm for arm in range(one.arms) if course.looks_done(study, arm) < one.wanted[arm]]
    look = min(course.looks_done(study, arm) for arm in open_)
    seeds = one.looks[look].seeds
    if course.finished[study][0] < seeds:
        yield 0, seeds
    going = [arm for arm in open_ if course.looks_done(study, arm) == look]
    candidates = [candidate(course, study, arm, look) for arm in going]
    for each in order(candidates, course.left, 1):
        yield 1 + int(each.id), seeds


def candidate(course: Course, study: int, arm: int, look: int) -> Candidate:
    """An arm on its way to `look`; what its trials take is known once one has run, and is the baseline's before."""
    one, finished = course.studies[study], course.finished[study][1 + arm]
    seconds = float(one.costs[1 + arm] if finished else one.costs[0])
    return Candidate(str(arm), one.looks[look].seeds - finished, seconds, one.chance(arm, look, look))


def view(course: Course, study: int) -> StudyView:
    """What the night knows of a study when it shares out the machine."""
    one, finished = course.studies[study], course.finished[study]
    done = [course.looks_done(study, arm) for arm in range(one.arms)]
    over = course.closed[study] or all(count >= wanted for count, wanted in zip(done, one.wanted, strict=True))
    if over or finished[0] < one.looks[0].seeds:
        return StudyView(over)
    pace = statistics.fmean(course.taken[study])
    open_ = [arm for arm in range(one.arms) if done[arm] and not one.is_settled_at(arm, done[arm])]
    asked_for = {arm: one.seeds_to_settle[done[arm] - 1][arm] for arm in open_}
    known = {arm: seeds for arm, seeds in asked_for.items() if seeds is not None}
    units = max(known.values(), default=None)
    trials = None
    if units is not None:
        further = [max(0, seeds - finished[1 + arm]) for arm, seeds in known.items()]
        trials = sum(further) + max(0, units - finished[0])
    settling = Settling(
        settled=one.arms - len(open_),
        undecided=len(open_),
        unknown=len(open_) - len(known),
        units=units,
        trials=trials,
        seconds=None if trials is None else trials * pace,
    )
    power = Power(
        metric="score",
        unit="seed",
        sd=one.sigma,
        smallest_effect=1.0,
        effect=2.0,
        family=one.arms,
        looks=one.ahead,
        first_look_trials=one.arms * one.looks[0].seeds,
        most_trials=(1 + one.arms) * one.looks[-1].seeds,
        seconds_per_trial=pace,
    )
    return StudyView(over, [settling], [power], waiting=done.count(0))


Policy = Callable[[Course], None]
POLICIES: dict[str, Policy] = {
    "in plan order": plan_order,
    "one seed more for everyone": seed_by_seed,
    "lesion's": lesion,
}


@dataclass(frozen=True)
class Morning:
    """What a policy made of a night."""

    course: Course
    arms: int
    settled: int
    right: int


def lived(night: SimulatedNight, policy: Policy) -> Morning:
    """Let a policy have the night, and judge by the real analysis what it has measured."""
    course = Course(night)
    policy(course)
    settled = right = 0
    for study, finished in zip(night.studies, course.finished, strict=True):
        found = [(arm, one) for arm, one in enumerate(study.verdicts(finished)) if is_settled(one)]
        settled += len(found)
        right += sum(study.is_right(arm, one) for arm, one in found)
    return Morning(course, sum(one.arms for one in night.studies), settled, right)
