"""Has a language model write: the results as records, its sentences held against them, two turns to mend what does not hold."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol, TypeVar

from pydantic import BaseModel

from ...executor.errors import BadAnswerError, PlannerError, PlanningOver, ReportError
from ...prompts import render
from ..llm.client import Message
from ..prose.equals import subjects
from ..prose.facts import Facts
from ..records.drafts import Draft, LeftOut, Style
from .answers import MendedSentences, Reply, Section
from .held import Place, problems_of, sentences_of, without

TURNS = 2
"""Times that sentences go back."""
ALWAYS = ("study", "accounting", "baseline", "claim")
A = TypeVar("A", bound=BaseModel)


class Model(Protocol):
    """Whoever answers."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    def ask(self, purpose: str, messages: Sequence[Message], answer: type[A]) -> A:
        """A valid answer."""
        ...


@dataclass(frozen=True)
class Wish:
    """What is to be written."""

    style: Style
    question: str | None = None
    components: Sequence[str] = ()
    """Ids that a rebuttal may want to have removed."""


def ask_for_draft(wish: Wish, facts: Facts, model: Model, room: int, estimate: Callable[[str], int]) -> Draft:
    """The draft that a language model writes; sentences that cannot be said after two turns are left out of it.

    Args:
        wish: style and question.
        facts: the results.
        model: who writes.
        room: tokens that a question may have.
        estimate: tokens of a text.

    Raises:
        ReportError: the model gave no draft, or nothing of it can be said.
        ModelError, OutOfTime, LedgerError: as the client's `ask` does.
    """
    messages = _opening(wish, facts, room, estimate)
    try:
        answer = model.ask("draft", messages, Reply if wish.style == "rebuttal" else Section)
        paragraphs = sentences_of([one.sentences for one in answer.paragraphs])
        paragraphs, problems, turns = _mended(paragraphs, facts, model, [*messages, _said(answer)])
    except (BadAnswerError, PlanningOver) as error:
        to_do = "ask again, or take the rules' words: --planner rules"
        raise ReportError(f"{model.name} wrote no draft: {error.what}", to_do=to_do) from error
    left = [
        LeftOut(sentence=paragraphs[at.paragraph][at.sentence], reason="; ".join(why)) for at, why in problems.items()
    ]
    kept = without(paragraphs, list(problems))
    if not kept:
        told = "".join(f"\n  {one.sentence}\n    {one.reason}" for one in left[:5])
        raise ReportError(
            f"nothing of what {model.name} wrote can be said of these results:{told}",
            to_do="ask again, ask another model, or take the rules' words: --planner rules",
        )
    runs = answer.runs if isinstance(answer, Reply) else []
    return Draft(
        style=wish.style,
        by=f"llm:{model.name}",
        question=wish.question,
        paragraphs=kept,
        left_out=left,
        sent_back=turns,
        wanted=["+".join(sorted(set(one.components))) for one in runs],
        written=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _opening(wish: Wish, facts: Facts, room: int, estimate: Callable[[str], int]) -> list[Message]:
    system = render("writing/system.j2", references=facts.references())
    asked = render(
        "writing/request.j2",
        style=wish.style,
        question=wish.question,
        components=list(wish.components)[:200],
        study=facts.results.study,
    )
    left = room - estimate(system) - estimate(asked)
    records, more = _records(facts, left // 2, estimate)  # the other half is for what comes back
    if not records:
        raise ReportError(
            "the language model's context holds no results beside the request",
            to_do="raise [planner] context_tokens, or take the rules' words: --planner rules",
        )
    told = render("writing/results.j2", records=records, more=more)
    return [Message("system", system), Message("user", f"{told}\n\n{asked}")]


def _records(facts: Facts, room: int, estimate: Callable[[str], int]) -> tuple[list[str], int]:
    """Findings as typed records, those that decide the most first; and how many had no room."""
    found = sorted(subjects(facts), key=lambda one: _rank(one[0], one[1]))
    lines = [
        json.dumps({"reference": subject, **{key: text for key, text in values.items() if text}}, ensure_ascii=False)
        for subject, values in found
    ]
    kept: list[str] = []
    for line in lines:
        room -= estimate(line)
        if room < 0:
            break
        kept.append(line)
    return kept, len(lines) - len(kept)


def _rank(subject: str, values: object) -> tuple[int, float]:
    first = subject.partition("(")[0]
    if first in ALWAYS:
        return 0, 0.0
    told = values if isinstance(values, dict) else {}
    size = str(told.get("loss_in_delta") or "0").replace("−", "-").lstrip("+")
    try:
        return (1 if first == "interaction" else 2), -abs(float(size))
    except ValueError:
        return 2, 0.0


def _mended(
    paragraphs: list[list[str]], facts: Facts, model: Model, messages: Sequence[Message]
) -> tuple[list[list[str]], dict[Place, list[str]], int]:
    """The sentences after mending, what is still wrong with some, and how many turns it took."""
    problems = problems_of(paragraphs, facts)
    for turn in range(TURNS):
        if not problems:
            return paragraphs, problems, turn
        places = list(problems)
        sent = [
            (number, paragraphs[at.paragraph][at.sentence], problems[at]) for number, at in enumerate(places, start=1)
        ]
        request = Message("user", render("writing/mend.j2", sent=sent, last=turn == TURNS - 1))
        try:
            answer = model.ask("mend draft", [*messages, request], MendedSentences)
        except PlannerError:  # what it wrote before is not lost with the server
            return paragraphs, problems, turn + 1
        paragraphs = _replaced(paragraphs, places, answer)
        problems = problems_of(paragraphs, facts)
    return paragraphs, problems, TURNS


def _replaced(paragraphs: list[list[str]], places: list[Place], answer: MendedSentences) -> list[list[str]]:
    """With what came back in the place of what was sent; a sentence that is given up is gone."""
    new = {places[one.number - 1]: one.sentence for one in answer.sentences if one.number <= len(places)}
    return sentences_of(
        [[new.get(Place(number, at), text) for at, text in enumerate(one)] for number, one in enumerate(paragraphs)]
    )


def _said(answer: BaseModel) -> Message:
    return Message("assistant", answer.model_dump_json())
