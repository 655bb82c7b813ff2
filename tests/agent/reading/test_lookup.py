"""What may be asked for, and what is never given."""

import os

import pytest
from lesion.agent.reading.digest.lookup import Lookup, look_up
from lesion.agent.reading.digest.readable import Readable
from lesion.agent.reading.digest.secrets import MARKER
from pydantic import ValidationError

KEY = "sk-" + "aB3dE5fG7hJ9kL1mN2pQ4rS6"


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "root"
    (root / "pkg").mkdir(parents=True)
    (root / "a.py").write_text("".join(f"line_{number} = {number}\n" for number in range(1, 101)))
    (root / "pkg" / "b.py").write_text(f"import os\nloss = 1\nkey = '{KEY}'\n# loss(x) of a*b\n")
    (root / "secrets.py").write_text("loss = 2\n")
    (root / "ignored.py").write_text("loss = 3\n")
    (root / ".gitignore").write_text("ignored.py\n")
    outside = tmp_path / "outside.py"
    outside.write_text("loss = 4\n")
    (root / "link.py").symlink_to(outside)
    os.mkfifo(root / "pipe.py")
    return Readable(root, known=())


def asked(project, **what):
    return look_up(project, Lookup(**what))


def test_a_file_and_lines_of_it(project):
    text = asked(project, kind="file", path="a.py")
    assert "begin: a.py, lines 1-100 of 100\nline_1 = 1\n" in text and "line_100 = 100\n===" in text
    text = asked(project, kind="range", path="a.py", first=10, last=12)
    assert "a.py, lines 10-12 of 100\nline_10 = 10\nline_11 = 11\nline_12 = 12\n=== " in text
    assert "lines 99-100 of 100" in asked(project, kind="range", path="a.py", first=99, last=1000)


def test_a_long_file_is_cut_and_says_so(project):
    text = look_up(project, Lookup(kind="file", path="a.py"), most=100)
    assert "line_1 = 1" in text and "line_30" not in text
    assert "of 100 is the last one shown; ask for a range" in text


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ({"kind": "file", "path": "../outside.py"}, "outside the project"),
        ({"kind": "file", "path": "/etc/passwd"}, "outside the project"),
        ({"kind": "file", "path": "link.py"}, "a link out of the project"),
        ({"kind": "file", "path": "pipe.py"}, "no file"),
        ({"kind": "file", "path": "pkg"}, "no file"),
        ({"kind": "file", "path": ""}, "outside"),
        ({"kind": "range", "path": "secrets.py", "first": 1}, "may hold secrets"),
        ({"kind": "file", "path": "ignored.py"}, "ignored by .gitignore"),
        ({"kind": "range", "path": "a.py", "first": 9, "last": 3}, "has 100 lines"),
        ({"kind": "range", "path": "a.py", "first": 900}, "has 100 lines"),
        ({"kind": "grep", "pattern": "  "}, "nothing to search for"),
    ],
)
def test_refusals_are_said(project, what, reason):
    text = asked(project, **what)
    assert "not shown" in text and reason in text
    assert "loss = " not in text


def test_a_search_leaves_out_what_may_not_be_read(project):
    text = asked(project, kind="grep", pattern="loss")
    assert "pkg/b.py:2: loss = 1\npkg/b.py:4: # loss(x) of a*b\n=== " in text
    assert "secrets" not in text and "ignored" not in text and "link" not in text


def test_a_search_within_a_folder_or_a_glob(project):
    assert "(none)" in asked(project, kind="grep", pattern="loss", path="a.py")
    for path in ("pkg", "./pkg/", "pkg/b.py", "pkg/*.py"):
        assert "pkg/b.py:2" in asked(project, kind="grep", pattern="loss", path=path)


@pytest.mark.parametrize("pattern", ["loss(x)", r"loss\(x\)", "a*b", r"^# l\w+", "[lm]oss.x", "nothing|loss.x"])
def test_patterns_and_plain_text(project, pattern):
    assert "pkg/b.py:4: # loss(x) of a*b" in asked(project, kind="grep", pattern=pattern)


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a|aa)+$", "a*a*a*a*a*b", ".*.*.*.*x", "(?=a)", "[", "a{1,99999}", "\\"]
)
def test_no_pattern_hangs_or_fails(project, pattern):
    (project.root / "long.py").write_text("a" * 100_000 + "\n" + "# " + pattern + "\n")
    assert f"long.py:2: # {pattern}" in asked(Readable(project.root), kind="grep", pattern=pattern)


def test_secrets_neither_show_nor_can_be_guessed(project):
    assert KEY not in (text := asked(project, kind="file", path="pkg/b.py")) and MARKER in text
    for guess in (KEY, KEY[:8], "sk-[a-m]"):
        assert "pkg/b.py" not in asked(project, kind="grep", pattern=guess).replace(guess, "")


def test_many_hits_are_cut(project):
    (project.root / "many.py").write_text("loss = 1\n" * 500)
    text = asked(Readable(project.root), kind="grep", pattern="loss")
    assert text.count("many.py:") <= 100 and "narrow the search" in text


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "run"},
        {"kind": "file", "path": "x" * 501},
        {"kind": "grep", "pattern": "x" * 201},
        {"kind": "range", "first": 0},
    ],
)
def test_requests_are_bounded(wrong):
    with pytest.raises(ValidationError):
        Lookup(**wrong)
