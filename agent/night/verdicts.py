"""What a night knew when it began, small enough to be kept, and what is different since."""

from collections.abc import Iterator, Mapping

from ..analysis.claims import claim_test_status
from ..evidence import sign_of
from ..records.night import Change, Surprise
from ..results import Effect, Interaction, Results

_JOINT = "interaction: "


def verdicts(results: Results) -> dict[str, str]:
    """`mode ablation` → verdict on the primary metric, `mode interaction: ablation` for joint removals; without controls.

    What was planned and has no run yet is left out, so that its first verdict is told as new.
    """
    return {key: one.verdict for key, one in _judged(results)}


def changed(before: Mapping[str, str], results: Results) -> list[Change]:
    """Verdicts that differ from `before` (`verdicts`): those that were others first, then those that are new."""
    found = [
        Change(
            ablation=one.ablation,
            mode=one.mode,
            before=before.get(key),
            now=one.verdict,
            interaction=isinstance(one, Interaction),
        )
        for key, one in _judged(results)
        if before.get(key) != one.verdict
    ]
    return sorted(found, key=lambda one: one.before is None)


def surprises(before: Mapping[str, str], results: Results) -> list[Surprise]:
    """Verdicts that contradict the direction of a sealed prediction (`analysis.claims`), those of this night first."""
    found = [
        Surprise(
            ablation=one.ablation,
            mode=one.mode,
            expected=one.prediction.direction,
            verdict=one.verdict,
            new=before.get(key) != one.verdict,
        )
        for key, one in _judged(results)
        if isinstance(one, Effect) and one.prediction is not None and _contradicts(one, results)
    ]
    return sorted(found, key=lambda one: not one.new)


def _contradicts(effect: Effect, results: Results) -> bool:
    assert effect.prediction is not None
    sign = sign_of(results.baseline[effect.mode][effect.metric].goal)
    loss = None if effect.delta is None else -sign * effect.delta
    return claim_test_status(effect.prediction.direction, effect.verdict, loss) == "contradicts"


def _judged(results: Results) -> Iterator[tuple[str, Effect | Interaction]]:
    for one in results.effects:
        if one.metric == results.study.primary and one.role != "control" and _measured(one):
            yield f"{one.mode} {one.ablation}", one
    for one in results.interactions:
        if one.metric == results.study.primary and _measured(one):
            yield f"{one.mode} {_JOINT}{one.ablation}", one


def _measured(one: Effect | Interaction) -> bool:
    return one.n > 0 or one.verdict != "undecided"
