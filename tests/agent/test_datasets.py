"""Contrasts of data sets and screens of classes from made-up ledgers: no model was trained or evaluated for these numbers."""

from pathlib import Path

import numpy as np
import pytest
from lesion.agent.arms import arms_of
from lesion.agent.classes import class_findings
from lesion.agent.datasets import contrast_datasets, pairs_of
from lesion.agent.evidence import Evidence
from lesion.agent.findings import find
from lesion.agent.ledger import TrialRow
from lesion.agent.noisefloor import noise_floor
from lesion.agent.notes import notes_on
from lesion.agent.planning.plan import Plan
from lesion.agent.spec import StudySpec

from .test_reevaluation import component
from .test_rounds import ablation

SIZES = {"public": 400, "own": 250}
DICE = np.random.default_rng(21)
NAMES = ("public/score", "own/score")


def spec(*, floor=None, seeds=3, names=NAMES, primary="public/score"):
    metrics = {
        name: {"goal": "maximize", "primary": name == primary, "smallest_effect": 0.2, "floor": floor} for name in names
    }
    study = {"name": "made-up", "seeds": seeds, "max_seeds": seeds}
    return StudySpec.model_validate(
        {"path": Path("/study/lesion.toml"), "study": study, "experiment": {"python": "e.py"}, "metrics": metrics}
    )


class Lab:
    """Trials with values of two data sets, and the examples they told of."""

    def __init__(self, mode="reevaluate", trials=1, **study):
        self.mode, self.trials, self.spec = mode, trials, spec(**study)
        self.rows, self.columns, self.singles = [], {}, []
        self.usual = {name: DICE.normal(10, 1, (trials, size)) for name, size in SIZES.items()}
        self.add("baseline", 0.0, 0.0)

    def add(self, name, public, own, **more):
        """One trial a seed or checkpoint, less a loss on each data set; `more`: columns by trial, `__` for a slash."""
        self.singles += [name] if name != "baseline" else []
        for seed in range(self.trials):
            shift = DICE.normal(0, 0.02)
            columns = {
                f"{dataset}/score": self.usual[dataset][seed]
                - (loss[seed] if isinstance(loss, tuple) else loss)
                - (DICE.normal(0, 0.3, SIZES[dataset]) + shift if name != "baseline" else 0)
                for dataset, loss in (("public", public), ("own", own))
            }
            metrics = {"test": {each: values.mean() for each, values in columns.items()}}
            columns |= {key.replace("__", "/"): one(seed) for key, one in more.items()}
            key = f"{name}/{seed}"
            self.rows.append(TrialRow(key, name, self.mode, seed, "ok", None, metrics, key, True, 1.0, None))
            self.columns[key] = columns
        return self

    @property
    def evidence(self):
        made = [ablation(one).model_copy(update={"modes": [self.mode]}) for one in self.singles]
        return Evidence(
            spec=self.spec,
            mode=self.mode,
            plans=[Plan(study="s", round=1, planner="rules", ablations=made)],
            components={name: component(name) for name in self.singles},
            arms=arms_of(self.rows)[self.mode],
            stopped={},
            dropped={},
            split="test",
            checkpoints=self.trials if self.mode == "reevaluate" else 1,
            examples=lambda one, _split: self.columns.get(one.key, {}),
        )

    @property
    def contrasts(self):
        found = {name: find(self.evidence, name) for name in self.spec.metrics}
        return {one.ablation: one for one in contrast_datasets(self.evidence, found)}


def test_pairs_are_the_primary_data_set_against_each_other_and_else_the_first():
    names = ("a/loss", "b/loss", "a/acc", "b/acc", "c/acc", "alone/f1", "plain")
    assert pairs_of(spec(names=names, primary="b/acc")) == [
        ("a/loss", "b/loss"),
        ("b/acc", "a/acc"),
        ("b/acc", "c/acc"),
    ]
    assert pairs_of(spec(names=("acc", "own/acc"), primary="acc")) == []


def test_a_removal_that_moves_one_data_set_is_pointed_out_over_examples_of_different_number():
    found = Lab().add("mine", 0.0, 1.0).add("theirs", 1.0, 0.0).add("both", 1.0, 1.0).add("none", 0.0, 0.0).contrasts
    assert {name: one.verdict for name, one in found.items()} == {
        **{"mine": "differs", "theirs": "differs"},
        **{"both": "alike", "none": "alike"},
    }
    one = found["mine"]
    assert (one.metric, one.first, one.second) == ("score", "public/score", "own/score")
    assert (one.first_verdict, one.second_verdict, one.first_n, one.second_n) == ("negligible", "matters", 400, 250)
    assert one.difference == pytest.approx(-1.0, abs=0.1)
    assert one.difference == pytest.approx(one.first_loss - one.second_loss)
    assert one.level == pytest.approx(1 - 0.05 / 4)


def test_other_trained_models_are_told_by_their_agreement():
    found = Lab(trials=3).add("mine", 0.0, (1.0, 1.0, 0.0)).contrasts
    assert found["mine"].agreement == {"differs": 2, "alike": 1}


def test_over_seeds_the_runs_are_the_units():
    lab = Lab(mode="retrain", trials=5, seeds=5).add("mine", 0.0, 1.0).add("none", 0.0, 0.0)
    found = lab.contrasts
    assert (found["mine"].verdict, found["mine"].unit, found["mine"].first_n) == ("differs", "seed", 5)
    assert found["mine"].interval[1] < -0.2
    assert found["none"].verdict in ("alike", "undecided")


def test_at_chance_on_one_data_set_nothing_can_be_told_of_both():
    lab = Lab(floor=9.95)
    lab.usual["public"] += 2
    lab.rows.clear()
    lab.add("baseline", 0.0, 0.0).add("mine", 1.0, 0.0)
    one = lab.contrasts["mine"]
    assert one.verdict == "untestable"
    assert "own/score is within noise of its floor" in one.reason


def test_a_loss_that_the_floor_caps_is_said():
    lab = Lab(floor=8.0).add("mine", 0.5, 2.0)
    one = lab.contrasts["mine"]
    assert one.verdict == "differs"
    assert one.reason == "own/score without it is within noise of its floor, which caps that loss"


def test_an_arm_on_other_examples_of_one_data_set_keeps_what_is_paired_on_the_other():
    lab = Lab().add("mine", 1.0, 1.0)
    lab.columns["mine/0"]["own/score"] = lab.columns["mine/0"]["own/score"][:-1]
    assert (lab.evidence.fits("mine", "public"), lab.evidence.fits("mine", "own")) == (True, False)
    assert not lab.evidence.fits("mine")
    assert lab.contrasts["mine"].verdict == "untestable"
    (effect,) = find(lab.evidence, "public/score").effects
    assert effect.verdict == "matters"


def test_each_data_set_has_its_own_clusters():
    of = {"own__cluster": lambda _seed: np.repeat(np.arange(25), 10)}
    lab = Lab()
    lab.rows.clear()
    lab.add("baseline", 0.0, 0.0, **of).add("mine", 0.0, 1.0, **of)
    units = [(noise.unit, noise.n) for noise in (noise_floor(lab.evidence, name) for name in NAMES)]
    assert units == [("example", 400), ("cluster", 25)]
    assert (lab.contrasts["mine"].first_n, lab.contrasts["mine"].second_n) == (400, 25)


def labels(dataset, wrong=0.1, kill=None, dice=DICE):
    """Columns of targets and predictions; a killed class is taken for the next one."""
    size = SIZES[dataset]
    target = np.arange(size) % 4

    def prediction(_seed):
        taken = np.where(dice.random(size) < wrong, dice.integers(0, 4, size), target)
        return (taken if kill is None else np.where(target == kill, (kill + 1) % 4, taken)).astype(float)

    return {f"{dataset}__target": lambda _seed: target.astype(float), f"{dataset}__prediction": prediction}


@pytest.mark.parametrize(("mode", "trials", "unit"), [("reevaluate", 1, "example"), ("retrain", 4, "seed")])
def test_a_class_that_a_removal_kills_is_found_in_its_own_data_set(mode, trials, unit):
    lab = Lab(mode=mode, trials=trials, seeds=trials)
    lab.rows.clear()
    dice = np.random.default_rng(3)
    for name, kill in (("baseline", None), ("killer", 2), ("none", None)):
        lab.add(name, 0.0, 0.0, **labels("public", dice=dice), **labels("own", kill=kill, dice=dice))
    found, shifts = class_findings(lab.evidence)
    assert {(one.ablation, one.dataset, one.target) for one in found if one.verdict == "loses"} == {
        ("killer", "own", 2)
    }
    assert len(found) == 2 * 2 * 4
    one = next(one for one in found if one.verdict == "loses")
    assert (one.unit, one.ablated.recall, one.ablated.f1, one.support) == (unit, 0.0, 0.0, 62)
    assert one.n == (62 if unit == "example" else trials)
    assert one.baseline.recall > 0.8
    assert one.recall_interval[1] < -0.5
    most = next(one for one in shifts if (one.ablation, one.dataset) == ("killer", "own"))
    assert (most.cells[0].target, most.cells[0].prediction, most.cells[0].ablated) == (2, 3, 62 * trials)
    assert most.trials == trials


def test_classes_rest_on_the_seeds_that_the_looks_asked_for():
    """Seeds that something else needed, such as an equal tuning, count in no table of effects and not here."""
    lab = Lab(mode="retrain", trials=5, seeds=3)
    lab.rows.clear()
    dice = np.random.default_rng(3)
    for name, kill in (("baseline", None), ("killer", 2)):
        lab.add(name, 0.0, 0.0, **labels("own", kill=kill, dice=dice))
    found, shifts = class_findings(lab.evidence)
    assert {one.n for one in found} == {one.trials for one in shifts} == {3}
    assert {one.n for one in find(lab.evidence, "own/score").effects} == {3}


def test_predictions_without_classes_are_said_and_arms_on_other_targets_left_out():
    lab = Lab()
    lab.rows.clear()
    lab.add("baseline", 0.0, 0.0, **labels("public"), own__prediction=lambda _: np.zeros(250))
    other = labels("public") | {"public__target": lambda _: np.ones(400)}
    lab.add("same", 0.0, 0.0, **labels("public")).add("other", 0.0, 0.0, **other)
    found, _ = class_findings(lab.evidence)
    assert {(one.ablation, one.dataset) for one in found} == {("same", "public")}
    told = " ".join(notes_on(lab.evidence, arms_of(lab.rows)))
    assert 'there is no examples["own/target"] of the same length beside it' in told
