"""Forecasts against simulated studies: every figure here is of simulated noise."""

import numpy as np
import pytest
from lesion.agent.analysis.contrasts import single_removals
from lesion.agent.analysis.effects import effect_table
from lesion.agent.analysis.examples import estimate_examples
from lesion.agent.analysis.forecast import (
    Design,
    chances,
    delta_that_settles,
    last_look_that_settles,
    negligible_share,
    seeds_that_settle,
    targets_that_settle,
)
from lesion.agent.analysis.looks import Look, Rules, planned_looks
from lesion.agent.analysis.scenarios import (
    Sample,
    chances_apart,
    chances_changed,
    largest_sd,
    most_changed,
    units_apart,
    units_changed,
)
from lesion.agent.analysis.verdicts import EffectFacts, effect_verdict


def verdicts(table, rules):
    return [effect_verdict(one, EffectFacts(), rules).verdict for one in table.estimates]


def simulated(design, looks, studies, effect=0.0):
    """Share of the nulls shown negligible, and of studies in which the one true effect is shown to matter."""
    generator, rules, seeds = np.random.default_rng(4), Rules(design.delta, looks, 0.05), looks[-1].seeds
    negligible, matters = [], 0
    for _ in range(studies):
        arms = generator.normal(0, design.sd, (design.size, seeds))
        arms[0] -= effect
        table = effect_table(
            generator.normal(0, design.sd, seeds),
            arms,
            baseline_finished=np.ones(seeds, bool),
            finished=np.ones((design.size, seeds), bool),
            rules=rules,
        )
        first, *rest = verdicts(table, rules)
        matters += first == "matters"
        negligible += rest if effect else [first, *rest]
    return negligible.count("negligible") / max(1, len(negligible)), matters / studies


@pytest.mark.parametrize(
    ("sd", "size", "looks"),
    [
        (0.5, 12, planned_looks(3, 20, 0.05)),
        (0.75, 12, planned_looks(3, 20, 0.05)),
        (1.0, 12, planned_looks(3, 20, 0.05)),
        (1.0, 5, planned_looks(5, 20, 0.05)),
        (0.4, 4, planned_looks(3, 5, 0.05)),
        (0.8, 1, planned_looks(5, 20, 0.05)),
    ],
)
def test_the_share_of_nulls_that_will_be_shown_negligible_is_that_of_simulated_studies(sd, size, looks):
    design = Design(sd, 1.0, size)
    found, _ = simulated(design, looks, studies=max(150, 600 // size))
    assert chances(design, looks, 2.0)[-1].negligible == pytest.approx(found, abs=0.06)


@pytest.mark.parametrize(("sd", "size"), [(0.75, 12), (1.0, 12), (0.5, 3)])
def test_the_chance_that_a_true_effect_matters_is_that_of_simulated_studies(sd, size):
    design, looks = Design(sd, 1.0, size), planned_looks(3, 20, 0.05)
    _, found = simulated(design, looks, studies=400, effect=2.0)
    assert chances(design, looks, 2.0)[-1].matters == pytest.approx(found, abs=0.07)


def test_twenty_seeds_show_what_the_rules_say_for_a_dozen_targets():
    """STATISTICS.md: 100 / 89 / 19% of true nulls at σ/δ = .5 / .75 / 1; so it is with 12 targets and looks from 3."""
    looks = planned_looks(3, 20, 0.05)
    shares = [chances(Design(sd, 1.0, 12), looks, 2.0)[-1].negligible for sd in (0.5, 0.75, 1.0)]
    assert shares == pytest.approx([1.0, 0.89, 0.19], abs=0.05)


def test_later_looks_settle_more_and_more_noise_or_a_larger_family_less():
    looks = planned_looks(3, 20, 0.05)
    by_look = [one.negligible for one in chances(Design(0.6, 1.0, 10), looks, 2.0)]
    assert by_look == sorted(by_look)
    by_noise = [negligible_share(Design(sd, 1.0, 10), looks[-1]) for sd in (0.3, 0.6, 0.9, 1.5)]
    by_size = [negligible_share(Design(0.8, 1.0, size), looks[-1]) for size in (1, 10, 100)]
    assert by_noise == sorted(by_noise, reverse=True)
    assert by_size == sorted(by_size, reverse=True)


def test_nothing_is_promised_of_two_runs_or_without_a_smallest_effect():
    assert chances(Design(0.01, 1.0, 3), (Look(2, 0.05),), 2.0)[0] == (0.0, 0.0)
    assert negligible_share(Design(0.01, 0.0, 3), Look(20, 0.05)) == 0.0


def test_each_remedy_is_just_enough():
    design, looks = Design(1.0, 1.0, 12), planned_looks(3, 5, 0.05)
    assert negligible_share(design, looks[-1]) < 0.5
    seeds = seeds_that_settle(design, 0.05)
    assert negligible_share(design, Look(seeds, 0.05)) >= 0.8 > negligible_share(design, Look(seeds - 1, 0.05))
    delta = delta_that_settles(design, looks[-1])
    assert negligible_share(design._replace(delta=delta), looks[-1]) >= 0.8
    assert negligible_share(design._replace(delta=0.98 * delta), looks[-1]) < 0.8
    assert last_look_that_settles(design, 3, 0.05) is None
    assert last_look_that_settles(design._replace(sd=0.7), 3, 0.05) == 20
    assert targets_that_settle(design, looks[-1]) is None
    fewer = targets_that_settle(Design(0.8, 1.0, 60), Look(20, 0.02))
    assert fewer is not None
    assert negligible_share(Design(0.8, 1.0, fewer), Look(20, 0.02)) >= 0.8


def answers(generator, n, changed, size):
    """Right and wrong answers of a baseline and of arms that change a share of them at random, either way alike."""
    baseline = generator.random(n) < 0.5
    return np.stack([baseline, *(baseline ^ (generator.random(n) < changed) for _ in range(size))]).astype(float)


@pytest.mark.parametrize(
    ("n", "changed", "delta"), [(2000, 0.05, 0.02), (2000, 0.2, 0.03), (2000, 0.1, 0.02), (900, 0.004, 0.01)]
)
def test_changed_answers_settle_as_many_nulls_as_in_simulated_evaluations(n, changed, delta):
    sample, generator = Sample(n, delta, 0.05, 6), np.random.default_rng(9)
    rules, found = Rules(delta, (Look(1, 0.05),), 0.05), []
    for _ in range(60):
        table = estimate_examples(answers(generator, n, changed, 6), single_removals(6), rules)
        found += verdicts(table, rules)
    share = found.count("negligible") / len(found)
    assert chances_changed(sample, changed, 2 * delta).negligible == pytest.approx(share, abs=0.09)


def test_differences_of_examples_settle_as_many_nulls_as_in_simulated_evaluations():
    generator, rules = np.random.default_rng(2), Rules(0.1, (Look(1, 0.05),), 0.05)
    found, loss = [], []
    for study in range(160):
        y = generator.normal(0, 3, 500) + np.concatenate([np.zeros((1, 500)), generator.normal(0, 0.7, (5, 500))])
        y[1] -= 0.2 * (study % 2)
        first, *rest = verdicts(estimate_examples(y, single_removals(5), rules), rules)
        if study % 2:
            loss.append(first)
        else:
            found += [first, *rest]
    ahead = chances_apart(Sample(500, 0.1, 0.05, 5), 0.7, 0.2)
    assert ahead.negligible == pytest.approx(found.count("negligible") / len(found), abs=0.09)
    assert ahead.matters == pytest.approx(loss.count("matters") / len(loss), abs=0.13)


def test_how_differently_arms_may_answer_and_how_many_examples_it_takes():
    sample = Sample(2000, 0.02, 0.05, 6)
    share, sd = most_changed(sample), largest_sd(sample)
    assert (
        chances_changed(sample, share, 0.04).negligible >= 0.8 > chances_changed(sample, 1.1 * share, 0.04).negligible
    )
    assert chances_apart(sample, sd, 0.04).negligible >= 0.8 > chances_apart(sample, 1.1 * sd, 0.04).negligible
    for needed, at in (
        (units_changed(sample, 0.2), lambda n: chances_changed(sample._replace(n=n), 0.2, 0.04).negligible),
        (units_apart(sample, 1.0), lambda n: chances_apart(sample._replace(n=n), 1.0, 0.04).negligible),
    ):
        assert at(needed) >= 0.8 > at(needed - 1)


def test_a_few_examples_are_too_few_however_alike_the_answers():
    assert most_changed(Sample(100, 0.01, 0.05, 10)) is None
    assert chances_changed(Sample(100, 0.01, 0.05, 10), 0.0, 0.02).negligible == 0
