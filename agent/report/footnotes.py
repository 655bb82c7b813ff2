"""What is said below a table: the reasons behind its verdicts, each once, with everything it holds for."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from ...prompts import phrases
from ..results import Effect, Interaction, Results
from .selection import name


def reasons(found: Iterable[Effect | Interaction]) -> tuple[str, ...]:
    """Why rows are open or stand without a number."""
    return grouped((name(each), _reason(each, each.reason)) for each in found if each.reason)


def grouped(told: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Pairs of a name and a reason, with names of one reason put together."""
    names: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for who, why in told:
        names[why][who] = None
    return tuple(phrases("report/words.j2").footnote(list(who), why) for why, who in names.items())


def equals(results: Results, effects: Sequence[Effect]) -> list[tuple[list[str], str]]:
    """Removals whose results were equal bit for bit to those of another one, with that one's name."""
    known = {effect.ablation: name(effect) for effect in results.effects}
    names: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for effect in effects:
        if effect.same_as:
            names[known.get(effect.same_as, effect.same_as)][name(effect)] = None
    return [(list(who), other) for other, who in names.items()]


def effect_notes(results: Results, effects: Sequence[Effect]) -> tuple[str, ...]:
    """All that a table of effects needs below it."""
    words = phrases("report/words.j2")
    edited = list(dict.fromkeys(name(each) for each in effects if each.scored_by == "edited"))
    return (
        *reasons(effects),
        *(words.same_as(names, other) for names, other in equals(results, effects)),
        *([words.edited_code(edited)] if edited else []),
    )


def _reason(found: Effect | Interaction, reason: str) -> str:
    """Without the path of the component in front, which the name tells already."""
    paths = [component.partition(":")[2] for component in found.components]
    return next((reason[len(path) + 2 :] for path in paths if path and reason.startswith(f"{path}: ")), reason)
