import pytest

NANO = {
    "train.py": """
import json
import torch_free as model
from torch_free import GPT, GPTConfig

out_dir = 'out'
eval_iters = 200
learning_rate, weight_decay = 6e-4, 1e-1  # decay; 0 disables
betas = (0.9, 0.95)
bias = False
dropout = 0.1  # für später: 0 heißt aus
é, ö = 'ä', 0.25
init_from = 'scratch'
recipe = {'mixup': 0.2, "schedule": dict(name="cosine", warmup=10)}
device = 'cuda'
config_keys = [k for k, v in globals().items() if not k.startswith('_') and isinstance(v, (int, float, bool, str))]
exec(open('configurator.py').read())
config = {k: globals()[k] for k in config_keys}
if device == 'cuda':
    device = 'cpu'
best = 1e9
step = 0
while step < 3:
    step += 1
    best = min(best, step)
model_args = dict(dropout=dropout, bias=bias)
made = GPT(GPTConfig(**model_args))
print(json.dumps({**config, "betas": betas, "recipe": recipe, "made": made.seen, "ö": ö}))
""",
    "torch_free.py": """
from dataclasses import dataclass, field

WIDTH_FACTOR = 4
state = 1

@dataclass
class GPTConfig:
    dropout: float = 0.3
    bias: bool = True
    label_smoothing: float = 0.05
    layers: list = field(default_factory=lambda: [1, 2])

class TrainConfig:
    momentum = 0.9

class GPT:
    @classmethod
    def from_pretrained(cls, arguments):
        return cls(GPTConfig(**arguments))

    def __init__(self, config):
        self.seen = [config.label_smoothing, config.layers, TrainConfig.momentum, WIDTH_FACTOR]
""",
    "configurator.py": """
import sys
from ast import literal_eval
for arg in sys.argv[1:]:
    if '=' not in arg:
        exec(open(arg).read())
    else:
        key, val = arg[2:].split('=')
        try:
            globals()[key] = literal_eval(val)
        except (SyntaxError, ValueError):
            globals()[key] = val
""",
    "config/small.py": "eval_iters = 20\ndropout = 0.2\nlearning_rate = 1e-3\n",
}
COMMAND = "{python} train.py config/small.py --learning_rate=0.01 --out_dir={out}"


def test_constants_are_what_the_script_runs_with_and_counters_are_none(script):
    made = script(NANO, "{python} train.py")
    read = made.runs({})
    assert {key: made.values[key] for key in ("dropout", "weight_decay", "eval_iters", "bias", "out_dir")} == {
        key: read[key] for key in ("dropout", "weight_decay", "eval_iters", "bias", "out_dir")
    }
    assert made.values["recipe.schedule.warmup"] == 10
    assert made.values["device"] == "cuda"
    assert not {"best", "step", "GPTConfig.dropout", "GPTConfig.bias", "torch_free.state"} & set(made.values)


@pytest.mark.parametrize(
    ("key", "value", "where"),
    [
        ("dropout", 0.0, ["dropout"]),
        ("weight_decay", 0.0, ["weight_decay"]),
        ("learning_rate", 1e-5, ["learning_rate"]),
        ("bias", True, ["bias"]),
        ("out_dir", "it's", ["out_dir"]),
        ("betas", [0.5, 0.6], ["betas"]),
        ("ö", 0.0, ["ö"]),
        ("recipe.mixup", 0.0, ["recipe", "mixup"]),
        ("recipe.schedule.name", None, ["recipe", "schedule", "name"]),
        ("GPTConfig.label_smoothing", 0.0, ["made", 0]),
        ("GPTConfig.layers", [3], ["made", 1]),
        ("TrainConfig.momentum", 0.0, ["made", 2]),
        ("torch_free.WIDTH_FACTOR", 1, ["made", 3]),
    ],
)
def test_a_changed_literal_is_read_by_the_script(script, key, value, where):
    made = script(NANO, "{python} train.py")
    read = made.runs({key: value})
    for part in where:
        read = read[part]
    assert read == value
    assert (made.root / "train.py").read_text() == NANO["train.py"]


def test_several_literals_of_one_line_change_together(script):
    made = script(NANO, "{python} train.py")
    read = made.runs({"learning_rate": 1.0, "weight_decay": 0.0, "ö": 0.125, "dropout": 0.0})
    assert (read["learning_rate"], read["weight_decay"], read["ö"], read["dropout"]) == (1.0, 0.0, 0.125, 0.0)


@pytest.mark.parametrize(
    ("key", "value"), [("dropout", 0.0), ("eval_iters", 5), ("learning_rate", 0.5), ("bias", True)]
)
def test_an_executed_file_and_the_command_count_before_the_constants(script, key, value):
    made = script(NANO, COMMAND.replace("{out}", "here"))
    assert not {"constants.dropout", "constants.eval_iters", "constants.learning_rate"} & set(made.values)
    before = made.runs({})
    assert (before["dropout"], before["eval_iters"], before["learning_rate"]) == (0.2, 20, 0.01)
    assert {name: before[name] for name in ("dropout", "eval_iters", "learning_rate", "bias")} == {
        name: made.values[name] for name in ("dropout", "eval_iters", "learning_rate", "bias")
    }
    assert made.runs({key: value}) == {**before, key: value}


def test_what_a_trial_fills_in_is_no_setting(script):
    assert "out_dir" not in script(NANO, COMMAND).values


MINGPT = {
    "chargpt.py": """
import json, sys
from library.model import GPT
from library.trainer import Trainer
from library.utils import CfgNode as CN

def get_config():
    C = CN()
    C.system = CN()
    C.system.seed = 3407
    C.data = CharDataset.get_default_config()
    C.model = GPT.get_default_config()
    C.model.model_type = 'gpt-mini'
    C.trainer = Trainer.get_default_config()
    C.trainer.learning_rate = 5e-4
    return C

class CharDataset:
    @staticmethod
    def get_default_config():
        C = CN()
        C.block_size = 128
        return C

if __name__ == '__main__':
    config = get_config()
    config.merge_from_args(sys.argv[1:])
    print(json.dumps(config.table()))
""",
    "library/__init__.py": "",
    "library/model.py": """
from library.utils import CfgNode as CN
class GPT:
    @staticmethod
    def get_default_config():
        C = CN()
        C.model_type = 'gpt'
        C.embd_pdrop = 0.1
        C.attn_pdrop = 0.2
        return C
""",
    "library/trainer.py": """
from .utils import CfgNode as CN
class Trainer:
    @staticmethod
    def get_default_config():
        C = CN()
        C.learning_rate = 3e-4
        C.betas = (0.9, 0.95)
        C.weight_decay = 0.1 # only applied on matmul weights
        return C
""",
    "library/utils.py": """
from ast import literal_eval
class CfgNode:
    def table(self):
        return {k: v.table() if isinstance(v, CfgNode) else v for k, v in vars(self).items()}
    def merge_from_args(self, args):
        for arg in args:
            key, val = arg[2:].split('=')
            try:
                val = literal_eval(val)
            except ValueError:
                pass
            *tables, last = key.split('.')
            for one in tables:
                self = getattr(self, one)
            setattr(self, last, val)
""",
}


@pytest.mark.parametrize("command", ["{python} chargpt.py", "{python} chargpt.py --model.embd_pdrop=0.3"])
@pytest.mark.parametrize(
    ("key", "value"), [("model.embd_pdrop", 0.0), ("trainer.learning_rate", 1e-5), ("trainer.betas", [0.5, 0.9])]
)
def test_attributes_of_nested_configurations_are_settings(script, command, key, value):
    made = script(MINGPT, command)
    before = made.runs({})
    assert before == made.settings.values
    table, last = key.split(".")
    before[table][last] = value
    assert made.runs({key: value}) == before


DATACLASSES = """
import json
from dataclasses import asdict, dataclass

@dataclass
class Hyperparameters:
    dropout: float = 0.1
    mixup: float = 0.2

def main():
    smoothing = 0.1
    hyper = Hyperparameters(dropout=0.3)
    print(json.dumps({**asdict(hyper), "smoothing": smoothing}))

if __name__ == "__main__":
    main()
"""


@pytest.mark.parametrize(
    ("key", "value"), [("Hyperparameters.dropout", 0.0), ("Hyperparameters.mixup", 0.0), ("main.smoothing", 0.0)]
)
def test_a_default_and_what_the_only_call_gives_are_settings(script, key, value):
    made = script(DATACLASSES)
    assert made.values == {"Hyperparameters.dropout": 0.3, "Hyperparameters.mixup": 0.2, "main.smoothing": 0.1}
    assert made.runs({key: value})[key.partition(".")[2]] == value


VARIABLES = """
import json, os
dropout = float(os.environ.get("DROPOUT", "0.1"))
schedule = os.getenv("SCHEDULE", "cosine")
bias = int(os.environ.get("BIAS", 1))
size = os.environ["SIZE"]
print(json.dumps({"dropout": dropout, "schedule": schedule, "bias": bias}))
"""


@pytest.mark.parametrize(("key", "value"), [("env.DROPOUT", 0.0), ("env.SCHEDULE", "none"), ("env.BIAS", 0)])
def test_environment_variables_are_settings_and_the_studys_own_value_counts(script, key, value, monkeypatch):
    monkeypatch.setenv("SIZE", "3")
    made = script(VARIABLES, environment={"DROPOUT": "0.3"})
    assert made.values == {"env.DROPOUT": 0.3, "env.SCHEDULE": "cosine", "env.BIAS": 1}
    assert made.runs({key: value})[key.partition(".")[2].lower()] == value


def test_the_second_setting_of_a_name_stands_below_its_family(script):
    made = script(
        """
import argparse, json
dropout = 0.5
model = "mlp"
parser = argparse.ArgumentParser()
parser.add_argument("--dropout", type=float, default=0.1)
parser.add_argument("--model", default="cnn")
parser.add_argument("--model.width", type=int, default=8)
args = vars(parser.parse_args())
print(json.dumps({"flag": args, "constant": dropout}))
"""
    )
    assert made.values == {
        **{"dropout": 0.1, "model": "cnn", "flags.model.width": 8},
        **{"constants.dropout": 0.5, "constants.model": "mlp"},
    }
    read = made.runs({"constants.dropout": 0.0, "flags.model.width": 4, "dropout": 0.25})
    assert read == {"flag": {"dropout": 0.25, "model": "cnn", "model.width": 4}, "constant": 0.0}
