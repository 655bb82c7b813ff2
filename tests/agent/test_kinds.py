"""Two kinds of removal over seeds, on made-up ledgers: no model was trained for any of these numbers."""

from dataclasses import replace

import numpy as np
import pytest
from lesion.agent.findings import find
from lesion.agent.kinds import kind_contrasts
from lesion.agent.planning.plan import Plan
from lesion.executor.interventions import ConfigOverride

from .test_rounds import ablation, effect_of, evidence, row, spec

SINGLES = tuple(f"arm{i}" for i in range(12))
DICE = np.random.default_rng(4)
TABLE = DICE.normal(0, 0.45, (16, 3))
"""Run-to-run noise by arm and seed, σ = .45 against δ = 1; a draw without an arm that would be left to its own paired t."""


def trials(name, loss, noise):
    return [row(name, seed, 10 - loss + TABLE[noise, seed]) for seed in range(3)]


def seen(kind_loss, loss=4.0, second_round=True):
    """Twelve removals of which the first costs `loss`, and a second kind of it, three seeds each."""
    rows = [*trials("baseline", 0, 0), *trials("arm0", loss, 1), *trials("arm0@zero", kind_loss, 2)]
    rows += [one for i in range(1, 12) for one in trials(f"arm{i}", 0, 2 + i)]
    found = evidence(rows, SINGLES, study=spec(seeds=3, max_seeds=3))
    if not second_round:
        return found
    other = ablation("arm0").model_copy(
        update={
            "id": "arm0@zero",
            "role": "sensitivity",
            "interventions": [ConfigOverride(key="arm0", value="zero")],
        }
    )
    return replace(found, plans=[*found.plans, Plan(study="s", round=2, planner="rules", ablations=[other])])


def contrast(kind_loss, **changes):
    study = seen(kind_loss, **changes)
    return next(iter(kind_contrasts(study, "score", find(study, "score").effects)))


def test_a_second_kind_is_tested_with_the_noise_of_all_arms():
    """By its own three seeds alone it could hardly be told from nothing."""
    one = effect_of(find(seen(4.0), "score"), "arm0@zero")
    assert one.verdict == "matters"
    assert one.p < 0.001 < one.p_paired


def test_a_second_kind_changes_no_earlier_p():
    before, after = (find(seen(4.0, second_round=told), "score").effects for told in (False, True))
    assert [one for one in after if one.round == 1] == before


@pytest.mark.parametrize(
    ("kind_loss", "outcome", "why"), [(4.0, "agree", None), (0.0, "conflict", "sizes"), (8.0, "conflict", "sizes")]
)
def test_kinds_are_held_against_each_other_over_seeds(kind_loss, outcome, why):
    one = contrast(kind_loss)
    assert (one.ablation, one.other, one.unit, one.n) == ("arm0", "arm0@zero", "seed", 3)
    assert (one.outcome, one.why) == (outcome, why)
    assert one.contrast == pytest.approx(4.0 - kind_loss + (TABLE[2] - TABLE[1]).mean())
    assert one.interval[0] < 4.0 - kind_loss < one.interval[1]


def test_what_was_not_settled_by_either_kind_is_not_told_apart():
    one = contrast(0.2, loss=1.4)
    assert one.outcome == "not-told-apart"
    assert one.why is None
