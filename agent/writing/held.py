"""Holds the sentences of a template against the results: what may not be said, and why."""

from collections.abc import Sequence
from typing import NamedTuple

from ..prose.cleaning import cleaned
from ..prose.draft import checked_draft
from ..prose.facts import Facts
from ..prose.scanner import Scanner
from .ownwords import own_words

Paragraphs = Sequence[Sequence[str]]


class Place(NamedTuple):
    """One sentence of a text."""

    paragraph: int
    sentence: int


def problems_of(paragraphs: Paragraphs, facts: Facts, *, by_model: bool = True) -> dict[Place, list[str]]:
    """What is wrong with each sentence that is not sound.

    Args:
        paragraphs: sentences with references.
        facts: what they are held against.
        by_model: whether verdicts and directions may stand as references alone.
    """
    found: dict[Place, list[str]] = {}
    for place, sentence in _places(paragraphs):
        draft = checked_draft(sentence, facts)
        wrong = draft if isinstance(draft, list) else []
        if by_model:
            wrong = [*wrong, *map(_own_word, own_words(sentence))]
        if wrong:
            found[place] = wrong
    return found


def filled_text(paragraphs: Paragraphs, facts: Facts) -> str:
    """Sound sentences with their values, as Markdown from which nothing but words, emphasis and code comes out."""
    return "\n\n".join(" ".join(_filled(one, facts) for one in sentences) for sentences in paragraphs)


def sentences_of(paragraphs: Paragraphs) -> list[list[str]]:
    """Cleaned, without what holds nothing."""
    found = [[text for one in sentences if (text := " ".join(cleaned(one).split()))] for sentences in paragraphs]
    return [sentences for sentences in found if sentences]


def without(paragraphs: Paragraphs, places: Sequence[Place]) -> list[list[str]]:
    """The text without some of its sentences, and without paragraphs of which nothing is left."""
    kept = [
        [text for at, text in enumerate(sentences) if Place(number, at) not in places]
        for number, sentences in enumerate(paragraphs)
    ]
    return [sentences for sentences in kept if sentences]


def _filled(sentence: str, facts: Facts) -> str:
    return " ".join(Scanner(facts, code_is_exempt=False).read(sentence, final=True).split())


def _places(paragraphs: Paragraphs) -> list[tuple[Place, str]]:
    return [
        (Place(number, at), text) for number, sentences in enumerate(paragraphs) for at, text in enumerate(sentences)
    ]


def _own_word(word: str) -> str:
    return f'"{word}" says a verdict or a direction in your own words: write .outcome, .verdict or .direction of a reference'
