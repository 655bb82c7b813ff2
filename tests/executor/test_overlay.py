import os
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lesion.executor.errors import EditError, PlanError
from lesion.executor.interventions import Block, SourceEdit
from lesion.executor.overlay import edited, unified

from .laboratory import project

TRAIN = "def train():\n    loss = main()\n    loss += auxiliary()\n    return loss\n"


def edit(*blocks):
    return SourceEdit(blocks=[Block(file=file, search=search, replace=replace) for file, search, replace in blocks])


@pytest.fixture
def root(tmp_path):
    return project(
        tmp_path,
        {
            "train.py": TRAIN,
            "lib/data.py": "x = 1\ny = 2\nx = 1\n",
            ".git/config": "[core]\n",
            ".lesion/study/plan.py": "x = 1\n",
            "closed/x.py": "x = 1\n",
        },
    )


def problems(root, *edits, **more):
    with pytest.raises(EditError) as caught:
        edited(root, edits, **more)
    assert isinstance(caught.value, PlanError)
    return caught.value.problems


def test_a_block_is_replaced_and_the_file_stays_as_it_is(root):
    found = edited(root, [edit(("train.py", "    loss += auxiliary()\n", ""))])
    assert found == {"train.py": "def train():\n    loss = main()\n    return loss\n"}
    assert (root / "train.py").read_text() == TRAIN


def test_blocks_of_several_edits_meet_in_one_file(root):
    first = edit(("train.py", "    loss += auxiliary()\n", ""), ("lib/data.py", "y = 2", "y = 3"))
    second = edit(("./train.py", "main()", "other()"), ("lib/data.py", "y = 2", "y = 3"))
    assert edited(root, [first, second]) == {
        "train.py": "def train():\n    loss = other()\n    return loss\n",
        "lib/data.py": "x = 1\ny = 3\nx = 1\n",
    }


def test_a_search_text_is_sought_in_the_original_alone(root):
    both = edit(("train.py", "main()", "auxiliary()"), ("train.py", "+= auxiliary()", "+= 0"))
    assert "loss = auxiliary()\n    loss += 0\n" in edited(root, [both])["train.py"]


@pytest.mark.parametrize(
    ("block", "said"),
    [
        (("lib/data.py", "x = 1", "x = 2"), "lib/data.py: the search text is there 2 times, at lines 1, 3: give more"),
        (("train.py", "    loss += auxilary()", ""), "line 3: '    loss += auxiliary()'"),
        (("train.py", "import tensorflow", ""), "not there, nor anything like 'import tensorflow'"),
        (("train.py", "main()", "main()"), "search and replace are the same"),
        (("train.py", "    return loss\n", "    return (loss\n"), "train.py: after the edit it does not parse: "),
        (("missing.py", "x", "y"), "missing.py: cannot be read: No such file or directory"),
        (("lib", "x", "y"), "lib: this is not a file"),
        (("../train.py", "x", "y"), "relative to the project's root"),
        (("/etc/passwd", "root", "toor"), "relative to the project's root"),
        (("lib\\data.py", "y", "z"), "relative to the project's root"),
        ((".git/config", "core", "x"), "nothing is edited in .git"),
        ((".lesion/study/plan.py", "x", "y"), "nothing is edited in .lesion"),
        (("closed/x.py", "x", "y"), "trials see that place otherwise"),
    ],
)
def test_what_does_not_apply_says_why(root, block, said):
    (found,) = problems(root, edit(block), closed=[root / "closed"])
    assert said in found


def test_every_problem_is_told_at_once(root):
    found = problems(root, edit(("lib/data.py", "x = 1", ""), ("a.py", "x", "")), edit(("train.py", "nowhere", "")))
    assert [one.split(":")[0] for one in found] == ["lib/data.py", "a.py", "train.py"]


def test_blocks_may_touch_and_not_overlap(root):
    touching = edit(
        ("train.py", "    loss = main()\n", ""), ("train.py", "    loss += auxiliary()\n", "    loss = 0\n")
    )
    assert edited(root, [touching])["train.py"] == "def train():\n    loss = 0\n    return loss\n"
    crossing = edit(("train.py", "main()\n    loss", "x"), ("train.py", "loss += auxiliary()", "pass"))
    assert problems(root, crossing) == ("train.py: two blocks overlap at line 3",)


def test_no_link_is_followed(root, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "secret.py"
    outside.write_text("x = 1\n")
    (root / "link.py").symlink_to(outside)
    (root / "folder").symlink_to(outside.parent)
    for name in ("link.py", "folder/secret.py"):
        assert "a symbolic link is on the way" in problems(root, edit((name, "x = 1", "x = 2")))[0]


def test_what_is_no_text_is_no_source(root):
    (root / "weights.bin").write_bytes(b"\xff\xfe\x00")
    assert problems(root, edit(("weights.bin", "x", "y"))) == ("weights.bin: this is not text in UTF-8",)


def test_lines_end_as_they_did(root):
    (root / "dos.py").write_bytes(b"\xef\xbb\xbfa = 1\r\nb = 2\r\nc = 3\nd = 4")
    found = edited(root, [edit(("dos.py", "a = 1\nb = 2\n", "a = 0\nb = 0\n"), ("dos.py", "c = 3\nd", "c = 0\ne"))])
    assert found["dos.py"].encode() == b"\xef\xbb\xbfa = 0\r\nb = 0\r\nc = 0\ne = 4"


def test_a_file_that_never_parsed_may_be_edited(root):
    (root / "old.py").write_text("print 1\n")
    assert edited(root, [edit(("old.py", "1", "2"))]) == {"old.py": "print 2\n"}


@given(st.lists(st.text("ab \n", min_size=1, max_size=6), min_size=3, max_size=6, unique=True), st.text("xy\r\n"))
def test_what_is_found_once_is_replaced_and_all_else_stays(tmp_path_factory, pieces, replace):
    folder, text = tmp_path_factory.mktemp("any"), "".join(pieces)
    (folder / "file.txt").write_text(text)
    search = pieces[1]
    wanted = replace.replace("\r\n", "\n")
    count = sum(text.startswith(search, at) for at in range(len(text)))
    if count == 1 and search != wanted:
        found = edited(folder, [edit(("file.txt", search, replace))])["file.txt"]
        assert found == text.replace(search, wanted)
    else:
        assert len(problems(folder, edit(("file.txt", search, replace)))) == 1


def test_a_unified_diff_is_one_that_patch_applies(root):
    found = edited(root, [edit(("train.py", "    loss += auxiliary()\n", ""), ("lib/data.py", "y = 2", "y = 3"))])
    diff = unified(root, found)
    assert "--- a/train.py\n+++ b/train.py\n" in diff
    assert "\n-    loss += auxiliary()\n" in diff
    subprocess.run(["git", "apply", "-"], input=diff, text=True, cwd=root, check=True)
    assert {name: (root / name).read_text() for name in found} == found


def test_a_pipe_is_no_file_and_nobody_waits_for_it(root):
    os.mkfifo(root / "fifo.py")
    assert problems(root, edit(("fifo.py", "x", "y"))) == ("fifo.py: this is not a file",)
