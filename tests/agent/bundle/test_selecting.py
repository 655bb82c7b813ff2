"""What of a project goes into a bundle, where its root lies beside the study file."""

import pytest
from lesion.agent.bundle.selecting import select
from lesion.agent.studyfile import load_study

STUDY = """\
[study]
name = "s"

[project]
root = "../code"
inputs = ["data", "../far.bin"]

[experiment]
python = "experiment.py"

[metrics.score]
goal = "maximize"
"""


@pytest.fixture
def spec(tmp_path):
    for folder in ("study", "code/data", "code/.git", "code/env", "code/runs"):
        (tmp_path / folder).mkdir(parents=True)
    files = {
        "study/lesion.toml": STUDY,
        "study/other.txt": "not below the root",
        "code/experiment.py": "def build_model(config): ...\n",
        "code/keys.py": 'api_key = "' + "k9" * 12 + '"\n',
        "code/data/train.txt": "1 2 3\n",
        "code/.git/config": "x",
        "code/env/pyvenv.cfg": "x",
        "code/runs/small.txt": "12345",
        "code/runs/large.txt": "1" * 2000,
        "code/runs/bundle.zip": "earlier",
        "far.bin": "123",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    return load_study(tmp_path / "study")


def test_what_trials_need_comes_first_and_secrets_never(spec, tmp_path):
    own = (tmp_path / "study/.lesion/s", tmp_path / "code/runs/bundle.zip")
    found = select(spec, own, 2000)
    assert set(found.files) == {"study/lesion.toml", "code/experiment.py", "code/data/train.txt", "code/runs/small.txt"}
    left_out = {one.path: one for one in found.left_out}
    assert left_out.keys() == {"code/keys.py", "code/.git/", "code/env/", "code/runs/large.txt"}
    assert left_out["code/keys.py"].needed and left_out["code/keys.py"].reason == "may hold secrets"
    assert left_out["code/runs/large.txt"].size == 2000 and not left_out["code/runs/large.txt"].needed
    assert [(one.given, one.key, one.size) for one in found.outside] == [("../far.bin", "project.inputs", 3)]

    fewer = select(spec, own, len(STUDY))
    assert {one.path for one in fewer.left_out if one.needed} >= {"code/keys.py"}
    assert all(one.sha256 for one in fewer.left_out if "too large" in one.reason)
