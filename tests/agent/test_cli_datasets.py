"""Two data sets and four classes through the command line, with planted truth: who moves one data set, who kills one class."""

import csv
import io

import pytest

from tests.experiments import project

from ..descent import by_hand
from .test_cli_errors import refused

EXPERIMENT = by_hand('''
"""Data of one layout: `public` says its class in features 0 to 2, `own` in 3 to 5; both tell class 3 in feature 6 alone."""
import torch
from torch import nn

SIZES = {"public": 320, "own": 240}


def examples(dataset, split):
    dice = torch.Generator().manual_seed(len(dataset) + 10 * len(split))
    n = SIZES[dataset]
    y = torch.arange(n) % 4
    x = 0.2 * torch.randn(n, 8, generator=dice)
    first = 3 if dataset == "own" else 0
    for label in range(4):
        x[y == label, 6 if label == 3 else first + label] += 1
    return x, y


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Linear(3, 4, bias=False), nn.Linear(3, 4, bias=False)
        self.rare, self.spare = nn.Linear(1, 4, bias=False), nn.Linear(1, 4, bias=False)

    def forward(self, x):
        return self.left(x[:, :3]) + self.right(x[:, 3:6]) + self.rare(x[:, 6:7]) + self.spare(x[:, 7:])


def build_model(config):
    return Network()


@torch.no_grad()
def load_weights(model, config):
    for layer in (model.left, model.right):
        layer.weight.copy_(torch.eye(4, 3))
    model.rare.weight.copy_(torch.eye(4)[:, 3:])
    model.spare.weight.fill_(0.001)


def train(model, config, seed):
    torch.manual_seed(seed)
    sets = [examples(one, "train") for one in SIZES]
    x, y = (torch.cat(parts) for parts in zip(*sets))
    for feature, used in enumerate(config["features"]):
        x[:, feature] *= used
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    for _ in range(150):
        batch = torch.randint(0, len(x), (64,))
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x[batch]), y[batch]).backward()
        optimizer.step()


@torch.no_grad()
def evaluate(model, config, split):
    found, columns = {}, {}
    for dataset in SIZES:
        x, y = examples(dataset, split)
        for feature, used in enumerate(config["features"]):
            x[:, feature] *= used
        read = model(x).argmax(1)
        right = (read == y).float()
        found[f"{dataset}/accuracy"] = right.mean().item()
        columns |= {f"{dataset}/accuracy": right, f"{dataset}/target": y, f"{dataset}/prediction": read}
    return {**found, "examples": columns}
''')
BATCHES = """

def batches(config, split):
    for dataset in SIZES:
        x, y = examples(dataset, split)
        for one in zip(x.split(100), y.split(100)):
            yield dataset, *one


def score(model, batch):
    dataset, x, y = batch
    read = model(x).argmax(1)
    return {f"{dataset}/accuracy": (read == y).float(), f"{dataset}/target": y, f"{dataset}/prediction": read}
"""
CONFIG = "features: [1, 1, 1, 1, 1, 1, 1, 1]\n"
STUDY = """\
[study]
name = "tiny"
modes = ["reevaluate"]
components = ["module:*"]
seeds = 1
max_seeds = 1

[experiment]
python = "experiment.py"
config = "config.yaml"

[metrics."public/accuracy"]
goal = "maximize"
primary = true
floor = 0.25
smallest_effect = 0.06

[metrics."own/accuracy"]
goal = "maximize"
floor = 0.25
smallest_effect = 0.06

[limits]
workers = 1
trial_time = "2m"
"""


@pytest.fixture
def made(tmp_path):
    return project(tmp_path, experiment=EXPERIMENT, config=CONFIG, study=STUDY)


def told(made):
    results = made.results()
    contrasts = {one["ablation"]: one for one in results["datasets"]}
    classes = {(one["ablation"], one["dataset"], one["target"]): one for one in results["classes"]}
    return results, contrasts, classes


def test_what_moves_one_data_set_and_what_kills_one_class_is_found_and_told(made):
    ended = made.lesion("run", "--interactions", "none")
    assert ended.code == 0, ended.err
    assert "differs (reevaluate): right (Linear)" in ended.err
    results, contrasts, classes = told(made)
    verdicts = {name: (one["verdict"], one["first_verdict"], one["second_verdict"]) for name, one in contrasts.items()}
    assert verdicts["module:left"] == ("differs", "matters", "negligible")
    assert verdicts["module:right"] == ("differs", "negligible", "matters")
    assert verdicts["module:rare"][1:] == ("matters", "matters")
    assert contrasts["module:rare"]["verdict"] in ("alike", "undecided")
    for one in contrasts.values():
        assert (one["first"], one["second"], one["first_n"], one["second_n"]) == (
            *("public/accuracy", "own/accuracy"),
            *(320, 240),
        )
        assert one["difference"] == pytest.approx(one["first_loss"] - one["second_loss"])
        assert one["interval"][0] < one["difference"] < one["interval"][1]
    assert not any("module:right" in one["components"] for one in results["advice"] if one["what"] == "prune")
    for dataset, support in (("public", 80), ("own", 60)):
        killed = classes["module:rare", dataset, 3]
        assert (killed["verdict"], killed["support"], killed["unit"]) == ("loses", support, "example")
        assert killed["baseline"]["recall"] > 0.9
        assert killed["ablated"]["recall"] < 0.3
        assert all(classes["module:rare", dataset, label]["verdict"] != "loses" for label in range(3))
    moved = {(one["ablation"], one["dataset"]): one for one in results["confusions"]}["module:rare", "own"]
    assert {cell["target"] for cell in moved["cells"][:3]} == {3}
    text = made.lesion("report", "--format", "md", "-o", "-").out
    assert "**right (Linear)** moves own/accuracy" in text
    assert "and not public/accuracy" in text
    assert "recall of class 3 of own" in text
    assert "3 read as 0" in text


def test_batches_of_one_data_set_each_are_streamed(made):
    """`evaluate` gives nothing for the examples here, and would be told by its metrics if it were called for every arm."""
    text = EXPERIMENT.replace('return {**found, "examples": columns}', "return {name: 0.5 for name in found}")
    (made.folder / "experiment.py").write_text(text + BATCHES)
    ended = made.lesion("run", "--interactions", "none")
    assert ended.code == 0, ended.err
    results, contrasts, classes = told(made)
    assert results["baseline"]["reevaluate"]["own/accuracy"]["mean"] > 0.9
    assert contrasts["module:right"]["verdict"] == "differs"
    assert (contrasts["module:right"]["first_n"], contrasts["module:right"]["second_n"]) == (320, 240)
    assert classes["module:rare", "own", 3]["verdict"] == "loses"


def test_training_without_a_feature_is_told_over_seeds(made):
    made.edit("lesion.toml", '["reevaluate"]', '["retrain"]')
    made.edit("lesion.toml", "seeds = 1\nmax_seeds = 1", "seeds = 3\nmax_seeds = 3")
    made.edit("lesion.toml", '["module:*"]', '["module:r*"]')
    ended = made.lesion("run", "--interactions", "none")
    assert ended.code == 0, ended.err
    _, contrasts, classes = told(made)
    one = contrasts["module:right"]
    assert (one["verdict"], one["unit"], one["first_n"], one["second_n"]) == ("differs", "seed", 3, 3)
    assert one["difference"] < -0.2
    killed = classes["module:rare", "public", 3]
    assert (killed["verdict"], killed["unit"], killed["n"]) == ("loses", "seed", 3)
    files = made.lesion("report", "--format", "csv", "-o", "report")
    assert files.code == 0, files.err
    rows = {
        name: list(csv.DictReader(io.StringIO((made.folder / "report" / f"{name}.csv").read_text())))
        for name in ("datasets", "classes", "effects")
    }
    assert {row["verdict"] for row in rows["datasets"] if row["ablation"] == "module:right"} == {"differs"}
    assert {"baseline_recall", "ablated_f1", "recall_interval_low"} <= set(rows["classes"][0])
    assert float(rows["effects"][0]["baseline"]) > 0.5


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('f"{dataset}/target": y', '"target": y', "'target'"),
        ('f"{dataset}/target": y', 'f"{dataset}/target": y[1:]', "the columns of examples of own differ in length"),
    ],
)
def test_columns_that_fit_no_data_set_are_named_at_once(made, old, new, message):
    made.edit("experiment.py", old, new)
    refused(made.lesion("run"), message, progress=True)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('f"{dataset}/target": y', 'f"{dataset}/target": y + 0.5', 'examples["public/target"] holds 0.5, and classes'),
        (', f"{dataset}/target": y', "", 'there is no examples["public/target"]'),
    ],
)
def test_predictions_that_are_no_classes_are_said_and_the_study_goes_on(made, old, new, message):
    made.edit("experiment.py", old, new)
    ended = made.lesion("run", "--interactions", "none")
    assert ended.code == 0, ended.err
    results = made.results()
    assert any(message in note for note in results["notes"]), results["notes"]
    assert (results["classes"], len(results["datasets"])) == ([], 3)


def test_one_metric_has_one_goal_in_all_data_sets(made):
    made.edit(
        "lesion.toml", '[metrics."own/accuracy"]\ngoal = "maximize"', '[metrics."own/accuracy"]\ngoal = "minimize"'
    )
    refused(made.lesion("run"), "minimize here and maximize for public/accuracy")
