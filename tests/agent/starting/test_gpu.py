"""Source that asks for a GPU, and source that only asks whether it runs on one."""

import pytest
from lesion.agent.reading.script.settings import ScriptSettings
from lesion.agent.reading.script.source import parsed
from lesion.agent.starting.choices import chosen


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("model.cuda()", True),
        ("x = x.to('cuda')", True),
        ("if args.device.startswith('cuda'): torch.cuda.synchronize()", False),
        ("kind = 1 if device == 'cuda' else 0", False),
        ("pinned = 'cuda' in device", False),
        ("if device == 'cuda': x = x.to('cuda:0')", True),
    ],
)
def test_only_what_is_asked_for_is_told(tmp_path, line, told):
    file = tmp_path / "train.py"
    file.write_text(f"import torch\n{line}\n")
    source = parsed(tmp_path, file, entry=True)
    found = chosen("{python} train.py", ScriptSettings({}, {}, {}, {}), [source], [], gpu=False)
    assert [one for one in found.gaps if "train.py:2 asks for a GPU" in str(one)] == list(found.gaps)
    assert bool(found.gaps) == told
