import pytest

ARGPARSE = """
import argparse, json

def str2bool(text):
    return text.lower() in ("yes", "true", "1")

def options():
    parser = argparse.ArgumentParser(description="Digits")
    parser.add_argument("data", nargs="?", default="data")
    parser.add_argument("--lr", "--learning-rate", type=float, default=1e-3, metavar="LR", help="step size")
    parser.add_argument("--weight-decay", "-wd", type=float, default="5e-4")
    parser.add_argument("--no-cuda", action="store_true")
    parser.add_argument("--no-dropout", dest="dropout", action="store_false", help="train without it")
    parser.add_argument("--augment", action="store_true", default=True)
    parser.add_argument("--bias", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--nesterov", type=bool, default=True)
    parser.add_argument("--ema", type=str2bool, default=True)
    model = parser.add_argument_group("model")
    model.add_argument("--widths", type=int, nargs="+", default=[8, 16])
    model.add_argument("--schedule", choices=["cosine", "none"], default="cosine")
    model.add_argument("--clip", type=float, default=None)
    model.add_argument("--offset", type=float, default=-1.5)
    parser.add_argument("--seed", type=int, default=int("7"))
    parser.set_defaults(momentum=0.9, lr=2e-3)
    parser.add_argument("--momentum", type=float, default=0.5)
    parser.set_defaults(ema=False, clip=3.0)
    return parser.parse_known_args()[0]

print(json.dumps(vars(options())))
"""
CHANGES = [
    ("lr", 0.0),
    ("lr", 1e-5),
    ("weight_decay", 0.0),
    ("no_cuda", True),
    ("dropout", False),
    ("augment", False),
    ("bias", False),
    ("nesterov", False),
    ("ema", True),
    ("widths", [4]),
    ("schedule", "none"),
    ("schedule", None),
    ("clip", 1.0),
    ("offset", -1e-5),
    ("momentum", 0.25),
]


@pytest.mark.parametrize(("key", "value"), CHANGES)
def test_a_changed_flag_of_argparse_is_read_by_the_script(script, key, value):
    made = script(ARGPARSE)
    before = made.runs({})
    assert made.runs({key: value}) == {**before, key: value}


def test_the_values_of_argparse_are_those_that_the_script_itself_has(script):
    made = script(ARGPARSE)
    read = made.runs({})
    assert made.values == {key: value for key, value in read.items() if key not in ("data", "seed")}
    assert made.settings.comments["dropout"] == "train without it"
    assert made.settings.places["lr"].line == 10


GIVEN = "{python} train.py digits --no-dropout --learning-rate=0.5 --widths 1 2 3 --no-bias --seed {seed} --clip 2"


@pytest.mark.parametrize(
    ("key", "value"),
    [("dropout", True), ("lr", 0.0), ("widths", [9]), ("bias", True), ("clip", None), ("momentum", 0.0)],
)
def test_what_the_command_gives_is_the_baselines_and_can_be_changed(script, key, value):
    made = script(ARGPARSE.replace('int("7")', "7"), GIVEN.replace("{seed}", "3"))
    before = made.runs({})
    assert (before["dropout"], before["lr"], before["widths"], before["clip"]) == (False, 0.5, [1, 2, 3], 2.0)
    assert before == {"data": "digits", **made.values}
    assert made.runs({key: value}) == {**before, key: value}


def test_a_flag_that_every_trial_fills_in_is_no_setting(script):
    assert "seed" not in script(ARGPARSE.replace('int("7")', "7"), GIVEN).values
    assert script(ARGPARSE.replace('int("7")', "7")).values["seed"] == 7


def test_a_dropped_switch_leaves_the_word_behind_it(script):
    made = script(ARGPARSE, "{python} train.py --no-dropout digits")
    assert made.runs({"dropout": True})["data"] == "digits"


SUBCOMMANDS = """
import argparse, json
parser = argparse.ArgumentParser()
several = parser.add_subparsers(dest="what")
train = several.add_parser("train")
train.add_argument("--dropout", type=float, default=0.1)
test = several.add_parser("test")
test.add_argument("--views", type=int, default=3)
print(json.dumps(vars(parser.parse_args())))
"""


def test_only_the_flags_of_the_named_subcommand_are_settings(script):
    made = script(SUBCOMMANDS, "{python} train.py train")
    assert made.values == {"dropout": 0.1}
    assert made.runs({"dropout": 0.0}) == {"what": "train", "dropout": 0.0}


IMPORTED = {
    "experiments/train.py": """
import os, sys
sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from library.options import options
import json
print(json.dumps(vars(options())))
""",
    "library/__init__.py": "",
    "library/options.py": "from .parser import make\ndef options():\n    return make().parse_args()\n",
    "library/parser.py": """
import argparse
def make():
    parser = argparse.ArgumentParser()
    parser.add_argument("--dropout", type=float, default=0.1)
    return parser
if __name__ == "__main__":
    argparse.ArgumentParser().add_argument("--never", default=1)
""",
}


def test_flags_are_found_through_imports_and_added_search_paths(script):
    made = script(IMPORTED, cwd="experiments")
    assert made.values == {"dropout": 0.1}
    assert made.settings.places["dropout"].file == "library/parser.py"
    assert made.runs({"dropout": 0.0}) == {"dropout": 0.0}


CLICK = """
import click, json

@click.command()
@click.argument("data", default="x")
@click.option("--dropout", "-d", default=0.1, show_default=True, help="0 disables")
@click.option("--bias/--no-bias", default=True)
@click.option("--quick", is_flag=True)
@click.option("--schedule", type=click.Choice(["cosine", "none"]), default="cosine")
@click.option("--betas", nargs=2, type=float, default=(0.9, 0.999))
@click.option("--wd", "weight_decay", type=float, default=0.01)
def main(**options):
    print(json.dumps(options))

main()
"""
TYPER = """
import json, typer
from typing import Annotated
app = typer.Typer()

@app.command()
def main(
    data: str = typer.Argument("x"),
    dropout: float = 0.1,
    weight_decay: float = typer.Option(0.01, "--wd", help="decay"),
    bias: bool = True,
    schedule: Annotated[str, typer.Option(help="cosine | none")] = "cosine",
    quick: Annotated[bool, typer.Option("--quick/--full")] = False,
):
    print(json.dumps(dict(data=data, dropout=dropout, weight_decay=weight_decay, bias=bias, schedule=schedule, quick=quick)))

if __name__ == "__main__":
    app()
"""
TYRO = """
import dataclasses, json
from typing import Optional
import tyro

@dataclasses.dataclass
class Optimizer:
    learning_rate: float = 1e-3
    nesterov: bool = True

@dataclasses.dataclass
class Args:
    dropout_rate: float = 0.1
    optimizer: Optimizer = dataclasses.field(default_factory=Optimizer)
    widths: tuple[int, ...] = (8, 16)
    schedule: Optional[str] = "cosine"

print(json.dumps(dataclasses.asdict(tyro.cli(Args))))
"""


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("dropout", 0.0), ("bias", False), ("quick", True), ("schedule", "none")),
        *(("betas", [0.5, 0.9]), ("weight_decay", 0.0)),
    ],
)
def test_a_changed_option_of_click_is_read_by_the_script(script, key, value):
    made = script(CLICK)
    before = made.runs({})
    assert made.values == {name: one for name, one in before.items() if name != "data"}
    assert made.runs({key: value}) == {**before, key: value}


@pytest.mark.parametrize(
    ("key", "value"),
    [("dropout", 0.0), ("bias", False), ("quick", True), ("schedule", "none"), ("weight_decay", 0.0)],
)
def test_a_changed_option_of_typer_is_read_by_the_script(script, key, value):
    made = script(TYPER)
    before = made.runs({})
    assert made.values == {name: one for name, one in before.items() if name != "data"}
    assert made.runs({key: value}) == {**before, key: value}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("dropout_rate", 0.0), ("optimizer.learning_rate", 1e-5), ("optimizer.nesterov", False)),
        *(("widths", [4]), ("schedule", None), ("schedule", "none")),
    ],
)
def test_a_changed_field_of_tyro_is_read_by_the_script(script, key, value):
    made = script(TYRO)
    before = made.runs({})
    changed = made.runs({key: value})
    table, _, last = key.rpartition(".")
    (before[table] if table else before)[last] = value
    assert changed == before
    assert set(made.values) == {"dropout_rate", "optimizer.learning_rate", "optimizer.nesterov", "widths", "schedule"}
