"""Training that keeps a copy of its model, as weight averaging does."""

import pytest

from tests.experiments import EXPERIMENT, STUDY, project

AVERAGES = {
    "by hand": (
        "shadow = copy.deepcopy(model)",
        "for kept, now in zip(shadow.parameters(), model.parameters()):\n            kept.data.lerp_(now.data, 0.1)",
        "model.load_state_dict(shadow.state_dict())",
    ),
    "torch's own": (
        "shadow = torch.optim.swa_utils.AveragedModel(model)",
        "shadow.update_parameters(model)",
        "return shadow.module",
    ),
}


@pytest.mark.parametrize("average", AVERAGES)
def test_a_model_that_is_copied_in_training_is_read_checked_and_trained(tmp_path, average):
    before, each, after = AVERAGES[average]
    text = EXPERIMENT.replace("import torch\n", "import copy\n\nimport torch\n", 1)
    text = text.replace("    torch.manual_seed(seed)\n", f"    torch.manual_seed(seed)\n    {before}\n", 1)
    text = text.replace("        optimizer.step()\n", f"        optimizer.step()\n        {each}\n", 1)
    text = text.replace("\n\n\n@torch.no_grad()", f"\n    {after}\n\n\n@torch.no_grad()", 1)
    assert text.count(before) == text.count(each) == text.count(after) == 1
    study = STUDY.replace('["config:use_*", "config:unused_dropout"]', '["config:use_left"]')
    made = project(tmp_path / "p", experiment=text, study=study)
    ended = made.lesion("run", "--max-trials", "4")
    assert ended.code == 4, ended.err
    statuses = dict(made.rows("select status, count(*) from trials group by status"))
    assert statuses["ok"] == 4
