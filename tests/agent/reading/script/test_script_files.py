import json

import pytest

YAML = """# training
model:
  dropout: 0.1  # 0 disables
  norm: &norm {kind: batch, eps: 1e-5}
  head_norm: *norm
optimizer:
  name: sgd
  lr: 0.1
  betas: [0.9, 0.999]
schedule: cosine
ema: true
note:
"""
READS = {
    "yaml": "import json, yaml, sys\nprint(json.dumps(yaml.safe_load(open(PATH))))\n",
    "json": "import json, sys\nprint(json.dumps(json.load(open(PATH))))\n",
    "toml": "import json, sys, tomllib\nprint(json.dumps(tomllib.load(open(PATH, 'rb'))))\n",
}
VALUES = {"yaml": YAML}
VALUES["json"] = json.dumps({"model": {"dropout": 0.1}, "schedule": "cosine", "ema": True, "name": "ä"})
VALUES["toml"] = 'schedule = "cosine"  # or none\nema = true\n[model]\ndropout = 0.1\n'


@pytest.mark.parametrize("named", [True, False], ids=["named by the study", "named by the script"])
@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize(
    ("key", "value"), [("model.dropout", 0.0), ("schedule", "off"), ("ema", False), ("schedule", "1e-4")]
)
def test_a_changed_key_of_a_file_is_read_by_a_script_that_opens_it_itself(script, kind, key, value, named):
    name = f"config.{kind}"
    source = READS[kind].replace("PATH", repr(name))
    made = script({"train.py": source, name: VALUES[kind]}, config=name if named else None)
    wanted = made.runs({})
    *tables, last = key.split(".")
    at = wanted
    for table in tables:
        at = at[table]
    at[last] = value
    assert made.runs({key: value}) == wanted


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("optimizer.lr", 1e-4), ("optimizer.lr", 1e-7), ("optimizer.lr", 1e20), ("optimizer.betas", [1e-5, 0])),
        *(("optimizer.name", "yes"), ("optimizer.name", "12:30"), ("optimizer.name", None), ("note", "a: b # c\n")),
        *(("model.norm.kind", "none"), ("optimizer.betas", [None, "no"])),
    ],
)
def test_yaml_is_written_so_that_older_readers_read_the_same(script, key, value):
    made = script(
        {"train.py": READS["yaml"].replace("PATH", "'config.yaml'"), "config.yaml": YAML}, config="config.yaml"
    )
    wanted = made.runs({})
    *tables, last = key.split(".")
    at = wanted
    for table in tables:
        at = at[table]
    at[last] = value
    wanted["model"]["head_norm"]["kind"] = "batch"
    read = made.runs({key: value})
    for one in (wanted, read):
        one["model"]["head_norm"].pop("eps"), one["model"]["norm"].pop("eps")
    assert read == wanted


CONSTANTS = {"train.py": "import json\nimport config\nprint(json.dumps([config.DROPOUT, config.BETAS]))\n"}


def test_a_python_file_of_constants_that_the_study_names_is_read_once(script):
    made = script({**CONSTANTS, "config.py": "DROPOUT = 0.1\nBETAS = 0.9, 0.99\n"}, config="config.py")
    assert made.values == {"DROPOUT": 0.1, "BETAS": [0.9, 0.99]}
    assert made.runs({"DROPOUT": 0.0, "BETAS": [0.5, 0.6]}) == [0.0, [0.5, 0.6]]


HYDRA = {
    "src/train.py": """
import hydra, json
from omegaconf import OmegaConf

@hydra.main(version_base="1.3", config_path="../configs", config_name="train.yaml")
def main(cfg):
    print(json.dumps(OmegaConf.to_container(cfg, resolve=False)))

if __name__ == "__main__":
    main()
""",
    "configs/train.yaml": """
defaults:
  - _self_
  - data: mnist
  - model: cnn
  - trainer@training: default
  - optional local: default
  - experiment: null
  - override hydra/job_logging: none
  - override hydra/hydra_logging: none
  - override hydra/output_subdir: null

seed: 1
name: ${data.name}
model:
  dropout: 0.9
""",
    "configs/data/mnist.yaml": "name: mnist\naugment: true\n",
    "configs/model/cnn.yaml": "defaults:\n  - net: small\n  - base\n\ndropout: 0.1\nact: relu\n",
    "configs/model/base.yaml": "norm: batch\ndropout: 0.7\n",
    "configs/model/net/small.yaml": "width: 8\n",
    "configs/model/net/large.yaml": "width: 64\n",
    "configs/trainer/default.yaml": "epochs: 2\nclip: null\nbetas: [0.9, 0.99]\n",
    "configs/extra/more.yaml": "noise: 0.5\n",
    "configs/experiment/big.yaml": """# @package _global_
defaults:
  - override /model/net: large
seed: 5
model:
  act: gelu
""",
}
HYDRA["configs/train.yaml"] = HYDRA["configs/train.yaml"].replace("  - override hydra/output_subdir: null\n", "")
QUIET = " hydra.run.dir=. hydra.output_subdir=null"


@pytest.mark.parametrize("more", ["", " model.dropout=0.2 experiment=big", " model/net=large seed=4", " +extra=more"])
def test_a_hydra_configuration_is_composed_as_hydra_composes_it(script, more):
    made = script(HYDRA, f"{{python}} src/train.py{QUIET}{more}")
    read = made.runs({})
    assert made.settings.values == {key: value for key, value in read.items() if key != "experiment"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("model.dropout", 0.0), ("model.act", "it's none, {really}"), ("model.act", None), ("data.augment", False)),
        *(("training.betas", [0.5, 1e-5]), ("training.clip", 1.0), ("model.norm", "none"), ("model.act", "off")),
    ],
)
def test_a_changed_key_is_read_by_the_hydra_script(script, key, value):
    made = script(HYDRA, f"{{python}} src/train.py{QUIET} model.dropout=0.2")
    table, last = key.split(".")
    assert made.runs({key: value})[table][last] == value
    assert made.settings.places["model.dropout"].file == "configs/model/cnn.yaml"
