"""Metrics in lines that scripts print, and patterns that find them again."""

import re

import pytest
from lesion.agent.starting.naming import goal_of, rank
from lesion.agent.starting.printed import printed

LINES = [
    ("step 0: train loss 4.1780, val loss 4.1756", {"train_loss": 4.178, "val_loss": 4.1756}),
    ("Train Epoch: 1 [0/60000 (0%)]\tLoss: 2.300", {"train_loss": 2.3}),
    ("Test set: Average loss: 0.0312, Accuracy: 9899/10000 (99%)", {"test_loss": 0.0312, "test_correct": 9899}),
    (
        "Train loss: 0.5, acc: 0.8 | Val loss: 0.6, acc: 0.7",
        {"train_loss": 0.5, "train_acc": 0.8, "val_loss": 0.6, "val_acc": 0.7},
    ),
    ("train_loss=0.5 val_loss=0.6 acc=0.8", {"train_loss": 0.5, "val_loss": 0.6, "acc": 0.8}),
    ("Epoch 1: 100%|####| 10/10 [00:01<00:00, 9.5it/s, loss=0.52, acc=0.9]", {"loss": 0.52, "acc": 0.9}),
    ("{'loss': 0.52, 'eval_accuracy': 0.9}", {"loss": 0.52, "val_accuracy": 0.9}),
    ("    val_accuracy   : 0.9", {"val_accuracy": 0.9}),
    ("Accuracy of the network on the 10000 test images: 54 %", {"test_accuracy": 54}),
    ("accuracy on test set: 0.9", {"test_accuracy": 0.9}),
    ("2024-01-01 12:00:00,123 - INFO - val loss: 1e-3", {"val_loss": 0.001}),
    ("| end of epoch   1 | time: 2.2s | valid loss  5.5 | valid ppl   244.1", {"val_loss": 5.5, "val_ppl": 244.1}),
    ("Epoch: [0][10/100] Time 0.2 Loss 2.5 (2.6) Acc@1 76.13 (75.2)", {"loss": 2.5, "acc_1": 76.13}),
    ("val acc 0.93 (best 0.95)", {"val_acc": 0.93}),
    ("Finished training with loss 0.5", {"train_loss": 0.5}),
    ("number of parameters: 0.81M, learning rate 0.1, took 3.2s", {}),
    ("epoch 3 step 100 batch 7 lr 0.1", {}),
    ("7: 7", {}),
]


@pytest.mark.parametrize(("line", "wanted"), LINES)
def test_metrics_of_a_line_are_named_and_found_again_by_their_patterns(line, wanted):
    found = printed([line])
    assert {one.name: one.value for one in found} == wanted
    for one in found:
        match = re.search(one.pattern, line)
        assert match and float(match[one.name]) == one.value


def test_a_short_name_is_not_found_at_the_end_of_a_longer_one():
    lines = ["| lr 20.00 | loss  7.10", "| valid loss  5.50"]
    loss = next(one for one in printed(lines) if one.name == "loss")
    assert [re.findall(loss.pattern, line) for line in lines] == [["7.10"], []]


def test_a_run_that_diverged_is_told_from_one_that_printed_nothing():
    (one,) = printed(["INFO:root:loss nan"])
    assert one.name == "loss" and one.value != one.value


@pytest.mark.parametrize(
    ("name", "goal"),
    [
        ("val_loss", "minimize"),
        ("perplexity", "minimize"),
        ("bpc", "minimize"),
        ("error_rate", "minimize"),
        ("Acc@1", "maximize"),
        ("macro_f1", "maximize"),
        ("bleu", "maximize"),
        ("gap", None),
    ],
)
def test_the_goal_follows_from_the_name(name, goal):
    assert goal_of(name) == goal


def test_a_validation_metric_comes_before_a_training_one():
    names = ["train_acc", "gap", "val_loss", "val_best_acc", "test_acc", "val_acc", "loss"]
    assert sorted(names, key=rank) == ["val_acc", "val_best_acc", "val_loss", "test_acc", "loss", "train_acc", "gap"]
