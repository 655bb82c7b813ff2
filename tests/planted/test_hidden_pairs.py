"""Backup pairs planted among the channels of a trained network are found through the command line, and the runs counted."""

from math import comb

import pytest

from tests.experiments import project

from ..descent import by_hand
from .hidden_pairs import STUDY, experiment, hidden_pairs


def planted(folder, channels, pairs):
    return project(folder, experiment=experiment(channels, pairs), config="steps: 300\n", study=STUDY, name="hidden")


def runs_by_stage(search):
    return {one["what"]: one["runs"] for one in search["steps"]}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """A search that its own budget ended, with a larger one that was stopped in the middle, and then run to its end."""
    made = planted(tmp_path_factory.mktemp("hidden"), 60, 3)
    made.edit("lesion.toml", "[limits]", "[limits]\nsearch_runs = 20")
    capped = made.lesion("run", "--interactions", "search"), made.results()["searches"]
    made.edit("lesion.toml", "search_runs = 20", "search_runs = 400")
    stopped = made.lesion("run", "--interactions", "search", "--max-trials", "15")
    before = made.rows("SELECT key, finished_at FROM trials WHERE status IN ('ok', 'no-op') ORDER BY key")
    return made, capped, stopped, before, made.lesion("run", "--interactions", "search")


def test_its_own_budget_ends_it_and_says_so(found):
    _, (ended, (search,)), *_ = found
    assert (ended.code, search["runs"], search["limit"]) == (0, 20, 20)
    assert search["stopped"] and search["pairs_cleared"] < search["pairs"]
    assert "raise limits.search_runs" in ended.err


def test_it_goes_on_where_it_stopped(found):
    made, _, stopped, before, ended = found
    assert (stopped.code, ended.code) == (4, 0)
    after = dict(made.rows("SELECT key, finished_at FROM trials"))
    assert {key: after[key] for key, _ in before} == dict(before)
    assert made.rows("SELECT MAX(attempts) FROM trials") == [(1,)]


def test_the_planted_pairs_are_found_and_confirmed(found):
    results = found[0].results()
    (search,) = results["searches"]
    assert {frozenset(one) for one in search["groups"]} == hidden_pairs(60, 3)
    verdicts = {frozenset(one["components"]): one["verdict"] for one in results["interactions"]}
    assert {verdicts[pair] for pair in hidden_pairs(60, 3)} == {"compensation"}


def test_its_runs_are_counted_and_what_it_vouches_for(found):
    results = found[0].results()
    (search,) = results["searches"]
    arms = found[0].rows("SELECT COUNT(*) FROM trials WHERE arm LIKE 'search:%'")
    assert arms == [(search["runs"],)]
    assert search["runs"] < search["runs_of_all_pairs"] / 5
    assert search["pairs"] == comb(len(search["pool"]), 2)
    assert search["pairs_cleared"] > 0.95 * search["pairs"] - 3
    assert results["accounting"]["planned"] == results["accounting"]["ok"]


def test_the_report_tells_it(found):
    report = (found[0].state / "report" / "report.md").read_text()
    section = report.partition("### Interaction search")[2].partition("\n## ")[0]
    for said in (
        "decided one by one",
        "compensation",
        "What the search can vouch for",
        "the test split",
    ):
        assert said in section
    assert "channels units 0 + channels units" in section


@pytest.mark.benchmark
def test_six_pairs_among_320_channels(tmp_path):
    made = planted(tmp_path / "hidden", 320, 6)
    assert made.lesion("run", "--interactions", "search").code == 0
    results = made.results()
    (search,) = results["searches"]
    groups, truth = {frozenset(one) for one in search["groups"]}, hidden_pairs(320, 6)
    print(
        f"\n{len(groups & truth)} of {len(truth)} pairs and {len(groups - truth)} others among {len(search['pool'])} channels:"
    )
    print(f"{search['runs']} runs {runs_by_stage(search)} where all pairs take {search['runs_of_all_pairs']:,}")
    verdicts = {frozenset(one["components"]): one["verdict"] for one in results["interactions"]}
    assert groups == truth
    assert {verdicts[pair] for pair in truth} == {"compensation"}


SWITCHES = [f"use_{number}" for number in range(14)]
RECIPE = by_hand("""
import torch
from torch import nn


def examples(config, split):
    generator = torch.Generator().manual_seed({"train": 1, "validation": 2, "test": 3}[split])
    x = torch.randn(512, 14, generator=generator)
    x[:, 7] = x[:, 2]  # either tells what the other does
    y = x[:, 0] + 0.7 * x[:, 2] + 0.3 * torch.randn(512, generator=generator)
    used = torch.tensor([float(config[f"use_{number}"]) for number in range(14)])
    return x * used, y


def build_model(config):
    return nn.Linear(14, 1)


def train(model, config, seed):
    torch.manual_seed(seed)
    x, y = examples(config, "train")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(80):
        batch = torch.randint(0, len(x), (64,))
        loss = (model(x[batch]).squeeze(1) - y[batch]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


@torch.no_grad()
def evaluate(model, config, split):
    x, y = examples(config, split)
    return {"score": (1 - (model(x).squeeze(1) - y).square().mean() / y.var()).item()}
""")
RECIPE_STUDY = """\
[study]
name = "recipe"
components = ["config:use_*"]
seeds = 3
max_seeds = 3

[experiment]
python = "experiment.py"
config = "config.yaml"

[metrics.score]
goal = "maximize"
floor = 0.0
smallest_effect = 0.1

[limits]
workers = 2
trial_memory = "2GiB"
"""


@pytest.mark.benchmark
def test_two_switches_of_a_recipe_that_is_retrained(tmp_path):
    config = "".join(f"{name}: true\n" for name in SWITCHES)
    made = project(tmp_path, experiment=RECIPE, config=config, study=RECIPE_STUDY, name="recipe")
    assert made.lesion("run", "--interactions", "search").code == 0
    results = made.results()
    (search,) = results["searches"]
    print(
        f"\n{search['groups']} with {search['runs']} trainings, {search['runs_of_all_pairs']} pairs: {search['strategy']}"
    )
    verdicts = {frozenset(one["components"]): one["verdict"] for one in results["interactions"]}
    assert verdicts[frozenset(("config:use_2", "config:use_7"))] == "compensation"
    seeds = made.rows("SELECT MIN(seed), MAX(seed) FROM trials WHERE arm LIKE 'search:%'")
    assert seeds[0][0] >= 10_000  # what confirms was never searched on
