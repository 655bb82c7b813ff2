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


def suggestions(results: Results, mode: Mode) -> dict[str, list[Suggestion]]:
    """The advice of one mode by what it suggests."""
    family = {tuple(effect.components): effect for effect in selection.confirmatory(results, mode)}
    found: dict[str, list[Suggestion]] = {"prune": [], "bottleneck": [], "harmful": []}
    for advice in results.advice:
        if advice.mode == mode:
            members = [family[component,] for component in advice.components if (component,) in family]
            contested = [name(effect) for effect in members if disputed(effect)]
            effect = family.get(tuple(advice.components)) if advice.what != "prune" else None
            found[advice.what].append(Suggestion(advice, effect, contested))
    return found


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
