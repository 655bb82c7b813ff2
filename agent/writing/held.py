"""Holds the sentences of a template against the results: what may not be said, and why."""

from collections.abc import Sequence
from typing import NamedTuple

from ..prose.checking.check import check, offending
from ..prose.checking.finding import Finding
from ..prose.cleaning import cleaned
from ..prose.draft import checked_draft
from ..prose.facts import Facts
from ..prose.scanner import Scanner
from .ownwords import own_words, turned

Paragraphs = Sequence[Sequence[str]]
NO_REFERENCE = "it holds no reference, and so rests on no result: say it of a value or a verdict, or leave it to the paper's author"


class Place(NamedTuple):
    """One sentence of a text."""

    paragraph: int
    sentence: int


def problems_of(paragraphs: Paragraphs, facts: Facts) -> dict[Place, list[str]]:
    """What is wrong with each sentence of a writer that may not stand.

    Sentences that rest on no result, references that cannot be filled, numbers, verdicts and directions of its own, and words that
    turn around what a reference says; then whatever the checker does not find
    backed in the sentences that are sound so far, in the order in which they will be read.
    """
    found: dict[Place, list[str]] = {}
    for place, sentence in _places(paragraphs):
        wrong = _wrong(sentence, facts)
        if wrong:
            found[place] = wrong
    sound = [(place, text) for place, text in _places(paragraphs) if place not in found]
    for place, wrong in _unbacked(sound, facts).items():
        found[place] = wrong
    return {place: found[place] for place, _ in _places(paragraphs) if place in found}


def _wrong(sentence: str, facts: Facts) -> list[str]:
    draft = checked_draft(sentence, facts)
    if isinstance(draft, list):
        return [*draft, *map(_own_word, own_words(sentence))]
    rootless = [] if draft.cited else [NO_REFERENCE]
    return [*rootless, *map(_own_word, own_words(sentence)), *map(_turned, turned(sentence))]


def _unbacked(sound: Sequence[tuple[Place, str]], facts: Facts) -> dict[Place, list[str]]:
    """What the checker does not find backed, by the sentence that it stands in."""
    text, starts = "", list[tuple[int, Place]]()
    for place, sentence in sound:
        if starts:
            text += " " if starts[-1][1].paragraph == place.paragraph else "\n\n"
        starts.append((len(text), place))
        text += sentence
    found: dict[Place, list[str]] = {}
    for one in offending(check(text, facts)):
        place = next(place for start, place in reversed(starts) if start <= one.start)
        found.setdefault(place, []).extend(_told(each) for each in one.findings if each.outcome != "backed")
    return found


def _told(finding: Finding) -> str:
    instead = f"; write {finding.reference} instead" if finding.reference else ""
    return f'{finding.outcome}: {finding.kind} "{finding.piece}": {finding.why}{instead}'


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


def _turned(word: str) -> str:
    return f'"{word}" may turn around what the reference says: let the reference say it alone'


def _own_word(word: str) -> str:
    return f'"{word}" says a verdict or a direction in your own words: write .outcome, .verdict or .direction of a reference'
