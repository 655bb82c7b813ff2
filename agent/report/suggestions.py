"""Advice beside the findings that it rests on, for the section on what to do next."""

from dataclasses import dataclass

from ..results import Advice, Effect, Interaction, Mode, Results
from . import selection
from .selection import disputed, name


@dataclass(frozen=True)
class Suggestion:
    """One advice."""

    advice: Advice
    effect: Effect | None
    """The finding, where it rests on a single one."""
    disputed: list[str]
    """Labels of those about which trained models came to different verdicts."""
    alike: list[tuple[str, str]]
    """Labels of pairs with results equal bit for bit that were never removed together, for which it may not be both."""


def suggestions(results: Results, mode: Mode) -> dict[str, list[Suggestion]]:
    """The advice of one mode by what it suggests."""
    family = {tuple(effect.components): effect for effect in selection.confirmatory(results, mode)}
    found: dict[str, list[Suggestion]] = {"prune": [], "bottleneck": [], "harmful": []}
    pairs = _alike(results, mode)
    for advice in results.advice:
        if advice.mode == mode:
            members = [family[component,] for component in advice.components if (component,) in family]
            contested = [name(effect) for effect in members if disputed(effect)]
            effect = family.get(tuple(advice.components)) if advice.what != "prune" else None
            alike = [
                (name(first), name(other))
                for first, other in pairs
                if advice.what == "prune" and other.components[0] in advice.components
            ]
            found[advice.what].append(Suggestion(advice, effect, contested, alike))
    return found


def _alike(results: Results, mode: Mode) -> list[tuple[Effect, Effect]]:
    """Pairs that could both be left out, with results equal bit for bit, and without a removal of both at once."""
    advised = {part for one in results.advice if (one.what, one.mode) == ("prune", mode) for part in one.components}
    known = {one.ablation: one for one in selection.confirmatory(results, mode)}
    pairs = [(known[one.same_as], one) for one in known.values() if one.same_as in known]
    together = [{*one.components} for one in results.interactions if one.mode == mode]
    return [
        (first, other)
        for first, other in pairs
        if (both := {*first.components, *other.components}) <= advised and not any(both <= each for each in together)
    ]


def closer_looks(results: Results, mode: Mode) -> dict[str, list[Effect] | list[Interaction]]:
    """What more of the same runs would not answer, on the primary metric, by why; only reasons that there are."""
    family = selection.confirmatory(results, mode)
    joints = [one for one in selection.interactions(results, mode) if one.metric == results.study.primary]
    found: dict[str, list[Effect] | list[Interaction]] = {
        "backup": [one for one in joints if one.verdict in ("compensation", "irreducible", "redundancy")],
        "masked": [one for one in family if one.masked],
        "no-op": [one for one in family if one.verdict == "no-op"],
        "structural": [one for one in family if one.verdict == "structural"],
        "untestable": [one for one in family if one.verdict == "untestable"],
        "disputed": [one for one in family if disputed(one)],
        "saturated": [one for one in joints if one.verdict == "saturation-limited"],
    }
    return {why: some for why, some in found.items() if some}
