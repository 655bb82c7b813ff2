"""Writes one draft of a study and keeps it: by a language model where there is one, else by the rules."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ..components import Component
from ..ledger import Ledger
from ..planning.plan import Plan, sealed_plans
from ..prose.facts import Facts
from ..records.drafts import Draft
from ..results import Results
from .asking import Wish, ask_for_draft
from .byrules import RULES
from .questions import found_on
from .store import keep
from .wanted import plan_wanted

if TYPE_CHECKING:
    from ..llm.client import LanguageModel


@dataclass(frozen=True)
class Written:
    """A draft that was kept, and what would have to be run for what it could not say."""

    draft: Draft
    plan: Plan | None
    problems: list[str]
    """Why some of what is wanted cannot be planned."""


def write_draft(wish: Wish, results: Results, ledger: Ledger, model: "LanguageModel | None") -> Written:
    """Write a draft of these results and keep it in the study's state folder.

    Raises:
        ReportError: there is nothing to say, or it cannot be kept.
        ModelError, OutOfTime, LedgerError: the language model cannot be asked.
    """
    known = {one.id: one for one in map(Component.model_validate, ledger.recall("components", []))}
    draft = _by_model(wish, results, known, model) if model else _by_rules(wish, results, known)
    keep(ledger.path.parent, draft)
    study = results.study
    sealed = sealed_plans(ledger.plans(study.version))
    plan, problems = plan_wanted(study.name, draft.wanted, known, sealed, study.modes, draft.by)
    return Written(draft, plan, problems)


def queued(plan: Plan, state: Path) -> str:
    """Put the plan into the study's queue; the request's name."""
    from ..queue import Queue

    return Queue(state).add(plan)


def _by_model(wish: Wish, results: Results, known: dict[str, Component], model: "LanguageModel") -> Draft:
    from ..llm.client import estimate_tokens
    from .answers import Section

    removable = [name for name, one in known.items() if one.interventions]
    asked = Wish(wish.style, wish.question, removable)
    return ask_for_draft(asked, Facts(results), model, model.room(Section), estimate_tokens)


def _by_rules(wish: Wish, results: Results, known: dict[str, Component]) -> Draft:
    wanted: list[str] = []
    if wish.style == "rebuttal":
        found = found_on(wish.question or "", results, [(one.id, one.label) for one in known.values()])
        wanted = ["+".join(names) for names in found.wanted]
    return Draft(
        style=wish.style,
        by=RULES,
        question=wish.question,
        paragraphs=[],
        wanted=wanted,
        written=datetime.now(UTC).isoformat(timespec="seconds"),
    )
