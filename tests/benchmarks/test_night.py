"""Simulated nights, side by side under three orders: `pytest tests/benchmarks/test_night.py -m benchmark --capture=no`.

Costs, effects and noise are made up; what is measured is the order alone.
"""

import math
import statistics
from itertools import product

import numpy as np
import pytest

from .nights.policies import POLICIES, Morning, lived
from .nights.simulated import SEEDS, is_settled, simulated_night, simulated_study

NIGHTS = 1000
FEW = 20
OURS = "lesion's"
LEAST_AGREEMENT = 0.93
"""Of the judgement inside a night with the real analysis, over arms and looks; .954 was measured."""


def shares(morning: Morning) -> tuple[float, float]:
    """Of all verdicts that are asked for: settled, and settled rightly."""
    return morning.settled / morning.arms, morning.right / morning.arms


def interval(values: list[float]) -> str:
    """Mean and 95 % interval, in points of 100."""
    reach = 1.96 * statistics.stdev(values) / math.sqrt(len(values))
    return f"{100 * statistics.fmean(values):+.1f} ± {100 * reach:.1f}"


@pytest.mark.benchmark
def test_a_thousand_simulated_nights() -> None:
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in POLICIES}
    wrong = dict.fromkeys(POLICIES, 0)
    settled = dict.fromkeys(POLICIES, 0)
    for seed in range(NIGHTS):
        night = simulated_night(seed)
        for name, policy in POLICIES.items():
            morning = lived(night, policy)
            found[name].append(shares(morning))
            settled[name] += morning.settled
            wrong[name] += morning.settled - morning.right
    print(f"\n{NIGHTS} simulated nights (made-up costs, effects and noise), verdicts in % of those asked for")
    print(
        f"{'order':<28}{'settled':>9}{'rightly':>9}{'wrong of settled':>18}{'lesion settles more':>21}{'fewer in':>10}"
    )
    for name, each in found.items():
        ahead = [ours[0] - theirs[0] for ours, theirs in zip(found[OURS], each, strict=True)]
        mean = [100 * statistics.fmean(one) for one in zip(*each, strict=True)]
        told = "" if name == OURS else f"{interval(ahead):>21}{100 * sum(one < 0 for one in ahead) / NIGHTS:>8.0f} %"
        print(f"{name:<28}{mean[0]:>9.1f}{mean[1]:>9.1f}{100 * wrong[name] / settled[name]:>16.2f} %{told}")


@pytest.mark.parametrize("seed", range(FEW))
def test_no_order_goes_beyond_the_deadline_and_all_meet_the_same_truth(seed: int) -> None:
    night = simulated_night(seed)
    for policy in POLICIES.values():
        course = lived(night, policy).course
        taken = sum(
            float(np.dot(study.costs, finished)) for study, finished in zip(night.studies, course.finished, strict=True)
        )
        assert taken <= course.now * (1 + 1e-9)
        assert course.now <= night.seconds
        assert taken >= 0.5 * night.seconds
    again = simulated_night(seed)
    for one, other in zip(night.studies, again.studies, strict=True):
        assert np.array_equal(one.values, other.values)


@pytest.mark.parametrize("seed", range(FEW))
def test_an_endless_night_settles_the_same_in_every_order(seed: int) -> None:
    night = simulated_night(seed, share=100)
    first, *others = (lived(night, policy) for policy in POLICIES.values())
    assert first.course.now == pytest.approx(sum(one.work for one in night.studies))
    for other in others:
        assert other.course.finished == first.course.finished
        assert (other.settled, other.right) == (first.settled, first.right)


def test_the_judgement_inside_a_night_is_close_to_the_real_analysis() -> None:
    rng, agreed = np.random.default_rng(1), list[bool]()
    for study in (simulated_study(rng) for _ in range(30)):
        for done, look in enumerate(study.looks, start=1):
            real = study.verdicts([look.seeds] * (1 + study.arms))
            inside = [study.judged_at(arm, done) for arm in range(study.arms)]
            agreed += [is_settled(one) == is_settled(other) for one, other in zip(real, inside, strict=True)]
            assert all(
                one == other for one, other in zip(real, inside, strict=True) if is_settled(one) and is_settled(other)
            )
    assert statistics.fmean(agreed) >= LEAST_AGREEMENT


def test_an_arm_is_wanted_until_it_is_settled() -> None:
    study = simulated_study(np.random.default_rng(2))
    for arm, wanted in product(range(study.arms), range(1, len(study.looks))):
        assert not study.is_settled_at(arm, wanted) or study.wanted[arm] <= wanted
    assert study.looks[-1].seeds == SEEDS
