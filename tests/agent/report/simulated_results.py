"""Simulated results of made-up studies: no model was trained for any of these numbers."""

import math
import random

from lesion.agent.results import (
    Accounting,
    Advice,
    BaselineMetric,
    Cost,
    Effect,
    Interaction,
    Planned,
    Prediction,
    PredictionScore,
    Recovered,
    Results,
    StudyInfo,
)

DELTA = 0.01
SD = 0.004


def floor(**changes):
    fields = {
        "mean": 0.9125,
        "sd": SD,
        "n": 5,
        "minimum_detectable_effect": 0.0131,
        "goal": "maximize",
        "floor": 0.1,
        "smallest_effect": DELTA,
        "seeds_for_negligible": 10,
        "max_seeds": 20,
    }
    return BaselineMetric(**{**fields, **changes})


def effect(key, verdict, delta=None, **changes):
    half = 0.0043
    measured = delta is not None
    fields = {
        "ablation": f"drop {key}",
        "components": [f"module:{key}"],
        "labels": [key],
        "component_kind": "layer",
        "intervention_kind": "bypass",
        "intervention": f"bypass {key}",
        "mode": "retrain",
        "role": "confirmatory",
        "round": 1,
        "metric": "accuracy",
        "baseline": 0.9125,
        "ablated": 0.9125 + delta if measured else None,
        "delta": delta,
        "interval": (delta - half, delta + half) if measured else None,
        "level": 0.995 if measured else None,
        "p": 0.0004 if measured else None,
        "p_adjusted": 0.004 if measured else None,
        "p_equivalence": 0.31 if measured else None,
        "p_paired": 0.012 if measured else None,
        "n": 5 if measured else 0,
        "verdict": verdict,
        "prediction": Prediction(direction="worse", size=2.0),
    }
    return Effect(**{**fields, **changes})


def joint(keys, verdict, observed=0.09, additive=0.002, **changes):
    contrast = None if observed is None else observed - additive
    fields = {
        "ablation": "joint " + "+".join(keys),
        "components": [f"module:{key}" for key in keys],
        "labels": list(keys),
        "mode": "retrain",
        "metric": "accuracy",
        "observed": observed,
        "observed_interval": None if observed is None else (observed - 0.006, observed + 0.006),
        "additive": additive,
        "contrast": contrast,
        "interval": None if contrast is None else (contrast - 0.01, contrast + 0.01),
        "level": 0.95,
        "p": 0.0001,
        "p_adjusted": 0.0003,
        "p_equivalence": 0.9,
        "n": 5,
        "verdict": verdict,
    }
    return Interaction(**{**fields, **changes})


def study(**changes):
    fields = {
        "name": "simulated",
        "question": "Which parts of this recipe earn their keep?",
        "version": "0.1.0",
        "planner": "rules",
        "complete": True,
        "state": "complete",
        "modes": ["retrain"],
        "primary": "accuracy",
        "split": "test",
        "split_note": "Planning and searching saw the validation split only.",
        "alpha": 0.05,
        "looks": [(5, 0.01), (10, 0.015), (20, 0.025)],
        "family_size": 9,
        "method": "pooled",
        "bartlett_p": 0.43,
        "pairing_correlation": 0.21,
        "plan_hashes": ["3f9ac1d2"],
        "generated": "2026-01-02T03:04:05",
    }
    return StudyInfo(**{**fields, **changes})


def effects():
    return [
        effect("dropout", "matters", -0.0412),
        effect("blocks.3.mlp", "matters", -0.1731, failed=1, n=4),
        effect("augmentation", "hurts", 0.0271, prediction=Prediction(direction="better", size=-1.5)),
        effect("warmup", "detected", -0.0087),
        effect("head a", "negligible", -0.0009, nonzero=True),
        effect("head b", "negligible", 0.0004, masked=True, same_as="drop head a"),
        effect("label smoothing", "undecided", -0.0061, seeds_to_settle=34, reason="the interval crosses δ"),
        effect("embedding", "structural", reason="RuntimeError: shape mismatch"),
        effect("identity", "no-op", 0.0, interval=None, reason="the hook never fired"),
        effect("layer norm", "untestable", reason="2 of 3 seeds diverged", failed=2, n=1),
        effect(
            "dropout",
            "undecided",
            -0.011,
            role="sensitivity",
            intervention_kind="mean",
            intervention="mean of dropout",
            ablation="mean dropout",
            prediction=None,
            round=2,
        ),
        effect("dropout", "matters", -0.0391, metric="macro_f1", prediction=None),
    ]


def results(**changes):
    fields = {
        "study": study(),
        "baseline": {"retrain": {"accuracy": floor(), "macro_f1": floor(mean=0.9021)}},
        "effects": effects(),
        "interactions": [
            joint(["head a", "head b"], "compensation"),
            joint(["dropout", "warmup"], "additive", observed=0.051, additive=0.0499),
            joint(
                ["dropout", "blocks.3.mlp"], "undecided", observed=None, additive=None, reason="only 2 seeds finished"
            ),
        ],
        "coverage": {"pairs_cleared": 712, "of_pairs": 780},
        "predictions": [
            PredictionScore(
                planner="rules", n=9, direction_hits=6, mean_absolute_error=1.9, median_absolute_error_of_median=2.3
            )
        ],
        "planned": [
            *(Planned(ablation=e.ablation, round=1, fate="ran") for e in effects()[:8]),
            Planned(ablation="drop pooling", round=1, fate="dropped", reason="could not be mended after two tries"),
        ],
        "accounting": Accounting(planned=70, ok=64, failed={"crashed": 3, "timed-out": 1}, skipped=2, checks=14),
        "compute": {
            "seconds_total": 5230.0,
            "seconds_per_trial": 71.2,
            "peak_memory_bytes": 812_000_000,
            "seconds_failed": 61.0,
            "checks_seconds": 33.4,
            "workers": 2,
            "threads": 1,
        },
        "environment": {
            "python": "3.11.7",
            "torch": "2.9.0",
            "cpu": "simulated",
            "cores": 2,
            "gpus": [],
            "memory_bytes": 2**34,
            "sandbox": "bubblewrap",
            "lesion": "0.1.0",
        },
        "notes": ["Simulated data: no model was trained."],
    }
    return Results(**{**fields, **changes})


def minimising():
    """A study of a loss: removing the first part raises it, removing the second lowers it."""
    losses = {"metric": "val_loss", "baseline": 1.85}
    return results(
        study=study(primary="val_loss"),
        baseline={"retrain": {"val_loss": floor(mean=1.85, goal="minimize", floor=None)}},
        effects=[
            effect("attention", "matters", 0.31, ablated=2.16, **losses),
            effect("weight decay", "hurts", -0.04, ablated=1.81, **losses),
        ],
        interactions=[],
    )


def head(number, verdict, delta, mode="reevaluate", **changes):
    """An attention head's effect in one mode; a re-evaluation speaks for 800 examples and agrees at 3 trained models."""
    sampled = mode == "reevaluate"
    fields = {
        "ablation": f"head:{number}",
        "components": [f"head:{number}"],
        "labels": [f"head {number}"],
        "component_kind": "attention_head",
        "intervention_kind": "zero",
        "intervention": f"zero head {number}",
        "mode": mode,
        "n": 800 if sampled else 5,
        "unit": "example" if sampled else "seed",
        "p_paired": None if sampled else 0.012,
        "agreement": {verdict: 3} if sampled else None,
        "cost": Cost(parameters=1_180_000, flops=23_000_000_000, seconds=0.4, steps=None if sampled else 900),
    }
    return effect(f"head {number}", verdict, delta, **{**fields, **changes})


def placebo(mode, verdict="no-op", delta=None, **changes):
    fields = {
        "role": "control",
        "ablation": "control:placebo",
        "intervention_kind": "placebo",
        "intervention": "placebo blocks.0.attn",
        "labels": ["head 1"],
        "round": 2,
        "reason": "results equal the baseline's, bit for bit",
        "n": 0,
        "cost": Cost(parameters=1_200_000, flops=24_000_000_000, seconds=0.5),
        "prediction": Prediction(direction="none", size=0.0),
    }
    return head(1, verdict, delta, mode, **{**fields, **changes})


def drawn(number, draw, beside, delta, mode="reevaluate", verdict="negligible"):
    """A random group, drawn beside what matters."""
    name = f"control:random {draw} beside head:{beside}"
    return head(number, verdict, delta, mode, role="control", round=2, ablation=name, cost=None)


def recovered(**changes):
    fields = {"cut": 0.62, "cut_delta": -0.2925, "fraction": 0.87, "interval": (0.81, 0.94), "n": 5}
    return Recovered(**{**fields, **changes})


def by_examples(**changes):
    """The noise floor of a re-evaluation."""
    fields = {"sd": 0.31, "n": 800, "unit": "example", "seeds_for_negligible": None, "max_seeds": 800}
    return floor(**{**fields, **changes})


def three_modes(**changes):
    """A study of heads that asks all three questions at three trained models."""
    little = "the cut cost nothing, so there is nothing to give back"
    found = [
        head(1, "matters", -0.0512),
        head(2, "negligible", -0.0007, agreement={"negligible": 2, "undecided": 1}),
        head(3, "negligible", 0.0, interval=(0.0, 0.0), masked=True),
        head(4, "hurts", 0.0231),
        head(5, "no-op", None, reason="the weight was what it is set to already"),
        head(6, "no-op", None, reason="the weight was what it is set to already"),
        placebo("reevaluate"),
        drawn(2, 1, 1, -0.0007),
        drawn(3, 2, 1, 0.0),
        drawn(7, 3, 1, -0.0101, verdict="detected"),
        head(1, "undecided", -0.0032, "retrain", seeds_to_settle=31),
        head(2, "negligible", 0.0005, "retrain"),
        effect("augmentation", "matters", -0.0871),
        placebo("retrain"),
        drawn(2, 1, 1, 0.0005, "retrain"),
        head(1, "matters", -0.0191, "recover", recovered=recovered()),
        head(2, "negligible", -0.0002, "recover", recovered=recovered(interval=None, fraction=1.2, reason=little)),
        head(3, "negligible", -0.0001, "recover", recovered=recovered(interval=None, fraction=None, reason=little)),
        placebo("recover", verdict="negligible", delta=-0.0004, interval=(-0.0021, 0.0013), n=5, reason=None),
    ]
    modes = ["reevaluate", "retrain", "recover"]
    pair = {"mode": "reevaluate", "n": 800, "unit": "example", "agreement": {"redundancy": 2, "additive": 1}}
    pair["components"] = ["head:2", "head:3"]
    fields = {
        "study": study(
            modes=modes,
            family_sizes={"reevaluate": 6, "retrain": 3, "recover": 3},
            checkpoints=3,
            finetune_steps=200,
        ),
        "baseline": {
            "reevaluate": {"accuracy": by_examples()},
            "retrain": {"accuracy": floor()},
            "recover": {"accuracy": floor()},
        },
        "effects": found,
        "interactions": [joint(["head 2", "head 3"], "redundancy", **pair)],
        "advice": [
            advice("prune", "reevaluate", 2, 3, tested_together=True, parameters=40_000, flops=10**9, share=1 / 30),
            advice("bottleneck", "reevaluate", 1, delta=-0.0512),
            advice("harmful", "reevaluate", 4, delta=0.0231),
            advice("prune", "recover", 2, 3, parameters=40_000),
        ],
        "planned": [],
    }
    return results(**{**fields, **changes})


def advice(what, mode, *heads, **changes):
    names = {"components": [f"head:{one}" for one in heads], "labels": [f"head {one}" for one in heads]}
    return Advice(what=what, mode=mode, **{**names, **changes})


def random_results(seed, count, modes=("retrain",)):
    """Any verdicts with any numbers: not consistent, since a report must stay careful whatever it is given."""
    rng = random.Random(seed)
    verdicts = ["structural", "no-op", "untestable", "matters", "hurts", "negligible", "detected", "undecided"]

    def one(i):
        verdict = rng.choice(verdicts)
        delta = None if verdict in verdicts[:3] else rng.gauss(0, 10 ** rng.uniform(-6, 2))
        changes = {"interval": (-math.inf, math.inf)} if delta is not None and rng.random() < 0.1 else {}
        role = rng.choice(["confirmatory", "confirmatory", "sensitivity", "control", "exploratory"])
        mode = rng.choice(modes)
        if mode == "reevaluate":
            changes |= {
                "unit": rng.choice(["example", "cluster", "checkpoint"]),
                "agreement": {verdict: 2, "matters": 1},
            }
        if mode == "recover" and delta is not None:
            fraction = rng.choice([None, rng.gauss(0, 10)])
            changes |= {"recovered": recovered(fraction=fraction, interval=None, reason="no interval")}
        return effect(f"part {i}", verdict, delta, role=role, mode=mode, **changes)

    return results(effects=[one(i) for i in range(count)], planned=[])
