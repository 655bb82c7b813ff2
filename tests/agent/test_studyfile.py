import sys
from pathlib import Path

import pytest
from lesion.agent.studyfile import load_study
from lesion.executor.errors import StudyFileError

SMALLEST = '[study]\nname = "s"\n[experiment]\npython = "e.py"\n[metrics.accuracy]\ngoal = "maximize"\n'
COMMAND = '[study]\nname = "s"\n[experiment]\ncommand = "{python} e.py"\n'
ONE_METRIC = '[metrics.accuracy]\ngoal = "maximize"\n'


@pytest.fixture
def study(tmp_path):
    (tmp_path / "e.py").write_text("")

    def write(text):
        (tmp_path / "lesion.toml").write_text(text)
        return tmp_path / "lesion.toml"

    return write


def problems(path):
    with pytest.raises(StudyFileError) as caught:
        load_study(path)
    return str(caught.value).splitlines()


def test_the_smallest_study_has_the_documented_defaults(study, tmp_path):
    spec = load_study(study(SMALLEST).parent)
    assert (spec.study.modes, spec.study.kinds, spec.study.components) == (["retrain"], [], ["*"])
    assert (spec.study.seeds, spec.study.max_seeds, spec.study.alpha) == (5, 20, 0.05)
    assert (spec.limits.workers, spec.limits.trial_time, spec.limits.trial_memory) == (1, 600.0, 4 * 2**30)
    assert (spec.limits.trial_disk, spec.experiment.threads, spec.sandbox.network) == (2**30, 1, False)
    assert (spec.primary, spec.planner.kind) == ("accuracy", "auto")
    assert (spec.path, spec.root) == (tmp_path / "lesion.toml", tmp_path)
    assert (spec.python_file, spec.config_file, spec.inputs) == (tmp_path / "e.py", None, [])
    assert spec.interpreter == Path(sys.executable)


def test_paths_follow_the_root_and_the_home(study, tmp_path, monkeypatch):
    home = tmp_path / "home"
    for folder in ("code/sub", "home/data", "study"):
        (tmp_path / folder).mkdir(parents=True)
    for file in ("code/sub/e.py", "code/c.yaml", "code/d.bin"):
        (tmp_path / file).write_text("")
    monkeypatch.setenv("HOME", str(home))
    text = SMALLEST.replace('"e.py"', '"sub/e.py"\nconfig = "c.yaml"') + (
        '[project]\nroot = "../code"\ninputs = ["d.bin"]\n[sandbox]\nread = ["~/data", "../study"]\n'
    )
    (tmp_path / "study" / "lesion.toml").write_text(text)
    spec = load_study(tmp_path / "study")
    assert (spec.root, spec.python_file) == (tmp_path / "code", tmp_path / "code/sub/e.py")
    assert (spec.config_file, spec.inputs) == (tmp_path / "code/c.yaml", [tmp_path / "code/d.bin"])
    assert spec.sandbox.read == [home / "data", tmp_path / "study"]


def test_settings_are_dotted_keys_however_they_are_nested(study):
    text = (
        SMALLEST + '[experiment.set]\nseed_all = true\noptimizer.lr = 0.1\n"a.b" = [1]\n[experiment.set.model]\nd = 2\n'
    )
    spec = load_study(study(text))
    assert spec.experiment.set == {"seed_all": True, "optimizer.lr": 0.1, "a.b": [1], "model.d": 2}


def test_a_command_takes_one_pattern_or_several_and_metrics_of_several_data_sets(study):
    pattern = "metrics_pattern = 'loss (?P<loss>\\d+)'\n"
    metrics = '[metrics."cifar/accuracy"]\ngoal = "maximize"\n[metrics.loss]\ngoal = "minimize"\nprimary = true\n'
    spec = load_study(study(COMMAND + pattern + 'metrics_reduce = "mean:3"\n' + metrics))
    assert spec.experiment.metrics_pattern == [r"loss (?P<loss>\d+)"]
    assert (spec.primary, list(spec.metrics)) == ("loss", ["cifar/accuracy", "loss"])


def test_every_problem_is_listed_at_once_with_its_line_in_the_order_of_the_file(study):
    path = study(
        """[study]
name = "s"
question = '''
seeds = 99
[metrics.none]
'''
seeds = 0
"max_seed" = 3
alpha = 0.5
modes = [
  "retrain",
  "retrain",
]
[experiment]
python = "missing.py"
threads = "two"
set.day = 1979-05-27
[metrics."a/b"]
goal = "max"
smallest_effect = 0
[limits]
trial_time = "5 parsecs"
[project]
inputs = ["missing.bin"]
"""
    )
    expected = [
        (7, "study.seeds", "greater than or equal to 1"),
        (8, "study.max_seed", "did you mean max_seeds?"),
        (9, "study.alpha", "less than 0.5"),
        (10, "study.modes", "retrain is named 2 times"),
        (15, "experiment.python", "there is no file"),
        (16, "experiment.threads", 'a whole number, not "two"'),
        (17, "experiment.set.day", "write it as a string"),
        (19, 'metrics."a/b".goal', 'must be "maximize" or "minimize", not "max"'),
        (20, 'metrics."a/b".smallest_effect', "greater than 0"),
        (22, "limits.trial_time", "not a duration"),
        (24, "project.inputs", "missing.bin"),
    ]
    found = problems(path)
    assert len(found) == len(expected), found
    for line, (number, key, what) in zip(found, expected, strict=True):
        assert line.startswith(f"lesion.toml:{number}: {key}: ")
        assert what in line


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        (SMALLEST.replace("python", 'command = "x"\nmetrics_file = "m"\npython'), 4, "both python and command"),
        (SMALLEST.replace('python = "e.py"\n', ""), 3, "nothing to run"),
        (COMMAND + ONE_METRIC, 4, "nothing to read metrics from"),
        (COMMAND + 'metrics_pattern = ["("]\n' + ONE_METRIC, 5, "not a regular expression"),
        (COMMAND + r"metrics_pattern = 'loss (\d+)'" + "\n" + ONE_METRIC, 5, "no named group"),
        (SMALLEST.replace('"e.py"', '"e.py"\nmetrics_file = "m"'), 5, "belongs to a command"),
        (SMALLEST + '[metrics.loss]\ngoal = "minimize"\n', 5, "none is primary"),
        (SMALLEST + 'primary = true\n[metrics.loss]\ngoal = "minimize"\nprimary = true\n', 10, "accuracy is primary"),
        (SMALLEST.replace('"s"\n', '"s"\nseeds = 30\n'), 3, "more than max_seeds = 20"),
        (SMALLEST + '[project]\nroot = "nowhere"\n', 8, "there is no folder"),
        (SMALLEST + '[sandbox]\nread = ["nowhere"]\n', 8, "there is no"),
        (SMALLEST.replace('"e.py"', '"e.py"\nconfig = "c.yaml"'), 5, "there is no file"),
        (SMALLEST.replace('"e.py"', '"../e.py"'), 4, "there is no file"),
        (SMALLEST.replace('name = "s"', 'name = "../s"'), 2, "letters, digits"),
        (SMALLEST.replace('name = "s"\n', ""), 1, "missing"),
        (SMALLEST.partition("[metrics")[0], 1, "missing"),
        (SMALLEST + "[limit]\nworkers = 1\n", 7, "did you mean limits?"),
        (SMALLEST + "[limits]\nworkers = true\n", 8, "a whole number, not true"),
        ("path = 3\n" + SMALLEST, 1, "unknown key"),
        ("[study\n", 1, "not valid TOML"),
        (SMALLEST + "[limits]\nworkers = \n", 8, "not valid TOML"),
    ],
)
def test_each_mistake_is_named_alone_at_its_line(study, text, line, what):
    (found,) = problems(study(text))
    assert found.startswith(f"lesion.toml:{line}: ")
    assert what in found


@pytest.mark.parametrize("home", ["project", "project/me"])
def test_a_home_folder_is_no_project(tmp_path, monkeypatch, home):
    (tmp_path / home).mkdir(parents=True)
    (tmp_path / "project" / "e.py").write_text("")
    (tmp_path / "project" / "lesion.toml").write_text(SMALLEST)
    monkeypatch.setenv("HOME", str(tmp_path / home))
    (found,) = problems(tmp_path / "project")
    assert "project.root" in found and "home folder" in found


def test_a_missing_study_file_says_what_writes_one(tmp_path):
    with pytest.raises(StudyFileError, match="no study file") as caught:
        load_study(tmp_path)
    assert "`lesion init`" in (caught.value.to_do or "")


@pytest.mark.parametrize("name", ["digits", "induction", "unmodified"])
def test_the_examples_load(name):
    example = Path(__file__).parents[2] / "examples" / name
    assert load_study(example).study.name == name


RETUNED = SMALLEST.replace('"e.py"', '"e.py"\nconfig = "c.yaml"') + "[retuning]\n"


def test_a_retuning_names_keys_of_the_configuration_however_they_are_nested(study, tmp_path):
    (tmp_path / "c.yaml").write_text("optimizer: {lr: 0.1, nesterov: true}\nwd: 0\n")
    spec = load_study(study(RETUNED + "values.optimizer.lr = [0.03, 1]\nvalues.wd = [1]\n"))
    assert spec.retuning.values == {"optimizer.lr": [0.03, 1], "wd": [1]}
    assert (spec.retuning.seeds, spec.retuning.components) == (2, ["*"])
    assert load_study(study(SMALLEST)).retuning.values == {}


def test_every_problem_of_a_retuning_is_listed_at_once_with_its_line(study, tmp_path):
    (tmp_path / "c.yaml").write_text("optimizer: {lr: 0.1, nesterov: true}\nbatch: 32\nname: adam\n")
    path = study(
        RETUNED.replace('name = "s"', 'name = "s"\nmodes = ["reevaluate"]')
        + """seeds = 9
budget = 3
[retuning.values]
"optimizer.lrr" = [0.1]
"optimizer.lr" = [0.1, 0.1, nan]
"optimizer.nesterov" = [1]
batch = [16, 24.5]
name = []
optimizer = ["x"]
"optimizer.steps" = 3
"""
    )
    expected = [
        (9, "retuning", 'add "retrain" to study.modes'),
        (10, "retuning.seeds", "9 is more than study.seeds = 5"),
        (11, "retuning.budget", "unknown key (known here: components, seeds, values)"),
        (13, 'retuning.values."optimizer.lrr"', "did you mean optimizer.lr"),
        (14, 'retuning.values."optimizer.lr"', "0.1 is named 2 times"),
        (14, 'retuning.values."optimizer.lr"', "must be a number as in the configuration (0.1), not NaN"),
        (15, 'retuning.values."optimizer.nesterov"', "must be true or false"),
        (16, "retuning.values.batch", "must be a whole number as in the configuration (32), not 24.5"),
        (17, "retuning.values.name", "0 values (name 1 to 8"),
        (18, "retuning.values.optimizer", "no single value"),
        (19, 'retuning.values."optimizer.steps"', "must be a list, not 3"),
    ]
    found = problems(path)
    assert len(found) == len(expected), found
    for line, (number, key, what) in zip(found, expected, strict=True):
        assert line.startswith(f"lesion.toml:{number}: {key}: ") and what in line, line


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        (RETUNED, 8, "nothing to try"),
        (RETUNED + "values.lr = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]\n", 9, "9 values (name 1 to 8"),
        (RETUNED + "values.lr = [1, 2, 3, 4, 5]\nvalues.wd = [0.2, 1, 2, 3, 4, 5]\n", 9, "these are 42 settings"),
        (SMALLEST + "[retuning]\nvalues.lr = [0.1]\n", 8, "no such key in the configuration (it has no keys at all)"),
    ],
)
def test_each_mistake_of_a_retuning_is_named_alone(study, tmp_path, text, line, what):
    (tmp_path / "c.yaml").write_text("lr: 0.1\nwd: 0.01\n")
    (found,) = problems(study(text))
    assert found.startswith(f"lesion.toml:{line}: ") and what in found, found


EARLY = "stop_early = true\n"


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        (
            SMALLEST.replace("[exp", EARLY + "[exp"),
            3,
            "study.stop_early: only evaluations of trained models stop early",
        ),
        (
            COMMAND.replace("[exp", f'modes = ["reevaluate"]\n{EARLY}[exp')
            + 'evaluate_command = "{python} e.py {checkpoint}"\nweights = "e.py"\nmetrics_pattern = "(?P<a>.)"\n'
            + ONE_METRIC,
            4,
            "study.stop_early: a command is evaluated as a whole",
        ),
        (
            COMMAND + 'metrics_pattern = "(?P<a>.)"\n' + ONE_METRIC + '[limits]\nreplay_memory = "1GiB"\n',
            9,
            "limits.replay_memory: nothing of a command is replayed",
        ),
        (SMALLEST.replace("[exp", 'stop_early = "yes"\n[exp'), 3, 'study.stop_early: must be true or false, not "yes"'),
        (SMALLEST + '[limits]\nreplay_memory = "much"\n', 8, "limits.replay_memory: "),
        (SMALLEST + '[limits]\nreplay_memory = "100GiB"\n', 8, "limits.replay_memory: more than limits.trial_memory"),
    ],
)
def test_what_cannot_stop_early_or_be_replayed_is_said(study, text, line, what):
    (found,) = problems(study(text))
    assert found.startswith(f"lesion.toml:{line}: ") and what in found, found


def test_stopping_early_is_the_studys_own_choice(study):
    assert load_study(study(SMALLEST)).study.stop_early is None
    text = SMALLEST.replace("[exp", 'modes = ["retrain", "reevaluate"]\nstop_early = true\n[exp')
    spec = load_study(study(text + '[limits]\nreplay_memory = "256MiB"\n'))
    assert (spec.study.stop_early, spec.limits.replay_memory) == (True, 2**28)
