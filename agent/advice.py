"""From findings to what a user does next: what could be pruned, what everything hangs on, what does harm."""

from collections.abc import Iterator, Sequence

from .components import Component, apart
from .costs import Weighed, saved
from .results import Advice, Effect, Interaction, Mode

MOST_BOTTLENECKS = 5


def advise(
    effects: Sequence[Effect],
    interactions: Sequence[Interaction],
    components: dict[str, Component],
    model: Weighed,
    primary: str,
) -> list[Advice]:
    """Advice in every mode that has findings on the primary metric; modes are never mixed.

    Nothing is advised to go that was shown to cost on another metric, such as the primary one on another data set.
    """
    found: list[Advice] = []
    modes: list[Mode] = list(dict.fromkeys(one.mode for one in effects))
    for mode in modes:
        singles = [one for one in effects if (one.mode, one.metric, one.role) == (mode, primary, "confirmatory")]
        elsewhere = {one.ablation for one in effects if one.mode == mode and one.verdict == "matters"}
        singles = [one for one in singles if one.verdict == "matters" or one.ablation not in elsewhere]
        joint = [one for one in interactions if (one.mode, one.metric) == (mode, primary)]
        found += [
            *_prune(mode, singles, joint, components, model),
            *_bottlenecks(mode, singles),
            *_harmful(mode, singles),
        ]
    return found


def _prune(
    mode: Mode, singles: Sequence[Effect], joint: Sequence[Interaction], known: dict[str, Component], model: Weighed
) -> Iterator[Advice]:
    """The largest group shown negligible at once; and what is negligible alone and was in no group that costs something."""
    quiet = [one.components[0] for one in singles if one.verdict == "negligible"]
    together = [one for one in joint if one.negligible_together and set(one.components) <= set(quiet)]
    if together:
        largest = max(together, key=lambda one: saved([known[part] for part in one.components], model)[0])
        quiet = [name for name in quiet if name not in largest.components]
        yield _group(mode, largest.components, known, model, tested=True)
    costly = {part for one in joint if not one.negligible_together for part in one.components}
    alone = apart([name for name in quiet if name not in costly], known)
    if alone:
        yield _group(mode, alone, known, model, tested=False)


def _group(mode: Mode, names: Sequence[str], known: dict[str, Component], model: Weighed, *, tested: bool) -> Advice:
    members = [known[name] for name in names]
    parameters, flops = saved(members, model)
    return Advice(
        what="prune",
        mode=mode,
        components=list(names),
        labels=[one.label for one in members],
        tested_together=tested,
        parameters=parameters,
        flops=flops,
        share=parameters / model.parameters if model.parameters else None,
    )


def _bottlenecks(mode: Mode, singles: Sequence[Effect]) -> Iterator[Advice]:
    """What costs most, by more than half of the largest loss."""
    losses = sorted((one for one in singles if one.verdict == "matters"), key=lambda one: -abs(one.delta or 0.0))
    for one in losses[:MOST_BOTTLENECKS]:
        if abs(one.delta or 0.0) >= abs(losses[0].delta or 0.0) / 2:
            yield Advice(what="bottleneck", mode=mode, components=one.components, labels=one.labels, delta=one.delta)


def _harmful(mode: Mode, singles: Sequence[Effect]) -> Iterator[Advice]:
    for one in singles:
        if one.verdict == "hurts":
            yield Advice(what="harmful", mode=mode, components=one.components, labels=one.labels, delta=one.delta)
