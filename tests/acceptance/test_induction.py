"""Theory says what must come out of the induction example (Olsson et al. 2022), and a whole study of it is held against that.

Which head took which role is read from the attention of the trained models, apart from any removal. What differs between the
trained models is asserted as it is: the previous-token head's role is one head's, the induction heads share theirs.
"""

import importlib.util
import json
import shutil
from pathlib import Path

import pytest
import torch
from lesion.agent.collect import gather
from lesion.agent.findings import find
from lesion.agent.ledger import Ledger
from lesion.agent.studyfile import load_study

from .conftest import Project

EXAMPLE = Path(__file__).parents[2] / "examples" / "induction"
SEEDS = range(3)
HEADS = range(4)


@pytest.fixture(scope="module")
def studied(tmp_path_factory):
    """Every head and every pair of heads, in three trained models."""
    folder = tmp_path_factory.mktemp("induction")
    for name in ("experiment.py", "config.yaml"):
        shutil.copy(EXAMPLE / name, folder / name)
    study = (EXAMPLE / "lesion.toml").read_text()
    study = study.replace('modes = ["reevaluate", "recover"]', 'modes = ["reevaluate"]')
    (folder / "lesion.toml").write_text(study.replace('"head:*", "module:attention.*", "module:embedding"', '"head:*"'))
    project = Project(folder)
    ended = project.run("run", "--interactions", "pairs")
    assert ended.returncode == 0, ended.stderr
    return project


@pytest.fixture(scope="module")
def findings(studied):
    """Findings on the loss, by trained model."""
    spec = load_study(studied.folder / "lesion.toml")
    ledger = Ledger(studied.folder / ".lesion" / "induction", write=False)
    evidence = gather(spec, ledger, ledger.trials(ledger.recall("version")), "reevaluate")
    found = {seed: find(evidence.at(seed), "loss") for seed in SEEDS}
    ledger.close()
    return found


@pytest.fixture(scope="module")
def attention(studied):
    """Seed → (previous-token score of each head in layer 0, induction score of each head in layer 1)."""
    spec = importlib.util.spec_from_file_location("induction_experiment", EXAMPLE / "experiment.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    config = {"device": "cpu", "vocabulary": 32, "length": 33, "shortest_block": 6, "longest_block": 16}
    config |= {"examples": 128, "layers": 2, "heads": 4, "width": 64, "batch_size": 128}
    state = studied.folder / ".lesion" / "induction"
    rows = Ledger(state, write=False).trials(json.loads(_version(state)))
    keys = {row.seed: row.key for row in rows if (row.mode, row.arm) == ("retrain", "baseline")}
    return {seed: _scores(module, config, state / "checkpoints" / f"{keys[seed]}.pt") for seed in SEEDS}


def _version(state):
    ledger = Ledger(state, write=False)
    return json.dumps(ledger.recall("version"))


def _scores(module, config, checkpoint):
    """Mean attention to the token before, and to what followed the same token's first occurrence."""
    model = module.build_model(config)
    model.load_state_dict(torch.load(checkpoint, weights_only=True))
    ((tokens, known),) = module.batches(config, "validation")
    patterns = []

    def keep(layer, args, _output):
        split = (one(args[0]).unflatten(-1, (4, -1)).transpose(1, 2) for one in (layer.query, layer.key))
        query, key = (module.rotate(one) for one in split)
        scores = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
        later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
        patterns.append(scores.masked_fill(later, -torch.inf).softmax(-1))

    for layer in model.attention:
        layer.register_forward_hook(keep)
    inputs, asked = tokens[:, :-1], known[:, 1:]
    with torch.no_grad():
        model(inputs)
    previous = patterns[0].diagonal(-1, -2, -1).mean((0, 2))
    same = (inputs[:, None, :] == inputs[:, :, None]).tril(-1)  # an earlier occurrence of the current token
    followed = torch.nn.functional.pad(same, (1, 0))[..., :-1]
    induction = (patterns[1] * followed[:, None]).sum(-1).transpose(1, 2)[asked].mean(0)
    return previous, induction


def losses(found, layer):
    by_name = {one.ablation: one for one in found.effects if one.role == "confirmatory"}
    return [by_name[f"head:attention.{layer}/{head}"] for head in HEADS]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_previous_token_head_is_the_one_that_matters_most_in_its_layer(findings, attention, seed):
    previous, _ = attention[seed]
    effects = losses(findings[seed], 0)
    role = int(previous.argmax())
    assert previous[role] > 0.6
    assert effects[role].verdict == "matters"
    assert effects[role].delta == max(one.delta for one in effects) > 1


@pytest.mark.parametrize("seed", SEEDS)
def test_what_matters_most_in_the_second_layer_attends_as_an_induction_head_does(findings, attention, seed):
    _, induction = attention[seed]
    effects = losses(findings[seed], 1)
    strongest = max(HEADS, key=lambda head: effects[head].delta)
    assert effects[strongest].verdict == "matters"
    assert induction[strongest] > 0.8


@pytest.mark.parametrize("seed", SEEDS)
def test_the_two_work_in_series(findings, seed):
    """Synergy on the loss, which has headroom above chance: the second removal adds little to the first."""
    first, second = (max(losses(findings[seed], layer), key=lambda one: one.delta).components[0] for layer in (0, 1))
    pair = next(one for one in findings[seed].interactions if set(one.components) == {first, second})
    assert pair.verdict == "synergy"
    assert pair.contrast < -0.15
    assert pair.observed < pair.additive


@pytest.mark.parametrize("seed", SEEDS)
def test_some_heads_are_negligible(findings, seed):
    verdicts = [one.verdict for layer in (0, 1) for one in losses(findings[seed], layer)]
    assert verdicts.count("negligible") >= 1


def test_induction_heads_that_share_the_work_cover_for_each_other(findings):
    """How the work is shared differs from one trained model to the next; that it is shared somewhere does not."""
    contrasts = []
    for seed in SEEDS:
        by_loss = sorted(losses(findings[seed], 1), key=lambda one: -one.delta)
        shared = {by_loss[0].components[0], by_loss[1].components[0]}
        contrasts += [one for one in findings[seed].interactions if set(one.components) == shared]
    assert len(contrasts) == len(SEEDS)
    assert any((one.verdict, one.contrast > 0.1) == ("redundancy", True) for one in contrasts)


def test_the_report_says_how_far_the_trained_models_agree(studied):
    ended = studied.run("report", "--format", "json", "-o", "-")
    effects = [one for one in json.loads(ended.stdout)["effects"] if one["metric"] == "loss" and one["round"] == 1]
    assert all(sum(one["agreement"].values()) == len(SEEDS) for one in effects)
    assert len({one["ablation"] for one in effects}) == 8
