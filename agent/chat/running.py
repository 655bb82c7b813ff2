"""From the draft to trials: the price and the exact changes, a yes, the queue, and a process of its own that runs them."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from ...executor.errors import PlanError
from ...executor.units import format_duration
from ...prompts import phrases
from .approval import Approval, Asked, Price, Reply
from .desk import Desk
from .draft import Draft
from .events import Approved, Moded, Refused
from .front import Front
from .limits import Limits
from .runner import PlannerFlags, Runner
from .session import Session
from .shown import Note

if TYPE_CHECKING:
    from ..planning.plan import Ablation, Plan

DRAFT = "draft.yaml"
"""The draft as a plan that `lesion run --plan` takes, in the conversation's folder."""
Teller = Literal["person", "model"]
"""Whom an answer is for."""


class _Agreed(NamedTuple):
    """A yes, whose it is, and what may be taken."""

    by: Literal["person", "auto"]
    limits: Limits


class Running:
    """Asks before anything runs, and keeps the one process that runs it.

    Args:
        desk: the study.
        session: the conversation.
        front: sees what happens.
        runner: the process.
        planner: who plans where the whole study is run.
        ask: asks a person.
    """

    def __init__(
        self,
        desk: Desk,
        session: Session,
        front: Front,
        runner: Runner,
        planner: Callable[[], PlannerFlags],
        ask: Callable[[Approval], Reply | None],
    ) -> None:
        self._desk, self._session, self._front, self.runner = desk, session, front, runner
        self._planner, self._ask = planner, ask

    def ask(self, limits: Limits, teller: Teller = "person", reason: str = "") -> str:
        """Ask for the draft, and run it after a yes. What came of it, in words.

        Args:
            limits: what it may take.
            teller: whom the words are for.
            reason: why it is worth its cost, as the model says.
        """
        words, draft = phrases("chat/running.j2"), self._session.draft
        if not draft:
            return words.empty(list(self._desk.waiting), self.unfinished)
        plan = draft.plan(self._desk.spec.study.name)
        if self._session.mode.mode == "plan-only":
            return words.plan_only(self._written(plan))
        before = self.before
        agreed = self._agreed(self._approval(plan, draft, reason, before), limits, teller, before)
        return agreed if isinstance(agreed, str) else self._approved(plan, agreed)

    def go_on(self, limits: Limits) -> str:
        """Ask for what was approved earlier and is not measured yet; after a yes it runs."""
        words = phrases("chat/running.j2")
        if self._session.mode.mode == "plan-only":
            return words.plan_only_study()
        if self.driver:
            return words.held(self.driver)
        agreed = self._agreed(self._rest_approval(), limits, "person")
        if isinstance(agreed, str):
            return agreed
        self.start(agreed.limits)
        return words.started()

    def whole_study(self, limits: Limits) -> str:
        """Ask for the study to its end, follow-ups of its planner included; after a yes it runs."""
        words = phrases("chat/running.j2")
        if self._session.mode.mode == "plan-only":
            return words.plan_only_study()
        if self.driver:
            return words.held(self.driver)
        planner = self._planner()
        agreed = self._agreed(self._whole_approval(planner), limits, "person")
        if isinstance(agreed, str):
            return agreed
        self.runner.start(whole=planner, max_trials=agreed.limits.trials, seconds=agreed.limits.seconds)
        return words.started_study()

    def start(self, limits: Limits) -> None:
        """Run what was approved."""
        self.runner.start(max_trials=limits.trials, seconds=limits.seconds)

    @property
    def driver(self) -> str | None:
        """The process that runs the study: this conversation's own from its start on, or another."""
        own = self.runner.running
        return self._desk.driver if own is None else str(own)

    @property
    def waits(self) -> bool:
        """Whether anything was approved that nobody runs, and that may run now."""
        may = self._session.mode.mode != "plan-only"
        return may and bool(self._desk.waiting) and self.driver is None

    @property
    def unfinished(self) -> int:
        """Trials of sealed rounds that are still to run."""
        with self._desk.ledger() as ledger:
            rows = ledger.trials(self._desk.setting.version) if ledger else []
        return sum(row.status in ("planned", "running") for row in rows)

    @property
    def before(self) -> int:
        """Trials that run before anything new: of sealed rounds, and of what waits."""
        waiting = list(self._desk.waiting.values())
        return self.unfinished + sum(self._price(one, len(self._desk.plans) + 1).first_look for one in waiting)

    def left(self, mode: Moded) -> Limits:
        """What is left of auto's caps."""
        with self._desk.ledger() as ledger:
            started = ledger.attempts_made() if ledger else 0
        trials = None if mode.trials is None else max(0, mode.trials - max(0, started - mode.attempts))
        return Limits(trials, None if mode.until is None else max(0.0, mode.until - time.time()))

    # inside

    def _agreed(self, asked: Approval, limits: Limits, teller: Teller, before: int = 0) -> _Agreed | str:
        """Auto's yes within its caps, else a person's; why there is none, in words. `before`: trials that run first."""
        words, mode = phrases("chat/running.j2"), self._session.mode
        notes = [words.caps(limits.trials, _duration(limits.seconds))]
        if mode.mode == "auto":
            left = self.left(mode)
            told = words.left(left.trials, _duration(left.seconds))
            if self._fits(asked.price, before, left):
                self._front.show(Note(text=words.by_itself(asked.what, asked.price, told)))
                return _Agreed("auto", limits.within(left))
            notes.append(words.beyond(told))
        asked = asked.model_copy(update={"notes": (*asked.notes, *(one for one in notes if one))})
        reply = self._ask(asked)
        if reply is None:
            return words.nobody(mode.mode)
        if reply.yes:
            return _Agreed("person", limits)
        self._session.tell(Refused(what=asked.what, reason=reply.reason))
        return words.refused(reply.reason, teller)

    def _fits(self, price: Price | None, before: int, left: Limits) -> bool:
        """Whether auto's caps allow it, with what runs before it."""
        if price is None:
            return False
        # what another process takes up is held to these caps by nothing else
        if self._foreign:
            trials, seconds = price.most, price.most_seconds
        else:
            trials, seconds = price.first_look + before, price.seconds
        if left.trials is not None and max(1, trials) > left.trials:
            return False
        return left.seconds is None or left.seconds > (seconds or 0.0)

    def _approved(self, plan: "Plan", agreed: _Agreed) -> str:
        """Into the queue; whoever runs the study takes it from there."""
        from ..queue import Queue

        words = phrases("chat/running.j2")
        request = Queue(self._desk.state).add(plan.model_copy(update={"remarks": [words.remark()]}))
        ids = (*(one.id for one in plan.ablations), *plan.more_seeds)
        self._session.tell(Approved(request=request, ids=ids, by=agreed.by))
        if self.driver:
            return words.queued(self.driver)
        self.start(agreed.limits)
        return words.started()

    @property
    def _foreign(self) -> str | None:
        """The process that runs the study, where it is not this conversation's own."""
        return self.driver if self.runner.running is None else None

    def _approval(self, plan: "Plan", draft: Draft, reason: str, before: int) -> Approval:
        words, spec = phrases("chat/running.j2"), self._desk.spec
        number = len(self._desk.plans) + len(self._desk.waiting) + 1
        notes = words.notes(number, reason, self._foreign, before)
        return Approval(
            what=words.what(len(plan.ablations), len(plan.more_seeds), number),
            ablations=tuple(_asked(one, spec.root, spec.project.exclude) for one in draft.ablations.values()),
            price=self._price(plan, number),
            notes=tuple(line for line in notes.splitlines() if line.strip()),
        )

    def _price(self, plan: "Plan", number: int) -> Price:
        from .price import price_of

        desk, workers = self._desk, self.runner.allowed.workers
        with desk.ledger() as ledger:
            return price_of(desk.setting, ledger, plan, number, desk.loads, workers=workers)

    def _rest_approval(self) -> Approval:
        """Of what was approved earlier."""
        from .price import price_of_trials

        desk, left, workers = self._desk, self.before, self.runner.allowed.workers
        with desk.ledger() as ledger:
            price = price_of_trials(desk.setting, ledger, left, workers=workers)
        return Approval(what=phrases("chat/running.j2").go_on(left, list(desk.waiting)), price=price)

    def _whole_approval(self, planner: PlannerFlags) -> Approval:
        from .price import whole_study_price

        words, desk, workers = phrases("chat/running.j2"), self._desk, self.runner.allowed.workers
        first = desk.plans[0] if desk.plans else desk.suggested()
        assert first is not None  # the rules always have a first round
        with desk.ledger() as ledger:
            price = whole_study_price(desk.setting, ledger, first, desk.loads, workers=workers)
        notes = words.planned_by(planner).strip().splitlines()
        return Approval(what=words.whole_study(), price=price, notes=tuple(notes))

    def _written(self, plan: "Plan") -> str:
        path = self._desk.folder / DRAFT
        try:
            path.write_text(plan.as_yaml(), encoding="utf-8")
        except OSError as error:
            raise PlanError(f"the draft cannot be written: {error.strerror}", where=str(path)) from None
        return str(path)


def _asked(one: "Ablation", root: Path, exclude: Sequence[str]) -> Asked:
    from ...executor.interventions import described
    from .diffs import diff_of

    return Asked(
        id=one.id,
        how=described(one.interventions),
        expected=phrases("chat/words.j2").expected(one),
        hypothesis=one.hypothesis,
        diff=diff_of(one, root, exclude),
    )


def _duration(seconds: float | None) -> str:
    return "" if seconds is None else format_duration(round(seconds))
