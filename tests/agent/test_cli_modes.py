"""Studies of trained models through the command line: wrong input, odd evaluations, and what each leads to."""

import pytest
from ruamel.yaml import YAML

from tests.experiments import project

from .test_cli_errors import refused

EXPERIMENT = """
import torch
from torch import nn


class Odd:
    def __init__(self, tensor):
        self.tensor = tensor


class Wrapped(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(8, 8)

    def forward(self, x):
        return Odd(self.inner(x))


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv, self.proj = nn.Linear(8, 24), nn.Linear(8, 8)

    def forward(self, x):
        q, k, v = (one.unflatten(-1, (4, 2)).transpose(1, 2) for one in self.qkv(x).chunk(3, -1))
        out = nn.functional.scaled_dot_product_attention(q, k, v)
        return self.proj(out.transpose(1, 2).flatten(2))


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.attn, self.odd, self.norm, self.down = Attention(), Wrapped(), nn.BatchNorm1d(5), nn.Linear(8, 4)
        self.head = nn.Linear(4, 1)

    def forward(self, x):
        x = x + self.attn(x)
        return self.head(self.down(self.norm(x + 0.1 * self.odd(x).tensor))).mean(1)


def data(split):
    return torch.randn(300, 5, 8, generator=torch.Generator().manual_seed(len(split)))


def build_model(config):
    return Network()


def load_weights(model, config):
    torch.manual_seed(3)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.6)


CALLS = []


@torch.no_grad()
def evaluate(model, config, split):
    model.train(config["batch_statistics"])
    CALLS.append(split)
    reference = Network()
    load_weights(reference, config)
    wanted = reference.eval()(data(split))
    wobble = config["wobble"] * len(CALLS)
    errors = (model(data(split)) - wanted).square().squeeze(1) + 1 + wobble
    found = {"error": errors.mean().item()}
    return {**found, "examples": {"error": errors.tolist()}} if config["examples"] else found
"""
CONFIG = "batch_statistics: false\nwobble: 0.0\nexamples: true\n"
STUDY = """\
[study]
name = "tiny"
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
trial_time = "2m"
"""
BATCHES = """

def batches(config, split):
    return data(split).split(100)


@torch.no_grad()
def score(model, batch):
    return {"error": model(batch).square().squeeze(1)}
"""


@pytest.fixture
def made(tmp_path):
    return project(tmp_path, experiment=EXPERIMENT, config=CONFIG, study=STUDY)


def planned(made, change):
    """Write the plan, edit it as data, and run it."""
    assert made.lesion("plan").code == 0
    plan = YAML().load(made.plan)
    known = {one["id"]: one for one in plan["ablations"]}
    plan["ablations"] = change(known)
    YAML().dump(plan, made.plan)
    return made.lesion("run", "--interactions", "none")


def effects(made):
    return {one["ablation"]: one for one in made.results()["effects"]}


def test_every_intervention_that_does_not_fit_is_named_at_once_before_anything_runs(made):
    def change(known):
        head, module, weight = known["head:attn/3"], known["module:down"], known["weight:attn.qkv.weight/q"]
        head["interventions"][0]["heads"] = [7]
        module["interventions"][0] |= {"path": "dwon"}
        weight["interventions"][0]["rows"] = [20, 30]
        norm = known["module:norm"]
        norm["interventions"][0] |= {"path": "down", "removal": "bypass"}
        attn = known["module:attn"]
        attn["interventions"][0]["removal"] = "mean"
        return [head, module, weight, norm, attn]

    refused(
        planned(made, change),
        "attn has heads 0 to 3: there is no head 7",
        "there is no module 'dwon' (did you mean down",
        "attn.qkv.weight is 24×8: there is no slice 20:30 of dimension 0",
        "bypass of down would change the shape: [300, 5, 8] → [300, 5, 4]",
        "mean attn: there is no reference split",
        progress=True,
    )
    assert made.rows("SELECT COUNT(*) FROM trials") == [(0,)]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("seeds = 1\n", 'kinds = ["mean"]\nseeds = 1\n', "a reference split, and the experiment has none"),
        ('"reevaluate"]', '"reevaluate", "recover"]', "recover needs finetune_steps"),
        ('modes = ["reevaluate"]', 'modes = ["recover"]\nfinetune_steps = 5', "has no function finetune"),
        ("[limits]", "[anatomy]\nunits = { cnov = 1 }\n[limits]", "no module with units is named 'cnov'"),
        ("[limits]", "[anatomy]\nhaeds = 1\n[limits]", "unknown key (did you mean heads?)"),
        ("[limits]", '[anatomy.heads.attn]\nprojection = "proj"\n[limits]', "anatomy.heads.attn.heads: missing"),
    ],
)
def test_a_study_that_asks_for_what_is_not_there(made, old, new, told):
    made.edit("lesion.toml", old, new, 1)
    refused(made.lesion("run"), told, progress=True)


def test_the_heads_that_a_study_states_win(made):
    made.edit("lesion.toml", "[limits]", '[anatomy.heads.attn]\nprojection = "proj"\nheads = 2\n[limits]')
    listed = made.lesion("inspect", "--json")
    assert "head:attn/1" in listed.out
    assert "head:attn/2" not in listed.out
    assert "stated in the study file" in listed.out


def test_an_output_of_unknown_type_is_said_to_hold_nothing_to_edit(made):
    ended = planned(made, lambda known: [known["module:odd"], known["head:attn/0"]])
    assert ended.code == 3, ended.err
    assert "Traceback" not in ended.err
    found = effects(made)
    assert (found["module:odd"]["verdict"], found["module:odd"]["delta"]) == ("untestable", None)
    assert "zero of odd: its output, a Odd, holds no" in found["module:odd"]["reason"]
    assert found["head:attn/0"]["verdict"] == "matters"


def test_weights_that_an_evaluation_changes_are_put_back_and_named(made):
    made.edit("config.yaml", "batch_statistics: false", "batch_statistics: true")
    ended = planned(made, lambda known: [known[f"head:attn/{i}"] for i in range(3)])
    assert ended.code == 0, ended.err
    (note,) = (one for one in made.results()["notes"] if "changes the model's own weights" in one)
    assert "norm.running_mean" in note
    rows = dict(made.rows("SELECT arm, fingerprint FROM trials WHERE status = 'ok' AND arm NOT LIKE 'control%'"))
    assert set(rows) == {"baseline", *(f"head:attn/{i}" for i in range(3))}
    assert len(set(rows.values())) == 4, "each removal shows"


def test_an_evaluation_that_is_not_deterministic_is_said_with_its_size(made):
    made.edit("config.yaml", "wobble: 0.0", "wobble: 0.25")
    assert planned(made, lambda known: [known["head:attn/0"]]).code == 0
    (note,) = (one for one in made.results()["notes"] if "not deterministic" in one)
    assert "differ by up to 0.5 " in note  # two splits between the one evaluation and the next


def test_without_values_for_each_example_the_cost_is_said(made):
    made.edit("config.yaml", "examples: true", "examples: false")
    ended = planned(made, lambda known: [known["head:attn/0"]])
    assert ended.code == 0, ended.err
    assert "no test is possible" in ended.err
    one = effects(made)["head:attn/0"]
    assert (one["unit"], one["n"], one["verdict"]) == ("checkpoint", 1, "untestable")
    assert one["delta"] > 0
    assert any(
        "each trained model counts as one unit: n is at most 1, too few" in note for note in made.results()["notes"]
    )


def test_batches_and_scores_take_the_place_of_whole_evaluations(made):
    (made.folder / "experiment.py").write_text(EXPERIMENT + BATCHES)
    made.edit("lesion.toml", "seeds = 1\n", 'kinds = ["mean", "resample"]\nseeds = 1\n', 1)
    made.edit("config.yaml", "examples: true", "examples: false")
    ended = planned(made, lambda known: [known["head:attn/0"], known["module:attn"], known["weight:attn.qkv.weight/v"]])
    assert ended.code == 0, ended.err
    found = effects(made)
    assert {one["unit"] for one in found.values()} == {"example"}
    kinds = {one["intervention_kind"] for one in found.values() if one["components"] == ["head:attn/0"]}
    assert {"zero", "mean", "resample"} <= kinds


def test_dropout_that_is_asked_by_name_is_a_no_op_with_its_reason(made):
    made.edit("experiment.py", "nn.BatchNorm1d(5)", "nn.Dropout(0.5)")
    made.edit("lesion.toml", "seeds = 1\n", 'components = ["module:norm", "head:attn/0"]\nseeds = 1\n', 1)
    ended = made.lesion("run", "--interactions", "none")
    assert ended.code == 0, ended.err
    one = effects(made)["module:norm"]
    assert (one["verdict"], one["reason"]) == ("no-op", "dropout passes everything on in evaluation mode")


def test_stopped_after_some_trials_it_goes_on_with_the_rest(made):
    first = made.lesion("run", "--interactions", "none", "--max-trials", "3")
    assert first.code == 4
    before = dict(made.rows("SELECT key, finished_at FROM trials WHERE status IN ('ok', 'no-op')"))
    assert len(before) == 3
    again = made.lesion("run", "--interactions", "none")
    assert again.code in (0, 3), again.err
    after = dict(made.rows("SELECT key, finished_at FROM trials WHERE status IN ('ok', 'no-op')"))
    assert before.items() <= after.items()
    assert len(after) > 6


def test_a_dry_run_lists_the_evaluations_and_runs_none(made):
    ended = made.lesion("run", "--dry-run", "--json")
    assert ended.code == 0, ended.err
    listed = [one for one in ended.records if one["event"] == "would-run"]
    assert {(one["mode"], one["seed"]) for one in listed} == {("reevaluate", 0)}
    assert {"baseline", "head:attn/0", "module:attn"} <= {one["arm"] for one in listed}
    assert not (made.state / "ledger.db").exists()
