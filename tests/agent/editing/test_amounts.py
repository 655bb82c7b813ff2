"""Edits that change how much there is, which data is trained on, or do more than before; and honest ones beside them."""

import pytest
from lesion.agent.editing.guard import SourceGuard
from lesion.executor.interventions import Block, SourceEdit

DATA = '''"""Data."""
import torch


def load(split="train"):
    x = torch.randn(600, 4)
    return x[:300], x[:300].sum(1), x[300:], x[300:].sum(1)


def center(x):
    return x - x.mean()
'''
EXPERIMENT = '''"""An experiment."""
import copy
import torch
import torch.nn.functional as F
from torch import nn
import data
from data import center, load as read_rows

EPOCHS = 10


class Net(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.head = nn.Linear(config["width"] * 2, 1)
        self.layer = nn.Linear(4, config["width"] * 2)
        self.drop = nn.Dropout(0.1)

    def forward(self, x):
        layer = self.layer(x)
        layer = layer + x.sum(1, keepdim=True)
        return self.head(self.drop(layer))


def build_model(config):
    return Net(config)


def augment(batch):
    batch = batch + 0.1 * torch.randn(batch.shape)
    return batch


def loader(rows, count_steps):
    count_steps *= 2
    return torch.utils.data.DataLoader(rows, shuffle=True, batch_size=8), count_steps


def criterion(out, y):
    return F.mse_loss(out.squeeze(1), y)


def sums(x, y):
    return x.sum() + y.sum()


def train(model, config, seed, warmup_steps=20):
    torch.manual_seed(seed)
    learning_rate = 0.1
    often = 5
    usual = config.get("epochs", 10)
    parser.add_argument("--epochs", default=30)
    for again in range(often):
        model.zero_grad()
    limit_examples = config["examples"]
    epochs = config["epochs"] * 10
    x, y, vx, vy = read_rows(split="train")
    first, second = data.load()[:2]
    x = center(x)
    x = x / x.std()
    rows = x[:300]
    opt = torch.optim.SGD(model.parameters(), lr=config["lr"] * 10, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.StepLR(opt, 5)
    average = copy.deepcopy(model.state_dict())
    for epoch in range(epochs):
        if epoch == 5:
            model.drop.p = 0.3
        for step in range(0, len(rows), 64):
            batch = torch.randint(len(rows), (64,))
            group = opt.param_groups[0]
            group["lr"] = config["lr"] * min(1.0, step / warmup_steps)
            out = model(augment(rows[batch]))
            loss = criterion(out, y[batch])
            loss = criterion(out, y[batch]) + 0.1 * out.square().mean()
            loss = loss + 0.01 * sums(x, y)
            opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            opt.step()
            scheduler.step()
            for name, value in model.state_dict().items():
                average[name].lerp_(value, 0.01)
    while epochs < 3:
        model.load_state_dict(average)
    return model


def evaluate(model, config, split):
    model.eval()
    _, _, x, y = read_rows(split=split)
    x = center(x)
    return {"loss": criterion(model(x), y).item()}
'''


@pytest.fixture
def guard(tmp_path):
    (tmp_path / "experiment.py").write_text(EXPERIMENT)
    (tmp_path / "data.py").write_text(DATA)
    return SourceGuard(tmp_path, tmp_path / "experiment.py")


def edit(search, replace):
    return SourceEdit(blocks=[Block(file="experiment.py", search=search, replace=replace)])


SCALE = "how much of everything there is: less of it is no ablation"
CALLS = "more often"
TRAINED = "what is trained on stays as it is"
STEP = "            opt.step()\n"
EMA = """            for name, value in model.state_dict().items():
                average[name].lerp_(value, 0.01)
"""
LOAD = '    x, y, vx, vy = read_rows(split="train")\n'
HOSTILE = {
    "fewer epochs": ('config["epochs"] * 10', 'config["epochs"] * 1', SCALE),
    "epochs as set": ('config["epochs"] * 10', 'config["epochs"]', SCALE),
    "no epochs": ('epochs = config["epochs"] * 10', "epochs = 1", SCALE),
    "a constant": ("EPOCHS = 10", "EPOCHS = 1", SCALE),
    "a loop": ("in range(epochs)", "in range(1)", SCALE),
    "a loop's step": ("range(0, len(rows), 64)", "range(0, len(rows), 1)", SCALE),
    "a loop over something else": ("in range(epochs)", "in x", SCALE),
    "while": ("while epochs < 3", "while epochs < 0", SCALE),
    "a rate": ('lr=config["lr"] * 10', 'lr=config["lr"] * 1', SCALE),
    "a rate as set": ('lr=config["lr"] * 10', 'lr=config["lr"]', SCALE),
    "no rate": ('lr=config["lr"] * 10, ', "", SCALE),
    "no rate under a schedule": (
        'group["lr"] = config["lr"] * min(1.0, step / warmup_steps)',
        'group["lr"] = 0',
        SCALE,
    ),
    "fewer by leaving out": ("    count_steps *= 2\n", "", SCALE),
    "a batch of one": ("shuffle=True, batch_size=8", "shuffle=True, batch_size=1", SCALE),
    "a rate by its name": ("learning_rate = 0.1", "learning_rate = 0", SCALE),
    "a number of examples": ('limit_examples = config["examples"]', "limit_examples = 1", SCALE),
    "a bound that says nothing": ("often = 5", "often = 1", SCALE),
    "the default of a setting": ('config.get("epochs", 10)', 'config.get("epochs", 1)', SCALE),
    "the default of an argument": ('"--epochs", default=30', '"--epochs", default=1', SCALE),
    "a slice": ("rows = x[:300]", "rows = x[:30]", SCALE),
    "a slice of one": ("rows = x[:300]", "rows = x[:1]", SCALE),
    "no slice": ("rows = x[:300]", "rows = x", SCALE),
    "one row a batch": ("(64,)", "(1,)", SCALE),
    "no batches": ("augment(rows[batch])", "augment(rows)", SCALE),
    "the same seed": ("manual_seed(seed)", "manual_seed(0)", SCALE),
    "a width": ('nn.Linear(config["width"] * 2, 1)', 'nn.Linear(config["width"], 1)', SCALE),
    "a number of another line": ("momentum=0.9", "momentum=0.3", "brings in the number 0.3"),
    "the other half": (LOAD, '    vx, vy, x, y = read_rows(split="train")\n', TRAINED),
    "another index": ("data.load()[:2]", "data.load()[1:]", TRAINED),
    "another split": ('split="train"', 'split="test"', TRAINED),
    "no split": ('(split="train")', "()", TRAINED),
    "what it loads for evaluation": ("    rows = x[:300]\n", "    rows = vx[:300]\n", "uses `vx`"),
    "a loader more": ("    x = x / x.std()\n", "    x = data.load()\n", TRAINED),
    "centred in training alone": (
        "    x = center(x)\n    x = x / x.std()\n",
        "    x = x / x.std()\n",
        "while the evaluation still does it",
    ),
    "a shared loss of something else": (
        "            loss = criterion(out, y[batch])\n",
        "            loss = criterion(out, out)\n",
        TRAINED,
    ),
    "a second step": (STEP, STEP + STEP, "calls `opt.step` more often"),
    "a second step for clipping": (
        "            nn.utils.clip_grad_norm_(model.parameters(), 1.0)\n",
        STEP,
        "calls `opt.step` more often",
    ),
    "a second pass back": ("            opt.zero_grad()\n", "            loss.backward()\n", CALLS),
    "a step outside its loop": (
        f"{STEP}            scheduler.step()\n{EMA}",
        f"            scheduler.step()\n{EMA}        opt.step()\n",
        CALLS,
    ),
    "a step now and then": (
        STEP,
        "            if step == 0:\n                opt.step()\n",
        "the condition `step == 0`",
    ),
    "an end": (STEP, STEP + "            break\n", "calls `break` more often"),
    "an early end": ("    average = copy.deepcopy(model.state_dict())\n", "    return model\n", "ends before"),
    "a condition": ("if epoch == 5:", "if epoch == 0:", "the condition `epoch == 0`"),
    "a call more": ("out = model(augment(rows[batch]))", "out = model(model(augment(rows[batch])))", CALLS),
}
HONEST = {
    "the schedule": ("            scheduler.step()\n", ""),
    "the augmentation": ("model(augment(rows[batch]))", "model(rows[batch])"),
    "the augmentation itself": ("    batch = batch + 0.1 * torch.randn(batch.shape)\n", ""),
    "the noise": ("0.1 * torch.randn(batch.shape)", "0.0 * torch.randn(batch.shape)"),
    "a loss term": ("            loss = loss + 0.01 * sums(x, y)\n", ""),
    "a loss term beside a shared loss": (" + 0.1 * out.square().mean()", ""),
    "a loss times nothing": ("loss + 0.01 * sums(x, y)", "loss + 0.0 * sums(x, y)"),
    "a warm-up": (" * min(1.0, step / warmup_steps)\n", "\n"),
    "a warm-up, line and all": ('            group["lr"] = config["lr"] * min(1.0, step / warmup_steps)\n', ""),
    "averaging": (EMA, ""),
    "averaging at the end": ("    while epochs < 3:\n        model.load_state_dict(average)\n", ""),
    "clipping": ("            nn.utils.clip_grad_norm_(model.parameters(), 1.0)\n", ""),
    "momentum": ("momentum=0.9", "momentum=0.0"),
    "momentum by leaving it out": (", momentum=0.9", ""),
    "scaling that training alone does": ("    x = x / x.std()\n", ""),
    "a skip connection": ("        layer = layer + x.sum(1, keepdim=True)\n", ""),
    "a gradient": ("self.head(self.drop(layer))", "self.head(self.drop(layer.detach()))"),
    "dropout": ("self.head(self.drop(layer))", "self.head(layer)"),
    "a switch": ("if epoch == 5:", "if False:"),
    "a block under a condition": ("        if epoch == 5:\n            model.drop.p = 0.3\n", ""),
    "shuffling": ("shuffle=True", "shuffle=False"),
    "a start from a warm-up at once": ("warmup_steps=20", "warmup_steps=0"),
    "a layer": ('self.layer = nn.Linear(4, config["width"] * 2)', "self.layer = nn.Identity()"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_refused(guard, name):
    search, replace, reason = HOSTILE[name]
    problem = guard.problem(edit(search, replace), proposed=True)
    assert problem and reason in problem


@pytest.mark.parametrize("name", HONEST)
def test_passes(guard, name):
    assert guard.problem(edit(*HONEST[name]), proposed=True) is None


def test_a_person_may_change_amounts(guard):
    for name in ("fewer epochs", "a slice", "the other half", "a second step"):
        assert guard.problem(edit(*HOSTILE[name][:2]), proposed=False) is None
