"""What is read of a repository of many scripts: the files that this one runs, and the models that it was seen to make."""

import pytest
from lesion.agent.reading.digest.imports import distances
from lesion.agent.reading.settings import components_from_settings
from lesion.agent.reading.source.find import source_components
from lesion.agent.setting import prepare
from lesion.agent.sourceparts import files_of_settings
from lesion.agent.studyfile import load_study

SCRIPT = """
import argparse
from models import make
parser = argparse.ArgumentParser()
parser.add_argument("--max-grad-norm", type=float, default=0.5)
parser.add_argument("--norm-adv", action="store_false")
args = parser.parse_args()
"""
STUDY = """
[study]
name = "one"
[experiment]
command = "{python} ppo.py"
metrics_pattern = "return (?P<value>[0-9.]+)"
[metrics.value]
goal = "maximize"
"""
OTHER = "if args.max_grad_norm > 0:\n    clip(args.max_grad_norm)\n"
MODELS = """
import torch.nn as nn
import torch.nn.functional as F

class Base(nn.Module):
    def forward(self, x):
        return x + self.inner(x)

class Used(Base):
    def inner(self, x):
        return self.fc(x)

class Steps(LightningModule):
    def forward(self, x):
        return self.net(x)
    def training_step(self, batch):
        return self.net(batch) + self.shortcut(batch)

class Unused(nn.Module):
    def forward(self, x):
        return x + F.gelu(self.fc(x))

def make():
    return Used()
"""


@pytest.fixture
def project(tmp_path):
    def load(**files):
        for name, text in {"ppo.py": SCRIPT, "models.py": MODELS, "lesion.toml": STUDY, **files}.items():
            path = tmp_path / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return prepare(load_study(tmp_path / "lesion.toml"))

    return load


@pytest.mark.parametrize(
    ("files", "found"), [({"other.py": OTHER}, set()), ({"models.py": OTHER}, {"config:max_grad_norm"})]
)
def test_only_a_file_that_the_script_runs_tells_what_zero_means(project, files, found):
    setting = project(**files)
    components = components_from_settings(setting.configuration, setting.config, files_of_settings(setting))
    assert {one.id for one in components if "grad" in one.id} == found


def test_of_models_only_those_that_run_are_listed_with_what_they_inherit(tmp_path):
    (tmp_path / "models.py").write_text(MODELS)
    every = {one.where for one in source_components(tmp_path, ["models.py"])}
    live = {one.where for one in source_components(tmp_path, ["models.py"], live={"Used", "Linear"})}
    assert live == {"models.py:7", "models.py:17"}
    assert every - live == {"models.py:21"}


def test_hydras_targets_are_reached_where_the_script_imports_hydra(tmp_path):
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "model.yaml").write_text("net:\n  - _target_: 'src.net.Net'\n    _partial_: true\n")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "net.py").write_text("import src.parts\n")
    (tmp_path / "src" / "parts.py").write_text("")
    entry = tmp_path / "train.py"
    entry.write_text("import hydra\n")
    assert distances(tmp_path, entry) == {"train.py": 0, "src/net.py": 1, "src/parts.py": 2}
    entry.write_text("import yaml\n")
    assert distances(tmp_path, entry) == {"train.py": 0}


def test_switches_of_the_run_and_of_hydra_are_no_components(tmp_path, project):
    setting = project(**{"ppo.py": "train = True\ntest = True\nuse_accelerator = True\nbias = True\n"})
    components = components_from_settings(setting.configuration, setting.config, files_of_settings(setting))
    assert {one.id for one in components} == {"config:bias"}
