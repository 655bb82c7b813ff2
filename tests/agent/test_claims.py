"""Claims as a study states them, and every way to state them wrongly."""

import pytest
from lesion.agent.claims import claims_of
from lesion.agent.studyfile import load_study
from lesion.executor.errors import StudyFileError

STUDY = '[study]\nname = "s"\n{claims}\n[experiment]\npython = "e.py"\n[metrics.accuracy]\ngoal = "maximize"\n'


@pytest.fixture
def stated(tmp_path):
    (tmp_path / "e.py").write_text("")

    def load(claims, file=None, name="claims.txt"):
        if file is not None:
            (tmp_path / name).write_bytes(file if isinstance(file, bytes) else file.encode())
        (tmp_path / "lesion.toml").write_text(STUDY.format(claims=claims))
        return claims_of(load_study(tmp_path))

    return load


def problem(stated, *given):
    with pytest.raises(StudyFileError) as caught:
        stated(*given)
    return str(caught.value)


def test_claims_stand_in_the_study_file_in_order(stated):
    assert stated("") == []
    assert stated('claims = "Dropout helps."') == ["Dropout helps."]
    assert stated('claims = ["Dropout helps.", """two\n  lines"""]') == ["Dropout helps.", "two lines"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("First claim,\non two lines.\n\n\nSecond.\n", ["First claim, on two lines.", "Second."]),
        ("- one\n- two\n  goes on\n* three", ["one", "two goes on", "three"]),
        ("1. one\n2) two\n(3) three\n• four", ["one", "two", "three", "four"]),
        ("# Claims\nDropout helps.\n\n## More\n\n- -3 is a number", ["Dropout helps.", "-3 is a number"]),
        ("\ufeffA claim with 3.5 points\r\n\r\nanother\r\n", ["A claim with 3.5 points", "another"]),
    ],
)
def test_a_text_file_holds_a_claim_a_paragraph_or_a_bullet(stated, text, found):
    assert stated('claims_file = "claims.txt"', text) == found


@pytest.mark.parametrize(
    ("claims", "file", "told"),
    [
        ('claims_file = "none.txt"', None, "there is no file"),
        ('claims_file = "."', None, "is a folder (name a text file in it"),
        ('claims_file = ".env"', None, "is named like a file of secrets"),
        ('claims_file = "./.env"', None, "is named like a file of secrets"),
        ('claims_file = "credentials/claims.txt"', None, "is named like a file of secrets"),
        ('claims_file = "../claims.txt"', None, "lies outside the study's folder"),
        ('claims_file = "claims.txt"', "", "holds no claim"),
        ('claims_file = "claims.txt"', "# only a heading\n\n", "holds no claim"),
        ('claims_file = "claims.txt"', b"\xff\xfe\x00c", "is not UTF-8 text"),
        ('claims_file = "claims.txt"', "a\0b", "is not text"),
        ('claims_file = "claims.txt"', "x " * 600_000, "is larger than"),
        ('claims_file = "claims.txt"\nclaims = ["one"]', "two", "keep one of them"),
        ('claims = ["one", " "]', None, "claim 2 is empty"),
        (f'claims = ["{"x" * 1001}"]', None, "claim 1 has 1001 characters, more than 1000"),
        ('claims_file = "claims.txt"', "x" * 1001, "claim 1 has 1001 characters, more than 1000"),
        ("claims = [" + '"c",' * 51 + "]", None, "51 claims are more than 50"),
        ("claims = [1]", None, "must be a string"),
        ("claims_file = 1", None, "must be a string"),
    ],
)
def test_each_mistake_is_named(stated, claims, file, told):
    assert told in problem(stated, claims, file)


def test_all_problems_are_told_at_once_with_their_lines(stated):
    said = problem(stated, 'claims = [""]\nclaims_file = "none.txt"\nseeds = 99')
    assert [line.split(": ")[0] for line in said.splitlines()] == ["lesion.toml:3"] + ["lesion.toml:4"] * 2 + [
        "lesion.toml:5"
    ]


def test_a_link_that_leads_out_of_the_folder_is_refused(stated, tmp_path):
    secret = tmp_path.parent / f"{tmp_path.name}-secret.txt"
    secret.write_text("a secret")
    (tmp_path / "claims.txt").symlink_to(secret)
    said = problem(stated, 'claims_file = "claims.txt"')
    assert "lies outside" in said
    assert "a secret" not in said


def test_a_file_that_was_emptied_since_is_one_expected_error(stated, tmp_path):
    stated('claims_file = "claims.txt"', "one")
    spec = load_study(tmp_path)
    (tmp_path / "claims.txt").write_text("")
    with pytest.raises(StudyFileError, match="holds no claim"):
        claims_of(spec)


@pytest.mark.parametrize(("link", "target"), [("claims.txt", ".env"), (".env", "claims.txt")])
def test_a_link_does_not_hide_a_file_of_secrets(stated, tmp_path, link, target):
    (tmp_path / target).write_text("sk-0123456789")
    (tmp_path / link).symlink_to(target)
    said = problem(stated, f'claims_file = "{link}"')
    assert "is named like a file of secrets" in said
    assert "sk-" not in said
