import pytest
from lesion.executor.inside.columns import metrics_still_to_come, problem_with, serving
from lesion.executor.inside.experiment import Run
from lesion.executor.inside.measured import Invalid, plain_results

TWO = {"public/accuracy": 6, "own/accuracy": 4}


@pytest.mark.parametrize(
    "lengths",
    [
        TWO,
        {**TWO, "own/target": 4, "own/prediction": 4, "own/cluster": 4},
        {**TWO, "loss": 9, "target": 9},
        {"a/accuracy": 5, "b/accuracy": 5, "cluster": 5},
        {"target": 5, "prediction": 5},
        {"glue/mnli/accuracy": 3, "glue/mnli/target": 3, "glue/rte/accuracy": 2},
    ],
)
def test_each_data_set_has_a_length_of_its_own(lengths):
    assert problem_with(lengths) is None


@pytest.mark.parametrize(
    ("lengths", "told"),
    [
        (
            {**TWO, "own/target": 5},
            "the columns of examples of own differ in length: {'own/accuracy': 4, 'own/target': 5}",
        ),
        ({"loss": 2, "target": 1}, "the columns of examples differ in length: {'loss': 2, 'target': 1}"),
        (
            {**TWO, "target": 6},
            "examples['target'] has 6 values and examples['own/accuracy'] has 4: name it by its data set, as in 'own/target'",
        ),
        ({**TWO, "public/cluster": 6, "cluster": 6}, "as in 'own/cluster'"),
    ],
)
def test_columns_that_fit_nothing_are_named_with_what_to_do(lengths, told):
    assert told in problem_with(lengths)
    columns = {name: [0.0] * length for name, length in lengths.items()}
    with pytest.raises(Invalid) as caught:
        plain_results({"validation": {"accuracy": 1.0, "examples": columns}})
    assert told in str(caught.value)


def test_a_plain_column_serves_data_sets_of_its_length_that_have_none_of_their_own():
    lengths = {"a/accuracy": 5, "b/accuracy": 5, "c/accuracy": 4, "b/target": 5, "loss": 5, "target": 5}
    assert [serving("target", name, lengths) for name in ("a", "b", "c", "")] == ["target", "b/target", None, "target"]
    assert serving("cluster", "a", lengths) is None


def test_later_batches_may_give_other_data_sets_and_nothing_else():
    metrics = ["public/accuracy", "own/accuracy", "own/loss"]
    assert metrics_still_to_come(metrics, ["public/accuracy"]) == ["own/accuracy", "own/loss"]
    assert metrics_still_to_come(metrics, ["public/accuracy", "own/loss"]) == []


BY_SET = """
import torch
from torch import nn

def build_model(config):
    return nn.Linear(2, 2)

def evaluate(model, config):
    raise RuntimeError("never called")

def batches(config, split):
    return [("public", 3), ("own", 2), ("public", 1)]

def score(model, batch):
    name, n = batch
    return {f"{name}/accuracy": torch.ones(n), f"{name}/target": torch.full((n,), 7), f"{name}/prediction": torch.zeros(n)}
"""


def test_batches_of_one_data_set_each_are_put_together_by_data_set(tmp_path):
    (tmp_path / "by_set.py").write_text(BY_SET)
    run = Run({"seed": 0, "experiment": tmp_path / "by_set.py", "functions": []}, {})
    run.build()
    found = plain_results(run.score())
    assert found["metrics"] == {"evaluation": {"public/accuracy": 1.0, "own/accuracy": 1.0}}
    lengths = {name: one["length"] for name, one in found["examples"]["evaluation"].items()}
    assert (lengths["public/accuracy"], lengths["own/prediction"]) == (4, 2)
