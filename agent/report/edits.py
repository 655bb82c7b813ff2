"""Whose figures count where source was edited: arms by who scored what they trained."""

from dataclasses import dataclass

from ..results import Results
from .selection import name


@dataclass(frozen=True)
class ScoredEdits:
    """Arms with source edits that were measured."""

    unedited: int
    """How many the unedited source evaluated."""
    edited: list[str]
    """Those that the edited code evaluated itself."""


def scored_edits(results: Results) -> ScoredEdits:
    """Each arm once, whatever its metrics; an arm counts as `edited` where that holds in any mode."""
    arms = {e.ablation: name(e) for e in results.effects if e.scored_by}
    edited = {e.ablation for e in results.effects if e.scored_by == "edited"}
    return ScoredEdits(len(arms.keys() - edited), [told for arm, told in arms.items() if arm in edited])
