"""What each planner's proposals were worth: how many ran, what they led to, and how its predictions fared."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..results import Planned, PredictionScore, Results


@dataclass(frozen=True)
class Worth:
    """One planner's proposals, controls left out."""

    planner: str
    proposed: int
    ran: int
    mended: int
    """Of those that ran, the ones that had failed a check before."""
    others: Mapping[str, int]
    """Every other end and how often."""
    verdicts: Mapping[str, int]
    """Of single removals on the primary metric, over all modes."""
    joints: Mapping[str, int]
    """Of joint removals."""
    score: PredictionScore | None


def worths(results: Results) -> list[Worth]:
    """Everyone who planned or proposed, in the order of their appearance."""
    scores = {score.planner: score for score in results.predictions}
    named = dict.fromkeys([*scores, *(one.by for one in results.planned if one.by and one.fate != "left out")])
    return [_worth(results, name, scores.get(name)) for name in named]


def _worth(results: Results, planner: str, score: PredictionScore | None) -> Worth:
    mine = [one for one in results.planned if one.by == planner and one.role != "control" and one.fate != "left out"]
    ran = [one for one in mine if one.fate == "ran"]
    ids = {one.ablation for one in mine}
    primary = results.study.primary
    singles = [e for e in results.effects if e.ablation in ids and e.metric == primary and len(e.components) == 1]
    joints = [j for j in results.interactions if j.ablation in ids and j.metric == primary]
    return Worth(
        planner=planner,
        proposed=len(mine),
        ran=len(ran),
        mended=sum(bool(one.problems) for one in ran),
        others=_counted(one.fate for one in mine if one.fate != "ran"),
        verdicts=_counted(e.verdict for e in singles),
        joints=_counted(j.verdict for j in joints),
        score=score,
    )


def _counted(words: Iterable[str]) -> dict[str, int]:
    return dict(Counter(words).most_common())


def is_mended(one: Planned) -> bool:
    """Whether it ran after its check had failed."""
    return bool(one.problems) and one.fate != "dropped"
