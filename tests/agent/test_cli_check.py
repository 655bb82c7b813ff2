"""`lesion report --check`: what it prints, how it leaves, and what it says of files that cannot be checked."""

import json

import pytest

from tests.experiments import project


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A study without joint removals, run to its end."""
    one = project(tmp_path_factory.mktemp("checked"))
    assert one.lesion("run", "--interactions", "none").code in (0, 3)
    return one


@pytest.fixture(scope="module")
def effect(made):
    return next(e for e in made.results()["effects"] if e["ablation"] == "config:use_left" and e["metric"] == "score")


def written(tmp_path, text, name="section.md"):
    path = tmp_path / name
    path.write_text(text)
    return str(path)


def test_a_text_that_is_backed_leaves_with_zero(made, effect, tmp_path):
    text = f"Removing `config:use_left` changes the score by {effect['delta']:+.4f}.\n".replace("-", "−")
    ended = made.lesion("report", "--check", written(tmp_path, text))
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.endswith(" 0 contradicted, 0 unbacked\n")


def test_what_is_contradicted_is_printed_with_its_line_and_leaves_with_three(made, effect, tmp_path):
    text = f"Fine.\n\nRemoving `config:use_left` changes the score by {effect['delta'] + 0.5:+.4f}.\n".replace("-", "−")
    path = written(tmp_path, text)
    ended = made.lesion("report", "--check", path)
    assert (ended.code, ended.err) == (3, "")
    first, last = ended.out.splitlines()
    assert first.startswith(f"{path}:3: contradicted: number") and 'effect("config:use_left").delta' in first
    assert (
        last == f"{path}: {1 if 'changes' in text else 0} backed, 1 contradicted, 0 unbacked"
        or "1 contradicted" in last
    )
    records = json.loads(made.lesion("report", "--check", path, "--json").out)
    assert records["counts"]["contradicted"] == 1
    assert [one["line"] for one in records["findings"] if one["outcome"] == "contradicted"] == [3]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.pdf", b"%PDF", "cannot tell how to read .pdf"),
        ("a.md", b"\xff\xfe\x00", "no UTF-8 text"),
        ("a.md", b"a\0b", "no text"),
        ("a.tex", b"  \n", "empty"),
        ("a.md", b'{{ effect("config:nothing").delta }} and {{ 1 }}', "2 references are broken"),
    ],
)
def test_a_file_that_cannot_be_checked_is_one_clear_message(made, tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    ended = made.lesion("report", "--check", str(tmp_path / name))
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err and "Traceback" not in ended.err


def test_a_missing_file_a_report_beside_it_and_records_without_it_are_refused(made, tmp_path):
    ended = made.lesion("report", "--check", str(tmp_path / "none.md"))
    assert ended.code == 2 and "cannot be read" in ended.err
    assert made.lesion("report", "--check", "x.md", "--format", "md").code == 2
    assert made.lesion("report", "--json").code == 2


def test_a_study_without_results_has_nothing_to_check_against(tmp_path):
    fresh = project(tmp_path)
    assert fresh.lesion("plan").code == 0
    ended = fresh.lesion("report", "--check", written(tmp_path, "Dropout matters.\n", "text.md"))
    assert ended.code == 2 and ended.err.strip() and "Traceback" not in ended.err
