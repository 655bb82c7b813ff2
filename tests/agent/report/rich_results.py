"""A simulated study with everything that a report can show: no model was trained for any of these numbers."""

import random

from lesion.agent.records.classes import ClassEffect, ClassScores, ConfusionShift, MovedCell
from lesion.agent.records.curves import LearningCurve
from lesion.agent.results import Advice, Prediction
from simulated_results import effect, floor, joint, results, study

LONG = "model.encoder.layers.11.self_attention.relative_position_bias.projection"
VERDICTS = ["matters", "hurts", "detected", "negligible", "undecided", "structural", "no-op", "untestable"]
CENTRES = {"matters": -0.05, "hurts": 0.03, "detected": -0.012, "negligible": 0.0, "undecided": -0.007}


def rich(**changes):
    """60 components, 24 of them heads, with single seeds, curves, classes, joint removals and predictions."""
    rng = random.Random(5)
    found = [_single(at, rng) for at in range(36)] + [_head(at, rng) for at in range(24)]
    fields = {
        "effects": found,
        "baseline": {"retrain": {"accuracy": floor()}},
        "interactions": _joints(found, rng),
        "curves": _curves(found, rng),
        "classes": [_class(found[0], 3, -0.31), _class(found[0], 5, -0.12), _class(found[0], 8, -0.02)],
        "confusions": [_shift(found[0], rng), _shift(found[8], rng)],
        "advice": [
            Advice(
                what="prune",
                mode="retrain",
                components=["module:part 3"],
                labels=["part 3"],
                parameters=1_200_000,
                share=0.1,
            )
        ],
        "study": study(family_size=60, family_sizes={"retrain": 60}),
    }
    return results(**{**fields, **changes})


def _single(at, rng):
    verdict = VERDICTS[at % len(VERDICTS)]
    name = f"{LONG}.{at}" if at % 9 == 0 else f"part {at}"
    if verdict not in CENTRES:
        return effect(name, verdict, reason="RuntimeError: shape '[8, 64]' is invalid for input of size 511")
    delta = CENTRES[verdict] + rng.gauss(0, 0.004)
    seeds = 34 if verdict == "undecided" else None
    return effect(name, verdict, delta, by_seed=_seeds(delta, rng), prediction=_guess(rng), seeds_to_settle=seeds)


def _head(at, rng):
    layer, index = divmod(at, 8)
    verdict = rng.choice(["matters", "negligible", "negligible", "undecided", "hurts", "no-op"])
    delta = None if verdict == "no-op" else CENTRES[verdict] + rng.gauss(0, 0.003)
    return effect(
        f"head {layer}.{index}",
        verdict,
        delta,
        components=[f"head:blocks.{layer}.attn/{index}"],
        component_kind="attention_head",
        by_seed={} if delta is None else _seeds(delta, rng),
        prediction=_guess(rng),
    )


def _seeds(delta, rng):
    values = [rng.gauss(0, 0.003) for _ in range(5)]
    middle = sum(values) / 5
    return {seed: delta + value - middle for seed, value in enumerate(values)}


def _guess(rng):
    return Prediction(direction=rng.choice(["worse", "none", "better"]), size=rng.gauss(2, 2))


def _joints(found, rng):
    measured = [one.labels[0] for one in found[:36] if one.delta is not None]
    kinds = ["compensation", "redundancy", "synergy", "additive", "additive", "undecided"]
    pairs = [(measured[at], measured[(at * 7 + 3) % len(measured)]) for at in range(18)]
    joints = [
        joint(list(pair), kinds[at % 6], observed=rng.uniform(0.005, 0.12), additive=rng.uniform(0, 0.05))
        for at, pair in enumerate(pairs)
        if pair[0] != pair[1]
    ]
    return [*joints, joint([measured[0], measured[2], measured[4]], "irreducible")]


def _curves(found, rng):
    steps = [float(step) for step in range(1, 8)]
    names = ["baseline", *(one.ablation for one in found[:3])]
    mean = {name: [0.9 - 0.5 / step - 0.03 * at for step in steps] for at, name in enumerate(names)}
    return [
        LearningCurve(
            ablation=name,
            mode="retrain",
            metric="accuracy",
            steps=steps,
            numbered=True,
            mean=mean[name],
            low=[value - 0.01 for value in mean[name]],
            high=[value + 0.01 for value in mean[name]],
            n=5,
        )
        for name in names
    ]


def _class(one, target, change):
    before = ClassScores(recall=0.93, precision=0.92, f1=0.925)
    after = ClassScores(recall=0.93 + change, precision=0.9, f1=0.9)
    ends = (change - 0.02, change + 0.02)
    return ClassEffect(
        **{"ablation": one.ablation, "components": one.components, "labels": one.labels, "mode": "retrain"},
        **{"dataset": None, "target": target, "support": 100, "baseline": before, "ablated": after},
        **{"recall_delta": change, "recall_interval": ends, "precision_delta": -0.02, "precision_interval": None},
        **{"f1_delta": -0.02, "f1_interval": None, "level": 0.95, "p": 0.001, "p_adjusted": 0.004},
        **{"n": 5, "unit": "seed", "verdict": "loses" if change < -0.05 else "undecided"},
    )


def _shift(one, rng):
    cells = {(rng.randrange(10), rng.randrange(10)): rng.randrange(-20, 60) for _ in range(30)}
    moved = [(t, p, c) for (t, p), c in cells.items() if t != p and c]
    moved.sort(key=lambda cell: -abs(cell[2]))
    return ConfusionShift(
        **{"ablation": one.ablation, "components": one.components, "labels": one.labels, "mode": "retrain"},
        **{"dataset": None, "trials": 5, "left": 3},
        cells=[MovedCell(target=t, prediction=p, baseline=20, ablated=20 + c) for t, p, c in moved[:20]],
    )


def many(count):
    """The same with `count` effects: a wide study."""
    rng = random.Random(7)
    found = [_single(at, rng) for at in range(count - 24)] + [_head(at, rng) for at in range(24)]
    return rich(effects=found, study=study(family_size=count, family_sizes={"retrain": count}))
