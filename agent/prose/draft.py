"""Drafts for a paper: a template whose every number is a reference, or the list of what is wrong with it."""

from dataclasses import dataclass

from .cleaning import cleaned
from .equals import references_for
from .facts import Facts
from .references import filled
from .scanner import Scanner


@dataclass(frozen=True)
class Draft:
    """A text of which every number comes from the ledger."""

    template: str
    text: str
    cited: tuple[str, ...]


def checked_draft(template: str, facts: Facts) -> Draft | list[str]:
    """The draft with its references filled; else everything that is wrong with it, each with what to write instead.

    Refused are references that cannot be filled, and any number of the writer's own, in digits or in words, also in code;
    numbers that are part of a name are none.
    """
    scanner = Scanner(facts, code_is_exempt=False)
    scanner.read(cleaned(template), final=True)
    problems = [*scanner.problems, *(_refused(number, facts) for number in dict.fromkeys(scanner.own))]
    if problems:
        return problems
    whole = filled(template, facts)
    return list(whole.problems) or Draft(template, whole.text, whole.cited)


def _refused(number: str, facts: Facts) -> str:
    found = references_for(number, facts)
    if found:
        return f'"{number}" is typed: write {" or ".join(found)} instead'
    return f'"{number}" is a number that no reference gives: write the reference of a measured value, or say it without a number'
