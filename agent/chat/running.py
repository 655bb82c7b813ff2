"""From the draft to trials: the price and the exact changes, a yes, the queue, and a process of its own that runs them."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ...executor.errors import PlanError
from ...executor.units import format_duration
from ...prompts import phrases
from .approval import Approval, Asked, Price, Reply
from .desk import Desk
from .draft import Draft
from .events import Approved, Moded, Refused
from .front import Front
from .limits import Limits
from .runner import Planner, Runner
from .session import Session
from .shown import Diff, Note

if TYPE_CHECKING:
    from ..planning.plan import Ablation, Plan

DRAFT = "draft.yaml"
"""The draft as a plan that `lesion run --plan` takes, in the conversation's folder."""


class Running:
    """Asks before anything runs, and keeps the one process that runs it."""

    def __init__(
        self, desk: Desk, session: Session, front: Front, runner: Runner, planner: Callable[[], Planner]
    ) -> None:
        self._desk, self._session, self._front, self.runner = desk, session, front, runner
        self._planner = planner
        """Of the whole study, as it is configured now."""

    def ask(self, reason: str = "", limits: Limits | None = None) -> str:
        """Ask for the draft, and run it after a yes. What came of it, in words for whoever asked.

        Args:
            reason: why it is worth its cost, as the model says.
            limits: what it may take.
        """
        words, draft = phrases("chat/running.j2"), self._session.draft
        if not draft:
            return words.empty()
        plan = draft.plan(self._desk.spec.study.name)
        if self._session.mode.mode == "plan-only":
            return words.plan_only(self._written(plan))
        asked = self._approval(plan, draft, reason)
        limits = limits or Limits()
        by = "person"
        if self._session.mode.mode == "auto" and (allowed := self._allowance(asked.price)) is not None:
            by, limits = "auto", limits.within(allowed)
            self._front.show(Note(text=words.by_itself(asked.what, allowed.trials, _duration(allowed.seconds))))
        else:
            reply = self._front.approve(asked)
            if reply is None:
                return words.nobody(self._session.mode.mode)
            if not reply.yes:
                return self._refused(asked.what, reply)
        return self._approved(plan, by, limits)

    def whole_study(self, limits: Limits) -> str:
        """Ask for the study to its end, follow-ups of its planner included; after a yes it runs."""
        words = phrases("chat/running.j2")
        if self._session.mode.mode == "plan-only":
            return words.plan_only_study()
        if self._driver:
            return words.held(self._driver)
        asked = self._whole_approval(limits)
        if self._session.mode.mode == "auto" and (allowed := self._allowance(asked.price)) is not None:
            limits = limits.within(allowed)
            self._front.show(Note(text=words.by_itself(asked.what, allowed.trials, _duration(allowed.seconds))))
        else:
            reply = self._front.approve(asked)
            if reply is None:
                return words.nobody(self._session.mode.mode)
            if not reply.yes:
                return self._refused(asked.what, reply)
        self.runner.start(whole=self._planner(), max_trials=limits.trials, seconds=limits.seconds)
        return words.started_study()

    def go_on(self, limits: Limits | None = None) -> str:
        """Start what was approved before and waits."""
        words = phrases("chat/running.j2")
        if self._session.mode.mode == "plan-only":
            return words.plan_only_study()
        if driver := self._driver:
            return words.held(driver)
        if not self._desk.waiting and not self._unfinished:
            return words.empty()
        self._start(limits or Limits())
        return words.started(list(self._desk.waiting))

    @property
    def waits(self) -> bool:
        """Whether anything was approved that nobody runs: it waits, or it was stopped on its way."""
        return self._driver is None and (bool(self._desk.waiting) or self._unfinished)

    # inside

    @property
    def _driver(self) -> str | None:
        """The process that runs the study, also where this conversation has only just started it."""
        own = self.runner.running
        return self._desk.driver or (str(own) if own is not None else None)

    def _approved(self, plan: "Plan", by: str, limits: Limits) -> str:
        from ..queue import Queue

        words = phrases("chat/running.j2")
        plan = plan.model_copy(update={"remarks": [words.remark()]})
        request = Queue(self._desk.state).add(plan)
        ids = (*(one.id for one in plan.ablations), *plan.more_seeds)
        self._session.tell(Approved(request=request, ids=ids, by="auto" if by == "auto" else "person"))
        driver = self._driver
        if driver is not None:
            return words.queued(driver)
        self._start(limits)
        return words.started([request])

    def _start(self, limits: Limits) -> None:
        self.runner.start(max_trials=limits.trials, seconds=limits.seconds)

    def _refused(self, what: str, reply: Reply) -> str:
        self._session.tell(Refused(what=what, reason=reply.reason))
        return phrases("chat/running.j2").refused(reply.reason)

    def _approval(self, plan: "Plan", draft: Draft, reason: str) -> Approval:
        from .price import price_of

        words = phrases("chat/running.j2")
        number = len(self._desk.plans) + len(self._desk.waiting) + 1
        with self._desk.ledger() as ledger:
            price = price_of(
                self._desk.setting, ledger, plan, number, workers=self.runner.allowed.workers, loads=self._desk.loads
            )
        driver = self._driver
        own = driver is not None and driver == str(self.runner.running)
        notes = words.notes(number, reason, driver if not own else None, len(self._desk.waiting))
        return Approval(
            what=words.what(len(plan.ablations), len(plan.more_seeds), number),
            ablations=tuple(_asked(one) for one in draft.ablations.values()),
            price=price,
            notes=tuple(line for line in notes.splitlines() if line.strip()),
        )

    def _whole_approval(self, limits: Limits) -> Approval:
        from .price import whole_study_price

        words = phrases("chat/running.j2")
        with self._desk.ledger() as ledger:
            price = whole_study_price(
                self._desk.setting,
                ledger,
                self._first_plan(),
                self._desk.loads,
                workers=self.runner.allowed.workers,
            )
        caps = words.caps(limits.trials, _duration(limits.seconds))
        notes = [words.planner_note(), *([caps] if caps else [])]
        return Approval(what=words.whole_study(), price=price, notes=tuple(notes))

    def _first_plan(self) -> "Plan":
        from ..planners import rules_planner

        plans = self._desk.plans
        if plans:
            return plans[0]
        rules = rules_planner(self._desk.setting)
        return rules.first_round(self._desk.spec.study.name, list(self._desk.known.values()))

    def _allowance(self, price: Price | None) -> Limits | None:
        """What auto may still spend, where this fits in; None where a person has to say yes."""
        left = self.left(self._session.mode)
        if left.trials is not None and (price is None or price.first_look > left.trials):
            return None
        if left.seconds is not None and (left.seconds <= 0 or (price and (price.seconds or 0) > left.seconds)):
            return None
        return left

    def left(self, mode: Moded) -> Limits:
        """What is left of auto's caps."""
        with self._desk.ledger() as ledger:
            spent = ledger.compute(self._desk.setting.version)["attempts"] - mode.attempts if ledger else 0
        trials = None if mode.trials is None else max(0, mode.trials - spent)
        return Limits(trials, None if mode.until is None else max(0.0, mode.until - time.time()))

    @property
    def _unfinished(self) -> bool:
        with self._desk.ledger() as ledger:
            rows = ledger.trials(self._desk.setting.version) if ledger else []
        return any(row.status in ("planned", "running") for row in rows)

    def _written(self, plan: "Plan") -> str:
        path = self._desk.folder / DRAFT
        try:
            path.write_text(plan.as_yaml(), encoding="utf-8")
        except OSError as error:
            raise PlanError(f"the draft cannot be written: {error.strerror}", where=str(path)) from None
        return str(path)


def _asked(one: "Ablation") -> Asked:
    from ...executor.interventions import described
    from ..blockdiff import edit_diff

    diff = edit_diff(one.interventions)
    return Asked(
        id=one.id,
        how=described(one.interventions),
        expected=phrases("chat/words.j2").expected(one),
        hypothesis=one.hypothesis,
        diff=Diff(title=one.id, text=diff) if diff else None,
    )


def _duration(seconds: float | None) -> str:
    return "" if seconds is None else format_duration(round(seconds))
