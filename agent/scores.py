"""How each planner's sealed predictions fared, on the primary metric over all modes."""

from collections.abc import Iterable, Sequence

from .analysis.predictions import Score, Scored, score_predictions
from .evidence import Evidence, sign_of
from .findings import MetricFindings
from .planning.plan import Plan
from .results import Effect, PredictionScore


def scores(found: Sequence[tuple[Evidence, MetricFindings]]) -> list[PredictionScore]:
    """A score for every planner and for everyone who proposed; n = 0 where nothing of theirs could be scored.

    A joint removal's prediction is one about its joint loss, and is scored like a single removal's.
    """
    plans = found[0][0].plans
    proposers = {(plan.round, one.id): one.by or plan.planner for plan in plans for one in plan.ablations}
    scored: dict[str, list[Scored]] = {name: [] for name in everyone(plans)}
    for _, primary in found:
        assert primary.noise is not None
        delta, sign = primary.noise.smallest_effect, sign_of(primary.noise.goal)
        for one in primary.effects:
            if delta > 0 and _can_be_scored(one):
                scored[proposers[one.round, one.ablation]].append(_scored_as(one, sign, delta))
    return [_record(name, score_predictions(mine)) for name, mine in scored.items()]


def everyone(plans: Iterable[Plan]) -> list[str]:
    """All who planned a round or proposed anything, in the order of their first appearance."""
    named = (
        name
        for plan in plans
        for name in (
            plan.planner,
            *(one.by for one in plan.ablations),
            *(one.by for one in plan.dropped if not one.left_out),
        )
    )
    return [name for name in dict.fromkeys(named) if name]


def _record(planner: str, score: Score) -> PredictionScore:
    calibration = score.calibration
    return PredictionScore(
        planner=planner,
        n=score.n,
        direction_hits=score.direction_hits,
        mean_absolute_error=score.mean_absolute_error,
        median_absolute_error_of_median=score.median_absolute_error_of_median,
        direction_hits_of_most_frequent=score.direction_hits_of_most_frequent,
        n_confidence=calibration.n,
        hits_with_confidence=calibration.hits,
        mean_confidence=calibration.mean_confidence,
        brier=calibration.brier,
        brier_of_most_frequent=calibration.brier_of_most_frequent,
    )


def _can_be_scored(effect: Effect) -> bool:
    return (
        effect.delta is not None
        and effect.role != "control"
        and effect.prediction is not None
        and effect.verdict not in ("structural", "no-op", "untestable")
    )


def _scored_as(effect: Effect, sign: int, delta: float) -> Scored:
    assert effect.prediction is not None and effect.delta is not None
    sealed = effect.prediction
    return Scored(sealed.direction, sealed.size, -sign * effect.delta / delta, sealed.confidence)
