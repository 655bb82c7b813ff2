import pytest
from lesion.agent.configuration import script_configuration
from lesion.agent.reading.settings import components_from_settings
from lesion.agent.setting import prepare
from lesion.agent.studyfile import load_study
from lesion.executor.errors import ConfigurationError
from lesion.executor.experiments.experiment import Arm

SCRIPT = """
import argparse, os
hidden, smoothing = 64, 0.1
seed = 1
parser = argparse.ArgumentParser()
parser.add_argument("--no-cuda", action="store_true")
parser.add_argument("--no-bias", action="store_true")
parser.add_argument("--no-dropout", dest="use_dropout", action="store_false")
parser.add_argument("--epochs", type=int, default=5)
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--weight-decay", type=float, default=5e-4)
parser.add_argument("--clip", type=float, default=1.0, help="bound of the gradient's norm (0 disables)")
parser.add_argument("--schedule", default="cosine", help="cosine | linear | none")
parser.add_argument("--norm", default="batch", choices=["batch", "layer", "none"])
mixup = float(os.environ.get("MIXUP", "0.2"))
print(parser.parse_args())
"""
STUDY = """
[study]
name = "unmodified"
[experiment]
command = "{python} train.py"
metrics_pattern = "accuracy (?P<accuracy>[0-9.]+)"
SET
[metrics.accuracy]
goal = "maximize"
"""


@pytest.fixture
def study(tmp_path):
    def load(more="", source=SCRIPT):
        (tmp_path / "train.py").write_text(source)
        (tmp_path / "lesion.toml").write_text(STUDY.replace("SET", more))
        return load_study(tmp_path / "lesion.toml")

    return load


def test_the_settings_of_a_script_become_components(study, tmp_path):
    configuration = script_configuration(study())
    components = components_from_settings(configuration, configuration.values, [tmp_path / "train.py"])
    assert {one.id: one.interventions[0].value for one in components} == {
        "config:no_bias": True,
        "config:use_dropout": False,
        "config:weight_decay": 0.0,
        "config:clip": 0.0,
        "config:schedule": "none",
        "config:norm": "none",
        "config:smoothing": 0.0,
        "config:env.MIXUP": 0.0,
    }
    found = {one.id: (one.where, one.evidence) for one in components}
    assert found["config:use_dropout"] == ("train.py:8", "a switch that is on; a flag of the command, --no-dropout")
    assert found["config:smoothing"][0] == "train.py:3"
    assert "the environment variable MIXUP" in found["config:env.MIXUP"][1]


def test_what_the_study_sets_counts_and_an_arm_becomes_words_and_texts(study):
    setting = prepare(study("set = { weight_decay = 0, smoothing = 0.25 }"))
    assert setting.config["weight_decay"] == 0
    job = setting.experiment.job("retrain", [Arm("baseline", setting.config, [])])
    (entry,) = job.message["arms"]
    assert (entry["append"], entry["drop"]) == (["--weight-decay", "0"], ["--weight-decay"])
    (text,) = job.overlay.values()
    assert text == SCRIPT.replace("64, 0.1", "64, 0.25")


def test_an_unknown_key_is_refused_with_the_nearest_and_what_else_can_be_done(study):
    with pytest.raises(ConfigurationError) as caught:
        prepare(study("set = { weight_decy = 0 }"))
    assert "did you mean weight_decay" in str(caught.value)
    assert "a flag that was not found can be written into the command itself" in str(caught.value)


def test_a_configuration_file_that_cannot_be_read_is_an_expected_error(study, tmp_path):
    (tmp_path / "c.yaml").write_text("a: [1\n")
    with pytest.raises(ConfigurationError, match="not valid YAML"):
        script_configuration(study('config = "c.yaml"'))


@pytest.mark.parametrize("source", ["def broken(:\n", "\0", "x = " + "(" * 500 + ")" * 500 + "\n", ""])
def test_a_script_that_cannot_be_read_has_no_settings(study, source):
    assert script_configuration(study(source=source)).values == {}
