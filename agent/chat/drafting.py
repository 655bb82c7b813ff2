"""Proposals, a person's or a model's, become ablations of the draft; nothing of it runs before it was asked for and approved."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from ...executor.errors import PlanError
from ...executor.interventions import SourceEdit, described
from ...prompts import phrases
from ..components import overlap
from ..configuration import flatten
from ..planning.followups import joint
from ..planning.llm.answers import FollowUp, Proposal
from ..planning.llm.followups import Followed, followed
from ..planning.llm.typed import Ground, modes_of, name_of, problem_in_modes, typed
from ..planning.plan import Ablation, Dropped, nearest, signature
from ..planning.planner import Learnt
from ..planning.rules import RulesPlanner, single
from ..records.planning import RULES
from ..results import Mode
from .desk import Desk
from .diffs import diffs_of, edits
from .events import Drafted, Withdrawn
from .session import Session
from .shown import Diff, Note, Shown, Table
from .views import matching

if TYPE_CHECKING:
    from ..components import Component


class Drafter:
    """Adds to the draft of one conversation, and takes from it."""

    def __init__(self, desk: Desk, session: Session) -> None:
        self._desk, self._session = desk, session

    # by a person

    def suggest(self) -> list[Shown]:
        """What the built-in rules propose now: all of round 1, or the follow-ups on what was measured."""
        plan = self._desk.suggested()
        wanted, _ = self._sorted_out(plan.ablations if plan else [])
        if not wanted:
            return [Note(text=phrases("chat/words.j2").nothing_to_plan())]
        return self._add(wanted, [], by=RULES)

    def pick(self, patterns: Sequence[str]) -> list[Shown]:
        """The default removals of what the patterns name; expectations are the rules'."""
        chosen = [one for one in matching(self._desk.known, patterns) if one.interventions]
        unasked = [Dropped(id=one.id, reason=problem) for one in chosen if (problem := self._problem(one))]
        return self._all_of([single(one, modes) for one in chosen if (modes := self._modes(one))], unasked)

    def together(self, names: Sequence[str]) -> list[Shown]:
        """A joint removal of these, and of each alone where that is not planned yet."""
        members = sorted(matching(self._desk.known, names), key=lambda one: one.id)
        if len(members) < 2:
            raise PlanError("what is removed together needs two components at least", to_do="/interactions ID ID")
        for first, second in combinations(members, 2):
            if overlap(first, second):
                raise PlanError(f"{first.id} and {second.id} overlap: one holds the other", to_do="name other parts")
        modes: list[Mode] = [
            mode for mode in self._desk.setting.modes if all(mode in self._modes(one) for one in members)
        ]
        if not modes:
            raise PlanError("no mode of the study can ask for all of these at once", to_do="see study.modes")
        alone, _ = self._sorted_out([single(one, modes) for one in members])
        return self._all_of([*alone, joint(members, modes)], [])

    def withdraw(self, names: Sequence[str]) -> list[Shown]:
        """Take these back; all of the draft where none is named."""
        draft = self._session.draft
        known = [*draft.ablations, *draft.more_seeds]
        if unknown := [name for name in names if name not in known]:
            raise PlanError(
                f"the draft has no {unknown[0]!r}{nearest(unknown[0], known)}", to_do="/diff shows the draft"
            )
        if known:
            self._session.tell(Withdrawn(ids=tuple(names)))
        return [Note(text=phrases("chat/words.j2").withdrawn(list(names)))]

    # by a model

    def propose(self, proposals: Iterable[Proposal], by: str) -> list[Shown]:
        """A model's single removals; those that cannot be are told with the reason."""
        found = typed(proposals, self._ground(by))
        places = self._desk.places
        misplaced = {
            one.id: problem
            for one in found.ablations
            for each in one.interventions
            if isinstance(each, SourceEdit) and (problem := places.problem(each, proposed=True))
        }
        kept = [one for one in found.ablations if one.id not in misplaced and self._allowed(one)]
        forbidden = [one for one in found.ablations if one.id not in misplaced and one not in kept]
        refused = [
            *found.dropped,
            *(Dropped(id=name_of(one), reason=why) for one, why in found.problems),
            *(Dropped(id=name, reason=problem) for name, problem in misplaced.items()),
            *(Dropped(id=one.id, reason=self._not_allowed()) for one in forbidden),
        ]
        needed = {name for one in kept for name in one.components}
        brought = [one for one in found.components if one.id in needed]
        return [*self._add(kept, brought, by=by), *_not_drafted(refused)]

    def follow_up(self, asked: FollowUp, by: str) -> list[Shown]:
        """A model's joint removal, other kind of removal, control, or wish for more seeds."""
        ground = self._ground(by)
        learnt = self._desk.learnt
        if not learnt.plans and asked.what in ("random-control", "more-seeds"):
            raise PlanError(f"{asked.what} needs results, and nothing is measured yet", to_do="propose removals first")
        made = followed([asked], learnt, ground)
        made = self._with_singles(made, learnt)
        new, repeated = self._sorted_out(made.ablations)
        shown = self._add([one for one in new if self._allowed(one)], [], by=by, more_seeds=made.more_seeds)
        return [*shown, *_not_drafted([*made.dropped, *repeated])]

    # to be seen

    def shown(self) -> list[Shown]:
        """The draft as it stands."""
        words = phrases("chat/words.j2")
        draft = self._session.draft
        if not draft:
            return [Note(text=words.empty_draft())]
        count = len(draft.ablations) + len(draft.more_seeds)
        return [_table(words.draft(count), draft.ablations.values(), draft.more_seeds)]

    def diffs(self, names: Sequence[str]) -> list[Shown]:
        """What these ablations change, of the draft or planned; the draft and all of its changes where none is named."""
        if not names:
            return [*self.shown(), *self._diffs(edits(self._session.draft.ablations.values()))]
        known = self._taken()
        if unknown := [name for name in names if name not in known]:
            hint = nearest(unknown[0], list(known))
            raise PlanError(f"there is no ablation {unknown[0]!r}{hint}", to_do="/diff shows the draft")
        return [*self._diffs(known[name] for name in names)]

    # inside

    def _diffs(self, ablations: Iterable[Ablation]) -> list[Diff]:
        spec = self._desk.spec
        return diffs_of(ablations, root=spec.root, exclude=spec.project.exclude)

    def _all_of(self, made: Sequence[Ablation], dropped: Sequence[Dropped]) -> list[Shown]:
        """A person's wishes: what is planned already is told as such."""
        wanted, repeated = self._sorted_out(made)
        return [*self._add(wanted, [], by=RULES), *_not_drafted([*dropped, *repeated])]

    def _add(
        self,
        ablations: Sequence[Ablation],
        brought: "Sequence[Component]",
        *,
        by: str,
        more_seeds: Sequence[str] = (),
    ) -> list[Shown]:
        """Put ablations into the draft, in the role that they will have, and show them."""
        if not ablations and not more_seeds:
            return []
        first = not self._desk.plans and not self._desk.waiting
        made = [
            one.model_copy(
                update={"by": by, "role": "exploratory" if one.role == "confirmatory" and not first else one.role}
            )
            for one in ablations
        ]
        self._session.tell(
            Drafted(
                by=by,
                ablations=tuple(one.model_dump(mode="json") for one in made),
                components=tuple(one.model_dump(mode="json") for one in brought),
                more_seeds=tuple(more_seeds),
            )
        )
        title = phrases("chat/words.j2").added(len(made) + len(more_seeds))
        return [_table(title, made, more_seeds), *self._diffs(edits(made))]

    def _with_singles(self, made: Followed, learnt: Learnt) -> Followed:
        """Joint removals need each of their parts alone; what is planned already is not asked again."""
        planned = {name for plan in learnt.plans for name in (one.id for one in plan.ablations)}
        known = self._desk.known | self._session.draft.components
        singles = [
            single(known[name], one.modes)
            for one in made.ablations
            if len(one.components) > 1
            for name in one.components
            if name not in planned and name not in self._session.draft.ablations
        ]
        return Followed([*{one.id: one for one in singles}.values(), *made.ablations], made.more_seeds, made.dropped)

    def _ground(self, by: str) -> Ground:
        from ..claims import claims_of

        taken = {signature(one.interventions): one.id for one in self._taken().values()}
        return Ground(
            known=self._desk.known | self._session.draft.components,
            config=flatten(self._desk.setting.config),
            claims=len(claims_of(self._desk.spec)),
            modes=self._desk.setting.modes,
            by=by,
            measured=self._desk.places.source.evaluation_words,
            round=1 if not self._desk.plans else 2,
            taken=taken,
        )

    def _taken(self) -> Mapping[str, Ablation]:
        return {**self._desk.planned, **self._session.draft.ablations}

    def _sorted_out(self, asked: Sequence[Ablation]) -> tuple[list[Ablation], list[Dropped]]:
        """Those that are new, and those that need not be asked, with the reason."""
        planned, draft = self._desk.planned, self._session.draft.ablations
        sealed = {signature(one.interventions): one.id for one in planned.values()}
        drafted = {signature(one.interventions) for one in draft.values()}
        new: list[Ablation] = []
        repeated: list[Dropped] = []
        for one in asked:
            mine = signature(one.interventions)
            if same := sealed.get(mine):
                reason = f"planned already{'' if same == one.id else f', as {same}'}: /why {same}"
            elif mine in drafted:
                reason = "in the draft already"
            elif one.id in planned or one.id in draft:
                reason = "another removal has this name"
            else:
                new.append(one)
                continue
            repeated.append(Dropped(id=one.id, reason=reason))
        return new, repeated

    def _rules(self) -> RulesPlanner:
        from ..planners import rules_planner

        return rules_planner(self._desk.setting)

    def _modes(self, one: "Component") -> list[Mode]:
        """Where its default removal may be asked: switches of the recipe in retraining alone."""
        return [] if self._problem(one) else modes_of(one.interventions[0], self._desk.setting.modes)

    def _problem(self, one: "Component") -> str | None:
        return problem_in_modes(one.interventions[0], self._desk.setting.modes)

    def _allowed(self, one: Ablation) -> bool:
        return all(self._rules().allows(name) for name in one.components)

    def _not_allowed(self) -> str:
        return f"study.components allows {', '.join(self._rules().wanted)} alone"


def _table(title: str, ablations: Iterable[Ablation], more_seeds: Sequence[str]) -> Table:
    words = phrases("chat/words.j2")
    rows = [[one.id, described(one.interventions), words.expected(one), one.hypothesis] for one in ablations]
    rows += [[name, words.more_seeds(), "", ""] for name in more_seeds]
    columns = [words.column[name] for name in ("removed", "how", "expected", "hypothesis")]
    return Table(title=title, columns=columns, rows=rows)


def _not_drafted(dropped: Sequence[Dropped]) -> list[Shown]:
    words = phrases("chat/words.j2")
    return [Note(text=words.not_drafted(one.id, one.reason), tone="warning") for one in dropped]
