"""The planner that asks a language model. Whatever it answers, or does not, the study goes on: the rules plan in its place."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ....executor.errors import BadAnswerError, PlannerError, PlanningOver
from ...components import Component
from ...records.planning import LEFT_OUT, RULES, Planning
from ...results import Mode
from ..plan import Ablation, Dropped, Mended, Plan, signature
from ..planner import Learnt
from ..rules import RulesPlanner
from .answers import FirstPlan, Mending, NextRound, Proposal, Review, Withdrawal
from .briefing import Briefing
from .claims import open_claims, tests_open_claim
from .conversation import Conversation, Model
from .followups import followed
from .mending import came_back, lost, replaced, without
from .typed import Ground, Typed, name_of, one_line, quotation, typed

MENDINGS = 2
"""Times that a failed proposal goes back."""
MOST_ROUNDS = 8
"""After so many rounds the model is asked no more."""
STRAY = "came back from mending under a name that was not sent back"
MOST_LISTED = 5
"""Dropped proposals that are named where no plan lists them."""


@dataclass
class LlmPlanner:
    """Proposals by the model, beside those that the statistics suggest."""

    model: Model
    briefing: Briefing
    rules: RulesPlanner
    name: str
    """`llm:` and the model's name."""
    bill: Callable[[], Planning]
    """What was asked so far, and what it took."""
    on_trouble: Callable[[str], None] = lambda why: None
    """Is told why the rules plan in its place, where that was not its own wish."""
    ended: str | None = field(default=None, init=False)
    """Why the model is asked no more."""
    last: str | None = field(default=None, init=False)
    """What came of the last question where nothing of it was planned."""
    _known: dict[str, Component] = field(default_factory=dict[str, Component], init=False)
    """What the last proposals were held against."""

    @property
    def spent(self) -> Planning:
        """What the model was asked so far, what it took, and why it ended where it did."""
        return self.bill().model_copy(update={"ended": self.ended, "last": self.last})

    def first_round(self, study: str, components: Sequence[Component]) -> Plan:
        """What the model proposes; what the rules would have asked beside it is listed as left out."""
        suggested = self.rules.first_round(study, components)
        try:
            plan = self._planned(study, components, suggested)
        except (PlanningOver, BadAnswerError) as error:
            self.on_trouble(why := self._why(error))
            return self._instead(suggested, why)
        if not plan.ablations:
            self.on_trouble(why := "nothing that it proposed can be run")
            return self._instead(suggested, why, plan.dropped)
        return plan

    def pool(self, learnt: Learnt, mode: Mode) -> list[str]:
        """As the rules choose it: a search is a question of statistics."""
        return self.rules.pool(learnt, mode)

    def next_round(self, learnt: Learnt) -> Plan | None:
        """What the model asks for after these results, and what the statistics suggest; what tests an open claim first."""
        suggested = self.rules.next_round(learnt)
        if len(learnt.plans) >= MOST_ROUNDS:
            self.ended = self.ended or f"it is asked for {MOST_ROUNDS} rounds at most"
        if self.ended or (suggested and suggested.is_screen):
            return suggested
        try:
            return self._followed(learnt, suggested)
        except PlannerError as error:
            self.on_trouble(why := self._why(error))
            if suggested is None:
                self.ended = why  # no plan is left that could say so
            return suggested and self._instead(suggested, why)

    def mend(self, plan: Plan, problems: Mapping[str, str]) -> Plan:
        """Ask for each failed proposal again, twice at most; what fails then, or does not come back, is dropped."""
        tried = {one.id: one.problems for one in plan.mended}
        back = {name: why for name, why in problems.items() if len(tried.get(name, [])) < MENDINGS}
        given_up = {name: why for name, why in problems.items() if name not in back}
        answers, strays = self._mended(plan, back) if back else ({}, [])
        plan = without(plan, given_up | {name: why for name, why in back.items() if name not in answers})
        for name, (ablation, component) in answers.items():
            plan = replaced(plan, ablation, component, problems[name])
        return plan.model_copy(update={"dropped": _once([*plan.dropped, *strays])})

    # inside

    def _planned(self, study: str, components: Sequence[Component], suggested: Plan) -> Plan:
        talk = Conversation(self.model, self.briefing, self._allowed(components))
        ground = self._ground(components)
        answer = talk.ask("plan", self.briefing.first_plan(suggested), FirstPlan)
        found, mended = self._understood(answer.proposals, ground)
        plan = self._as_plan(study, 1, found, mended)
        if plan.ablations:
            plan = self._reviewed(plan, talk, ground)
        asked = {signature(one.interventions) for one in plan.ablations}
        told = {one.id for one in plan.dropped}
        left_out = [
            Dropped(id=one.id, reason=LEFT_OUT, by=RULES)
            for one in suggested.ablations
            if signature(one.interventions) not in asked and one.id not in told
        ]
        return plan.model_copy(update={"dropped": [*plan.dropped, *left_out]})

    def _reviewed(self, plan: Plan, talk: Conversation, ground: Ground) -> Plan:
        """The plan after a reviewer's pass; without one where that fails."""
        try:
            review = talk.ask("review", self.briefing.review(plan), Review)
        except PlannerError as error:
            remark = f"the reviewer's pass failed: {self._why(error)}"
            return plan.model_copy(update={"remarks": [*plan.remarks, remark]})
        taken = {signature(one.interventions): one.id for one in plan.ablations}
        known = {**ground.known, **{one.id: one for one in plan.components}}
        found, mended = self._understood(review.proposals, replace(ground, taken=taken, known=known))
        again = {one.id for one in found.dropped}
        plan = without(plan, _withdrawn(plan, [one for one in review.withdrawn if one.target not in again]))
        more = self._as_plan(plan.study, 1, found, [*plan.mended, *mended])
        remarks = [f"the reviewer's pass says {quotation(review.remark)}"] if one_line(review.remark) else []
        return plan.model_copy(
            update={
                "ablations": _in_order([*plan.ablations, *more.ablations]),
                "components": [*plan.components, *more.components],
                "dropped": _once([*plan.dropped, *more.dropped]),
                "mended": more.mended,
                "remarks": [*plan.remarks, *remarks],
            }
        )

    def _followed(self, learnt: Learnt, suggested: Plan | None) -> Plan | None:
        talk = Conversation(self.model, self.briefing, self._allowed(learnt.components))
        open_ones = open_claims(self.briefing.claims, learnt)
        answer = talk.ask("follow-up", self.briefing.follow_up(learnt, suggested, open_ones), NextRound)
        number = len(learnt.plans) + 1
        taken = {signature(one.interventions): one.id for plan in learnt.plans for one in plan.ablations}
        ground = replace(self._ground(learnt.components), round=number, taken=taken)
        new, mended = self._understood(answer.proposals, ground)
        known = {**ground.known, **{one.id: one for one in new.components}}
        asked = followed(answer.follow_ups, learnt, replace(ground, known=known))
        plan = self._as_plan(learnt.plans[0].study, number, new, mended)
        own = [*plan.ablations, *asked.ablations]
        names = {one.id for one in own}
        beside = [one for one in (suggested.ablations if suggested else []) if one.id not in names]
        beside = [one.model_copy(update={"by": RULES}) for one in beside]
        if not own and not asked.more_seeds:
            self.last = _nothing_more([*plan.dropped, *asked.dropped], answer.reason)
            return suggested and self._instead(suggested, self.last, [*plan.dropped, *asked.dropped])
        both = sorted([*own, *beside], key=lambda one: (not tests_open_claim(one, open_ones), one.priority))
        self.last = None
        remarks = [f"it says {quotation(answer.reason)}"] if one_line(answer.reason) else []
        remarks += suggested.remarks if suggested else []
        return plan.model_copy(
            update={
                "ablations": both,
                "more_seeds": asked.more_seeds,
                "dropped": [*plan.dropped, *asked.dropped, *(suggested.dropped if suggested else [])],
                "remarks": remarks,
            }
        )

    def _understood(self, proposals: Sequence[Proposal], ground: Ground) -> tuple[Typed, list[Mended]]:
        """Proposals as ablations; those that mean nothing here go back with the reason."""
        found, mended = self._typed(proposals, ground), list[Mended]()
        for turn in range(MENDINGS):
            if not found.problems:
                break
            failed = [(name_of(one), one.model_dump_json(), why) for one, why in found.problems]
            answer = self._ask_again(failed, ground, again=turn > 0)
            if not answer.proposals:
                break
            taken = {**ground.taken, **{signature(one.interventions): one.id for one in found.ablations}}
            again = self._typed(answer.proposals, replace(ground, taken=taken))
            mended += came_back(found, again)
            stuck = again.problems == found.problems
            gone = [Dropped(id=name_of(one), reason=why, by=self.name) for one, why in lost(found, again)]
            found = Typed(
                [*found.ablations, *again.ablations],
                [*found.components, *again.components],
                again.problems,
                [*found.dropped, *again.dropped, *gone],
            )
            if stuck:
                break
        return found, mended

    def _typed(self, proposals: Sequence[Proposal], ground: Ground) -> Typed:
        """Typed proposals of what the study allows."""
        found = typed(proposals, ground)
        refused = {one.id for one in found.components if not self.rules.allows(one.id)}
        kept = [one for one in found.ablations if not refused & set(one.components)]
        reason = f'study.components allows {", ".join(self.rules.wanted)} alone ("edit:*" would let edits be proposed)'
        left = [Dropped(id=one.id, reason=reason, by=ground.by) for one in found.ablations if one not in kept]
        brought = [one for one in found.components if one.id not in refused]
        return Typed(kept, brought, found.problems, [*found.dropped, *left])

    def _ask_again(self, failed: Sequence[tuple[str, str, str]], ground: Ground, *, again: bool) -> Mending:
        """Failed proposals mended; none where the model cannot be asked."""
        talk = Conversation(self.model, self.briefing, list(ground.known.values()))
        try:
            return talk.ask("mend", self.briefing.mend(failed, again=again), Mending)
        except PlannerError as error:
            self._why(error)
            return Mending(removals=[], overrides=[], edits=[])

    def _mended(
        self, plan: Plan, problems: Mapping[str, str]
    ) -> tuple[dict[str, tuple[Ablation, Component]], list[Dropped]]:
        """Failed ablations as they came back, with their components; and what else came, which nobody asked for."""
        own = {one.id: one for one in plan.ablations}
        failed = [(name, own[name].model_dump_json(include=_SHOWN), why) for name, why in problems.items()]
        again = any(one.id in problems for one in plan.mended)
        answer = self._ask_again(failed, self._ground(list(self._known.values())), again=again)
        sound = {signature(one.interventions): one.id for one in plan.ablations if one.id not in problems}
        ground = replace(self._ground(list(self._known.values())), round=plan.round, taken=sound)
        found = typed(answer.proposals, ground)
        brought = {one.id: one for one in (*plan.components, *found.components)}
        came = {one.id: (one, brought[one.id]) for one in found.ablations if one.id in problems and one.id in brought}
        strays = [
            Dropped(id=one.id, reason=STRAY, by=self.name, interventions=one.interventions)
            for one in found.ablations
            if one.id not in came
        ]
        unclear = [Dropped(id=name_of(one), reason=why, by=self.name) for one, why in found.problems]
        return came, [*strays, *unclear, *found.dropped]

    def _as_plan(self, study: str, number: int, found: Typed, mended: list[Mended]) -> Plan:
        meaningless = [Dropped(id=name_of(one), reason=why, by=self.name) for one, why in found.problems]
        return Plan(
            study=study,
            round=number,
            planner=self.name,
            ablations=_in_order(found.ablations),
            dropped=_once([*found.dropped, *meaningless]),
            components=found.components,
            mended=mended,
        )

    def _instead(self, suggested: Plan, why: str, dropped: Sequence[Dropped] = ()) -> Plan:
        """The rules' plan, with a word on why it is theirs."""
        remark = f"planned by the built-in rules in place of the language model: {why}"
        return suggested.model_copy(update={"remarks": [remark], "dropped": [*dropped, *suggested.dropped]})

    def _why(self, error: PlannerError) -> str:
        """What to say of a failed question; where the next one would fail too, no more is asked."""
        if not isinstance(error, BadAnswerError):
            self.ended = error.what
            self.on_trouble(error.what)
        return error.what

    def _ground(self, components: Sequence[Component]) -> Ground:
        self._known = {one.id: one for one in self._allowed(components)}
        return Ground(
            known=self._known,
            config=self.briefing.config,
            measured=self.briefing.measured,
            claims=len(self.briefing.claims),
            modes=self.briefing.modes,
            by=self.name,
        )

    def _allowed(self, components: Sequence[Component]) -> list[Component]:
        return [one for one in components if self.rules.allows(one.id)]


def _once(dropped: Sequence[Dropped]) -> list[Dropped]:
    """Without what was dropped for the same reason before."""
    return list({(one.id, one.reason, one.by): one for one in dropped}.values())


def _nothing_more(dropped: Sequence[Dropped], reason: str) -> str:
    """Why an answer plans nothing."""
    if not dropped:
        return f"it asks for nothing more: {quotation(reason)}"
    listed = "; ".join(f"{one.id} ({one.reason})" for one in dropped[:MOST_LISTED])
    return f"nothing that it still asks for can be run: {listed}" + (" and more" if dropped[MOST_LISTED:] else "")


_SHOWN = {"id", "interventions", "hypothesis", "prediction"}


def _withdrawn(plan: Plan, withdrawals: Sequence[Withdrawal]) -> dict[str, str]:
    """Ablation → why it is withdrawn. Never without a reason, the only test of a claim, or more than half of a plan.

    An ablation too many costs a few runs, one too few a finding; a reviewer who throws out most of a plan read it badly.
    """
    own = {one.id: one for one in plan.ablations}
    told = {one.target: one.reason for one in withdrawals if one.target in own and one_line(one.reason)}
    kept = {each.claim for name, one in own.items() if name not in told for each in one.claims}
    reasons = {name: why for name, why in told.items() if {each.claim for each in own[name].claims} <= kept}
    if len(reasons) * 2 > len(own):
        return {}
    return {name: f"withdrawn by the reviewer's pass: {quotation(why)}" for name, why in reasons.items()}


def _in_order(ablations: Sequence[Ablation]) -> list[Ablation]:
    """What tests a claim first, then by priority."""
    return sorted(ablations, key=lambda one: (not one.claims, one.priority))
