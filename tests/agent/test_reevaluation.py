"""Findings on trained models: made-up ledgers with made-up examples; no model was evaluated for any of these numbers."""

from dataclasses import replace

import numpy as np
import pytest
from lesion.agent.arms import arms_of
from lesion.agent.evidence import Evidence
from lesion.agent.findings import find
from lesion.agent.ledger import Facts
from lesion.agent.noisefloor import noise_floor
from lesion.agent.notes import notes_on
from lesion.agent.planning.plan import Plan
from lesion.agent.rounds import settle

from .test_rounds import ablation, row, spec

N = 400
DICE = np.random.default_rng(11)
USUAL = DICE.normal(10, 3, (3, N))
"""Examples of the baseline at three checkpoints: far more different from each other than what removals change."""


class Lab:
    """Trials of a re-evaluation and the examples they gave."""

    def __init__(self, checkpoints=3, **study):
        self.rows, self.columns, self.checkpoints = [], {}, checkpoints
        self.spec = spec(seeds=3, max_seeds=3, **study)
        self.add("baseline", *([0.0] * checkpoints))

    def add(self, name, *losses, spread=0.3, **more):
        """One trial a checkpoint: the baseline's examples less a loss, give or take the spread."""
        for seed, loss in enumerate(losses):
            noise = spread * DICE.normal(0, 1, N) if loss or name != "baseline" else 0
            values = USUAL[seed] - loss - noise
            made = row(name, seed, (values.mean(), values.mean()))._replace(mode="reevaluate")
            self.rows.append(made)
            self.columns[made.key] = {"score": values, **{key: one(seed) for key, one in more.items()}}
        return self

    def binary(self, name, wrong, flip=()):
        """Right or wrong answers: the first `wrong` examples are wrong, and those at `flip` the other way round."""
        values = np.ones(N)
        values[:wrong] = 0
        values[list(flip)] = 1 - values[list(flip)]
        made = row(name, 0, (values.mean(), values.mean()))._replace(mode="reevaluate")
        self.rows = [one for one in self.rows if (one.arm, one.seed) != (name, 0)] + [made]
        self.columns[made.key] = {"score": values}
        return self

    def evidence(self, *singles, joint=()):
        plans = [Plan(study="s", round=1, planner="rules", ablations=[ablation(one) for one in singles])]
        if joint:
            plans.append(Plan(study="s", round=2, planner="rules", ablations=[ablation(*one) for one in joint]))
        plans = [
            one.model_copy(
                update={"ablations": [each.model_copy(update={"modes": ["reevaluate"]}) for each in one.ablations]}
            )
            for one in plans
        ]
        return Evidence(
            spec=self.spec,
            mode="reevaluate",
            plans=plans,
            components={name: component(name) for name in singles},
            arms=arms_of(self.rows)["reevaluate"],
            stopped={},
            dropped={},
            split="test",
            checkpoints=self.checkpoints,
            examples=lambda one, _split: self.columns.get(one.key, {}),
        )


def component(name):
    from lesion.agent.components import Component

    return Component(id=name, kind="other", label=name, evidence="", interventions=[])


def effects(found):
    return {one.ablation: one for one in found.effects}


def test_paired_examples_settle_what_whole_evaluations_never_could():
    lab = Lab(smallest_effect=0.1).add("small", 0.3, 0.3, 0.3).add("none", 0.001, 0.001, 0.001)
    seen = lab.evidence("small", "none")
    by_examples = effects(find(seen, "score"))
    assert {name: one.verdict for name, one in by_examples.items()} == {"small": "matters", "none": "negligible"}
    one = by_examples["small"]
    assert (one.unit, one.n, one.p_paired) == ("example", N, None)
    assert one.delta == pytest.approx(-0.3, abs=0.06)
    assert one.ablated - one.baseline == pytest.approx(one.delta)
    whole = effects(find(replace(seen, examples=lambda *_: {}), "score"))
    assert (whole["small"].unit, whole["small"].n) == ("checkpoint", 3)


def test_checkpoints_speak_for_themselves_and_their_agreement_is_told():
    lab = Lab(smallest_effect=0.1).add("a", 0.5, 0.5, 0.001).add("b", 0.001, 0.001, 0.001)
    found = effects(find(lab.evidence("a", "b"), "score"))
    assert found["a"].agreement == {"matters": 2, "negligible": 1}
    assert (found["a"].verdict, found["a"].n) == ("matters", N)
    assert found["b"].agreement == {"negligible": 3}


def test_one_checkpoint_has_nothing_to_agree_with():
    found = effects(find(Lab(checkpoints=1).add("a", 5.0).evidence("a"), "score"))
    assert (found["a"].verdict, found["a"].agreement) == ("matters", None)


def test_an_arm_that_failed_at_a_checkpoint_is_told_apart_there():
    lab = Lab(smallest_effect=0.1).add("a", 0.5, 0.5)
    lab.rows.append(row("a", 2, status="crashed", reason="KeyError")._replace(mode="reevaluate"))
    found = effects(find(lab.evidence("a"), "score"))
    assert (found["a"].verdict, found["a"].failed) == ("matters", 1)
    assert found["a"].agreement == {"matters": 2, "untestable": 1}


def test_a_removal_that_stops_the_evaluation_is_structural_at_once():
    lab = Lab()
    lab.rows.append(row("a", 0, status="crashed", reason="ValueError: shapes")._replace(mode="reevaluate"))
    one = effects(find(lab.evidence("a"), "score"))["a"]
    assert (one.verdict, one.reason, one.delta) == ("structural", "ValueError: shapes", None)


def test_answers_right_or_wrong_are_tested_exactly():
    lab = Lab(checkpoints=1, smallest_effect=0.02).binary("baseline", 20)
    lab.binary("costly", 20, range(100, 160)).binary("same", 20).binary("few", 20, [200, 201])
    found = effects(find(lab.evidence("costly", "same", "few"), "score"))
    assert (found["costly"].verdict, found["costly"].delta) == ("matters", pytest.approx(-60 / N))
    assert found["same"].delta == 0
    assert found["same"].interval[1] > 0, "no discordant example of 400 is no certainty"
    assert found["few"].verdict in ("negligible", "undecided")


def test_examples_of_one_cluster_count_once():
    by_cluster = {"cluster": lambda _seed: np.repeat(np.arange(20), N // 20)}
    lab = Lab(checkpoints=1)
    lab.rows.clear()
    shift = np.repeat(DICE.normal(0.5, 0.5, 20), N // 20)
    for name, values in (("baseline", USUAL[0]), ("a", USUAL[0] - shift)):
        made = row(name, 0, (values.mean(), values.mean()))._replace(mode="reevaluate")
        lab.rows.append(made)
        lab.columns[made.key] = {"score": values, "cluster": by_cluster["cluster"](0)}
    seen = lab.evidence("a")
    one = effects(find(seen, "score"))["a"]
    assert (one.unit, one.n) == ("cluster", 20)
    alone = effects(find(replace(seen, examples=lambda each, _: {"score": lab.columns[each.key]["score"]}), "score"))[
        "a"
    ]
    assert one.interval[1] - one.interval[0] > 2 * (alone.interval[1] - alone.interval[0])


def test_backups_are_found_over_examples():
    lab = Lab(checkpoints=2, smallest_effect=0.1)
    for name, loss in (("a", 0.001), ("b", 0.001), ("a + b", 2.0)):
        lab.add(name, loss, loss)
    found = find(lab.evidence("a", "b", joint=[("a", "b")]), "score")
    (pair,) = found.interactions
    assert (pair.verdict, pair.unit, pair.n) == ("compensation", "example", N)
    assert pair.agreement == {"compensation": 2}
    assert pair.contrast == pytest.approx(pair.observed - pair.additive)


def test_the_floor_is_held_against_the_error_of_a_mean():
    usual = Lab(checkpoints=1, floor=8.0).add("a", 0.5).evidence("a")
    assert effects(find(usual, "score"))["a"].verdict != "untestable", "3σ of one example would reach the floor"
    near = Lab(checkpoints=1, floor=float(USUAL[0].mean()) - 0.1).add("a", 0.5).evidence("a")
    assert effects(find(near, "score"))["a"].verdict == "untestable"


def test_delta_is_proposed_from_the_spread_between_models_or_of_one():
    several = noise_floor(Lab(smallest_effect=None).evidence(), "score")
    assert several.smallest_effect == pytest.approx(2 * np.std(USUAL.mean(1), ddof=1))
    single = noise_floor(Lab(checkpoints=1, smallest_effect=None).evidence(), "score")
    assert single.smallest_effect == pytest.approx(2 * USUAL[0].std(ddof=1) / np.sqrt(N))
    assert (several.unit, several.n, several.smallest_effect_proposed) == ("example", N, True)


def test_arms_on_other_examples_are_not_paired():
    lab = Lab(checkpoints=1).add("a", 1.0)
    lab.columns["a/0"] = {"score": lab.columns["a/0"]["score"][:-1]}
    seen = lab.evidence("a")
    assert effects(find(seen, "score"))["a"].delta is None
    assert any("other examples" in note for note in notes_on(seen, arms_of(lab.rows)))
    target = Lab(checkpoints=1).add("a", 1.0)
    for key, first in (("baseline/0", 0.0), ("a/0", 1.0)):
        target.columns[key]["target"] = np.full(N, first)
    assert not target.evidence("a").fits("a")


def test_there_is_one_look_at_a_trained_model():
    seen = Lab().add("a", 0.5, 0.5, 0.5).evidence("a")
    assert [look.seeds for look in seen.looks] == [3]
    assert settle(seen, seen.plans[0]).caps == {"a": 3}


def told(lab, *singles, extra=()):
    return " ".join(notes_on(lab.evidence(*singles), arms_of([*lab.rows, *extra])))


def test_what_is_odd_about_an_evaluation_is_said_with_its_size():
    lab = Lab().add("a", 1.0, 1.0, 1.0)
    assert "twin has no value for each example" in told(lab, "a")
    assert "each trained model counts as one unit: n is at most 3" in told(lab, "a")
    lab.rows[0] = lab.rows[0]._replace(facts=Facts(wobble=0.0125, changed_weights=["norm.running_mean"]))
    assert "not deterministic" in told(lab, "a") and "0.0125" in told(lab, "a")
    assert "norm.running_mean" in told(lab, "a")
    trained = row("baseline", 0, (11.0, 11.0))
    assert "part of the model's state" in told(lab, "a", extra=[trained])
