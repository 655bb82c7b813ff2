"""Edits of the source as they are shown: in the file as it is, or as they were written where they do not fit it any more."""

import pytest
from lesion.agent.chat.diffs import diff_of, diffs_of
from lesion.agent.planning.plan import Ablation
from lesion.agent.results import Prediction
from lesion.executor.interventions import Block, ConfigOverride, SourceEdit

CODE = "".join(f"line_{number} = {number}\n" for number in range(1, 20)) + (
    "def forward(self, x):\n        y = x\n        return self.out(y)\n\n\ndef other():\n    pass\n"
)
EDIT = SourceEdit(blocks=[Block(file="model.py", search="self.out(y)", replace="y")])


def ablation(intervention):
    return Ablation(
        id="edit:out",
        components=["edit:out"],
        interventions=[intervention],
        hypothesis="It helps.",
        prediction=Prediction(direction="worse", size=1.0),
    )


@pytest.fixture
def root(tmp_path):
    (tmp_path / "model.py").write_text(CODE, encoding="utf-8")
    return tmp_path


def test_an_edit_is_shown_in_its_file_with_numbers_and_the_lines_around_it(root):
    assert diff_of(ablation(EDIT), root).text.splitlines() == [
        "--- a/model.py",
        "+++ b/model.py",
        "@@ -19,7 +19,7 @@",
        " line_19 = 19",
        " def forward(self, x):",
        "         y = x",
        "-        return self.out(y)",
        "+        return y",
        " ",
        " ",
        " def other():",
    ]
    assert diff_of(ablation(ConfigOverride(key="dropout", value=0.0)), root) is None


@pytest.mark.parametrize("how", ["changed", "gone", "excluded", "outside"])
def test_what_does_not_fit_the_file_or_may_not_be_read_is_shown_as_it_was_written(root, how):
    edit, exclude = EDIT, ()
    if how == "changed":
        (root / "model.py").write_text("pass\n", encoding="utf-8")
    elif how == "gone":
        (root / "model.py").unlink()
    elif how == "excluded":
        exclude = ("model.py",)
    else:
        edit = SourceEdit(blocks=[Block(file="../model.py", search="self.out(y)", replace="y")])
    text = diff_of(ablation(edit), root, exclude).text
    assert text.splitlines()[2:] == ["@@", "-self.out(y)", "+y"]
    assert "forward" not in text


def test_without_a_root_and_without_an_edit_there_is_a_line_for_each(root):
    other = ablation(ConfigOverride(key="dropout", value=0.0)).model_copy(update={"id": "config:dropout"})
    edited, changed = diffs_of([ablation(EDIT), other])
    assert "@@\n-self.out(y)" in edited.text
    assert changed.text == "dropout = 0.0"
    assert "@@ -19,7 +19,7 @@" in diffs_of([ablation(EDIT)], root=root)[0].text
