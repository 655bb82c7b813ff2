"""All heads of a trained model, one at a time: the whole evaluation set by hand, beside the engine that stops early.

The evaluation set is no larger than a fixed-size test needs (`design.py`), of sequences that were not used to plan it.
Verdicts are those of the project: of the hand-written loop's values by the fixed-size test, of the engine's by the rule
that splits α. The model, δ, and how hard the question is come from real training.
"""

from collections import Counter

import numpy as np
import pytest
from lesion.agent.analysis.arrays import Floats
from rich.console import Console
from rich.table import Table

from ..calibration.rates import Rate
from ..calibration.stopping import METRIC, SHARE, stopped, verdicts
from .conftest import HEADS, POOL, SHAPE, Trained, configured
from .design import ALPHA, Design
from .processes import Measured, running, told

DRAWS = 100
NONZERO = "nonzero"
NEGLIGIBLE = {NONZERO: "negligible"}
"""How a head is told that is negligible and yet not 0: the verdict is negligible."""
SPLIT = "evaluation"


def stopping(delta: float) -> dict[str, object]:
    """The rule as a job is told it."""
    return {"alpha": ALPHA, "share": SHARE, "deltas": {SPLIT: {METRIC: delta}}, "order": 0}


def against_the_loop(trained: Trained, planned: Design, examples: int, what: str) -> None:
    """Both on the same examples, in turn; what each cost, and whether they came to the same verdicts."""
    assert examples <= trained.spare, f"{examples} examples are needed, {trained.spare} are at hand"
    assert planned.near >= len(HEADS) / 4
    delta, config = planned.delta, configured(trained.folder, POOL, examples)
    sets = [[head] for head in HEADS]
    with running("by_hand", config, trained.folder) as by_hand, running("ours", config, trained.folder) as ours:
        ours.ask(sets[:1])
        baseline, loop = by_hand.ask([[]]), by_hand.ask(sets)
        early, own_baseline = ours.ask(sets, stopping=stopping(delta)), ours.ask([])
    seen = np.isfinite(early.losses)
    assert np.array_equal(early.losses[seen], loop.losses[seen])
    whole = verdicts(-np.concatenate([baseline.losses, loop.losses]), delta, early=False)
    settled = verdicts(-np.concatenate([baseline.losses, early.losses]), delta, early=True)
    near = int((np.abs((loop.losses - baseline.losses).mean(axis=1)) <= 2 * delta).sum())
    print(f"{what}: {examples} examples, δ = {delta:.4f} nats, {near} of {len(sets)} heads within 2δ on them")
    costs = Table("", "CPU seconds", "with the baseline's own trial", "share of examples", "verdicts")
    for name, one, own, found in (("by hand", loop, baseline, whole), ("ours", early, own_baseline, settled)):
        share = f"{np.isfinite(one.losses).mean():.2f}"
        costs.add_row(name, f"{one.seconds:.1f}", f"{one.seconds + own.seconds:.1f}", share, counted(found))
    Console(width=120).print(costs)
    told(early.remarks)
    print(
        f"{loop.seconds / early.seconds:.1f}× for all heads, {ratio(loop, baseline, early, own_baseline):.1f}× with baselines"
    )
    named = [[NEGLIGIBLE.get(one, one) for one in found] for found in (whole, settled)]
    same = sum(one == other for one, other in zip(*named, strict=True))
    print(f"the same verdict for {same} of {len(sets)} heads; {differing(*named)}; of those shown negligible,", end=" ")
    print(f"{whole.count(NONZERO)} differ from 0 on the whole set, and {settled.count(NONZERO)} where they stopped")


def ratio(loop: Measured, baseline: Measured, early: Measured, own_baseline: Measured) -> float:
    """Of everything that either takes."""
    return (loop.seconds + baseline.seconds) / (early.seconds + own_baseline.seconds)


def counted(found: list[str]) -> str:
    """How often each verdict was found."""
    return ", ".join(f"{count} {name}" for name, count in sorted(Counter(found).items()))


def differing(whole: list[str], settled: list[str]) -> str:
    """Which verdicts differ."""
    pairs = Counter((one, other) for one, other in zip(whole, settled, strict=True) if one != other)
    return "; ".join(f"{one} → {other}: {count}" for (one, other), count in pairs.items()) or "none differs"


@pytest.mark.benchmark
def test_leave_one_out_of_a_trained_model(trained: Trained) -> None:
    for planned in (trained.usual, trained.finest):
        print(
            f"δ = {planned.delta:.4f} nats, {planned.near} of {len(HEADS)} heads within 2δ on the pool; examples",
            end=" ",
        )
        print("after which a fixed-size test of a loss of δ has 80% power, family-wise over all heads:", end=" ")
        print(f"{planned.by_median} for the median head, {planned.by_average} on average over the heads,", end=" ")
        print(f"{planned.by_noisiest} for every head")
    usual, finest = trained.usual, trained.finest
    against_the_loop(trained, usual, usual.by_noisiest, "δ = 1% of the loss, 80% power for every head")
    against_the_loop(trained, finest, finest.by_median, "the smallest δ, 80% power for the median head")


def wrong(found: list[str], truth: Floats, delta: float) -> bool:
    """Whether any verdict of a study contradicts the pool's own means."""
    return any(
        (verdict == "matters" and loss <= delta)
        or (verdict == "hurts" and loss >= -delta)
        or (NEGLIGIBLE.get(verdict, verdict) == "negligible" and abs(loss) >= delta)
        for verdict, loss in zip(found, truth.tolist(), strict=True)
    )


@pytest.mark.benchmark
def test_calibration_on_a_trained_model(trained: Trained) -> None:
    """The pool is the population; sets are drawn from it with replacement, each in an order of its own."""
    for planned, examples in ((trained.usual, trained.usual.by_noisiest), (trained.finest, trained.finest.by_median)):
        calibrated(trained, planned.delta, examples)


def calibrated(trained: Trained, delta: float, examples: int) -> None:
    """Print how often either way comes to a wrong verdict, and hold the early one against α."""
    truth = (trained.losses[1:] - trained.losses[0]).mean(axis=1)
    generator = np.random.default_rng(0)
    errors, shares, agreed = np.zeros(2), [], []
    for _ in range(DRAWS):
        drawn = -trained.losses[:, generator.integers(0, POOL, examples)]
        early = stopped(drawn, SHAPE["batch"], delta)
        found = verdicts(drawn, delta, early=False), verdicts(early, delta, early=True)
        errors += [wrong(one, truth, delta) for one in found]
        shares.append(np.isfinite(early[1:]).mean())
        named = [[NEGLIGIBLE.get(one, one) for one in each] for each in found]
        agreed.append(np.mean([one == other for one, other in zip(*named, strict=True)]))
    at_end, early_rate = (Rate(float(count) / DRAWS, DRAWS) for count in errors)
    print(
        f"\n{DRAWS} evaluation sets of {examples} examples, drawn anew from {POOL}, δ = {delta:.4f}, family-wise α = {ALPHA}"
    )
    print(f"studies with a wrong verdict: {at_end} by the fixed-size test, {early_rate} with early stopping")
    print(
        f"share of the examples looked at: {np.mean(shares):.2f}; the same verdict: {np.mean(agreed):.2f} of the heads"
    )
    assert early_rate.value <= ALPHA + 3 * Rate(ALPHA, DRAWS).error
