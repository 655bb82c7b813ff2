import json

import pytest
from lesion.agent.configuration import load_configuration, resolve
from lesion.executor.errors import ConfigurationError

FILES = {
    "c.yaml": "# top\nlr: 1e-4\nmodel:\n  dropout: 0.1\n  sizes: [1, 2]\nname: off\n",
    "c.toml": 'lr = 1e-4\nname = """\noff"""\n\n[model]\ndropout = 0.1\nsizes = [\n1, 2]\n',
    "c.json": '{"lr": 1e-4,\n"model": {\n\t"dropout": 0.1,\n\t"sizes": [1,\n2]},\n"name": "off"}',
    "c.py": "import os\nlr = 1e-4\nmodel: dict = {\n  'dropout': 0.1,\n  'sizes': (1, 2)}\nname = 'off'\nx = os.getcwd()\n",
}
LINES = {
    "c.yaml": {"lr": 2, "model": 3, "model.dropout": 4, "model.sizes": 5, "name": 6},
    "c.toml": {"lr": 1, "name": 2, "model": 5, "model.dropout": 6, "model.sizes": 7},
    "c.json": {"lr": 1, "model": 2, "model.dropout": 3, "model.sizes": 4, "name": 6},
    "c.py": {"lr": 2, "model": 3, "model.dropout": 4, "model.sizes": 5, "name": 6},
}


def load(folder, name, text):
    (folder / name).write_text(text)
    return load_configuration(folder / name)


@pytest.mark.parametrize("name", FILES)
def test_every_format_gives_the_same_values_and_the_line_of_each_key(tmp_path, name):
    configuration = load(tmp_path, name, FILES[name])
    assert configuration.values == {"lr": 1e-4, "model": {"dropout": 0.1, "sizes": [1, 2]}, "name": "off"}
    assert {key: place.line for key, place in configuration.places.items()} == LINES[name]
    assert json.loads(json.dumps(configuration.values)) == configuration.values


def test_a_python_file_is_read_and_never_run(tmp_path):
    text = (
        f"open({str(tmp_path / 'ran')!r}, 'w')\nDROPOUT = 0.1\nlr = 1\nlr = 2\nN = 3 * 4\n_hidden = 1\nn = 1\nn = f()\n"
    )
    configuration = load(tmp_path, "c.py", text)
    assert configuration.values == {"DROPOUT": 0.1, "lr": 2}
    assert not (tmp_path / "ran").exists()


def test_anchors_and_merges_point_at_what_was_written(tmp_path):
    configuration = load(tmp_path, "c.yaml", "base: &b\n  p: 1\n  q: 2\nmodel:\n  <<: *b\n  q: 3\n")
    assert configuration.values["model"] == {"p": 1, "q": 3}
    assert (configuration.places["model.p"].line, configuration.places["model.q"].line) == (2, 6)


@pytest.mark.parametrize(
    ("name", "text", "where", "what"),
    [
        ("c.yaml", "a: 1\nb:\n  day: 2020-01-01\n", "c.yaml:3", "b.day: JSON cannot carry a date"),
        ("c.yaml", "a: !!set {x, y}\n", "c.yaml:1", "a: JSON cannot carry a set"),
        ("c.yaml", "a:\n  1: x\n", "c.yaml:2", "as a key"),
        ("c.yaml", "\na: .inf\n", "c.yaml:2", "cannot carry inf"),
        ("c.yaml", "a: 1\na: 2\n", "c.yaml:2", "duplicate key"),
        ("c.yaml", "- 1\n", "c.yaml:1", "a list, not keys"),
        ("c.yaml", "a: !!python/object/apply:os.getcwd []\n", "c.yaml:1", "not valid YAML"),
        ("c.yaml", "a: &a\n  b: *a\n", "c.yaml", "holds itself"),
        ("c.toml", "a = 1\nday = 1979-05-27\n", "c.toml:2", "day: JSON cannot carry"),
        ("c.toml", "a = 1\nb = \n", "c.toml:2", "not valid TOML"),
        ("c.json", '{"a": 1,\n}', "c.json:2", "not valid JSON"),
        ("c.json", '{"a":\nNaN}', "c.json:1", "cannot carry nan"),
        ("c.py", "A = 1\nS = {1, 2}\n", "c.py:2", "S: JSON cannot carry a set"),
        ("c.py", "A = 1\nB = =\n", "c.py:2", "not valid Python"),
        ("c.ini", "", "c.ini", "unknown kind"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place(tmp_path, name, text, where, what):
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, name, text)
    assert caught.value.where == where
    assert what in str(caught.value)


def test_an_empty_file_and_a_missing_one(tmp_path):
    assert load(tmp_path, "c.yaml", "").values == {}
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_configuration(tmp_path / "missing.yaml")


def test_overrides_come_after_settings_and_leave_the_original_alone():
    values = {"a": 1, "model": {"dropout": 0.1, "sizes": [1]}, "x.y": 0}
    changed = resolve(values, {"a": 2, "model.dropout": 0.5}, {"model.dropout": 0, "x.y": [3]})
    assert changed == {"a": 2, "model": {"dropout": 0, "sizes": [1]}, "x.y": [3]}
    changed["model"]["sizes"].append(2)
    assert values == {"a": 1, "model": {"dropout": 0.1, "sizes": [1]}, "x.y": 0}


@pytest.mark.parametrize(
    ("settings", "overrides", "where", "hint"),
    [
        ({"dropot": 0}, {}, "[experiment.set]", "did you mean dropout"),
        ({}, {"rate": 0}, "override", "did you mean model.rate"),
        ({}, {"model.rates": 0}, "override", "did you mean model.rate"),
        ({}, {"dropout.x": 0}, "override", "did you mean dropout"),
        ({}, {"zzz": 0}, "override", "it has dropout, model, model.rate"),
    ],
)
def test_a_key_that_does_not_exist_names_the_nearest(settings, overrides, where, hint):
    with pytest.raises(ConfigurationError) as caught:
        resolve({"dropout": 0.1, "model": {"rate": 1}}, settings, overrides)
    assert caught.value.where == where
    assert hint in str(caught.value)
