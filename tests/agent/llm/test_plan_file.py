"""Whatever a language model writes, its plan can be read again from the file."""

import pytest
from lesion.agent.planning.plan import Dropped, Plan, parse_plan
from lesion.executor.interventions import Block, SourceEdit


@pytest.mark.parametrize(
    "text", ["a\x1b[31m\n.py", "\x00\n", "\tx\r\ny\n", "\u202e\n\x85y", "x: |\n  - y\n", "… “x”\n# y"]
)
def test_odd_characters_come_back(tmp_path, text):
    edit = SourceEdit(blocks=[Block(file="x" + text, search=text, replace=text)])
    plan = Plan(
        study="s", round=1, planner="p", ablations=[], dropped=[Dropped(id=text, reason=text, interventions=[edit])]
    )
    path = tmp_path / "plan.yaml"
    path.write_text(plan.as_yaml(), encoding="utf-8")
    assert parse_plan(path).hash == plan.hash
