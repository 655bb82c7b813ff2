"""Labels of settings: readable in any script, and one for each."""

import json

import pytest
from lesion.agent.configuration import load_configuration
from lesion.agent.reading.settings import components_from_settings
from lesion.agent.reading.words import label


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("naïve_Ünïcode_β→中文", "naïve ünïcode β 中文"),
        ("use_100%_of$it&more#1", "100 of it more 1"),
        ("model.useBatchNorm", "model batch norm"),
        ("no_augment", "augment"),
        ("→→", "→→"),
    ],
)
def test_letters_and_digits_of_any_script_stay(key, shown):
    assert label(key) == shown


def test_settings_that_would_share_a_label_keep_their_keys(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"use_gate": True, "gate#": True, "gate": True, "other": True}))
    configuration = load_configuration(tmp_path / "config.json")
    labels = [one.label for one in components_from_settings(configuration, configuration.values)]
    assert labels == ["use_gate", "gate#", "gate", "other"]
