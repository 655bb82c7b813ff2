"""What evaluation reaches: on small packages as people write them."""

from pathlib import Path

import pytest
from lesion.agent.editing.reach import Reach, reach


def project(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / (name.replace("__in__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def names(found: Reach) -> set[str]:
    return {f"{one.file}:{one.name}" for one in found.definitions}


def reached(root: Path, *functions: str) -> set[str]:
    return names(reach(root, root / "experiment.py", functions or ("evaluate", "score")))


def test_only_what_evaluate_needs(tmp_path):
    project(
        tmp_path,
        experiment="""
import torch
from model import Net
LIMIT = 3
RATE = 0.1

def build_model(config):
    return Net()

def loss(x):
    return x * RATE

def evaluate(model, config):
    return {"accuracy": accuracy(model)}

def accuracy(model):
    return min(LIMIT, model.probe())
""",
        model="class Net:\n    def probe(self):\n        return 1\n",
    )
    assert reached(tmp_path) == {"experiment.py:LIMIT", "experiment.py:evaluate", "experiment.py:accuracy"}


def test_lines_of_what_is_reached(tmp_path):
    project(tmp_path, experiment="import functools\n\n@functools.cache\ndef evaluate(m, c):\n    return {}\n\nX = 1\n")
    found = reach(tmp_path, tmp_path / "experiment.py", ["evaluate"])
    assert found.touches("experiment.py", 3, 3) == "evaluate"
    assert found.touches("experiment.py", 1, 1) == "functools"
    assert found.touches("experiment.py", 2, 2) is None
    assert found.touches("experiment.py", 6, 9) is None
    assert found.touches("other.py", 3, 3) is None


@pytest.mark.parametrize(
    ("line", "use"),
    [
        ("import tools.metrics", "tools.metrics.accuracy(m)"),
        ("import tools.metrics as k", "k.accuracy(m)"),
        ("from tools import metrics", "metrics.accuracy(m)"),
        ("from tools import metrics as k", "k.accuracy(m)"),
        ("from tools.metrics import accuracy", "accuracy(m)"),
        ("from tools.metrics import accuracy as a", "a(m)"),
        ("from tools.metrics import *", "accuracy(m)"),
        (
            "",
            "__import__('os') and late(m)\n\ndef late(m):\n    from tools.metrics import accuracy as a\n    return a(m)",
        ),
        (
            "try:\n    from fast import accuracy\nexcept ImportError:\n    from tools.metrics import accuracy",
            "accuracy(m)",
        ),
    ],
)
def test_every_way_of_importing(tmp_path, line, use):
    project(
        tmp_path,
        experiment=f"{line}\n\ndef evaluate(m, c):\n    return {use}\n",
        tools__in____init__="",
        tools__in__metrics="from . import base\n\ndef accuracy(m):\n    return base.mean(m)\n\ndef other(m):\n    return 1\n",
        tools__in__base="from ..tools.deep import HALF\ndef mean(m):\n    return m * HALF\n",
        tools__in__deep="HALF = 0.5\nFULL = 1.0\n",
    )
    found = reached(tmp_path)
    wanted = {"tools/metrics.py:accuracy", "tools/base.py:mean", "tools/deep.py:HALF"}
    assert wanted <= found
    assert not {"tools/metrics.py:other", "tools/deep.py:FULL"} & found


def test_a_module_used_whole_is_reached_whole(tmp_path):
    project(
        tmp_path,
        experiment="import metrics\n\ndef evaluate(m, c):\n    k = metrics\n    return k.accuracy(m)\n",
        metrics="def accuracy(m): ...\ndef other(m): ...\n",
    )
    assert {"metrics.py:accuracy", "metrics.py:other"} <= reached(tmp_path)


def test_a_parameter_named_like_a_module_is_not_the_module(tmp_path):
    project(
        tmp_path,
        experiment="import model\n\ndef build_model(c):\n    return model.Net()\n\n"
        "def evaluate(model, c):\n    return sum(model(x) for x in c)\n",
        model="class Net: ...\n",
    )
    assert reached(tmp_path) == {"experiment.py:evaluate"}


def test_a_comprehension_hides_a_name_only_within_itself(tmp_path):
    project(
        tmp_path,
        experiment="def scale(x): ...\n\ndef evaluate(m, c):\n    a = [scale for scale in c]\n    return scale(m)\n",
    )
    assert "experiment.py:scale" in reached(tmp_path)


def test_annotations_do_not_reach_but_calls_in_them_do(tmp_path):
    project(
        tmp_path,
        experiment="class Net: ...\ndef make(): ...\n\ndef evaluate(m: 'Net | Net', n: Net, o: make() = 1): ...\n",
    )
    assert reached(tmp_path) == {"experiment.py:evaluate", "experiment.py:make"}


def test_bases_decorators_defaults_lambdas_and_nested_functions(tmp_path):
    project(
        tmp_path,
        experiment="""
def wrap(f): return f
def base(): ...
def first(): ...
def second(): ...
def third(): ...
def fourth(): ...
def unused(): ...
class Root:
    def method(self): return third()
class Metric(Root):
    @wrap
    def update(self, key=first): ...
def evaluate(m, c, by=lambda x: second()):
    def inner():
        return Metric()
    return f"{fourth():.2f}", inner()
""",
    )
    found = {name.split(":")[1] for name in reached(tmp_path)}
    assert found == {"wrap", "first", "second", "third", "fourth", "Root", "Metric", "evaluate"}


def test_what_runs_at_import_counts_in_every_file_on_the_way(tmp_path):
    project(
        tmp_path,
        experiment='"""Doc."""\nimport torch\nfrom model import Net\n\ndef evaluate(m, c): ...\n\n'
        'if __name__ == "__main__":\n    evaluate(1, 2)\n',
        model="import torch\nimport setup\ntorch.set_default_dtype(torch.float64)\nclass Net: ...\nWIDTH = 3\n",
        setup="import torch\ntorch.backends.cudnn.benchmark = prepare()\ndef prepare(): ...\ndef no(): ...\n",
    )
    assert reached(tmp_path) == {
        "experiment.py:evaluate",
        "model.py:torch",
        "model.py:torch.set_default_dtype(torch.float64)",
        "setup.py:torch.backends.cudnn.benchmark = prepare()",
        "setup.py:prepare",
        "setup.py:torch",
    }


def test_every_statement_that_binds_a_name(tmp_path):
    project(
        tmp_path,
        experiment="""
LIMIT = 1
if LIMIT:
    LIMIT = 2
LIMIT += 1
def train(m):
    global LIMIT
    LIMIT = 9
def evaluate(m, c):
    return LIMIT
""",
    )
    found = reach(tmp_path, tmp_path / "experiment.py", ["evaluate"])
    assert [one.first for one in found.definitions] == [2, 3, 5, 6, 9]


def test_stars_of_stars_and_names_that_nobody_shows(tmp_path):
    project(
        tmp_path,
        experiment="from one import *\n\ndef evaluate(m, c):\n    return accuracy(m)\n\ndef score(m, b):\n    return magic(m)\n",
        one="from two import *\ndef helper(): ...\n",
        two="def accuracy(m): ...\ndef other(m): ...\n",
    )
    assert reached(tmp_path, "evaluate") == {"experiment.py:*", "experiment.py:evaluate", "one.py:*", "two.py:accuracy"}
    assert {"one.py:helper"} <= reached(tmp_path, "score")


def test_packages_in_src_and_circular_imports(tmp_path):
    project(
        tmp_path,
        experiment="from kit.a import f\n\ndef evaluate(m, c):\n    return f(m)\n",
        src__in__kit__in____init__="from .a import f\n",
        src__in__kit__in__a="from . import b\ndef f(m):\n    return b.g(m)\n",
        src__in__kit__in__b="from kit.a import f\ndef g(m):\n    return f(m) if m else 0\n",
    )
    assert {"src/kit/a.py:f", "src/kit/b.py:g"} <= reached(tmp_path)


def test_a_module_on_a_search_path_that_is_set_elsewhere(tmp_path):
    project(
        tmp_path,
        experiment="from toolbox.metrics import f\n\ndef evaluate(m, c):\n    return f(m)\n",
        third_party__in__toolbox__in__metrics="def f(m): ...\n",
    )
    assert "third_party/toolbox/metrics.py:f" in reached(tmp_path)


def test_a_file_that_does_not_parse_is_reached_whole(tmp_path):
    project(tmp_path, experiment="from bad import f\n\ndef evaluate(m, c):\n    return f(m)\n", bad="def f(m:\n\n\n")
    found = reach(tmp_path, tmp_path / "experiment.py", ["evaluate"])
    assert found.touches("bad.py", 3, 3) == "bad.py"


def test_imports_do_not_leave_the_root(tmp_path):
    project(tmp_path, secret="KEY = 1\n")
    root = project(
        tmp_path / "in" / "side", experiment="from ...secret import KEY\ndef evaluate(m, c):\n    return KEY\n"
    )
    assert reached(root) == {"experiment.py:KEY", "experiment.py:evaluate"}


def test_changes_show_by_what_is_reached_not_by_line(tmp_path):
    project(tmp_path, experiment="def f(m): ...\n\ndef evaluate(m, c):\n    return len(f(m))\n\ndef train(): ...\n")
    entry = tmp_path / "experiment.py"
    before, text = reach(tmp_path, entry, ["evaluate"]), entry.read_text()

    def changed(new: str) -> list[str]:
        return before.changed(reach(tmp_path, entry, ["evaluate"], texts={"experiment.py": new}))

    assert changed("# a comment above\n" + text.replace("train(): ...", "train(): return 1")) == []
    assert changed(text.replace("f(m): ...", "f(m): return 1")) == ["f (experiment.py)"]
    assert changed(text + "len = max\n") == ["len (experiment.py)"]
    assert changed(text + "evaluate = train\n") != []
    assert changed(text + "train()\n") != []
