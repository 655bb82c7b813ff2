"""A full factorial through the command line, of an experiment whose truth is known: two that back each other up, one apart."""

import csv
import json

import pytest

from tests.experiments import project

from ..descent import by_hand

EXPERIMENT = by_hand('''"""`use_left` and `use_twin` bring the same feature, `use_other` another one; each alone of the two will do."""

import torch
from torch import nn


def examples(config, split):
    generator = torch.Generator().manual_seed({"train": 1, "validation": 2}[split])
    x = torch.randn(512, 2, generator=generator)
    y = x[:, 0] + 0.7 * x[:, 1] + 0.2 * torch.randn(512, generator=generator)
    inputs = [config["use_left"] * x[:, 0], config["use_twin"] * x[:, 0], config["use_other"] * x[:, 1]]
    return torch.stack(inputs, 1), y


def build_model(config):
    return nn.Linear(3, 1)


def train(model, config, seed):
    torch.manual_seed(seed)
    x, y = examples(config, "train")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(100):
        if config["crash_together"] and not config["use_left"] and not config["use_other"] and step == 50:
            raise RuntimeError("nothing to go by")
        batch = torch.randint(0, 512, (64,))
        loss = (model(x[batch]).squeeze(1) - y[batch]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


@torch.no_grad()
def evaluate(model, config):
    x, y = examples(config, "validation")
    return {"error": (model(x).squeeze(1) - y).square().mean().item()}
''')
CONFIG = "crash_together: false\nuse_left: true\nuse_twin: true\nuse_other: true\n"
STUDY = """\
[study]
name = "tiny"
components = ["config:use_*"]
factorial = ["config:use_*"]
seeds = 3
max_seeds = 3

[experiment]
python = "experiment.py"
config = "config.yaml"

[metrics.error]
goal = "minimize"
smallest_effect = 0.1

[limits]
workers = 2
trial_time = "2m"
trial_memory = "2GiB"
"""
LEFT, OTHER, TWIN = "config:use_left", "config:use_other", "config:use_twin"
CELLS = "SELECT arm, seed, metrics FROM trials WHERE status IN ('ok', 'no-op')"


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """A study that was stopped in the middle of its factorial, and then run to its end."""
    made = project(tmp_path_factory.mktemp("factorial"), experiment=EXPERIMENT, config=CONFIG, study=STUDY)
    first = made.lesion("run", "--interactions", "factorial", "--max-trials", "15")
    early = made.results()["factorials"]
    return made, first, early, made.lesion("run", "--interactions", "factorial")


def test_a_factorial_that_was_stopped_goes_on_and_claims_nothing_before(stopped):
    _, first, early, second = stopped
    assert (first.code, second.code) == (4, 0), second.err
    (unfinished,) = early
    assert "not every cell has finished" in unfinished["reason"]
    assert {row["p"] for row in unfinished["rows"]} == {None}
    assert {row["verdict"] for row in unfinished["rows"]} == {"untestable"}


def test_every_combination_runs_at_the_same_seeds(stopped):
    made, *_ = stopped
    (found,) = made.results()["factorials"]
    assert found["components"] == [LEFT, OTHER, TWIN]
    assert sorted(len(cell["removed"]) for cell in found["cells"]) == [0, 1, 1, 1, 2, 2, 2, 3]
    assert {(cell["n"], cell["missing"]) for cell in found["cells"]} == {(3, None)}
    by_arm = {}
    for arm, seed, metrics in made.rows(CELLS):
        by_arm.setdefault(arm, {})[seed] = next(iter(json.loads(metrics).values()))["error"]
    for cell in found["cells"]:
        values = by_arm[" + ".join(cell["removed"]) or "baseline"]
        assert sorted(values) == [0, 1, 2]
        assert cell["mean"] == pytest.approx(sum(values.values()) / 3)


def test_it_finds_the_planted_truth(stopped):
    made, *_ = stopped
    (found,) = made.results()["factorials"]
    rows = {tuple(row["components"]): row for row in found["rows"]}
    assert len(rows) == 7
    verdicts = {key: row["verdict"] for key, row in rows.items()}
    assert verdicts[OTHER,] == "matters"
    assert verdicts[LEFT, TWIN] in ("compensation", "redundancy")
    assert verdicts[LEFT, OTHER] == verdicts[OTHER, TWIN] == "additive"
    assert rows[OTHER,]["contrast"] == pytest.approx(0.49, abs=0.1)
    assert rows[LEFT, TWIN]["contrast"] == pytest.approx(1.0, abs=0.2)
    assert rows[LEFT,]["contrast"] == pytest.approx(0.5, abs=0.1)
    squares = sum(row["sum_of_squares"] for row in rows.values())
    assert squares + found["between_units"] + found["residual"] == pytest.approx(found["total"])
    context = {one["component"]: one for one in found["in_context"]}
    assert context[LEFT]["first"] == pytest.approx(0.0, abs=0.1)
    assert context[LEFT]["last"] == pytest.approx(1.0, abs=0.2)
    assert context[OTHER]["first"] == pytest.approx(context[OTHER]["last"], abs=0.15)


def test_the_report_shows_cells_and_analysis(stopped):
    made, *_ = stopped
    text = (made.state / "report" / "report.md").read_text()
    section = text.split("## Full factorial")[1].split("\n## ")[0]
    for told in ("left × twin", "left × other × twin", "*residual*", "*total*", "F (own)", "Removed last"):
        assert told in section
    with (made.state / "report" / "factorial.csv").open() as file:
        lines = list(csv.DictReader(file))
    (found,) = made.results()["factorials"]
    assert [float(line["contrast"]) for line in lines] == [row["contrast"] for row in found["rows"]]
    with (made.state / "report" / "factorial-cells.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 8


def test_a_second_run_starts_nothing(stopped):
    made, *_ = stopped
    before = made.rows("SELECT COUNT(*) FROM attempts")
    again = made.lesion("run", "--interactions", "factorial", "--json")
    assert (again.code, made.rows("SELECT COUNT(*) FROM attempts")) == (0, before)


def test_a_combination_that_crashes_is_named_and_no_variance_analysed(tmp_path):
    two = STUDY.replace('["config:use_*"]', '["config:use_left", "config:use_other"]')
    crashing = CONFIG.replace("crash_together: false", "crash_together: true")
    made = project(tmp_path, experiment=EXPERIMENT, config=crashing, study=two)
    assert made.lesion("run").code == 3
    (found,) = made.results()["factorials"]
    assert found["rows"] == []
    assert (
        "1 of 4 cells have no value (config:use_left + config:use_other: RuntimeError: nothing to go by)"
        in found["reason"]
    )
    assert [cell["n"] for cell in found["cells"]] == [3, 3, 3, 0]
    section = (made.state / "report" / "report.md").read_text().split("## Full factorial")[1].split("\n## ")[0]
    assert "No analysis of variance" in section
    assert "F (own)" not in section


def test_too_many_components_are_refused_before_anything_is_trained(tmp_path):
    more = "".join(f"use_{name}: true\n" for name in ("more", "and_more", "still_more"))
    made = project(tmp_path, experiment=EXPERIMENT, config=CONFIG + more, study=STUDY)
    ended = made.lesion("run")
    assert ended.code == 2
    assert "6 components" in ended.err
    assert "2^6 = 64 combinations, 192 runs at 3 seeds; at most 5" in ended.err
    assert "Traceback" not in ended.err
    assert made.rows("SELECT COUNT(*) FROM trials") == [(0,)]
