"""A language model plans the re-evaluation of a trained model: heads by a pattern, and every sort of follow-up.

The model is scripted, and the network's weights are given: one head speaks loudly, one softly, two are silent.
"""

import pytest

from tests.agent.llm.answers import edit, follow_up, proposal
from tests.experiments import project
from tests.llm.models import first, scripted, upon

EXPERIMENT = """
import torch
from torch import nn

LOUDNESS = (1.0, 0.2, 0.0, 0.0)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv, self.proj = nn.Linear(8, 24, bias=False), nn.Linear(8, 8, bias=False)

    def forward(self, x):
        q, k, v = (one.unflatten(-1, (4, 2)).transpose(1, 2) for one in self.qkv(x).chunk(3, -1))
        return self.proj(nn.functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.attn, self.head = Attention(), nn.Linear(8, 1, bias=False)

    def forward(self, x):
        return self.head(self.attn(x)).mean((1, 2))


def build_model(config):
    return Network()


@torch.no_grad()
def load_weights(model, config):
    model.attn.qkv.weight.copy_(torch.eye(8).repeat(3, 1))
    model.attn.proj.weight.copy_(torch.diag(torch.tensor(LOUDNESS).repeat_interleave(2)))
    model.head.weight.fill_(1)


@torch.no_grad()
def batches(config, split):
    generator = torch.Generator().manual_seed({"validation": 1, "test": 2, "reference": 3}[split])
    truth = Network()
    load_weights(truth, config)
    for _ in range(4):
        x = torch.randn(100, 5, 8, generator=generator) + torch.randn(100, 1, 8, generator=generator)
        yield x, truth(x) + 0.1 * torch.randn(100, generator=generator)


@torch.no_grad()
def score(model, batch):
    return {"error": (model(batch[0]) - batch[1]).square()}


def train(model, config, seed):
    raise RuntimeError("it is trained already")


def evaluate(model, config, split):
    errors = torch.cat([score(model, batch)["error"] for batch in batches(config, split)])
    return {"error": errors.mean().item(), "examples": {"error": errors}}
"""
STUDY = """\
[study]
name = "heads"
modes = ["reevaluate"]
seeds = 1
max_seeds = 1

[experiment]
python = "experiment.py"
config = "config.yaml"

[metrics.error]
goal = "minimize"
smallest_effect = 0.05

[limits]
workers = 1
trial_memory = "2GiB"
"""
HEADS = [f"head:attn/{number}" for number in range(4)]
LOUD, SOFT = HEADS[:2]
PLANNER = "llm:scripted"
SCRIPT = {
    "FirstPlan": first(
        proposal("head:attn/*", hypothesis="One head carries the sum.", size=5),
        edit("projection", ("experiment.py", "self.proj(nn", "(nn"), hypothesis="The projection is idle."),
    ),
    "NextRound": [
        upon(
            follow_up("another-kind", LOUD, how="mean"),
            follow_up("random-control", LOUD),
            follow_up("together", LOUD, SOFT),
            follow_up("more-seeds", LOUD),
            reason="Is it the head, or any head, or the kind of removal?",
        )
    ],
}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    made = project(
        tmp_path_factory.mktemp("heads"), experiment=EXPERIMENT, config="width: 8\n", study=STUDY, name="heads"
    )
    with scripted(SCRIPT) as server:
        ended = made.lesion(
            "run", "--planner", "llm", "--interactions", "none", OPENAI_BASE_URL=server.url, LESION_MODEL="scripted"
        )
    assert ended.code == 0, ended.err
    return made.results()


def test_a_pattern_names_every_head_and_each_comes_out_as_it_is(results):
    found = {one["ablation"]: one["verdict"] for one in results["effects"] if one["role"] == "confirmatory"}
    assert set(found) == set(HEADS)
    assert found[LOUD] == "matters"
    assert [found[one] for one in HEADS[2:]] == ["negligible", "negligible"]


def test_follow_ups_of_every_sort_are_run_or_dropped_with_their_reason(results):
    found = {one["ablation"]: one for one in results["effects"]}
    assert found[f"{LOUD}@mean"]["role"] == "sensitivity"
    assert found[f"{LOUD}@mean"]["verdict"] == "matters"
    controls = [one for one in results["effects"] if one["role"] == "control" and one["component_kind"] != "placebo"]
    assert any(one["ablation"].startswith("control:") for one in controls)
    assert {tuple(one["components"]) for one in results["interactions"]} == {(LOUD, SOFT)}
    dropped = {one["ablation"]: one["reason"] for one in results["planned"] if one["fate"] == "dropped"}
    assert dropped[f"more-seeds: {LOUD}"] == f"{LOUD} is settled, or was never measured"


def test_an_edit_is_refused_since_no_mode_asks_for_it(results):
    (dropped,) = (one for one in results["planned"] if one["ablation"] == "edit:projection")
    assert dropped["fate"] == "dropped"
    assert "a question of retraining, which study.modes does not ask for" in dropped["reason"]


def test_the_models_predictions_are_scored_apart(results):
    scores = {one["planner"]: one for one in results["predictions"]}
    assert scores[PLANNER]["n"] >= len(HEADS)
