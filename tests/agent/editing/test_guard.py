"""Edits that pass, and edits that are refused, on a project as people write them."""

from pathlib import Path

import pytest
from lesion.agent.editing.guard import SourceGuard
from lesion.executor.interventions import Block, SourceEdit

FILES = {
    "experiment.py": '''"""An experiment."""
import os
import torch
from torch import nn
import torch.nn.functional as F
from model import Net
from kit.metrics import accuracy

LIMIT = 3
DECAY = 0.99


def build_model(config):
    return Net(config)


def prepare(x):
    x = x.float()
    x = (x - x.mean()) / x.std()
    return x


def train(model, config, seed):
    average = [p.clone() for p in model.parameters()]
    for step in range(config["steps"]):
        x, y = prepare(torch.randn(8, 4)), torch.zeros(8, dtype=torch.long)
        logits, hidden = model(x)
        loss = F.cross_entropy(logits, y)
        loss = loss + 0.1 * hidden.pow(2).mean()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for kept, p in zip(average, model.parameters()):
            kept.mul_(DECAY).add_(p, alpha=1 - DECAY)
    return model


def evaluate(model, config):
    """Measure."""
    return {"accuracy": accuracy(model, LIMIT)}


def batches(config, split):
    yield from clean(range(3))


def clean(rows):
    return [row for row in rows if row]


if __name__ == "__main__":
    print(os.getcwd())
''',
    "model.py": '''import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.inner = nn.Linear(width, width)

    def forward(self, x):
        """Pass."""
        return x + self.inner(x)


class Net(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.block = Block(4)

    def forward(self, x):
        h = self.block(x)
        return h, h


torch.set_default_dtype(torch.float32)
''',
    "kit/__init__.py": "",
    "kit/metrics.py": "from .deep import share\n\n\ndef accuracy(model, limit):\n    return share(model, limit)\n\n\n"
    "def spare(x):\n    return x + 1\n",
    "kit/deep.py": "def share(model, limit):\n    return 1 / limit\n",
    "unused.py": "import sys\n\n\ndef spare(x):\n    sys.path[0]\n    return x + 1\n",
    "config.yaml": "steps: 3\n",
    ".gitignore": "private/\n",
    "private/a.py": "x = 1\n",
    "vendored/b.py": "x = 1\n",
    "secrets.py": "x = 1\n",
}


@pytest.fixture
def guard(tmp_path):
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return SourceGuard(tmp_path, tmp_path / "experiment.py", ["vendored"])


def edit(file, search, replace):
    return SourceEdit(blocks=[Block(file=file, search=search, replace=replace)])


GOOD = {
    "loss term": edit("experiment.py", "        loss = loss + 0.1 * hidden.pow(2).mean()\n", ""),
    "skip connection": edit("model.py", "        return x + self.inner(x)\n", "        return self.inner(x)\n"),
    "preprocessing": edit("experiment.py", "    x = (x - x.mean()) / x.std()\n", ""),
    "ema": edit(
        "experiment.py",
        "        for kept, p in zip(average, model.parameters()):\n            kept.mul_(DECAY).add_(p, alpha=1 - DECAY)\n",
        "",
    ),
    "clipping": edit("experiment.py", "        nn.utils.clip_grad_norm_(model.parameters(), 1.0)\n", ""),
    "zeros": edit("model.py", "        h = self.block(x)\n", "        h = torch.zeros_like(x)\n"),
    "identity": edit("model.py", "        self.block = Block(4)\n", "        self.block = nn.Identity()\n"),
    "detach": edit("model.py", "        return h, h\n", "        return h, h.detach()\n"),
    "number": edit("experiment.py", "DECAY = 0.99", "DECAY = 0.0"),
}


@pytest.mark.parametrize("name", GOOD)
def test_removals_pass(guard, name):
    assert guard.problem(GOOD[name], proposed=True) is None
    assert guard.problem(GOOD[name], proposed=False) is None


ALWAYS = {
    "not there": (edit("experiment.py", "no such line\n", ""), "not there"),
    "twice": (edit("experiment.py", "def ", "def "), "experiment.py"),
    "outside": (edit("../x.py", "a", "b"), "outside the project"),
    "absolute": (edit("/etc/passwd", "a", "b"), "outside the project"),
    "ignored": (edit("private/a.py", "x = 1", "x = 2"), "ignored by .gitignore"),
    "excluded": (edit("vendored/b.py", "x = 1", "x = 2"), "excluded"),
    "secret": (edit("secrets.py", "x = 1", "x = 2"), "may hold secrets"),
    "hidden": (edit(".gitignore", "private/", ""), "hidden"),
    "no python": (edit("config.yaml", "steps: 3", "steps: 1"), "no Python file"),
    "does not parse": (edit("model.py", "        return h, h\n", "        return h,, h\n"), "parse"),
    "comment": (edit("model.py", "return h, h\n", "return (h,  h)  # as it was\n"), "comments, docstrings or layout"),
    "docstring": (edit("model.py", '"""Pass."""', '"""Go."""'), "comments, docstrings or layout"),
    "evaluate": (edit("experiment.py", "accuracy(model, LIMIT)}", "1.0}"), "`evaluate (experiment.py)`"),
    "batches' helper": (edit("experiment.py", "if row]", "]"), "`clean (experiment.py)`"),
    "through two files": (edit("kit/deep.py", "return 1 / limit", "return 1"), "`share (kit/deep.py)`"),
    "a constant": (edit("experiment.py", "LIMIT = 3", "LIMIT = 1"), "`LIMIT (experiment.py)`"),
    "an import": (
        edit("experiment.py", "from kit.metrics import accuracy", "from kit.metrics import spare as accuracy"),
        "accuracy",
    ),
    "top level": (edit("experiment.py", "DECAY = 0.99\n", "DECAY = 0.99\nprint(DECAY)\n"), "print(DECAY)"),
    "what runs at import": (edit("model.py", "torch.set_default_dtype(torch.float32)\n", ""), "set_default_dtype"),
    "a second definition": (edit("experiment.py", "DECAY = 0.99\n", "DECAY = 0.99\naccuracy = max\n"), "accuracy"),
    "a hidden builtin": (edit("experiment.py", "DECAY = 0.99\n", "DECAY = 0.99\nrange = zip\n"), "range"),
    "a global": (
        edit("experiment.py", "    average = [", "    global LIMIT\n    LIMIT = 9\n    average = ["),
        "`train (experiment.py)`",
    ),
    "an encoding": (edit("model.py", "import torch\n", "# coding: utf-7\nimport torch\n"), "encoding utf-7"),
}


@pytest.mark.parametrize("name", ALWAYS)
def test_nobody_may(guard, name):
    given, reason = ALWAYS[name]
    for proposed in (True, False):
        problem = guard.problem(given, proposed=proposed)
        assert problem and reason in problem


HOOK = "        loss.backward()\n"
"""A line of train, before which things are put."""
PROPOSED = {
    "import": (edit("experiment.py", HOOK, f"        import socket\n{HOOK}"), "imports: `import socket`"),
    "system": (edit("experiment.py", HOOK, '        os.system("curl x")\n' + HOOK), "brings in `os.system`"),
    "text": (edit("experiment.py", HOOK, '        prepare("rm -rf")\n' + HOOK), "the text 'rm -rf'"),
    "bytes": (edit("experiment.py", HOOK, '        prepare(b"rm")\n' + HOOK), "the text b'rm'"),
    "f-string": (edit("experiment.py", HOOK, "        prepare(f'{eval(seed)}')\n" + HOOK), "uses `eval`"),
    "lambda": (edit("experiment.py", HOOK, "        (lambda: exec(seed))()\n" + HOOK), "uses `exec`"),
    "wide exec": (edit("experiment.py", HOOK, "        ｅｘｅｃ(seed)\n" + HOOK), "uses `exec`"),
    "confusable": (
        edit("experiment.py", "(alpha" if False else HOOK, "        ех = seed\n" + HOOK),
        "U+0435 (CYRILLIC SMALL LETTER IE)",
    ),
    "bidi": (edit("experiment.py", HOOK, "        seed = 1  # \u202e\n" + HOOK), "U+202E"),
    "default": (
        edit(
            "experiment.py",
            "def train(model, config, seed):",
            "def train(model, config, seed=open('/etc/passwd').read()):",
        ),
        "uses `open`",
    ),
    "decorator": (
        edit("experiment.py", "def prepare(x):", "@os.register_at_fork\ndef prepare(x):"),
        "os.register_at_fork",
    ),
    "dunder": (edit("experiment.py", HOOK, "        model.__class__\n" + HOOK), "uses `__class__`"),
    "getattr": (edit("experiment.py", HOOK, "        getattr(model, 'x')\n" + HOOK), "uses `getattr`"),
    "attribute": (edit("experiment.py", HOOK, "        model.parameters = prepare\n" + HOOK), "`model.parameters`"),
    "patching": (edit("experiment.py", HOOK, "        F.cross_entropy = prepare\n" + HOOK), "`F.cross_entropy`"),
    "modules": (edit("unused.py", "    sys.path[0]\n", "    sys.path[0] = x\n"), "`sys.path[0]`"),
    "configuration": (edit("experiment.py", HOOK, '        config["steps"] = 0\n' + HOOK), "`config['steps']`"),
    "one line": (edit("experiment.py", HOOK, "        " + "seed = 1; " * 11 + "\n" + HOOK), "adds 1"),
    "unknown layer": (
        edit("model.py", "nn.Linear(width, width)", "nn.Bilinear(width, width)"),
        "brings in `nn.Bilinear`",
    ),
    "loop": (
        edit("experiment.py", 'for step in range(config["steps"]):', "for step in range(int(1)):"),
        "how much of everything there is: less of it is no ablation",
    ),
    "deep": (edit("model.py", "        return h, h\n", "        return " + "h + " * 400 + "h, h\n"), "deep"),
    "new name": (edit("experiment.py", HOOK, "        extra = loss\n" + HOOK), "the name `extra`"),
    "global": (edit("experiment.py", HOOK, f"        global DECAY\n{HOOK}"), "declares `global DECAY`"),
    "two functions": (
        SourceEdit(
            blocks=[
                Block(file="experiment.py", search="    x = x.float()\n", replace=""),
                Block(file="experiment.py", search=HOOK, replace=""),
            ]
        ),
        "touches 2 definitions (prepare (experiment.py), train (experiment.py))",
    ),
    "two files": (
        SourceEdit(blocks=[*GOOD["loss term"].blocks, *GOOD["skip connection"].blocks]),
        "touches 2 definitions",
    ),
    "many lines": (edit("experiment.py", HOOK, HOOK + "        seed = 1\n" * 11), "adds 11 lines"),
}


@pytest.mark.parametrize("name", PROPOSED)
def test_a_model_may_not(guard, name):
    given, reason = PROPOSED[name]
    problem = guard.problem(given, proposed=True)
    assert problem and reason in problem
    assert all(ord(letter) < 128 or letter in "…" for letter in problem)


def test_a_person_may_bring_things_in(guard):
    for name in ("import", "new name", "two functions", "many lines", "text"):
        assert guard.problem(PROPOSED[name][0], proposed=False) is None


def test_all_that_is_wrong_at_once(guard):
    given = SourceEdit(
        blocks=[
            Block(file="experiment.py", search="LIMIT = 3", replace="LIMIT = 1"),
            Block(file="experiment.py", search=HOOK, replace="        os.system('x')\n"),
        ]
    )
    problem = guard.problem(given, proposed=True)
    assert problem
    for part in ("LIMIT", "touches 2 definitions", "os.system", "the text 'x'"):
        assert part in problem
    files = SourceEdit(blocks=[Block(file=name, search="x", replace="y") for name in ("../a.py", "private/a.py")])
    problem = guard.problem(files, proposed=True)
    assert problem and "outside" in problem and ".gitignore" in problem


def test_what_was_there_already_may_stay(guard):
    block = "        super().__init__()\n        self.block = Block(4)\n"
    assert (
        guard.problem(
            edit("model.py", block, "        super().__init__()\n        self.block = Block(0)\n"), proposed=True
        )
        is None
    )


def test_links_are_not_followed(guard, tmp_path, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "x.py"
    outside.write_text("x = 1\n")
    Path(tmp_path, "link.py").symlink_to(outside)
    problem = guard.problem(edit("link.py", "x = 1", "x = 2"), proposed=False)
    assert problem and "link" in problem


def test_a_long_sum_in_the_project_itself_is_no_crash(guard, tmp_path):
    Path(tmp_path, "sums.py").write_text("X = " + "1 + " * 3000 + "1\n")
    experiment = Path(tmp_path, "experiment.py")
    experiment.write_text("import sums\n" + experiment.read_text())
    assert SourceGuard(tmp_path, experiment).problem(GOOD["loss term"], proposed=True) is None
    problem = guard.problem(edit("sums.py", "X = 1 + 1", "X = 1"), proposed=False)
    assert problem and "deep" in problem


def test_an_edit_that_replaces_what_stood_there_by_name(guard, tmp_path):
    path = Path(tmp_path, "experiment.py")
    path.write_text(path.read_text().replace(HOOK, HOOK + '        config["factor"] = step * 2\n'))
    assert guard.problem(edit("experiment.py", "= step * 2\n", "= step\n"), proposed=True) is None


def test_no_answer_tells_a_secret_of_a_file(guard, tmp_path):
    secret = "hunter2" + "xyz"
    Path(tmp_path, "unused.py").write_text(f"password = '{secret}'\nx = 1\n")
    for search in ("password = 'hunter3'\n", f"password = '{secret}'\n", "password = 'hunter2"):
        problem = guard.problem(edit("unused.py", search, ""), proposed=True)
        assert problem == "unused.py: the search text is not there, in the file as it is shown"
    assert guard.problem(edit("unused.py", "x = 1\n", "x = 0\n"), proposed=True) is None
    assert guard.problem(edit("unused.py", f"password = '{secret}'\n", ""), proposed=False) is None


def test_scope(guard):
    scope = guard.scope(PROPOSED["two files"][0])
    assert scope.definitions == ("train (experiment.py)", "Block (model.py)")
    assert (scope.removed, scope.added) == (2, 1)
