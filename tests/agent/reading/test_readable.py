"""Which files may be read: git's rules, the study's, and those that protect people from themselves."""

import os
import subprocess

import pytest
from lesion.agent.reading.digest.readable import LARGEST, Readable, Text
from lesion.agent.reading.digest.secrets import MARKER


def write(root, **files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return root


def test_gitignore_at_every_level_with_negation_as_git_decides(tmp_path):
    files = [
        "a.py", "a.log", "keep.log", "sub/a.log", "sub/keep.log", "sub/other.txt", "sub/deep/other.txt", "data/x.py",
        "data/keep.py", "build2/x.py", "sub/build2/x.py", "top.py", "sub/top.py", "with space.py", "#odd.py",
    ]  # fmt: skip
    write(tmp_path, **dict.fromkeys(files, "x = 1\n"))
    write(
        tmp_path,
        **{
            ".gitignore": "*.log\n!keep.log\ndata/\n!data/keep.py\nbuild2/\n/top.py\nwith\\ space.py\n\\#odd.py\n",
            "sub/.gitignore": "keep.log\nother.txt\n!deep/other.txt\n!a.log\n",
        },
    )
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    listed = subprocess.run(
        ["git", "ls-files", "--others", "--exclude-standard"], cwd=tmp_path, check=True, capture_output=True, text=True
    ).stdout.split("\n")
    readable = Readable(tmp_path)
    assert set(readable.found.files) == {one for one in listed if one and ".gitignore" not in one}
    for one in files:
        assert (readable.refusal(one) is None) == (one in listed), one


def test_gitignore_of_the_repository_around_the_project(tmp_path):
    write(tmp_path, **{".git/HEAD": "", ".gitignore": "inner/notes.py\n", "inner/notes.py": "", "inner/a.py": ""})
    assert Readable(tmp_path / "inner").found.files == ("a.py",)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("../outside.py", "outside"),
        ("/etc/passwd", "outside"),
        ("a\\b.py", "outside"),
        ("", "outside"),
        (".", "outside"),
        ("nothing.py", "no file"),
        ("folder", "no file"),
        ("pipe", "no file"),
        ("a\nb.py", "control characters"),
        ("vendor2/a.py", "project.exclude"),
        ("conf/x.cfg", "project.exclude"),
        (".lesion/ledger.py", "hidden"),
        ("node_modules/a.py", "hidden"),
        ("myenv/lib/a.py", "hidden"),
        (".env", "may hold secrets"),
        ("deep/.env.local", "may hold secrets"),
        ("link.py", "link out"),
        ("linked/a.py", "link out"),
        ("alias.py", "may hold secrets"),
        ("model.bin", "not text"),
        ("latin.py", "not text"),
        ("huge.txt", "larger than"),
    ],
)
def test_refusals(tmp_path, path, reason):
    root = write(
        tmp_path / "root",
        **{
            "ok.py": "x = 1\n", "folder/x.py": "", "vendor2/a.py": "", "conf/x.cfg": "", ".lesion/ledger.py": "",
            "node_modules/a.py": "", "myenv/lib/a.py": "", "myenv/pyvenv.cfg": "", ".env": "A=1", "deep/.env.local": "",
            "model.bin": b"PK\x00\x01", "latin.py": b"# caf\xe9\n", "huge.txt": b"x" * (LARGEST + 1),
        },
    )  # fmt: skip
    outside = write(tmp_path / "outside", **{"a.py": "secret\n"})
    (root / "link.py").symlink_to(outside / "a.py")
    (root / "linked").symlink_to(outside)
    (root / "alias.py").symlink_to(root / ".env")
    os.mkfifo(root / "pipe")
    readable = Readable(root, ["vendor2/", "conf/*.cfg"])
    refused = readable.read(path)
    assert isinstance(refused, str) and reason in refused
    assert readable.found.files == ("folder/x.py", "ok.py")


def test_what_was_left_out_is_listed_by_reason(tmp_path):
    write(tmp_path, **{"a.py": "", ".env": "A=1", "out/b.py": "", "out/c.py": "", "id_rsa": "", ".gitignore": "out/\n"})
    left_out = Readable(tmp_path).found.left_out
    assert left_out["may hold secrets"] == [".env", "id_rsa"]
    assert left_out["ignored by .gitignore"] == ["out/"]


def test_texts_come_without_secrets(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "quite-ordinary")
    write(tmp_path, **{"a.py": "# quite-ordinary\r\npassword = 'hunter2xyz'\r\nx = 1\r\n"})
    found = Readable(tmp_path).read("a.py")
    assert found == Text("a.py", f"# {MARKER}\npassword = '{MARKER}'\nx = 1\n", 2)


def test_the_results_of_the_study_are_no_part_of_the_project(tmp_path):
    for name in ("a.py", "results/transcript.jsonl", "results/plans/b.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x = 1\n")
    readable = Readable(tmp_path, state=tmp_path / "results")
    assert readable.found.files == ("a.py",) and readable.found.left_out == {}
    assert isinstance(readable.read("results/plans/b.py"), str)
