"""A study in which nothing matters, run as people run it: what it finds is nothing, and what it says is no more than that."""

import re

import pytest

from tests.experiments import Project, project

EXPERIMENT = '''"""Accuracy .9 and noise that depends on the configuration and the seed alone: no switch does anything else."""

import hashlib
import json
import statistics

import torch


def noise(config, seed, split):
    text = json.dumps([config, seed, split], sort_keys=True).encode()
    share = (int.from_bytes(hashlib.sha256(text).digest()[:8], "big") + 0.5) / 2**64
    return statistics.NormalDist().inv_cdf(share)


def build_model(config):
    return torch.nn.Linear(1, 1)


def train(model, config, seed):
    model.seed = seed
    config["use_a"], config["use_b"], config["use_c"], config["use_d"]
    config["use_e"], config["use_f"], config["use_g"], config["use_h"]


def evaluate(model, config, split):
    shared = noise({}, model.seed, split)
    return {"accuracy": 0.9 + 0.003 * shared + 0.005 * noise(config, model.seed, split)}
'''
SWITCHES = [f"use_{letter}" for letter in "abcdefgh"]
CONFIG = "\n".join(f"{name}: true" for name in SWITCHES) + "\n"
STUDY = """\
[study]
name = "noise"
components = ["config:use_*"]
seeds = 3
max_seeds = 5

[experiment]
python = "experiment.py"
config = "config.yaml"

[metrics.accuracy]
goal = "maximize"
primary = true
floor = 0.1
smallest_effect = 0.02

[limits]
workers = 2
trial_time = "1m"
trial_memory = "2GiB"
"""
CLAIMS = (
    r"no effect",
    r"(?:has|have|had|makes|make|made) no (?:effect|difference|influence|impact)",
    r"(?:does|do|did) not (?:matter|contribute|help)",
    r"un(?:important|needed|necessary)",
    r"not (?:needed|necessary|important|required)",
    r"irrelevant|useless|superfluous|dispensable",
    r"proves?|proven",
    r"safe(?:ly)? to (?:remove|prune|drop)",
)
"""What no sentence of a report may say: absence of evidence is not evidence of absence."""
DENIAL = "does not say that these parts are unimportant"


@pytest.fixture(scope="module")
def noise(tmp_path_factory) -> Project:
    made = project(tmp_path_factory.mktemp("noise"), experiment=EXPERIMENT, config=CONFIG, study=STUDY, name="noise")
    ended = made.lesion("run", "--planner", "rules", "--interactions", "none")
    assert ended.code == 0, ended.err
    return made


@pytest.fixture(scope="module")
def report(noise) -> str:
    ended = noise.lesion("report", "--format", "md", "-o", "-")
    assert ended.code == 0, ended.err
    return ended.out


def test_nothing_is_found(noise):
    results = noise.results()
    effects = [one for one in results["effects"] if one["metric"] == "accuracy"]
    assert len(effects) == len(SWITCHES)
    assert {one["verdict"] for one in effects} <= {"negligible", "undecided"}
    assert not any(one["nonzero"] for one in effects)
    assert results["interactions"] == []


def test_negligible_is_said_with_its_test_and_undecided_with_what_would_settle_it(noise):
    for one in noise.results()["effects"]:
        assert (one["verdict"] == "negligible") == (one["p_equivalence"] <= 0.05)
        if one["verdict"] == "undecided":
            assert one["seeds_to_settle"] is None or one["seeds_to_settle"] > one["n"]
            assert one["interval"][0] < 0 < one["interval"][1]


def test_what_is_undecided_comes_with_the_seeds_it_needs(noise, report):
    for one in noise.results()["effects"]:
        if one["verdict"] == "undecided":
            (line,) = (line for line in report.splitlines() if line.startswith(f"- **{one['labels'][0]}**"))
            assert "would settle it" in line


def test_no_sentence_claims_more_than_the_numbers(report):
    assert DENIAL in report
    lines = report.replace(DENIAL, "").splitlines()
    said = [line for line in lines for claim in CLAIMS if re.search(claim, line, re.IGNORECASE)]
    assert said == []
