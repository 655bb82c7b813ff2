from pathlib import Path

import pytest
from lesion.agent.configuration import load_configuration, resolve
from lesion.agent.reading.settings import components_from_settings

DIGITS = Path(__file__).parents[2] / "examples" / "digits"


@pytest.fixture
def components(tmp_path):
    def read(text, source="", settings=None):
        (tmp_path / "config.yaml").write_text(text)
        (tmp_path / "train.py").write_text(source)
        configuration = load_configuration(tmp_path / "config.yaml")
        values = resolve(configuration.values, settings or {}, {})
        return components_from_settings(configuration, values, [tmp_path / "train.py"])

    return read


@pytest.mark.parametrize(
    ("line", "kind", "off"),
    [
        ("dropout: 0.1", "regularization", 0.0),
        ("resid_pdrop: 0.1", "regularization", 0.0),
        ("hidden_dropout_prob: 0.1", "regularization", 0.0),
        ("stochastic_depth: 0.1", "regularization", 0.0),
        ("drop_path_rate: 0.1", "regularization", 0.0),
        ("dropPath: 0.2", "regularization", 0.0),
        ("weight_decay: 5e-4", "regularization", 0.0),
        ("label_smoothing: 0.1", "regularization", 0.0),
        ("auxLossWeight: 0.3", "loss_term", 0.0),
        ("kl_coef: 1", "loss_term", 0),
        ("warmup_steps: 100", "schedule", 0),
        ("momentum: 0.9", "optimizer", 0.0),
        ("mixup_alpha: 0.2", "augmentation", 0.0),
        ("use_batch_norm: true", "normalization", False),
        ("standardize: true", "preprocessing", False),
        ("residual: true", "skip_connection", False),
        ("ema: true", "optimizer", False),
        ("decay_lr: true", "schedule", False),
        ("bias: true", "other", False),
    ],
)
def test_what_adds_to_the_recipe_is_removed_by_its_off(components, line, kind, off):
    (component,) = components(f"# first\n{line}\n")
    key = line.partition(":")[0]
    assert (component.id, component.kind, component.where) == (f"config:{key}", kind, "config.yaml:2")
    assert (component.size, bool(component.evidence)) == (None, True)
    (removal,) = component.interventions
    assert (removal.kind, removal.key, removal.value, type(removal.value)) == ("config", key, off, type(off))


@pytest.mark.parametrize(
    "line",
    [
        *("epochs: 3", "max_steps: 9", "learning_rate: 0.1", "lr: 0.1", "min_lr: 1e-5", "lr_drop: 40", "width: 8"),
        *("depth: 2", "hidden_dim: 8", "n_layers: 2", "num_heads: 4", "batch_size: 8", "seed: 1", "device: cpu"),
        *("num_workers: 2", "log_interval: 5", "eval_every: 5", "data_dir: x", "keep_prob: 0.9", "bn_momentum: 0.1"),
        *("verbose: true", "debug: true", "compile: true", "amp: true", "drop_last: true", "no_dropout: true"),
        *("wandb_log: true", "pin_memory: true", "dropout: 0.0", "residual: false", "betas: [0.9, 0.99]", "clip: null"),
    ],
)
def test_scale_bookkeeping_and_what_is_off_are_no_components(components, line):
    assert components(line + "\n") == []


@pytest.mark.parametrize("line", ["no_augment: false", "disable_warmup: false", "without_norm: false"])
def test_a_switch_that_takes_something_away_is_put_on(components, line):
    (component,) = components(line + "\n")
    assert component.interventions[0].value is True
    assert component.kind != "other"


@pytest.mark.parametrize("line", ["no_cuda: false", "no_save: false", "freeze_norm: false", "no_augment: true"])
def test_what_takes_nothing_away_from_the_recipe_is_no_component(components, line):
    assert components(line + "\n") == []


@pytest.mark.parametrize(
    ("line", "source", "off"),
    [
        ("schedule: cosine  # cosine | linear | none", "", "none"),
        ("# one of cosine, linear or constant\nschedule: cosine", "", "constant"),
        ("schedule: cosine  # 'cosine' / null", "", None),
        ("schedule: cosine", 'if config["schedule"] == "none": pass', "none"),
        ("schedule: cosine", 'if args.schedule in ("cosine", "constant"): pass', "constant"),
        ("schedule: cosine", 'if config.get("schedule") is not None: pass', None),
        ("schedule: cosine", 'p.add_argument("--schedule", choices=["cosine", "none"])', "none"),
        ("schedule: cosine", 'match schedule:\n  case "cosine" | "off": pass', "off"),
        ("model:\n  activation: relu", 'x = f if cfg.activation == "identity" else g', "identity"),
    ],
)
def test_a_choice_is_removed_where_its_none_is_known(components, line, source, off):
    (component,) = components(line + "\n", source)
    assert component.interventions[0].value == off
    assert ("train.py:1" in component.evidence) == bool(source) or "match" in source


@pytest.mark.parametrize(
    ("line", "source"),
    [
        ("schedule: cosine", 'if config["schedule"] == "cosine": pass'),
        ("schedule: cosine", 'if config["other"] == "none": pass'),
        ("schedule: cosine  # none of these matter", ""),
        ("schedule: none  # cosine | none", ""),
        ("schedule: constant  # cosine | constant | none", ""),
        ("padding: reflect  # reflect | constant", ""),
        ("schedule: cosine", "this is not Python"),
    ],
)
def test_a_choice_without_a_known_none_is_no_component(components, line, source):
    assert components(line + "\n", source) == []


def test_gradient_clipping_is_lifted_by_0_only_where_the_source_or_a_comment_says_so(components):
    clips = "clip_grad_norm_(parameters, config.grad_clip)"
    assert components("grad_clip: 1.0\n", clips) == []
    (guarded,) = components("grad_clip: 1.0\n", f"if config.grad_clip > 0:\n    {clips}")
    (said,) = components("grad_clip: 1.0  # 0 disables it\n", clips)
    assert (guarded.kind, guarded.interventions[0].value) == ("optimizer", 0.0)
    assert ("train.py" in guarded.evidence, "comment" in said.evidence) == (True, True)


def test_settings_of_every_arm_decide_what_is_on(components):
    text = "model:\n  dropout: 0.1\n  batch_norm: false\n"
    (component,) = components(text, settings={"model.dropout": 0.0, "model.batch_norm": True})
    assert (component.id, component.label) == ("config:model.batch_norm", "model batch norm")


def test_the_example_gives_its_ten_switches_and_nothing_of_scale():
    configuration = load_configuration(DIGITS / "config.yaml")
    found = components_from_settings(configuration, configuration.values, [DIGITS / "experiment.py"])
    names = (
        "standardize random_shift batch_norm residual dropout label_smoothing auxiliary_weight momentum weight_decay"
    )
    assert [one.id for one in found] == [f"config:{name}" for name in [*names.split(), "schedule"]]
    assert all(one.kind != "other" for one in found)
